"""What the harness itself can do: is it punctual, and how much faster than a matcher?

Owns the two figures by which a reader may trust every other one. Knows nothing of
limits or of how they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.driving.headroom import measure_null_hz
from bench.driving.pacing import Pacing
from bench.driving.session import drive_target, undropping
from bench.driving.target import Ledger
from bench.driving.targets import matcher_process, null_process
from bench.load.settings import LoadConfig
from bench.running.rig import rig_of
from bench.timing.frames import tabulate
from bench.timing.latency import percentile
from bench.timing.stages import span_s
from matcher.records import Outcome
from sim.arrivals import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from bench.driving.session import Progress
    from bench.load.feeds import Feed
    from bench.records import Metric
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from synthetic_crowds.records import Crowd

__all__ = ["Capability", "measure_capability"]

_NULL_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """The harness beside the matcher, on one machine.

    Attributes:
        offered_hz: Frames per second sent to the null system on time.
        n_cameras: From so many cameras.
        schedule_delay_p99_s: How late the sends were, with its 95 % interval.
        schedule_delay_max_s: The latest.
        null_hz: Frames per second through the null system, as fast as it takes them.
        matcher_hz: Frames per second through the matcher, likewise.
    """

    offered_hz: float
    n_cameras: int
    schedule_delay_p99_s: Metric
    schedule_delay_max_s: float
    null_hz: float
    matcher_hz: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the matcher the harness is."""
        return self.null_hz / self.matcher_hz


def measure_capability(
    crowd: Crowd,
    feeds: Sequence[Feed],
    *,
    matcher: MatcherConfig,
    gallery: Gallery,
    rate_hz: float,
    rng: np.random.Generator,
    clock: Callable[[], int],
    progress: Progress,
) -> Capability:
    """Measure the harness against a system that does nothing, and the matcher.

    Args:
        crowd: Whose clips are sent.
        feeds: Of those clips.
        matcher: What the harness is compared with.
        gallery: What it searches.
        rate_hz: Frames per second to be punctual at; met by copies of the cameras.
        rng: The stream of the arrivals.
        clock: Nanoseconds.
        progress: Told of each part.
    """
    n_cameras = max(1, round(rate_hz / feeds[0].clip.fps))
    load = LoadConfig(cameras=n_cameras, phase=Phase.STAGGERED, warm_up_s=0.5)
    rig = rig_of(crowd, feeds, load, rng=rng)
    punctual = drive_target(
        rig.plan,
        rig.packets,
        null_process(),
        pacing=Pacing.OPEN,
        in_flight=1,
        clock=clock,
        progress=progress,
    )
    sent = punctual.drive.sent
    frames = tabulate(rig.plan, sent, punctual.results, warm_up_s=load.warm_up_s)
    delay_s = (frames.sent_ns - frames.planned_ns)[frames.counted] / 1e9
    ledger = Ledger()
    with null_process()(ledger) as null:
        null_hz = measure_null_hz(
            null, ledger, rig.plan, rig.packets, duration_s=_NULL_S, clock=clock
        )
    own = rig_of(crowd, feeds, LoadConfig(warm_up_s=0.0), rng=rng)
    worked = drive_target(
        own.plan,
        own.packets,
        matcher_process(undropping(matcher), gallery),
        pacing=Pacing.UNHURRIED,
        in_flight=1,
        clock=clock,
        progress=progress,
    )
    done = tabulate(own.plan, worked.drive.sent, worked.results, warm_up_s=0.0)
    offered_hz = sum(feed.clip.fps for feed in feeds)
    wall_s = span_s(done, offered_hz=offered_hz, unhurried=True)
    return Capability(
        offered_hz=sum(clip.fps for clip in rig.crowd.clips),
        n_cameras=n_cameras,
        schedule_delay_p99_s=percentile(delay_s, level=0.99),
        schedule_delay_max_s=float(delay_s.max()),
        null_hz=null_hz,
        matcher_hz=int(done.ended(Outcome.PROCESSED).sum()) / wall_s,
    )
