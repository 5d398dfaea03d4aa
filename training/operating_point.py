"""Chooses the detector's score threshold on validation scenes.

Owns the rule: the least score at which false detections stay rare. Scenes are streets
and portraits that training did not see.

    python -m training.operating_point --detector training/work/detector/detector.pt
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from matcher.config import DetectorConfig
from matcher.detectors.reference import make
from training.export import export_detector
from training.scenes_dataset import load_scenes
from training.truth import found_faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.scenes_dataset import Scenes

__all__ = ["DetectionScores", "OperatingPoint", "operating_point", "score_scenes"]

_LEAST_SCORE = 0.05
# A face of 40 pixels in a frame twice as wide as what the network sees.
_FAIR_HEIGHT_PX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectionScores:
    """What the detector said on scenes whose truth is known.

    Attributes:
        fair: (n,) float32, score of the detection of each face that must be found,
            0 where there was none.
        false: (m,) float32, scores of detections on no face and no region that
            counts neither way.
        n_images: How many were looked at.
    """

    fair: NDArray[np.float32]
    false: NDArray[np.float32]
    n_images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A score threshold and what it costs.

    Attributes:
        score_threshold: Least score of a face.
        recall: Share of fair faces found at it.
        false_per_image: False detections an image at it.
    """

    score_threshold: float
    recall: float
    false_per_image: float


def score_scenes(config: DetectorConfig, scenes: Scenes) -> DetectionScores:
    """Run the reference detector over scenes.

    Args:
        config: Names the network; its score threshold should be low.
        scenes: Validation scenes.
    """
    detector = make(config)
    fair: list[float] = []
    false: list[float] = []
    for index in range(len(scenes)):
        found = detector.detect(np.ascontiguousarray(scenes.image(index)))
        boxes, kinds = scenes.boxes_xyxy(index), scenes.kinds(index)
        pair = found_faces(found.boxes_xyxy, boxes)
        height = boxes[:, 3] - boxes[:, 1]
        must = np.flatnonzero((kinds == 1) & (height >= _FAIR_HEIGHT_PX))
        fair += [float(found.scores[r]) if r >= 0 else 0.0 for r in pair[must]]
        spare = np.setdiff1d(np.arange(len(found)), pair)
        middle = (found.boxes_xyxy[:, :2] + found.boxes_xyxy[:, 2:]) / 2
        ignored = boxes[kinds == -1]
        for row in spare:
            inside = (middle[row] >= ignored[:, :2]) & (middle[row] <= ignored[:, 2:])
            if not inside.all(axis=1).any():
                false.append(float(found.scores[row]))
    return DetectionScores(
        fair=np.array(fair, np.float32),
        false=np.array(false, np.float32),
        n_images=len(scenes),
    )


def operating_point(
    scores: DetectionScores, *, false_per_image: float
) -> OperatingPoint:
    """Find the least score threshold with no more false detections than allowed.

    Args:
        scores: From `score_scenes`.
        false_per_image: How many are allowed, on average.
    """
    allowed = int(false_per_image * scores.n_images)
    highest_first = np.sort(scores.false)[::-1]
    threshold = _LEAST_SCORE
    if len(highest_first) > allowed:
        threshold = float(np.ceil(1000 * highest_first[allowed] + 1) / 1000)
    return OperatingPoint(
        score_threshold=threshold,
        recall=float((scores.fair >= threshold).mean()),
        false_per_image=float((scores.false >= threshold).sum() / scores.n_images),
    )


def main(
    detector: Annotated[Path, typer.Option()] = Path(
        "training/work/detector/detector.pt"
    ),
    scenes: Annotated[Path, typer.Option()] = Path("training/work/scenes_validation"),
    false_per_image: Annotated[float, typer.Option()] = 0.02,
) -> None:
    """Print the score threshold at which the detector errs as rarely as allowed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detector.onnx"
        export_detector(detector, path)
        config = DetectorConfig(
            model_path=path,
            model_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            score_threshold=_LEAST_SCORE,
        )
        scores = score_scenes(config, load_scenes(scenes))
    typer.echo(f"{len(scores.fair)} fair faces on {scores.n_images} images")
    for allowed in (0.1, 0.05, false_per_image):
        typer.echo(operating_point(scores, false_per_image=allowed))


if __name__ == "__main__":
    typer.run(main)
