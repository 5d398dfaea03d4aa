"""What the harness knows of itself: how far its own figures may be trusted.

Owns the record of everything about a run that neither its frames nor its passages
tell, so that metrics and verdict can be computed again from the run folder alone.
Knows nothing of limits: `bench.running.verdict` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.intervals.proportion import proportion
from bench.records import Metric

__all__ = ["Instrument", "instrument_metrics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """The measuring instrument's own state in one run.

    Attributes:
        unhurried: Frames went as fast as they were taken, not in real time.
        interrupted: Someone pressed Ctrl-C.
        lost: Why the matcher could take no more; empty if it could.
        clock_stopped: The harness's clock stood still.
        closed: Frames waited for earlier ones: nothing could be late or overtaken.
        offered_hz: Frames per second when all of the load is on.
        fps: Of each camera of the plan.
        warm_up_s: Frames planned earlier do not count.
        deadline_s: Goodput counts frames done within it.
        null_hz: Frames per second that the harness drives through a system that does
            nothing; None if it was not measured.
        clock_shortest_ns: Shortest round trip of the clock check.
        clock_disagreement_ns: How far a reading lay outside its round trip.
        drive_s: Wall time of the sending.
        harness_cpu_s: Processor time of the harness in that time.
        harness_rss_bytes: Its memory at the end.
        matcher_cpu_s, matcher_wait_s, matcher_rss_bytes: Of the matcher, likewise;
            its wait is time ready to run on a taken processor. None if unknown.
        n_watchlist: Subjects sought.
        n_enrolled: Subjects whose picture gave a template.
        threshold: Least comparison score that raises an alert.
        target_fpir: What the threshold was set for; None if it was given.
        is_null: The target does nothing: what is measured is the harness itself.
        n_candidates: Subjects that the matcher reports of each search.
        tells_stages: The target stamps every stage of a processed frame; else
            waiting and service cannot be told apart, and are not.
        tells_probes: It tells of every search; else only of those that alert, and
            failures to acquire cannot be told from non-mated passages.
        over_network: Frames go through the harness's HTTP client.
    """

    unhurried: bool
    interrupted: bool
    lost: str
    clock_stopped: bool
    closed: bool
    offered_hz: float
    fps: tuple[float, ...]
    warm_up_s: float
    deadline_s: float
    null_hz: float | None
    clock_shortest_ns: int
    clock_disagreement_ns: int
    drive_s: float
    harness_cpu_s: float
    harness_rss_bytes: int
    matcher_cpu_s: float | None
    matcher_wait_s: float | None
    matcher_rss_bytes: int | None
    n_watchlist: int
    n_enrolled: int
    threshold: float
    target_fpir: float | None
    is_null: bool = False
    n_candidates: int = 1
    tells_stages: bool = True
    tells_probes: bool = True
    over_network: bool = False

    @property
    def frame_interval_s(self) -> float:
        """Seconds between two frames of the fastest camera."""
        return 1.0 / max(self.fps)

    @property
    def headroom(self) -> float | None:
        """How many times the offered rate the harness itself could drive."""
        return None if self.null_hz is None else self.null_hz / self.offered_hz

    @property
    def starved_s(self) -> float:
        """Bound the processor time that the harness took from the waiting matcher.

        It can have taken no more than it used, and no more than the matcher waited;
        where the kernel does not say how long that was, all it used is suspect.
        """
        if self.matcher_wait_s is None:
            return self.harness_cpu_s
        return min(self.harness_cpu_s, self.matcher_wait_s)


def instrument_metrics(instrument: Instrument) -> dict[str, Metric]:
    """Report what the instrument says of itself, its gallery and its threshold."""
    n_failed = instrument.n_watchlist - instrument.n_enrolled
    return {
        "cameras": Metric(value=len(instrument.fps), unit="cameras"),
        "watchlist.fte": Metric(
            value=n_failed, n=instrument.n_watchlist, unit="subjects"
        ),
        "fte": proportion(n_failed, instrument.n_watchlist),
        "threshold": Metric(value=instrument.threshold, unit="cosine"),
        "target_fpir": Metric(value=instrument.target_fpir),
        "headroom": Metric(value=instrument.headroom),
        "clock.round_trip_s": Metric(
            value=instrument.clock_shortest_ns / 1e9, unit="s"
        ),
        "harness.cpu_share": _share(instrument.harness_cpu_s, instrument),
        "harness.rss_bytes": Metric(value=instrument.harness_rss_bytes, unit="bytes"),
        "matcher.cpu_share": _share(instrument.matcher_cpu_s, instrument),
        "matcher.cpu_wait_share": _share(instrument.matcher_wait_s, instrument),
        "matcher.rss_bytes": Metric(value=instrument.matcher_rss_bytes, unit="bytes"),
    }


def _share(taken_s: float | None, instrument: Instrument) -> Metric:
    """Report time as a share of the wall time; 1 is one core, taken all the time."""
    if taken_s is None or instrument.drive_s <= 0.0:
        return Metric(value=None)
    return Metric(value=taken_s / instrument.drive_s)
