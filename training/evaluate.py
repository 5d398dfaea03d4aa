"""Evaluates the shipped matcher on people whom nothing has seen before.

Owns the streets it is evaluated on and the counting. The pipeline is the matcher's
own with its default settings, unhurried: every frame is processed. Streets are
evaluated one at a time and kept, so that an interrupted evaluation goes on.

    python -m training.evaluate
"""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from matcher.assembly import assemble
from matcher.calibration import load_cohort, threshold_for
from matcher.config import MatcherConfig
from matcher.gallery import Gallery
from matcher.records import CameraId, SubjectId
from matcher.weights import WEIGHTS, read_manifest
from matcher.worker import Worker, unhurried
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.film.cache import render_version
from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.people.population import IdentityDomain
from training.calibrate import CalibrationConfig, large_cohort
from training.clip_counts import ClipCounts
from training.det_chart import draw_det
from training.enrolling import enrol_watchlist
from training.model_card import marked
from training.results import (
    OperatingPoint,
    StreetResult,
    accuracy_table,
    detection_table,
    group_table,
    likeness_table,
    passages_at,
)
from training.streams import encoded_frames
from training.streets import draw_camera
from training.two_cameras import (
    two_camera_crowd,
    two_camera_street,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matcher.protocols import GalleryIndex
    from synthetic_crowds.records import Crowd

__all__ = ["EvaluationConfig", "Folders", "evaluate", "evaluate_street"]

# Two watchlists, of the same people: how old their pictures may be.
_OLDEST_PICTURE_YEARS = (0.0, 5.0)


class EvaluationConfig(BaseModel):
    """Which streets the matcher is evaluated on, and against which watchlist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=9, ge=0, description="Of every draw.")
    streets: int = Field(
        default=5, ge=1, description="Each with a camera near by and one far off."
    )
    duration_s: float = Field(default=100.0, ge=2.0, description="Of each clip.")
    fps: float = Field(default=6.0, ge=1.0, description="Of each camera.")
    watchlist_size: int = Field(default=10_000, ge=1, description="N, of each street.")
    own_size: int = Field(
        default=250,
        ge=1,
        description="Of those, how many are a street's own: all its mated people, and "
        "some others. The rest of a watchlist is the same for all streets.",
    )
    mated_share: float = Field(default=0.6, ge=0.0, le=1.0)
    oldest_picture_years: float = Field(
        default=5.0,
        ge=0.0,
        le=15.0,
        description="Of the watchlist's pictures; 0: of another day, this year.",
    )
    target_fpirs: tuple[float, ...] = Field(
        default=(0.001, 0.01), description="FPIR to calibrate for; large cohort first."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where an evaluation reads and writes.

    Attributes:
        cache: Of clips and portraits.
        recordings: Of the calibration cohort.
        results: Of streets, named by what they depend on: networks, cohort, settings
            and the code that rendered them.
    """

    cache: Path
    recordings: Path
    results: Path


def _crowd(index: int, config: EvaluationConfig, cache_dir: Path) -> Crowd:
    return two_camera_crowd(
        index,
        seed=config.seed,
        duration_s=config.duration_s,
        fps=config.fps,
        watchlist=_pictures(config, config.own_size, mated_share=config.mated_share),
        domain=IdentityDomain.EVALUATION,
        cache_dir=cache_dir,
    )


def _pictures(
    config: EvaluationConfig, size: int, *, mated_share: float
) -> WatchlistConfig:
    return WatchlistConfig(
        size=size,
        mated_share=mated_share,
        image_age_years=(0.0, config.oldest_picture_years),
    )


def _others(config: EvaluationConfig, folders: Folders, *, workers: int) -> Gallery:
    """Enrol those who are on every street's watchlist and walk on none."""
    manifest = read_manifest()
    names = (manifest.detector, manifest.refiner, manifest.embedder)
    networks = "-".join(entry.sha256[:8] for entry in names)
    years = f"{config.oldest_picture_years:g}"
    pictures = render_version()[:8]
    path = folders.results / f"others-{networks}-{pictures}-{years}y.npz"
    if path.exists():
        with np.load(path) as held:
            return Gallery(
                templates=held["templates"],
                subject_ids=tuple(SubjectId(str(i)) for i in held["subject_ids"]),
                embedder_sha256=manifest.embedder.sha256,
            )
    crowd = make_crowd(
        CrowdConfig(duration_s=2.0),
        (draw_camera("none", fps=1.0, rng=np.random.default_rng(config.seed)),),
        _pictures(config, config.watchlist_size - config.own_size, mated_share=0.0),
        seed=config.seed * 1000 + 999,
        cache_dir=folders.cache,
        workers=workers,
        progress=lambda _task, _done, _total: None,
        domain=IdentityDomain.EVALUATION,
    )
    gallery = enrol_watchlist(crowd.watchlist, MatcherConfig()).gallery
    np.savez(
        path,
        templates=gallery.templates,
        subject_ids=np.array([str(i) for i in gallery.subject_ids]),
    )
    return gallery


def _with(own: Gallery, others: Gallery) -> Gallery:
    return Gallery(
        templates=np.concatenate([own.templates, others.templates]),
        # Other seeds, other people: an id tells only within its crowd.
        subject_ids=(
            *own.subject_ids,
            *(SubjectId(f"other-{i}") for i in others.subject_ids),
        ),
        embedder_sha256=own.embedder_sha256,
    )


def _points(
    index: GalleryIndex, config: EvaluationConfig, recordings: Path
) -> Iterator[OperatingPoint]:
    """Calibrate each target: on what ships if that resolves it, else on all streets.

    Even all of them resolve FPIR 0.1 % poorly; the interval says how poorly.
    """
    shipped = load_cohort((WEIGHTS / "calibration.npz").read_bytes())
    for target in config.target_fpirs:
        cohort = shipped
        if target * shipped.n_passages < 10:
            cohort = large_cohort(recordings, CalibrationConfig())
        found = threshold_for(index, cohort, target_fpir=target, least_exceedances=1)
        yield OperatingPoint(
            target_fpir=target,
            threshold=found.value,
            n_passages=found.n_passages,
            fpir_low=found.fpir_low,
            fpir_high=found.fpir_high,
        )


def evaluate_street(
    index: int, config: EvaluationConfig, folders: Folders, others: Gallery
) -> StreetResult:
    """Make one street, enrol its watchlist, run the matcher over its clips."""
    cv2.setNumThreads(1)
    matcher = MatcherConfig()
    crowd = _crowd(index, config, folders.cache)
    enrolment = enrol_watchlist(crowd.watchlist, matcher)
    gallery = _with(enrolment.gallery, others)
    assembly = assemble(matcher, gallery, clock=time.perf_counter_ns)
    worker = Worker(assembly.pipeline, clock=time.perf_counter_ns)
    counts = []
    for number, clip in enumerate(crowd.clips):
        count = ClipCounts(clip)
        frames = encoded_frames(clip, camera_id=CameraId(f"cam{number}"))
        for result in unhurried(frames, worker, clock=time.perf_counter_ns):
            count.add(result)
        counts.append(count)
    street = two_camera_street(
        index, seed=config.seed, duration_s=config.duration_s, fps=config.fps
    )
    return StreetResult(
        setting=str(street.crowd.setting),
        weather=str(street.crowd.weather),
        n_enrolled=len(gallery),
        n_failed_to_enrol=len(enrolment.failures),
        points=tuple(_points(assembly.gallery.index, config, folders.recordings)),
        n_frames=sum(clip.n_frames for clip in crowd.clips),
        fair_faces=sum(c.fair_faces for c in counts),
        fair_found=sum(c.fair_found for c in counts),
        false_detections=sum(c.false for c in counts),
        passages=tuple(p for c in counts for p in c.passages(crowd, street)),
    )


_Task = tuple[int, EvaluationConfig, Folders, Gallery, "Path"]


def _work(task: _Task) -> StreetResult:
    index, config, folders, others, path = task
    if path.exists():
        return StreetResult.model_validate_json(path.read_text(encoding="utf-8"))
    result = evaluate_street(index, config, folders, others)
    path.write_text(result.model_dump_json(), encoding="utf-8")
    return result


def evaluate(
    config: EvaluationConfig, folders: Folders, *, workers: int
) -> tuple[StreetResult, ...]:
    """Evaluate all streets, those already done read from their folder.

    Args:
        config: Which streets.
        folders: Where everything lies.
        workers: Processes.
    """
    folders.results.mkdir(parents=True, exist_ok=True)
    others = _others(config, folders, workers=workers)
    cohort = hashlib.sha256((WEIGHTS / "calibration.npz").read_bytes()).hexdigest()
    settings = hashlib.sha256(config.model_dump_json().encode()).hexdigest()
    made_with = "-".join(key[:8] for key in (cohort, settings, render_version()))
    tasks = [
        (
            index,
            config,
            folders,
            others,
            folders.results / f"street_{index:02d}-{made_with}.json",
        )
        for index in range(config.streets)
    ]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=leave_with_parent
    ) as pool:
        done = pool.map(_work, tasks)
        return tuple(track(done, total=len(tasks), description="Evaluating streets"))


def main(
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    recordings: Annotated[Path, typer.Option()] = Path("training/out/cohort"),
    folder: Annotated[Path, typer.Option()] = Path("training/out/evaluation"),
    streets: Annotated[int, typer.Option(help="Two cameras each.")] = 5,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Print the reference matcher's error rates on unseen synthetic people."""
    folders = Folders(cache=cache_dir, recordings=recordings, results=folder)
    tables = {}
    for years in _OLDEST_PICTURE_YEARS:
        config = EvaluationConfig(streets=streets, oldest_picture_years=years)
        results = evaluate(config, folders, workers=workers)
        tables[_pictures_of(years)] = accuracy_table(results)
    # The groups, against the pictures that are harder.
    tables["detection and enrolment"] = detection_table(results)
    for target in config.target_fpirs:
        passages = passages_at(results, target_fpir=target)
        at = f"at FPIR {target:.1%}, the older pictures"
        tables[f"groups {at}"] = group_table(passages)
        tables[f"likeness {at}"] = likeness_table(passages)
        tables[f"unequal groups {at}"] = likeness_table(passages, unequal_only=True)
    draw_det(results, folder / "det.png")
    text = "\n\n".join(
        (_heading(results), *(marked(name, table) for name, table in tables.items()))
    )
    (folder / "evaluation.md").write_text(text + "\n", encoding="utf-8")
    typer.echo(text)


def _heading(results: Sequence[StreetResult]) -> str:
    people = {(k, p.person_id) for k, s in enumerate(results) for p in s.passages}
    n_passages = sum(len(s.passages) for s in results)
    return (
        f"{len(people):,} people in {n_passages:,} passages, watchlist "
        f"{results[0].n_enrolled:,}:"
    )


def _pictures_of(years: float) -> str:
    return f"pictures up to {years:g} years old" if years else "pictures of another day"


if __name__ == "__main__":
    typer.run(main)
