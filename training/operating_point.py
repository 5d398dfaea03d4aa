"""Chooses the detector's score threshold on streets that it was not trained on.

Owns the rule: the least score at which false detections stay rare on the calibration
streets. The same people set the alert threshold; nobody is evaluated on them.

    python -m training.operating_point --detector training/out/detector/detector.pt
"""

from __future__ import annotations

import hashlib
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from matcher.config import DetectorConfig
from matcher.detectors.reference import make
from synthetic_crowds.film.processes import leave_with_parent
from training.calibrate import CalibrationConfig, calibration_crowd
from training.export import export_detector
from training.truth import found_faces, frames_with_truth, is_fair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from synthetic_crowds.records import Clip

__all__ = ["DetectionScores", "OperatingPoint", "operating_point", "score_clips"]

_LEAST_SCORE = 0.05
# Of six frames a second, one every two seconds.
_EVERY = 12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectionScores:
    """What the detector said on scenes whose truth is known.

    Attributes:
        fair: (n,) float32, score of the detection of each face that must be found,
            0 where there was none.
        false: (m,) float32, scores of detections on no face and no region that
            counts neither way.
        n_frames: How many were looked at.
    """

    fair: NDArray[np.float32]
    false: NDArray[np.float32]
    n_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A score threshold and what it costs.

    Attributes:
        score_threshold: Least score of a face.
        recall: Share of fair faces found at it.
        false_per_frame: False detections a frame at it.
    """

    score_threshold: float
    recall: float
    false_per_frame: float


def score_clips(
    config: DetectorConfig, clips: Iterable[Clip], *, every: int
) -> DetectionScores:
    """Run the reference detector over frames of clips.

    Args:
        config: Names the network; its score threshold should be low.
        clips: Of people that training did not see.
        every: Look at one frame of so many; neighbours are alike.
    """
    detector = make(config)
    fair: list[float] = []
    false: list[float] = []
    n_frames = 0
    for frame in (f for clip in clips for f in frames_with_truth(clip, every=every)):
        found = detector.detect(frame.image_bgr)
        pair = found_faces(found.boxes_xyxy, frame.boxes_xyxy)
        must = is_fair(frame.face_height_px, frame.yaw_deg, frame.visibility)
        fair += [float(found.scores[r]) if r >= 0 else 0.0 for r in pair[must]]
        spare = np.setdiff1d(np.arange(len(found)), pair)
        false += found.scores[spare].astype(float).tolist()
        n_frames += 1
    return DetectionScores(
        fair=np.array(fair, np.float32),
        false=np.array(false, np.float32),
        n_frames=n_frames,
    )


def operating_point(
    scores: DetectionScores, *, false_per_frame: float
) -> OperatingPoint:
    """Find the least score threshold with no more false detections than allowed.

    Args:
        scores: From `score_scenes`.
        false_per_frame: How many are allowed, on average.
    """
    allowed = int(false_per_frame * scores.n_frames)
    highest_first = np.sort(scores.false)[::-1]
    threshold = _LEAST_SCORE
    if len(highest_first) > allowed:
        threshold = float(np.ceil(1000 * highest_first[allowed] + 1) / 1000)
    return OperatingPoint(
        score_threshold=threshold,
        recall=float((scores.fair >= threshold).mean()),
        false_per_frame=float((scores.false >= threshold).sum() / scores.n_frames),
    )


def _score_street(task: tuple[int, DetectorConfig, Path]) -> DetectionScores:
    index, config, cache_dir = task
    crowd = calibration_crowd(index, CalibrationConfig(), cache_dir)
    return score_clips(config, crowd.clips, every=_EVERY)


def main(
    detector: Annotated[Path, typer.Option()] = Path(
        "training/out/detector/detector.pt"
    ),
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    false_per_frame: Annotated[float, typer.Option()] = 0.04,
    workers: Annotated[int, typer.Option()] = 2,
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
        tasks = [(k, config, cache_dir) for k in range(CalibrationConfig().shipped)]
        with ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=leave_with_parent
        ) as pool:
            parts = list(pool.map(_score_street, tasks))
    scores = DetectionScores(
        fair=np.concatenate([part.fair for part in parts]),
        false=np.concatenate([part.false for part in parts]),
        n_frames=sum(part.n_frames for part in parts),
    )
    typer.echo(f"{len(scores.fair)} fair faces on {scores.n_frames} frames")
    for allowed in sorted({0.02, 0.04, 0.08, false_per_frame}):
        typer.echo(operating_point(scores, false_per_frame=allowed))


if __name__ == "__main__":
    typer.run(main)
