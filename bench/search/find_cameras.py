"""The trials of `find = "max_cameras"`: memory first, then runs of more cameras.

Owns what a trial is and when it passes. Knows nothing of how the search goes about it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from bench.driving.targets import TargetKind
from bench.errors import BenchError
from bench.load.feeds import feed_of
from bench.records import Status
from bench.running.enrolment import enrol_watchlist
from bench.running.rig import rig_of
from bench.running.run import Origin, Settings, measure
from bench.search.capacity_search import Trial, search_capacity
from bench.timing.stages import bottleneck

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from bench.driving.session import Progress
    from bench.records import RunRecord
    from bench.search.capacity_search import Capacity
    from synthetic_crowds.records import Crowd

__all__ = ["find_max_cameras"]

# Of the memory that is free, what the search may fill.
_MEMORY_SHARE = 0.8
_PROBE_CAMERAS = (1, 5)
_PROBE_S = 2.0
_ATTEMPTS = 3


def find_max_cameras(
    crowd: Crowd,
    settings: Settings,
    *,
    rng_of: Callable[[int], np.random.Generator],
    progress: Progress,
    scenario: Mapping[str, object],
    provenance: Mapping[str, object],
) -> tuple[Capacity, RunRecord]:
    """Search the largest number of cameras at which every objective is met.

    A trial passes only if its run is VALID and every objective is *shown* to be met:
    an interval that straddles its limit does not pass. An INVALID run is made again,
    twice at most: then the machine cannot measure so many cameras, and they fail.

    Args:
        crowd: Whose clips are shown, again and again for more cameras.
        settings: With objectives, at least one.
        rng_of: The stream of the arrivals of a trial: phases are drawn afresh.
        progress: Told of each trial.
        scenario: The resolved scenario.
        provenance: Where the search comes from.

    Returns:
        The answer, and the run of the last trial at it (at one camera, if none
        passed).

    Raises:
        BenchError: If no objective is stated.
    """
    if not settings.objectives.stated():
        message = (
            "load.find must have an objective to hold the cameras against, got none in "
            "[objectives]; state at least one, e.g. glass_to_alert_p99_s"
        )
        raise BenchError(message)
    feeds = [feed_of(clip) for clip in crowd.clips]
    enrolment = enrol_watchlist(crowd.watchlist, settings.matcher, progress=progress)
    kept: dict[int, RunRecord] = {}
    n_done = 0

    def record_of(n_cameras: int, *, duration_s: float | None = None) -> RunRecord:
        nonlocal n_done
        n_done += 1
        changes: dict[str, object] = {"cameras": n_cameras, "find": None}
        if duration_s is not None:
            changes |= {"duration_s": duration_s, "warm_up_s": 0.0}
        load = settings.load.model_copy(update=changes)
        return measure(
            rig_of(crowd, feeds, load, rng=rng_of(n_done)),
            enrolment,
            replace(settings, load=load),
            Origin(
                run_id=f"{n_cameras} cameras", scenario=scenario, provenance=provenance
            ),
            unhurried=False,
            progress=_quiet,
            target=TargetKind.PROCESS,
        )

    def trial(n_cameras: int) -> Trial:
        progress(f"trial {n_done + 1}: {n_cameras} cameras", 0, 1)
        for _ in range(_ATTEMPTS):
            kept[n_cameras] = record_of(n_cameras)
            # An INVALID run says that the instrument failed, not the matcher.
            if kept[n_cameras].verdict.status is not Status.INVALID:
                break
        progress(f"trial {n_done}: {n_cameras} cameras", 1, 1)
        why = _why_not(kept[n_cameras])
        return Trial(n_cameras=n_cameras, passed=why == "", why=why)

    few, more = (record_of(n, duration_s=_PROBE_S) for n in _PROBE_CAMERAS)
    per_camera = _memory_slope(few, more)
    found = search_capacity(
        trial,
        at_most=_fitting(settings.load.find_at_most, per_camera),
        confirmations=settings.load.find_confirmations,
    )
    shown = kept[max(found.n_cameras, 1)]
    busiest = bottleneck(shown.metrics)
    return (
        replace(
            found,
            bottleneck="" if busiest is None else str(busiest[0]),
            memory_per_camera_bytes=per_camera,
        ),
        shown,
    )


def _why_not(record: RunRecord) -> str:
    """Say in one sentence why a run does not pass; empty if it does."""
    if record.verdict.status is not Status.VALID:
        return record.verdict.reasons[0].message
    missed = [o for o in record.objectives if o.met is not True]
    if not missed:
        return ""
    bound = "at most" if missed[0].at_most else "at least"
    return (
        f"{missed[0].metric} must be {bound} {missed[0].limit:g}, got {missed[0].value}"
    )


def _memory_slope(few: RunRecord, more: RunRecord) -> float | None:
    """Bytes that one camera more costs harness and matcher together."""
    names = ("harness.rss_bytes", "matcher.rss_bytes")
    totals = [[record.metrics[name].value for name in names] for record in (few, more)]
    if any(value is None for total in totals for value in total):
        return None
    before, after = (sum(v for v in total if v is not None) for total in totals)
    return max(0.0, (after - before) / (_PROBE_CAMERAS[1] - _PROBE_CAMERAS[0]))


def _fitting(at_most: int, per_camera_bytes: float | None) -> int:
    """Hold the search to what memory allows."""
    if per_camera_bytes is None or per_camera_bytes <= 0.0:
        return at_most
    room = psutil.virtual_memory().available * _MEMORY_SHARE
    return max(1, min(at_most, int(room / per_camera_bytes)))


def _quiet(_task: str, _done: int, _total: int) -> None:
    """Say nothing of the steps within a trial."""
