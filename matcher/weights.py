"""The shipped networks: which files, and the proof that they are those files.

Owns the manifest's format and the reading of models. A model is read once, hashed,
and handed on as bytes, so that what was verified is what runs. Knows nothing of what
a network computes; `training/export.py` writes what this module reads.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matcher.errors import ModelFileError

__all__ = [
    "WEIGHTS",
    "CalibrationWeights",
    "DetectorWeights",
    "EmbedderWeights",
    "Manifest",
    "ModelFile",
    "RefinerWeights",
    "open_session",
    "read_manifest",
    "read_model",
    "sole_names",
]

WEIGHTS = Path(__file__).parent / "weights"
_MANIFEST = "manifest.json"
_SHA256 = "^[0-9a-f]{64}$"
# What onnxruntime raises for bytes that it cannot run; they share no base of their own.
_NOT_A_NETWORK = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
)


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(description="Name in the folder of the manifest.")
    sha256: str = Field(pattern=_SHA256)


class DetectorWeights(_Entry):
    """The reference detector."""

    score_threshold: float = Field(
        gt=0.0, lt=1.0, description="Least score of a face, chosen on validation data."
    )


class RefinerWeights(_Entry):
    """The reference network that corrects landmarks."""


class EmbedderWeights(_Entry):
    """The reference embedder."""

    chip_px: int = Field(ge=16, le=512, description="Side of its square chips.")
    dimension: int = Field(ge=8, le=4096, description="Length d of its templates.")


class CalibrationWeights(_Entry):
    """The non-mated passages on which thresholds are set."""


class Manifest(BaseModel):
    """`manifest.json`: what is shipped.

    Attributes:
        calibration: Absent until a cohort has been recorded with these networks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: DetectorWeights
    refiner: RefinerWeights
    embedder: EmbedderWeights
    calibration: CalibrationWeights | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A verified file.

    Attributes:
        path: Where it was read.
        sha256: What it hashed to.
        content: Its bytes.
    """

    path: Path
    sha256: str
    content: bytes


def read_manifest(folder: Path = WEIGHTS) -> Manifest:
    """Read the manifest of a folder of weights.

    Raises:
        ModelFileError: If it is absent or does not say what it must.
    """
    path = folder / _MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        complaint = "must list the shipped weights but is absent; reinstall the package"
        raise ModelFileError(path, complaint) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        complaint = f"is malformed at {where}: {first['msg']}; reinstall the package"
        raise ModelFileError(path, complaint) from error


def read_model(path: Path, *, sha256: str) -> ModelFile:
    """Read a file and prove that it is the one that was meant.

    Raises:
        ModelFileError: If it cannot be read or hashes to something else.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        complaint = f"cannot be read ({error.strerror}); correct the path"
        raise ModelFileError(path, complaint) from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != sha256:
        complaint = (
            f"must have SHA-256 {sha256}, got {actual}; restore the file, or state "
            "its new hash if the change is meant"
        )
        raise ModelFileError(path, complaint)
    return ModelFile(path=path, sha256=actual, content=content)


def open_session(
    model: ModelFile,
    *,
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
    threads: int = 1,
) -> onnxruntime.InferenceSession:
    """Load an ONNX network and check its names.

    One thread: two were slower than one on these small networks, and a worker that
    keeps to its core can be counted on; run more workers instead.

    Raises:
        ModelFileError: If a provider is not there, or the file is no ONNX network or
            one of other inputs or outputs.
    """
    absent = sorted(set(providers) - set(onnxruntime.get_available_providers()))
    if absent:
        complaint = (
            f"cannot run on {absent[0]}, which this onnxruntime lacks; install "
            "onnxruntime-gpu or choose runtime onnxruntime"
        )
        raise ModelFileError(model.path, complaint)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors alone; they are raised anyway
    try:
        session = onnxruntime.InferenceSession(
            model.content, options, providers=list(providers)
        )
    except _NOT_A_NETWORK as error:
        complaint = f"must be an ONNX network, got: {error}; export it again"
        raise ModelFileError(model.path, complaint) from error
    found = (
        {node.name for node in session.get_inputs()},
        {node.name for node in session.get_outputs()},
    )
    if not (found[0] == set(inputs) and found[1] >= set(outputs)):
        complaint = (
            f"must take {', '.join(inputs)} and give {', '.join(outputs)}, it takes "
            f"{', '.join(sorted(found[0]))} and gives {', '.join(sorted(found[1]))}; "
            "choose the plug-in that was written for it"
        )
        raise ModelFileError(model.path, complaint)
    return session


def sole_names(model: ModelFile) -> tuple[str, str]:
    """Read the name of a network's one input and that of its first output.

    Raises:
        ModelFileError: If it is no ONNX network or takes more than one input.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            model.content, options, providers=["CPUExecutionProvider"]
        )
    except _NOT_A_NETWORK as error:
        complaint = f"must be an ONNX network, got: {error}; export it again"
        raise ModelFileError(model.path, complaint) from error
    inputs = [node.name for node in session.get_inputs()]
    if len(inputs) != 1:
        complaint = f"must take one input, it takes {', '.join(inputs)}; export it so"
        raise ModelFileError(model.path, complaint)
    return inputs[0], session.get_outputs()[0].name
