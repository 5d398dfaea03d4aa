"""Claims about settings, plug-in names and model files: bad input, one sentence."""

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from lfr_errors import BadInputError
from matcher.config import (
    BestShotConfig,
    DecisionConfig,
    DetectorConfig,
    EmbedderConfig,
    MatcherConfig,
)
from matcher.embedders.reference import make as make_embedder
from matcher.errors import ModelFileError, UnknownPluginError
from matcher.registry import DETECTORS, Registry
from matcher.weights import read_manifest, read_model


@pytest.mark.parametrize("threshold", [1.01, -1.01, 70.0], ids=str)
def test_threshold_outside_the_scale_names_the_scale(threshold: float) -> None:
    """The user learns what the scale is and what to do instead."""
    with pytest.raises(
        ValidationError, match=r"cosine in \[-1, 1\], got .*leave it out"
    ):
        DecisionConfig(threshold=threshold)


def test_threshold_zero_is_a_threshold() -> None:
    """Zero is a value, not an absence."""
    assert DecisionConfig(threshold=0.0).threshold == 0.0


def test_unknown_setting_is_refused() -> None:
    """A misspelt key must not silently leave the default in force."""
    with pytest.raises(ValidationError, match="treshold"):
        DecisionConfig.model_validate({"treshold": 0.4})


def test_settings_under_which_no_track_could_alert_are_refused() -> None:
    """More shots are required than are kept."""
    with pytest.raises(ValidationError, match="no track could ever alert"):
        MatcherConfig(
            best_shot=BestShotConfig(max_shots=2), decision=DecisionConfig(min_shots=3)
        )


def test_model_path_without_hash_is_refused() -> None:
    """A result must name its model."""
    with pytest.raises(ValidationError, match="given together"):
        DetectorConfig(model_path=Path("x.onnx"))


def test_unknown_plugin_lists_the_known_and_the_nearest() -> None:
    """Both a lookup error and bad input."""
    with pytest.raises(UnknownPluginError, match="nearest is 'yunet'") as caught:
        DETECTORS.make("yunett", DetectorConfig())

    assert isinstance(caught.value, BadInputError)
    assert isinstance(caught.value, LookupError)
    assert {"reference", "yunet"} <= set(caught.value.known)


def test_name_can_be_registered_once() -> None:
    """The second plug-in would hide the first."""
    registry: Registry[[], int] = Registry("thing")
    registry.register("one")(lambda: 1)
    with pytest.raises(ValueError, match="already registered"):
        registry.register("one")


def test_altered_model_file_is_refused(tmp_path: Path) -> None:
    """The error names the file, both hashes, and the remedy."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"tampered")
    with pytest.raises(
        ModelFileError, match=r"model\.onnx must have SHA-256 0{64}, got"
    ):
        read_model(path, sha256="0" * 64)


def test_absent_model_file_is_refused(tmp_path: Path) -> None:
    """With the path to correct."""
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_model(tmp_path / "model.onnx", sha256="0" * 64)


def test_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    """The hash may be right and the content wrong."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no network at all")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ModelFileError, match="must be an ONNX network"):
        make_embedder(EmbedderConfig(model_path=path, model_sha256=sha256))


@pytest.mark.parametrize(
    "content",
    [None, "{", '{"detector": {"file": "d.onnx"}}'],
    ids=["absent", "broken", "incomplete"],
)
def test_unusable_manifest_is_refused(tmp_path: Path, content: str | None) -> None:
    """One sentence that names the manifest."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ModelFileError, match=r"manifest\.json .*reinstall"):
        read_manifest(tmp_path)
