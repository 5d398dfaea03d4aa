"""One sitting with the matcher: start it, check its clock, drive it, hear it out.

Owns the life of the matcher's process in a run. Knows nothing of truth or figures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.clock import check_clock
from bench.driver import drive, real_sleep, wait_until
from bench.errors import SystemGoneError
from bench.headroom import measure_null_hz
from bench.resources import read_account, used
from bench.sut import running
from matcher.engine import serve
from matcher.gallery import save
from matcher.null import serve as serve_null

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.clock import ClockCheck
    from bench.driver import Drive
    from bench.records import ArrivalPlan
    from bench.resources import Account
    from bench.sut import SystemLink
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.messages import SystemDescription
    from matcher.records import FrameResult

__all__ = ["Progress", "Session", "hold_session", "run_null"]

# Called with a task's name, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

_NULL_RUN_S = 1.5
# Time to get from drawing the line to the first frame without being late for it.
_LEAD_NS = 200_000_000
# Unhurried: enough that the matcher never waits for us, little enough to hold.
_MAX_IN_FLIGHT = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """What the matcher was, what it was sent, and what it said.

    Attributes:
        system: By its own description.
        clock_check: Whether its stamps are of our clock.
        drive: What was sent, and how the sending ended.
        results: What it said, in that order.
        drive_s: Wall time of the sending.
        harness: What our own process used in that time.
        matcher: What the matcher's used; None if it did not live to tell.
    """

    system: SystemDescription
    clock_check: ClockCheck
    drive: Drive
    results: tuple[FrameResult, ...]
    drive_s: float
    harness: Account
    matcher: Account | None


def run_null(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    *,
    clock: Callable[[], int],
    progress: Progress,
) -> float:
    """Drive a system that does nothing, to learn what the harness can; frames/s."""
    progress("test the harness itself", 0, 1)
    with running(serve_null, name="null system") as link:
        link.wait_ready()
        null_hz = measure_null_hz(
            link, plan, packets, duration_s=_NULL_RUN_S, clock=clock
        )
    progress("test the harness itself", 1, 1)
    return null_hz


def hold_session(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    *,
    config: MatcherConfig,
    gallery: Gallery,
    unhurried: bool,
    clock: Callable[[], int],
    progress: Progress,
) -> Session:
    """Drive the matcher with a plan and collect everything it says.

    Args:
        plan: When frames are captured.
        packets: Of each camera of the plan, the packet of each frame.
        config: The matcher's settings; unhurried, it drops no frame.
        gallery: Whom it looks for.
        unhurried: Send as fast as frames are taken. Capture times then count from
            zero, so that nothing in the results depends on when the run was.
        clock: Nanoseconds.
        progress: Told of warm-up and of frames sent.

    Raises:
        BadInputError: If the matcher refuses its settings or gallery.
        SystemStartError, SystemGoneError: If it does not live to the first frame.
    """
    if unhurried:
        engine = config.engine.model_copy(update={"drop_policy": "none"})
        config = config.model_copy(update={"engine": engine})
    with TemporaryDirectory(prefix="lfr-harness-") as folder:
        gallery_path = Path(folder) / "gallery.npz"
        save(gallery, gallery_path)
        with running(serve, config, gallery_path, name="matcher") as link:
            progress("warm up the matcher", 0, 1)
            system = link.wait_ready()
            clock_check = check_clock(link.read_clock, clock=clock)
            progress("warm up the matcher", 1, 1)
            ours, theirs = read_account(os.getpid()), _account_of(link)
            start_ns = 0 if unhurried else clock() + _LEAD_NS
            began_ns = clock()
            done = drive(
                plan,
                packets,
                link.send,
                start_ns=start_ns,
                pace=_pace(link, unhurried=unhurried, clock=clock),
                clock=clock,
                progress=lambda row: progress("send frames", row, len(plan)),
            )
            drive_s = (clock() - began_ns) / 1e9
            harness = used(ours, read_account(os.getpid()))
            still_theirs = _account_of(link)
            done = _hear_out(link, done)
            return Session(
                system=system,
                clock_check=clock_check,
                drive=done,
                results=link.results,
                drive_s=drive_s,
                harness=harness,
                matcher=(
                    None
                    if theirs is None or still_theirs is None
                    else used(theirs, still_theirs)
                ),
            )


def _pace(
    link: SystemLink, *, unhurried: bool, clock: Callable[[], int]
) -> Callable[[int], None]:
    if unhurried:
        return lambda _deadline_ns: link.wait_for_room(_MAX_IN_FLIGHT)
    return partial(wait_until, clock=clock, sleep=real_sleep)


def _hear_out(link: SystemLink, done: Drive) -> Drive:
    """Let the frames under way end, whatever ended the sending."""
    if done.lost:
        return done
    try:
        link.finish()
    except KeyboardInterrupt:
        return replace(done, interrupted=True)
    except SystemGoneError as error:
        # Ctrl-C may have cut a message short; that is no fault of the matcher.
        return done if done.interrupted else replace(done, lost=error.reason)
    return done


def _account_of(link: SystemLink) -> Account | None:
    """Read the matcher's account; None if it has died."""
    try:
        return None if link.pid is None else read_account(link.pid)
    except ProcessLookupError:
        return None
