"""Records the calibration cohort: what people on no watchlist would search for.

Owns which streets the cohort walks and where it is kept. The pipeline is the
matcher's own, unhurried, with its default settings.

    python -m training.calibrate
"""

from __future__ import annotations

import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from matcher.calibration import save_cohort
from matcher.config import MatcherConfig
from matcher.recording import record_cohort
from matcher.records import CameraId
from matcher.weights import WEIGHTS
from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.people.population import IdentityDomain
from training.export import with_calibration
from training.streams import PassageJoin, encoded_frames
from training.streets import draw_camera, draw_crowd

if TYPE_CHECKING:
    from matcher.records import Probe
    from synthetic_crowds.records import Clip

__all__ = ["CalibrationConfig", "calibration_clips", "record"]


class CalibrationConfig(BaseModel):
    """Which streets the calibration cohort walks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=5, ge=0, description="Of every draw.")
    crowds: int = Field(default=12, ge=1, description="Streets, one camera each.")
    duration_s: float = Field(default=90.0, ge=2.0, description="Of each clip.")
    fps: float = Field(default=6.0, ge=1.0, description="Of each camera.")


def calibration_clips(
    config: CalibrationConfig, *, cache_dir: Path, workers: int
) -> tuple[Clip, ...]:
    """Make the cohort's clips, or read them from the cache."""
    clips: list[Clip] = []
    for index in track(range(config.crowds), description="Rendering streets"):
        rng = np.random.default_rng((config.seed, index))
        crowd = make_crowd(
            draw_crowd(index, duration_s=config.duration_s, rng=rng),
            (draw_camera("cam1", fps=config.fps, rng=rng),),
            WatchlistConfig(size=1, mated_share=0.0),
            seed=config.seed * 1000 + index,
            cache_dir=cache_dir,
            workers=workers,
            progress=lambda _task, _done, _total: None,
            domain=IdentityDomain.CALIBRATION,
        )
        clips.extend(crowd.clips)
    return tuple(clips)


def record(clips: tuple[Clip, ...], *, config: MatcherConfig, path: Path) -> int:
    """Run the clips through the matcher and keep every search.

    Args:
        clips: Of people on no watchlist.
        config: The matcher's settings.
        path: The npz file to write.

    Returns:
        How many passages the cohort holds.
    """
    cameras = [CameraId(f"{k}-{clip.camera_id}") for k, clip in enumerate(clips)]
    joins = {c: PassageJoin(clip) for c, clip in zip(cameras, clips, strict=True)}
    counts = [len(clip.passages) for clip in clips]
    first = dict(zip(cameras, np.cumsum([0, *counts[:-1]]).tolist(), strict=True))

    def passage_of(probe: Probe) -> int | None:
        join = joins[probe.camera_id]
        (passage,) = join.passages(probe.frame_index, [probe.box_xyxy])
        return None if passage is None else first[probe.camera_id] + passage

    cohort = record_cohort(
        chain.from_iterable(
            encoded_frames(clip, camera_id=camera)
            for camera, clip in zip(cameras, clips, strict=True)
        ),
        config=config,
        passage_of=passage_of,
        n_passages=sum(counts),
        clock=time.perf_counter_ns,
    )
    save_cohort(cohort, path)
    return cohort.n_passages


def main(
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    folder: Annotated[Path, typer.Option()] = WEIGHTS,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Record the calibration cohort of the networks in `folder` and enter it there."""
    clips = calibration_clips(CalibrationConfig(), cache_dir=cache_dir, workers=workers)
    n_passages = record(clips, config=MatcherConfig(), path=folder / "calibration.npz")
    manifest = with_calibration(folder, folder / "calibration.npz")
    typer.echo(f"{n_passages} passages; {manifest.calibration}")


if __name__ == "__main__":
    typer.run(main)
