"""A whole site over a whole day: every camera, every frame.

Owns the cutting of a site into nodes and hours, and the sums over them. Cells share
nothing, so they run on any number of threads or machines and add up to the same.
Knows nothing of how a node serves a frame.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.capacity import tables_of
from sim.crowd import draw_frames, draw_passages, profile_of
from sim.fast import simulate_node
from sim.fast_station import simulate_station
from sim.records import FrameEnd, node_of
from sim.stations import Jobs, Station

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sim.capacity import Question

__all__ = [
    "LATENCY_EDGES_S",
    "Cell",
    "Day",
    "Review",
    "histogram",
    "quantile_s",
    "review_alerts",
    "run_cell",
    "run_day",
]

# Twenty to an octave: a quantile read off them is at most 3.6 % too high.
LATENCY_EDGES_S = 1e-3 * 2.0 ** (np.arange(0, 20 * 16 + 1) / 20.0)
_STEP_S = 60.0
_CELL_S = 1_800.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cell:
    """One worker's cameras over a stretch of time.

    Attributes:
        ends: (5,) int64, frames by `FrameEnd`.
        latency: (e + 1,) int64, processed frames by latency, under and over the edges.
        busy_s: Time at work.
        n_passages: Passages that began.
        n_searched: Of those, searched at least once.
        alert_s: When alerts were raised.
    """

    ends: NDArray[np.int64]
    latency: NDArray[np.int64]
    busy_s: float
    n_passages: int
    n_searched: int
    alert_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """A site over its hours, one row a stretch of half an hour.

    Attributes:
        begin_s: (h,) float64.
        ends: (h, 5) int64, frames by `FrameEnd`.
        latency: (h, e + 1) int64.
        utilisation: (h,) float64, of all workers.
        n_passages, n_searched: (h,) int64.
        alert_s: (a,) float64, ascending.
        n_workers: Workers in use.
    """

    begin_s: NDArray[np.float64]
    ends: NDArray[np.int64]
    latency: NDArray[np.int64]
    utilisation: NDArray[np.float64]
    n_passages: NDArray[np.int64]
    n_searched: NDArray[np.int64]
    alert_s: NDArray[np.float64]
    n_workers: int

    @property
    def n_frames(self) -> int:
        """Frames of the whole day."""
        return int(self.ends.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """How alerts were reviewed.

    Attributes:
        n_alerts: Alerts.
        p95_wait_s: 95th percentile of the wait for an operator; 0 without alerts.
        utilisation: Share of the operators' time at work.
    """

    n_alerts: int
    p95_wait_s: float
    utilisation: float


def histogram(latency_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count latencies between `LATENCY_EDGES_S`, the upper edge included."""
    place = np.ceil(20.0 * np.log2(np.maximum(latency_s, 1e-9) / LATENCY_EDGES_S[0]))
    bins = np.clip(place, 0, len(LATENCY_EDGES_S)).astype(np.int64)
    return np.bincount(bins, minlength=len(LATENCY_EDGES_S) + 1).astype(np.int64)


def quantile_s(latency: NDArray[np.int64], level: float) -> float:
    """Read a quantile off a histogram; NaN if it is empty."""
    total = int(latency.sum())
    if total == 0:
        return float("nan")
    place = int(np.searchsorted(np.cumsum(latency), level * total))
    return float(LATENCY_EDGES_S[min(place, len(LATENCY_EDGES_S) - 1)])


def run_cell(
    question: Question, n_cameras: int, *, key: int, begin_s: float, end_s: float
) -> Cell:
    """Run one worker's cameras over one stretch.

    Args:
        question: The site.
        n_cameras: Cameras of this worker.
        key: Of the random numbers.
        begin_s: Of the stretch, from midnight or the beginning.
        end_s: Of the stretch.
    """
    site, calibration = question.site, question.calibration
    factors = profile_of(site.profile, duration_s=site.hours * 3600.0, step_s=_STEP_S)
    passages = draw_passages(
        calibration.walks(alert_chance=site.alert_chance),
        n_cameras,
        views_hz=site.passages_per_min / 60.0 * calibration.views_per_passage,
        factors=factors,
        step_s=_STEP_S,
        key=key,
        begin_s=begin_s,
        end_s=end_s,
    )
    stream = calibration.stream(
        fps=site.fps, jitter_s=site.jitter_s, pixels=float(site.pixels)
    )
    frames = draw_frames(stream, n_cameras, key=key, begin_s=begin_s, end_s=end_s)
    node = node_of(
        frames,
        passages,
        max_pending=calibration.max_pending,
        batch_frames=site.batch_frames,
        batch_wait_s=site.batch_wait_s,
    )
    log = simulate_node(node, tables_of(question), key=key)
    processed = log.end == FrameEnd.PROCESSED
    begun = (passages.t_in_s >= begin_s) & (passages.t_in_s < end_s)
    return Cell(
        ends=np.bincount(log.end, minlength=len(FrameEnd)).astype(np.int64),
        latency=histogram((log.done_s - frames.capture_s)[processed]),
        busy_s=float(log.busy_s.sum()),
        n_passages=int(begun.sum()),
        n_searched=int((begun & (log.n_shots > 0)).sum()),
        alert_s=log.alert_s[np.isfinite(log.alert_s)],
    )


def run_day(
    question: Question,
    *,
    cameras_per_worker: int,
    threads: int,
    progress: Callable[[int, int], None],
) -> Day:
    """Run every camera of a site over its hours.

    Args:
        question: The site.
        cameras_per_worker: How the cameras are dealt out.
        threads: Of this process; the kernel lets go of Python's lock.
        progress: Told how many cells are done, and of how many.
    """
    n_cameras = question.site.cameras
    shares = [
        min(cameras_per_worker, n_cameras - first)
        for first in range(0, n_cameras, cameras_per_worker)
    ]
    begins_s = np.arange(0.0, question.site.hours * 3600.0 - 1e-6, _CELL_S)
    jobs = [
        (stretch, worker, share)
        for stretch in range(len(begins_s))
        for worker, share in enumerate(shares)
    ]

    def work(job: tuple[int, int, int]) -> Cell:
        stretch, worker, share = job
        begin_s = float(begins_s[stretch])
        end_s = min(begin_s + _CELL_S, question.site.hours * 3600.0)
        key = int(
            np.random.SeedSequence(
                question.seed, spawn_key=(7, stretch, worker)
            ).generate_state(1, np.uint64)[0]
        )
        return run_cell(question, share, key=key, begin_s=begin_s, end_s=end_s)

    h = len(begins_s)
    ends = np.zeros((h, len(FrameEnd)), np.int64)
    latency = np.zeros((h, len(LATENCY_EDGES_S) + 1), np.int64)
    busy_s, n_passages, n_searched = np.zeros(h), np.zeros(h, int), np.zeros(h, int)
    alerts = []
    with ThreadPoolExecutor(threads) as pool:
        for done, (job, cell) in enumerate(
            zip(jobs, pool.map(work, jobs), strict=True), 1
        ):
            stretch = job[0]
            ends[stretch] += cell.ends
            latency[stretch] += cell.latency
            busy_s[stretch] += cell.busy_s
            n_passages[stretch] += cell.n_passages
            n_searched[stretch] += cell.n_searched
            alerts.append(cell.alert_s)
            progress(done, len(jobs))
    lengths_s = np.minimum(_CELL_S, question.site.hours * 3600.0 - begins_s)
    return Day(
        begin_s=begins_s,
        ends=ends,
        latency=latency,
        utilisation=busy_s / lengths_s / len(shares),
        n_passages=n_passages,
        n_searched=n_searched,
        alert_s=np.sort(np.concatenate(alerts)) if alerts else np.empty(0),
        n_workers=len(shares),
    )


def review_alerts(
    alert_s: NDArray[np.float64],
    *,
    operators: int,
    review_s: float,
    span_s: float,
    rng: np.random.Generator,
) -> Review:
    """Let operators review alerts in order; reviews are exponential.

    Args:
        alert_s: (a,) ascending.
        operators: How many.
        review_s: Mean time of one review.
        span_s: Over which utilisation is told.
        rng: Source of the review times.
    """
    n = len(alert_s)
    if n == 0:
        return Review(n_alerts=0, p95_wait_s=0.0, utilisation=0.0)
    jobs = Jobs(
        arrival_s=alert_s,
        service_s=rng.exponential(review_s, n),
        patience_s=np.full(n, np.inf),
        priority=np.zeros(n, np.int32),
    )
    nobody = np.zeros(0)
    desk = Station(operators, n, False, nobody.astype(np.int32), nobody, nobody)  # noqa: FBT003
    log = simulate_station(jobs, desk)
    return Review(
        n_alerts=n,
        p95_wait_s=float(np.percentile(log.start_s - alert_s, 95.0)),
        utilisation=float(log.busy_s.sum()) / span_s / operators,
    )
