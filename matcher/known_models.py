"""Networks that are not shipped: which files they are, and where they are kept.

Owns names and hashes. Knows nothing of networks or of the internet: `harness models
fetch` puts a file where this module looks for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.errors import ModelFileError
from matcher.weights import read_manifest, read_model

if TYPE_CHECKING:
    from matcher.config import DetectorConfig, EmbedderConfig
    from matcher.weights import ModelFile

__all__ = [
    "FETCHED",
    "MODELS",
    "KnownModel",
    "detector_sha256",
    "embedder_sha256",
    "find_model",
    "read_named_model",
]

# Where `harness models fetch` keeps them, beside the clips.
MODELS = Path(".cache/models")

_DLIB_PACKAGE = "face_recognition_models"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A file that is known by its hash.

    Attributes:
        file: Its name.
        sha256: What it must hash to.
        url: Where its authors keep it; None if it comes with a package instead.
    """

    file: str
    sha256: str
    url: str | None


_ZOO = "https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models"
_KNOWN = {
    "yunet": KnownModel(
        file="face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        url=f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx",
    ),
    "sface": KnownModel(
        file="face_recognition_sface_2021dec.onnx",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        url=f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx",
    ),
    "dlib_hog": KnownModel(
        file="shape_predictor_68_face_landmarks.dat",
        sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
        url=None,
    ),
    "dlib_resnet": KnownModel(
        file="dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        url=None,
    ),
}
# Those that `harness models fetch` can fetch.
FETCHED = {name: model for name, model in _KNOWN.items() if model.url is not None}


def detector_sha256(config: DetectorConfig) -> str:
    """Name the detector's model."""
    return _sha256(config, shipped=read_manifest().detector.sha256)


def embedder_sha256(config: EmbedderConfig) -> str:
    """Name the embedder's model."""
    return _sha256(config, shipped=read_manifest().embedder.sha256)


def _sha256(config: DetectorConfig | EmbedderConfig, *, shipped: str) -> str:
    if config.model_sha256 is not None:
        return config.model_sha256
    known = _KNOWN.get(config.name)
    return shipped if known is None else known.sha256


def find_model(name: str) -> Path:
    """Say where a known model is, if it is anywhere."""
    known = _KNOWN[name]
    if known.url is None:
        spec = find_spec(_DLIB_PACKAGE)
        if spec is not None:
            # Beside the package, not through it: importing it needs pkg_resources.
            folder = next(iter(spec.submodule_search_locations or ()))
            return Path(folder) / "models" / known.file
    return MODELS / known.file


def read_named_model(config: DetectorConfig | EmbedderConfig) -> ModelFile:
    """Read the model that the settings give, or the known one of the plug-in's name.

    Raises:
        ModelFileError: If it is absent or not the one meant; the message says how to
            come by it.
    """
    if config.model_path is not None and config.model_sha256 is not None:
        return read_model(config.model_path, sha256=config.model_sha256)
    known = _KNOWN.get(config.name)
    if known is None:
        complaint = "must be given, it has no default; set model_path and model_sha256"
        raise ModelFileError(Path(config.name), complaint)
    path = find_model(config.name)
    if not path.exists():
        remedy = (
            "install the extra '.[dlib]'"
            if known.url is None
            else f"call 'harness models fetch {config.name}', or set model_path"
        )
        raise ModelFileError(path, f"must be there for {config.name!r}; {remedy}")
    return read_model(path, sha256=known.sha256)
