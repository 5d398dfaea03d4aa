"""Evaluates the shipped matcher on people whom nothing has seen before.

Owns the streets it is evaluated on and the counting. The pipeline is the matcher's
own with its default settings, unhurried: every frame is processed. Streets are
evaluated one at a time and kept, so that an interrupted evaluation goes on.

    python -m training.evaluate
"""

from __future__ import annotations

import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from matcher.assembly import assemble, make_detector, make_embedder
from matcher.config import MatcherConfig
from matcher.gallery import enrol
from matcher.landmarks import make_refiner
from matcher.records import CameraId, SubjectId
from matcher.weights import read_manifest
from matcher.worker import Worker, unhurried
from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.people.population import IdentityDomain
from synthetic_crowds.records import age_band
from training.results import PassageResult, StreetResult, as_markdown
from training.streams import PassageJoin, encoded_frames
from training.streets import draw_camera, draw_crowd
from training.truth import found_faces, is_fair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matcher.gallery import Enrolment
    from matcher.records import FrameResult
    from synthetic_crowds.records import Clip, Crowd, Watchlist

__all__ = ["EvaluationConfig", "evaluate", "evaluate_street"]


class EvaluationConfig(BaseModel):
    """Which streets the matcher is evaluated on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=8, ge=0, description="Of every draw.")
    streets: int = Field(default=4, ge=1, description="Two cameras each.")
    duration_s: float = Field(default=100.0, ge=2.0, description="Of each clip.")
    fps: float = Field(default=6.0, ge=1.0, description="Of each camera.")
    watchlist_size: int = Field(default=1000, ge=1, description="N, of each street.")
    mated_share: float = Field(default=0.6, ge=0.0, le=1.0)


def _crowd(index: int, config: EvaluationConfig, cache_dir: Path) -> Crowd:
    rng = np.random.default_rng((config.seed, index))
    # Steps of five: the first three streets differ in setting and in weather.
    crowd = draw_crowd(5 * index % 12, duration_s=config.duration_s, rng=rng)
    # People pass once, so that every mated passage is another identity's.
    return make_crowd(
        crowd.model_copy(update={"return_share": 0.0}),
        tuple(draw_camera(f"cam{k}", fps=config.fps, rng=rng) for k in (1, 2)),
        WatchlistConfig(size=config.watchlist_size, mated_share=config.mated_share),
        seed=config.seed * 1000 + index,
        cache_dir=cache_dir,
        workers=1,
        progress=lambda _task, _done, _total: None,
        domain=IdentityDomain.EVALUATION,
    )


def _enrol(watchlist: Watchlist, config: MatcherConfig) -> Enrolment:
    return enrol(
        (np.asarray(cv2.imread(str(i.path)), np.uint8) for i in watchlist.images),
        (SubjectId(str(image.person_id)) for image in watchlist.images),
        detector=make_detector(config.detector),
        refiner=make_refiner(config.alignment),
        embedder=make_embedder(config.embedder),
        embedder_sha256=read_manifest().embedder.sha256,
    )


class _Counts:
    """What the frames of one street add up to."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._join = PassageJoin(clip)
        self.right: set[int] = set()
        self.wrong: set[int] = set()
        self.seen: set[int] = set()
        self.fair_faces = self.fair_found = self.false = self.nobody = 0

    def add(self, result: FrameResult) -> None:
        """Count one frame."""
        index, truth = result.outcome.frame_index, self._clip.faces
        rows = np.flatnonzero(truth.frame_index == index)
        boxes = np.array([box[1:] for box in result.boxes], np.float32).reshape(-1, 4)
        pair = found_faces(boxes, truth.box_xyxy[rows])
        fair = is_fair(
            truth.face_height_px[rows],
            truth.yaw_pitch_roll_deg[rows, 0],
            truth.visibility[rows],
        )
        self.fair_faces += int(fair.sum())
        self.fair_found += int((pair[fair] >= 0).sum())
        self.false += len(boxes) - int((pair >= 0).sum())
        self.seen.update(truth.passage_index[rows[pair >= 0]].tolist())
        for alert in result.alerts:
            (passage,) = self._join.passages(index, [alert.box_xyxy])
            if passage is None:
                self.nobody += 1
            elif str(self._clip.passages[passage].person_id) == str(alert.subject_id):
                self.right.add(passage)
            else:
                self.wrong.add(passage)

    def passages(self, crowd: Crowd) -> Iterator[PassageResult]:
        """Sum up every passage of the clip."""
        truth = self._clip.faces
        for index, passage in enumerate(self._clip.passages):
            time_s = truth.frame_index / self._clip.fps
            in_zone = (time_s >= passage.t_in_s) & (time_s <= passage.t_out_s)
            rows = np.flatnonzero((truth.passage_index == index) & in_zone)
            largest = rows[truth.face_height_px[rows].argmax()] if len(rows) else None
            subject = crowd.subjects[passage.person_id]
            yield PassageResult(
                mated=passage.person_id in crowd.watchlist.mated,
                sex=str(subject.sex),
                age_band=age_band(subject.age_years),
                monk_tone=subject.monk_tone,
                # The largest face within the zone, and nothing before it then.
                is_large=largest is not None
                and passage.max_face_height_px >= 60.0
                and bool(truth.visibility[largest] >= 0.9),
                detected=index in self.seen,
                true_alert=index in self.right,
                false_alert=index in self.wrong,
            )


def evaluate_street(
    index: int, config: EvaluationConfig, *, cache_dir: Path
) -> StreetResult:
    """Make one street, enrol its watchlist, run the matcher over its clips."""
    cv2.setNumThreads(1)
    matcher = MatcherConfig()
    crowd = _crowd(index, config, cache_dir)
    enrolment = _enrol(crowd.watchlist, matcher)
    assembly = assemble(matcher, enrolment.gallery, clock=time.perf_counter_ns)
    worker = Worker(assembly.pipeline, clock=time.perf_counter_ns)
    counts = []
    for number, clip in enumerate(crowd.clips):
        count = _Counts(clip)
        frames = encoded_frames(clip, camera_id=CameraId(f"cam{number}"))
        for result in unhurried(frames, worker, clock=time.perf_counter_ns):
            count.add(result)
        counts.append(count)
    return StreetResult(
        n_enrolled=len(enrolment.gallery),
        n_failed_to_enrol=len(enrolment.failures),
        threshold=assembly.threshold.value,
        n_frames=sum(clip.n_frames for clip in crowd.clips),
        fair_faces=sum(c.fair_faces for c in counts),
        fair_found=sum(c.fair_found for c in counts),
        false_detections=sum(c.false for c in counts),
        alerts_on_nobody=sum(c.nobody for c in counts),
        passages=tuple(p for c in counts for p in c.passages(crowd)),
    )


def _work(task: tuple[int, EvaluationConfig, Path, Path]) -> StreetResult:
    index, config, cache_dir, path = task
    if path.exists():
        return StreetResult.model_validate_json(path.read_text(encoding="utf-8"))
    result = evaluate_street(index, config, cache_dir=cache_dir)
    path.write_text(result.model_dump_json(), encoding="utf-8")
    return result


def evaluate(
    config: EvaluationConfig, *, cache_dir: Path, folder: Path, workers: int
) -> tuple[StreetResult, ...]:
    """Evaluate all streets, those already done read from `folder`.

    Args:
        config: Which streets.
        cache_dir: Of clips and portraits.
        folder: Of results, one file a street, named by the networks they are of.
        workers: Processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    manifest = read_manifest()
    cohort = "none" if manifest.calibration is None else manifest.calibration.sha256
    names = (manifest.detector.sha256, manifest.embedder.sha256, cohort)
    networks = "-".join(name[:8] for name in names)
    tasks = [
        (index, config, cache_dir, folder / f"street_{index:02d}-{networks}.json")
        for index in range(config.streets)
    ]
    with get_context("spawn").Pool(workers) as pool:
        done = pool.imap(_work, tasks)
        return tuple(track(done, total=len(tasks), description="Evaluating streets"))


def main(
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    folder: Annotated[Path, typer.Option()] = Path("training/out/evaluation"),
    streets: Annotated[int, typer.Option(help="Two cameras each.")] = 4,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Print the reference matcher's error rates on unseen synthetic people."""
    config = EvaluationConfig(streets=streets)
    results = evaluate(config, cache_dir=cache_dir, folder=folder, workers=workers)
    table = as_markdown(results)
    (folder / "evaluation.md").write_text(table + "\n", encoding="utf-8")
    typer.echo(table)


if __name__ == "__main__":
    typer.run(main)
