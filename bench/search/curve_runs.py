"""The runs behind a curve: more cameras on the same clips, or longer watchlists.

Owns which runs are made and how they share clips and gallery. Knows nothing of how a
curve is drawn.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bench.driving.targets import TargetKind
from bench.errors import BenchError
from bench.load.feeds import feed_of
from bench.records import Metric
from bench.regression.error_comparison import PassageError, compare_errors
from bench.running.enrolment import enrol_watchlist
from bench.running.folder import instrument_of
from bench.running.metrics import counted_passages
from bench.running.rig import rig_of
from bench.running.run import Origin, Settings, measure
from bench.search.curve import CurvePoint, Growth, OverWhat, fit_growth, point_of
from matcher.gallery import Enrolment, Gallery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.driving.session import Progress
    from bench.load.settings import LoadConfig
    from bench.records import PassageOutcome, RunRecord
    from synthetic_crowds.records import Crowd

__all__ = ["run_curve"]


def run_curve(
    crowd: Crowd,
    settings: Settings,
    *,
    over: OverWhat,
    values: Sequence[int],
    rng_of: Callable[[int], np.random.Generator],
    progress: Progress,
    scenario: Mapping[str, object],
    provenance: Mapping[str, object],
) -> tuple[tuple[CurvePoint, ...], Growth | None]:
    """Run every value in real time and, for its floor, unhurried.

    Over watchlists the threshold is held at what the longest one calls for: with a
    threshold that follows the size, FPIR would be flat by design.

    Args:
        crowd: As generated.
        settings: Of the matcher, the load, and the objectives.
        over: What the values are of.
        values: Increasing.
        rng_of: Streams: of arrivals by replication; the last draws and resamples.
        progress: Told of each run.
        scenario: The resolved scenario.
        provenance: Where the curve comes from.

    Returns:
        The points, and over watchlists how FPIR grows.

    Raises:
        BenchError: If values do not increase, the watchlist is too short, or it is
            to change within a run over watchlists.
    """
    if len(values) < 2 or any(b <= a for a, b in pairwise(values)):
        message = (
            f"values of a curve must be two or more that increase, got {list(values)}; "
            "sort them"
        )
        raise BenchError(message)
    if over is OverWhat.WATCHLIST and settings.load.watchlist_change:
        message = (
            "a curve over the watchlist must hold it still within each run, got "
            "load.watchlist_change; leave it out"
        )
        raise BenchError(message)
    feeds = [feed_of(clip) for clip in crowd.clips]
    enrolment = enrol_watchlist(crowd.watchlist, settings.matcher, progress=progress)
    origin = Origin(run_id="curve", scenario=scenario, provenance=provenance)
    n_done = 0

    def one(
        load: LoadConfig, gallery: Enrolment, chosen: Settings, *, unhurried: bool
    ) -> RunRecord:
        nonlocal n_done
        progress("runs of the curve", n_done, 2 * len(values))
        record = measure(
            rig_of(crowd, feeds, load, rng=rng_of(1)),
            gallery,
            replace(chosen, load=load),
            origin,
            unhurried=unhurried,
            progress=_quiet,
            target=TargetKind.PROCESS,
        )
        n_done += 1
        progress("runs of the curve", n_done, 2 * len(values))
        return record

    points: list[CurvePoint] = []
    floors: list[RunRecord] = []
    held = settings
    # From the most down: the first run sets the threshold that the others keep.
    for value in reversed(values):
        load, gallery = settings.load, enrolment
        if over is OverWhat.CAMERAS:
            load = load.model_copy(update={"cameras": value, "find": None})
        else:
            gallery = _shortened(enrolment, crowd, value, rng=rng_of(0))
        floors.append(one(load, gallery, held, unhurried=True))
        if over is OverWhat.WATCHLIST:
            held = _with_threshold(held, instrument_of(floors[-1]).threshold)
        timed = one(load, gallery, held, unhurried=False)
        points.append(
            point_of(
                value,
                timed.verdict.status,
                timed.metrics,
                floors[-1].metrics,
                induced=_induced(floors[-1], timed, rng=rng_of(0)),
            )
        )
    points.reverse()
    floors.reverse()
    growth = None
    if over is OverWhat.WATCHLIST:
        growth = _growth(values, floors, rng=rng_of(0))
    return tuple(points), growth


def _shortened(
    enrolment: Enrolment, crowd: Crowd, size: int, *, rng: np.random.Generator
) -> Enrolment:
    """Keep those who walk past, and so many others, the same few in every longer one.

    Raises:
        BenchError: If the watchlist has fewer, or more walk past than that.
    """
    gallery = enrolment.gallery
    mated = {str(person) for person in crowd.watchlist.mated}
    is_mated = np.array([str(s) in mated for s in gallery.subject_ids])
    n_others = size - int(is_mated.sum())
    if not 0 <= n_others <= int((~is_mated).sum()):
        message = (
            f"watchlist sizes must lie between the {int(is_mated.sum())} who walk past "
            f"and the {len(gallery)} enrolled, got {size}; choose another"
        )
        raise BenchError(message)
    others = rng.permutation(np.flatnonzero(~is_mated))[:n_others]
    rows = np.sort(np.concatenate((np.flatnonzero(is_mated), others)))
    return Enrolment(
        gallery=Gallery(
            templates=gallery.templates[rows],
            subject_ids=tuple(gallery.subject_ids[row] for row in rows),
            embedder_sha256=gallery.embedder_sha256,
        ),
        failures=enrolment.failures,
    )


def _induced(
    floor: RunRecord, timed: RunRecord, *, rng: np.random.Generator
) -> dict[str, Metric]:
    """Say what load alone adds to the error rates, of the passages of both runs."""
    contrasts = compare_errors([_errors(floor)], [_errors(timed)], margin=0.0, rng=rng)
    n = {
        "fnir": sum(p.mated for p in _counted(timed)),
        "fpir": sum(not p.mated for p in _counted(timed)),
    }
    return {
        c.metric: Metric(value=c.change, low=c.low, high=c.high, n=n[c.metric])
        for c in contrasts
    }


def _errors(record: RunRecord) -> list[PassageError]:
    return [
        PassageError(
            passage_id=p.passage_id,
            person_id=p.person_id,
            mated=p.mated,
            is_error=not p.true_alert if p.mated else p.alerted,
        )
        for p in _counted(record)
    ]


def _with_threshold(settings: Settings, threshold: float) -> Settings:
    decision = settings.matcher.decision.model_copy(update={"threshold": threshold})
    matcher = settings.matcher.model_copy(update={"decision": decision})
    return replace(settings, matcher=matcher)


def _growth(
    sizes: Sequence[int], records: Sequence[RunRecord], *, rng: np.random.Generator
) -> Growth | None:
    """Fit the growth of FPIR on the passages that all the runs counted."""
    alerted: list[list[bool]] = []
    people: list[str] = []
    for record in records:
        others = [p for p in _counted(record) if not p.mated]
        alerted.append([p.alerted for p in others])
        people = [p.person_id for p in others]
    if not people:
        return None
    return fit_growth(sizes, np.array(alerted, dtype=bool), people, rng=rng)


def _counted(record: RunRecord) -> tuple[PassageOutcome, ...]:
    return counted_passages(
        record.passages, record.plan, record.sent, instrument_of(record)
    )


def _quiet(_task: str, _done: int, _total: int) -> None:
    """Say nothing of the steps within a run."""
