"""Writes trained networks as the ONNX files and the manifest that `matcher` loads.

Owns the names of inputs and outputs, the dynamic axes, and the check that the graph
computes what the module does. The larger networks' weights are stored as float16 and
widened once when a file is loaded: half the size, and arithmetic stays float32.

    python -m training.export --score-threshold 0.5
"""

from __future__ import annotations

import hashlib
import warnings
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import onnx
import onnxruntime
import torch
import typer
from onnx import helper, numpy_helper
from torch import nn

from matcher.weights import (
    WEIGHTS,
    CalibrationWeights,
    DetectorWeights,
    EmbedderWeights,
    Manifest,
    RefinerWeights,
    read_manifest,
)
from training.networks import STRIDES, FaceDetector, LandmarkRefiner
from training.restored import saved_embedder

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "Network",
    "export_detector",
    "export_embedder",
    "export_refiner",
    "publish",
    "with_calibration",
    "write_manifest",
]

_OPSET = 18


class Network(StrEnum):
    """What a folder of weights holds."""

    DETECTOR = "detector"
    REFINER = "refiner"
    EMBEDDER = "embedder"


# Largest deviation from the module that storing weights as float16 may cause, as a
# share of an output's spread.
_TOLERANCE = 0.02


class _NamedMaps(nn.Module):
    """The detector with its scores as probabilities and its outputs in a row."""

    def __init__(self, detector: FaceDetector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        return tuple(
            tensor
            for score, box, points in self.detector(image)
            for tensor in (torch.sigmoid(score), box, points)
        )


def _noise(n: int, height_px: int, width_px: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 255.0 * torch.rand(n, 3, height_px, width_px, generator=generator)


def _halve(path: Path) -> None:
    """Store every weight of more than a few numbers as float16, widened by a Cast."""
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 64:
            continue
        half = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
        casts.append(
            helper.make_node(
                "Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT
            )
        )
        tensor.CopyFrom(half)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _export(
    module: nn.Module,
    example: Tensor,
    path: Path,
    *,
    names: tuple[str, tuple[str, ...]],
    dynamic_axes: dict[str, dict[int, str]],
    halved: bool,
) -> None:
    module.eval()
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, yet it alone needs no further package.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            module,
            (example,),
            str(path),
            input_names=[names[0]],
            output_names=list(names[1]),
            dynamic_axes=dynamic_axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    if halved:
        _halve(path)
    session = onnxruntime.InferenceSession(str(path))
    given = session.run(list(names[1]), {names[0]: example.numpy()})
    with torch.no_grad():
        wanted = module(example)
    for got, want in zip(
        given, wanted if isinstance(wanted, tuple) else (wanted,), strict=True
    ):
        error = np.abs(got - want.numpy()).max() / max(float(want.std()), 1e-3)
        if not error <= _TOLERANCE:
            message = (
                f"the exported graph must agree with its module within {_TOLERANCE:g} "
                f"of the spread, got {error:.3g} in {path}; export it in float32"
            )
            raise ArithmeticError(message)


def _state(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary, wherever its network was trained."""
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def export_detector(state: Path, path: Path) -> None:
    """Write the detector in the format that `matcher.detectors.reference` states.

    Args:
        state: State dictionary from `training.train_detector`.
        path: The ONNX file to write.
    """
    detector = FaceDetector()
    detector.load_state_dict(_state(state))
    outputs = tuple(
        f"{kind}_{s}" for s in STRIDES for kind in ("score", "box", "points")
    )
    axes = {"image": {2: "h", 3: "w"}}
    for name in outputs:
        axes[name] = {2: f"h_{name}", 3: f"w_{name}"}
    _export(
        _NamedMaps(detector),
        _noise(1, 192, 320),
        path,
        names=("image", outputs),
        dynamic_axes=axes,
        # Small enough as it is, and its boxes are distances: they feel the rounding.
        halved=False,
    )


def export_embedder(state: Path, path: Path) -> tuple[int, int]:
    """Write the embedder in the format that `matcher.embedders.reference` states.

    Args:
        state: State dictionary from `training.train_embedder`.
        path: The ONNX file to write.

    Returns:
        Side of its chips and length of its templates.
    """
    embedder = saved_embedder(state)
    side = embedder.chip_px
    _export(
        embedder,
        _noise(3, side, side),
        path,
        names=("chips", ("templates",)),
        dynamic_axes={"chips": {0: "n"}, "templates": {0: "n"}},
        halved=True,
    )
    return side, embedder.dimension


def export_refiner(state: Path, path: Path) -> None:
    """Write the refiner in the format that `matcher.landmarks` states.

    Args:
        state: State dictionary from `training.train_refiner`.
        path: The ONNX file to write.
    """
    refiner = LandmarkRefiner()
    refiner.load_state_dict(_state(state))
    _export(
        refiner,
        _noise(3, refiner.chip_px, refiner.chip_px),
        path,
        names=("chips", ("shifts",)),
        dynamic_axes={"chips": {0: "n"}, "shifts": {0: "n"}},
        halved=True,
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(
    states: dict[Network, Path], *, score_threshold: float | None, folder: Path
) -> Manifest:
    """Write networks and the manifest; a cohort of other networks is dropped.

    Args:
        states: State dictionaries that training left; what is not among them stays as
            it lies in `folder`.
        score_threshold: Least score of a face; see `training.operating_point`. None
            keeps the one in `folder`.
        folder: Where `matcher` looks for its weights.

    Returns:
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {network: folder / f"{network}.onnx" for network in Network}
    if Network.DETECTOR in states:
        export_detector(states[Network.DETECTOR], files[Network.DETECTOR])
    if Network.REFINER in states:
        export_refiner(states[Network.REFINER], files[Network.REFINER])
    if Network.EMBEDDER in states:
        chip_px, dimension = export_embedder(
            states[Network.EMBEDDER], files[Network.EMBEDDER]
        )
    else:
        kept = read_manifest(folder).embedder
        chip_px, dimension = kept.chip_px, kept.dimension
    if score_threshold is None:
        score_threshold = read_manifest(folder).detector.score_threshold
    entries = {
        network: {"file": path.name, "sha256": _sha256(path)}
        for network, path in files.items()
    }
    manifest = Manifest(
        detector=DetectorWeights(
            **entries[Network.DETECTOR], score_threshold=score_threshold
        ),
        refiner=RefinerWeights(**entries[Network.REFINER]),
        embedder=EmbedderWeights(
            **entries[Network.EMBEDDER], chip_px=chip_px, dimension=dimension
        ),
    )
    write_manifest(manifest, folder)
    return manifest


def with_calibration(folder: Path, cohort: Path) -> Manifest:
    """Enter a recorded cohort into the manifest of its networks."""
    entry = CalibrationWeights(file=cohort.name, sha256=_sha256(cohort))
    manifest = read_manifest(folder).model_copy(update={"calibration": entry})
    write_manifest(manifest, folder)
    return manifest


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `manifest.json`, leaving out what is not there yet."""
    text = manifest.model_dump_json(indent=2, exclude_none=True)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def main(
    score_threshold: Annotated[
        float | None,
        typer.Option(help="Least score of a face; needed with a new detector."),
    ] = None,
    only: Annotated[
        list[Network] | None,
        typer.Option(help="Networks to export; the others stay as they ship."),
    ] = None,
    detector: Annotated[Path, typer.Option()] = Path(
        "training/out/detector/detector.pt"
    ),
    refiner: Annotated[Path, typer.Option()] = Path("training/out/refiner/refiner.pt"),
    embedder: Annotated[Path, typer.Option()] = Path(
        "training/out/embedder_third/embedder.pt"
    ),
    folder: Annotated[Path, typer.Option()] = WEIGHTS,
) -> None:
    """Export the networks to where `matcher` loads them from."""
    trained = {
        Network.DETECTOR: detector,
        Network.REFINER: refiner,
        Network.EMBEDDER: embedder,
    }
    states = {network: trained[network] for network in only or Network}
    if Network.DETECTOR in states and score_threshold is None:
        message = (
            "a new detector needs its --score-threshold, none was given; "
            "python -m training.operating_point prints it"
        )
        raise typer.BadParameter(message)
    manifest = publish(states, score_threshold=score_threshold, folder=folder)
    typer.echo(manifest.model_dump_json(indent=2, exclude_none=True))


if __name__ == "__main__":
    typer.run(main)
