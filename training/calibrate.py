"""Records the calibration cohort: what people on no watchlist would search for.

Owns which streets the cohort walks and where it is kept. The pipeline is the
matcher's own, unhurried, with its default settings. The first streets are shipped;
all of them together resolve an FPIR that those few cannot, for the evaluation.

    python -m training.calibrate

Streets already recorded with the same networks and settings are kept, so an
interrupted recording goes on.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from bench.accuracy.cohort import record_clip
from matcher.calibration import (
    Cohort,
    joined,
    load_cohort,
    save_cohort,
    settings_of,
)
from matcher.config import MatcherConfig
from matcher.weights import WEIGHTS, read_manifest
from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.people.population import IdentityDomain
from training.export import with_calibration
from training.streets import draw_camera, draw_crowd

if TYPE_CHECKING:
    from synthetic_crowds.records import Crowd, Subject

__all__ = [
    "CalibrationConfig",
    "calibration_crowd",
    "large_cohort",
    "subjects_of_cohort",
]


class CalibrationConfig(BaseModel):
    """Which streets the calibration cohort walks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=5, ge=0, description="Of every draw.")
    streets: int = Field(default=60, ge=1, description="One camera each.")
    shipped: int = Field(
        default=15,
        ge=1,
        description="Streets whose searches ship: each setting in each light.",
    )
    duration_s: float = Field(default=90.0, ge=2.0, description="Of each clip.")
    fps: float = Field(default=6.0, ge=1.0, description="Of each camera.")


def calibration_crowd(index: int, config: CalibrationConfig, cache_dir: Path) -> Crowd:
    """Make one street of the cohort, or read it from the cache."""
    rng = np.random.default_rng((config.seed, index))
    return make_crowd(
        draw_crowd(index, duration_s=config.duration_s, rng=rng),
        (draw_camera("cam1", fps=config.fps, rng=rng),),
        WatchlistConfig(size=1, mated_share=0.0),
        seed=config.seed * 1000 + index,
        cache_dir=cache_dir,
        workers=1,
        progress=lambda _task, _done, _total: None,
        domain=IdentityDomain.CALIBRATION,
    )


def _recording(index: int, folder: Path) -> Path:
    """Name a street's recording by the networks and settings that it was made with."""
    manifest = read_manifest()
    models = (manifest.detector, manifest.refiner, manifest.embedder)
    settings = hashlib.sha256(settings_of(MatcherConfig()).encode()).hexdigest()
    made_with = "-".join(
        digest[:8] for digest in (*(model.sha256 for model in models), settings)
    )
    return folder / f"street_{index:03d}-{made_with}.npz"


def _work(task: tuple[int, CalibrationConfig, Path, Path]) -> Path:
    index, config, cache_dir, path = task
    if not path.exists():
        cv2.setNumThreads(1)
        (clip,) = calibration_crowd(index, config, cache_dir).clips
        save_cohort(record_clip(clip, MatcherConfig()), path)
    return path


def _record_streets(
    config: CalibrationConfig,
    *,
    streets: int,
    cache_dir: Path,
    folder: Path,
    workers: int,
) -> tuple[Cohort, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [(k, config, cache_dir, _recording(k, folder)) for k in range(streets)]
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=leave_with_parent
    ) as pool:
        done = track(
            pool.map(_work, tasks), total=streets, description="Recording streets"
        )
        return tuple(load_cohort(path.read_bytes()) for path in done)


def large_cohort(folder: Path, config: CalibrationConfig) -> Cohort:
    """Read all streets that were recorded with the networks and settings in use.

    Raises:
        FileNotFoundError: If one is missing.
    """
    paths = [_recording(index, folder) for index in range(config.streets)]
    for path in paths:
        if not path.exists():
            message = (
                f"the large cohort must have {config.streets} recorded streets, "
                f"{path} is missing; run python -m training.calibrate first"
            )
            raise FileNotFoundError(message)
    return joined([load_cohort(path.read_bytes()) for path in paths])


def subjects_of_cohort(config: CalibrationConfig, cache_dir: Path) -> list[Subject]:
    """Name who walks in each passage of the large cohort, in order."""
    subjects = []
    for index in range(config.streets):
        crowd = calibration_crowd(index, config, cache_dir)
        subjects += [
            crowd.subjects[p.person_id] for clip in crowd.clips for p in clip.passages
        ]
    return subjects


def main(
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    recordings: Annotated[Path, typer.Option()] = Path("training/out/cohort"),
    folder: Annotated[Path, typer.Option()] = WEIGHTS,
    streets: Annotated[
        int, typer.Option(help="15 are shipped.")
    ] = CalibrationConfig().streets,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Record the calibration cohort of the networks in `folder` and enter it there."""
    config = CalibrationConfig()
    cohorts = _record_streets(
        config,
        streets=streets,
        cache_dir=cache_dir,
        folder=recordings,
        workers=workers,
    )
    shipped = joined(cohorts[: config.shipped])
    save_cohort(shipped, folder / "calibration.npz")
    manifest = with_calibration(folder, folder / "calibration.npz")
    typer.echo(
        f"{shipped.n_passages} passages shipped, "
        f"{joined(cohorts).n_passages} recorded; {manifest.calibration}"
    )


if __name__ == "__main__":
    typer.run(main)
