"""Shows who is found, by which faces of a track are embedded, how, and what they weigh.

Owns the experiment: streets of the CALIBRATION domain, of a seed kept for choosing,
whose passers-by are all enrolled. Each passage is searched twice: with the
person enrolled, and without the family. So it tells of hits and of false alerts.

    python -m training.shots_choice
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from bench.accuracy.cohort import record_clip
from matcher.calibration import joined
from matcher.config import BestShotConfig, EmbedderConfig, MatcherConfig
from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.people.population import IdentityDomain
from training.enrolling import enrol_watchlist
from training.intervals import wilson
from training.results import LARGE_PX, SMALL_PX
from training.searches import Searches, scores_of
from training.two_cameras import two_camera_crowd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.records import Crowd, Passage

__all__ = ["ChoiceConfig", "search_street"]

_FPIRS = (0.001, 0.005, 0.01)


def _rule(
    *,
    interval_s: float,
    max_shots: int,
    emphasis: float = BestShotConfig().emphasis,
    with_mirror: Literal["pictures", "all"] = "pictures",
) -> MatcherConfig:
    return MatcherConfig(
        best_shot=BestShotConfig(
            interval_s=interval_s, max_shots=max_shots, emphasis=emphasis
        ),
        embedder=EmbedderConfig(with_mirror=with_mirror),
    )


class ChoiceConfig(BaseModel):
    """Which streets are walked, and what is tried on them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=21, ge=0, description="Of every draw.")
    streets: int = Field(
        default=4, ge=1, description="Each with a camera near by and one far off."
    )
    duration_s: float = Field(default=100.0, ge=2.0, description="Of each clip.")
    fps: float = Field(default=6.0, ge=1.0, description="Of each camera.")
    watchlist_size: int = Field(
        default=2500, ge=1, description="Of each street; all are searched as one."
    )
    tried: tuple[MatcherConfig, ...] = Field(
        default=(
            _rule(interval_s=0.8, max_shots=3, emphasis=1.0),
            _rule(interval_s=0.8, max_shots=3),
            _rule(interval_s=0.6, max_shots=4),
            _rule(interval_s=0.5, max_shots=4),
            _rule(interval_s=0.5, max_shots=4, with_mirror="all"),
            _rule(interval_s=0.4, max_shots=5),
        ),
        description="Rules tried.",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Street:
    gallery: NDArray[np.float32]
    searches: tuple[Searches, ...]


def search_street(index: int, config: ChoiceConfig, cache_dir: Path) -> _Street:
    """Make one street, enrol its watchlist, and record its searches under each rule."""
    cv2.setNumThreads(1)
    made = two_camera_crowd(
        index,
        seed=config.seed,
        duration_s=config.duration_s,
        fps=config.fps,
        watchlist=WatchlistConfig(size=config.watchlist_size, mated_share=1.0),
        domain=IdentityDomain.CALIBRATION,
        cache_dir=cache_dir,
    )
    gallery = enrol_watchlist(made.watchlist, MatcherConfig()).gallery
    row_of = {str(subject): row for row, subject in enumerate(gallery.subject_ids)}
    searches = []
    for rule in config.tried:
        cohort = joined([record_clip(clip, rule) for clip in made.clips])
        passages = [p for clip in made.clips for p in clip.passages]
        searches.append(
            Searches(
                templates=cohort.templates,
                passages=cohort.passages,
                own_rows=np.array([row_of.get(str(p.person_id), -1) for p in passages]),
                kin_rows=_kin_rows(passages, made, row_of),
                heights_px=np.array(
                    [
                        p.max_face_height_px if p.unoccluded_frames > 0 else np.nan
                        for p in passages
                    ]
                ),
            )
        )
    return _Street(gallery=gallery.templates, searches=tuple(searches))


def _kin_rows(
    passages: Sequence[Passage], crowd: Crowd, row_of: dict[str, int]
) -> NDArray[np.int64]:
    """Find the enrolled siblings of who passes: (n, s), filled up with -1."""
    found = [
        [row_of.get(str(kin), -1) for kin in crowd.subjects[p.person_id].siblings]
        for p in passages
    ]
    kin_rows = np.full((len(found), max(map(len, found))), -1)
    for row, kin in zip(kin_rows, found, strict=True):
        row[: len(kin)] = kin
    return kin_rows


def _tpirs(
    mated: NDArray[np.float32],
    others: NDArray[np.float32],
    heights_px: NDArray[np.float64],
) -> str:
    """Say who is found at each FPIR: large faces, small ones."""
    cells = []
    ranked = np.sort(others)[::-1]
    large = heights_px >= LARGE_PX
    small = (heights_px >= SMALL_PX) & ~large
    for fpir in _FPIRS:
        hit = mated > ranked[int(fpir * len(ranked))]
        for chosen in (large, small):
            k, n = int(hit[chosen].sum()), int(chosen.sum())
            low, high = wilson(k, n)
            cells.append(f"{k / n:.1%} [{low:.1%}, {high:.1%}]")
    return " | ".join(cells)


def main(
    cache_dir: Annotated[Path, typer.Option()] = Path("training/out/cache"),
    streets: Annotated[int, typer.Option(min=1)] = ChoiceConfig().streets,
    workers: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Print who is found under each rule, and how many searches it costs."""
    config = ChoiceConfig(streets=streets)
    began_s = time.monotonic()
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=leave_with_parent
    ) as pool:
        made = pool.map(
            search_street,
            range(config.streets),
            [config] * config.streets,
            [cache_dir] * config.streets,
        )
        walked = list(track(made, total=config.streets, description="Walking streets"))
    gallery = np.concatenate([street.gallery for street in walked])
    first = np.cumsum([0, *(len(street.gallery) for street in walked)])
    n = sum(len(street.searches[0].own_rows) for street in walked)
    typer.echo(f"{n} passages against {len(gallery):,} enrolled")
    header = " | ".join(
        f"FPIR {fpir:.1%}, {size}"
        for fpir in _FPIRS
        for size in (f"{LARGE_PX:g} px and more", f"{SMALL_PX:g} to {LARGE_PX:g} px")
    )
    typer.echo(
        "| emphasis | interval | faces kept | mirror images | searches a passage "
        f"| {header} |"
    )
    typer.echo("|---|---|---|---|---|" + "---|" * (2 * len(_FPIRS)))
    for number, rule in enumerate(config.tried):
        parts = [
            _moved(street.searches[number], int(start))
            for street, start in zip(walked, first[:-1], strict=True)
        ]
        pairs = [scores_of(part, gallery) for part in parts]
        rates = _tpirs(
            np.concatenate([mated for mated, _ in pairs]),
            np.concatenate([others for _, others in pairs]),
            np.concatenate([part.heights_px for part in parts]),
        )
        searches = sum(len(part.passages) for part in parts) / n
        shots = rule.best_shot
        typer.echo(
            f"| {shots.emphasis:g} | {shots.interval_s:g} s | {shots.max_shots} "
            f"| {rule.embedder.with_mirror} | {searches:.1f} | {rates} |"
        )
    typer.echo(f"{time.monotonic() - began_s:.0f} s")


def _moved(searches: Searches, first_row: int) -> Searches:
    """Point into the gallery of all streets."""
    own, kin = (
        np.where(rows >= 0, rows + first_row, -1)
        for rows in (searches.own_rows, searches.kin_rows)
    )
    return replace(searches, own_rows=own, kin_rows=kin)


if __name__ == "__main__":
    typer.run(main)
