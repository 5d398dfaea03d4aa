"""How many cameras a node carries, what limits it, and what would help.

Owns the search for the largest number of cameras that keeps to the target, and the
variations around it. Workers own their cameras, so one worker is simulated at its
busiest and a node is as many of them as it runs. Knows nothing of files or reports.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from sim.calibration import FAR
from sim.crowd import draw_frames, draw_passages
from sim.fast import simulate_node
from sim.records import FrameEnd, StageIndex, node_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.calibration import Calibration, Range
    from sim.records import FrameLog, Node
    from sim.service import ServiceTables
    from sim.site import HardwareConfig, SiteConfig, TargetConfig

__all__ = [
    "Beyond",
    "Carried",
    "Figures",
    "Question",
    "Variation",
    "beyond",
    "carried",
    "figures",
    "peak_node",
    "tables_of",
    "tornado",
    "without_stage",
]

_SECONDS, _WARM_UP_S = 45.0, 5.0
# What the tornado holds against no batches at all: frames, and the wait for them.
_BATCHED = (8, 0.05)
_MOST = 4_096
# Each doubling beyond what was measured makes service times this much less sure;
# assumption, to be replaced by a calibration that reaches further.
_PER_DOUBLING = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: which site, on which node, held to what.

    Attributes:
        calibration: Of the matcher.
        site, target, hardware: Settings.
        seed: Of all draws.
        n_replications: Repetitions, each with draws of its own.
    """

    calibration: Calibration
    site: SiteConfig
    target: TargetConfig
    hardware: HardwareConfig
    seed: int
    n_replications: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A setting that lies outside of what was measured.

    Attributes:
        name: Of the setting.
        value: Asked for.
        low, high: Measured.
        factor: How far outside, above 1.
    """

    name: str
    value: float
    low: float
    high: float
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """Cameras that a node carries.

    Attributes:
        median: Over replications.
        low, high: Their central 95 %.
    """

    median: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One worker at its busiest.

    Attributes:
        p50_s, p99_s: Glass-to-alert.
        skipped: Share of frames.
        missed: Share of the passages that an idle matcher would have searched.
        utilisation: Share of the worker's time at work.
        faces: Mean faces in view of a frame.
        stage_share: (7,) share of the work in each stage.
    """

    p50_s: float
    p99_s: float
    skipped: float
    missed: float
    utilisation: float
    faces: float
    stage_share: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """One setting lowered and raised.

    Attributes:
        name: Of the setting.
        low_text, high_text: Its two values.
        low, high: Cameras carried with each.
    """

    name: str
    low_text: str
    high_text: str
    low: int
    high: int


def beyond(question: Question) -> tuple[Beyond, ...]:
    """List the settings that lie outside of what was measured."""
    calibration, site = question.calibration, question.site
    asked: tuple[tuple[str, float, Range], ...] = (
        ("watchlist", site.watchlist, calibration.gallery_sizes),
        ("fps", site.fps, calibration.fps),
        ("pixels", site.pixels, calibration.pixels),
    )
    return tuple(
        Beyond(
            name=name,
            value=float(value),
            low=measured.low,
            high=measured.high,
            factor=measured.outside(float(value)),
        )
        for name, value, measured in asked
        if measured.outside(float(value)) > 1.0
    )


def spread(question: Question) -> float:
    """Relative standard deviation of service times: moods, drift, and reach beyond."""
    doublings = sum(np.log2(each.factor) for each in beyond(question))
    calibration = question.calibration
    # A machine is as fast on the day in question as it was in some load or other.
    by_load = calibration.by_load
    moods = float(np.std(by_load, ddof=1)) if len(by_load) > 1 else 0.0
    parts = (moods, calibration.drift, _PER_DOUBLING * doublings)
    return float(np.linalg.norm(parts))


def tables_of(question: Question, *, speed: float = 1.0) -> ServiceTables:
    """Lay out the service times of one worker of a full node."""
    calibration, hardware = question.calibration, question.hardware
    full = hardware.slowdown_full
    if full is None:
        full = calibration.slowdown_at(hardware.n_workers)
    return calibration.tables(
        gallery_size=question.site.watchlist, speed=speed * hardware.speed / full
    )


def peak_node(question: Question, n_cameras: int, *, key: int) -> Node:
    """Put some cameras before one worker, at the busiest moment of the site."""
    site, calibration = question.site, question.calibration
    stream = calibration.stream(
        fps=site.fps, jitter_s=site.jitter_s, pixels=float(site.pixels)
    )
    passages = draw_passages(
        calibration.walks(alert_chance=site.alert_chance),
        n_cameras,
        views_hz=site.passages_per_min / 60.0 * calibration.views_per_passage,
        factors=np.ones(1),
        step_s=60.0,
        key=key,
        begin_s=0.0,
        end_s=_SECONDS,
    )
    frames = draw_frames(stream, n_cameras, key=key, begin_s=0.0, end_s=_SECONDS)
    return node_of(
        frames,
        passages,
        max_pending=calibration.max_pending,
        batch_frames=site.batch_frames,
        batch_wait_s=site.batch_wait_s,
    )


def figures(node: Node, tables: ServiceTables, *, key: int) -> Figures:
    """Simulate one worker, and the same one with all the time in the world."""
    log = simulate_node(node, tables, key=key)
    idle = simulate_node(node, _instant(tables), key=key)
    counted = node.frames.capture_s >= _WARM_UP_S
    processed = counted & (log.end == FrameEnd.PROCESSED)
    latency_s = (log.done_s - node.frames.capture_s)[processed]
    # Sure to be missed if nothing is processed at all.
    p50_s, p99_s = (
        np.percentile(latency_s, (50.0, 99.0)) if len(latency_s) else (np.inf, np.inf)
    )
    span_s = float(node.frames.capture_s[-1] - node.frames.capture_s[0])
    return Figures(
        p50_s=float(p50_s),
        p99_s=float(p99_s),
        skipped=float((log.end[counted] == FrameEnd.SKIPPED).mean()),
        missed=_missed(log, idle),
        utilisation=min(float(log.busy_s.sum()) / span_s, 1.0),
        faces=float(log.n_faces[processed].mean()) if processed.any() else 0.0,
        stage_share=tuple((log.stage_s / max(log.stage_s.sum(), 1e-12)).tolist()),
    )


def _missed(log: FrameLog, idle: FrameLog) -> float:
    searched = idle.n_shots > 0
    if not searched.any():
        return 0.0
    return float((log.n_shots[searched] == 0).mean())


def _instant(tables: ServiceTables) -> ServiceTables:
    """The same matcher, infinitely fast."""
    return tables._replace(costs_s=tables.costs_s * 1e-9, gaps_s=tables.gaps_s * 1e-9)


def carried(
    question: Question,
    *,
    change: Callable[[ServiceTables], ServiceTables] | None = None,
) -> Carried:
    """Search the largest number of cameras per node that keeps to the target.

    Args:
        question: Site, node and target.
        change: Made to the service times, to ask what if; None makes none.
    """
    n_workers = question.hardware.n_workers
    n = question.n_replications
    levels = (np.arange(n) + 0.5) / n
    speeds = np.exp(spread(question) * norm.ppf(levels))
    counts = []
    for replication, speed in enumerate(speeds.tolist()):
        tables = tables_of(question, speed=speed)
        if change is not None:
            tables = change(tables)
        counts.append(_most(question, tables, key=question.seed * 1_000 + replication))
    low, median, high = np.percentile(counts, (2.5, 50.0, 97.5), method="nearest")
    return Carried(
        median=int(median) * n_workers,
        low=int(low) * n_workers,
        high=int(high) * n_workers,
    )


def _most(question: Question, tables: ServiceTables, *, key: int) -> int:
    """Double until it is too much, then halve the gap."""

    def is_kept(n_cameras: int) -> bool:
        found = figures(peak_node(question, n_cameras, key=key), tables, key=key)
        target = question.target
        return (
            found.p99_s <= target.glass_to_alert_p99_s
            and found.skipped <= target.skipped_share
            and found.missed <= target.missed_share
        )

    good, bad = 0, 1
    while bad <= _MOST and is_kept(bad):
        good, bad = bad, bad * 2
    while bad - good > 1:
        middle = (good + bad) // 2
        if is_kept(middle):
            good = middle
        else:
            bad = middle
    return good


def without_stage(stage: StageIndex) -> Callable[[ServiceTables], ServiceTables]:
    """Return the change that makes one stage cost nothing."""

    def change(tables: ServiceTables) -> ServiceTables:
        costs_s = tables.costs_s.copy()
        costs_s[stage] = 0.0
        return tables._replace(costs_s=costs_s)

    return change


def tornado(question: Question) -> tuple[Variation, ...]:
    """Lower and raise one setting at a time; widest first."""
    site = question.site
    settings: tuple[tuple[str, str, float, float], ...] = (
        ("fps", "frames a second", 0.5, 2.0),
        ("passages_per_min", "people a minute", 0.5, 2.0),
        ("watchlist", "watchlist", 0.1, 10.0),
        ("resolution", "frame size", 0.5, 2.0),
        ("batch", "batch and its timeout", 0.0, 1.0),
    )
    rows = []
    for key, name, down, up in settings:
        found, texts = [], []
        for factor in (down, up):
            varied = _varied(site, key, factor)
            found.append(_carried_in_reach(replace(question, site=varied)))
            texts.append(_text(varied, key))
        rows.append(
            Variation(
                name=name,
                low_text=texts[0],
                high_text=texts[1],
                low=found[0],
                high=found[1],
            )
        )
    return tuple(sorted(rows, key=lambda row: -abs(row.high - row.low)))


def _carried_in_reach(question: Question) -> int:
    """Ask; too far for an answer, ask at the end of what can be answered."""
    reach = int(question.calibration.gallery_sizes.high * FAR)
    if question.site.watchlist > reach:
        site = question.site.model_copy(update={"watchlist": reach})
        question = replace(question, site=site)
    return carried(question).median


def _varied(site: SiteConfig, key: str, factor: float) -> SiteConfig:
    if key == "resolution":
        side = factor**0.5
        return site.model_copy(
            update={
                "width_px": 2 * round(site.width_px * side / 2),
                "height_px": 2 * round(site.height_px * side / 2),
            }
        )
    if key == "batch":
        frames, wait_s = _BATCHED if factor > 0.0 else (1, 0.0)
        return site.model_copy(update={"batch_frames": frames, "batch_wait_s": wait_s})
    value = getattr(site, key) * factor
    is_count = key == "watchlist"
    return site.model_copy(update={key: max(round(value), 1) if is_count else value})


def _text(site: SiteConfig, key: str) -> str:
    if key == "resolution":
        return f"{site.width_px} x {site.height_px}"
    if key == "batch":
        return f"{site.batch_frames} frames, {1e3 * site.batch_wait_s:g} ms"
    return f"{getattr(site, key):,g}" if key != "watchlist" else f"{site.watchlist:,}"
