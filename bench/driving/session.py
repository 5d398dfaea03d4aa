"""One sitting with a target: open it, check its clock, drive it, hear it out.

Owns the order of these steps, and that whatever was said is kept however the sitting
ends. Knows nothing of truth or figures.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.driving.change_errands import became_of, errands_of
from bench.driving.driver import drive
from bench.driving.headroom import measure_null_hz
from bench.driving.pacing import Pacing, pace_of
from bench.driving.target import Carried, Ledger
from bench.driving.targets import matcher_process
from bench.errors import SystemGoneError
from bench.host.clock import check_clock, worse_of
from bench.host.resources import (
    Account,
    joined,
    read_account,
    read_family_account,
    used,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.driving.driver import Drive
    from bench.driving.target import OpenTarget, Target
    from bench.host.clock import ClockCheck
    from bench.records import ArrivalPlan, WatchlistChange
    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.messages import GalleryChange, SystemDescription
    from matcher.records import FrameResult

__all__ = [
    "Progress",
    "Session",
    "drive_target",
    "hold_session",
    "run_null",
    "undropping",
]

# Called with a task's name, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

_NULL_RUN_S = 1.5
# Time to get from drawing the line to the first frame without being late for it.
_LEAD_NS = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """What the target was, what it was sent, and what it said.

    Attributes:
        system: By its own description.
        clock_check: Whether its stamps are of our clock, before and after.
        drive: What was sent, and how the sending ended.
        results: What it said, in that order.
        drive_s: Wall time of the sending.
        harness: What our own process used in that time.
        matcher: What the target's used; None if it has none, or did not live to tell.
        changes: What became of each planned change of the watchlist.
    """

    system: SystemDescription
    clock_check: ClockCheck
    drive: Drive
    results: tuple[FrameResult, ...]
    drive_s: float
    harness: Account
    matcher: Account | None
    changes: tuple[WatchlistChange, ...] = ()


def run_null(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    *,
    open_null: OpenTarget,
    clock: Callable[[], int],
    progress: Progress,
) -> float:
    """Drive a system that does nothing, to learn what the harness can; frames/s."""
    progress("test the harness itself", 0, 1)
    ledger = Ledger()
    with open_null(ledger) as target:
        null_hz = measure_null_hz(
            target, ledger, plan, packets, duration_s=_NULL_RUN_S, clock=clock
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
    """Drive the matcher in its process with a plan; see `drive_target`.

    Args:
        plan: When frames are captured.
        packets: Of each camera of the plan, the packet of each frame.
        config: The matcher's settings; unhurried, it drops no frame.
        gallery: Whom it looks for.
        unhurried: Send as fast as frames are taken, in place of the plan's clock.
        clock: Nanoseconds.
        progress: Told of warm-up and of frames sent.

    Raises:
        BadInputError: If the matcher refuses its settings or gallery.
        SystemStartError, SystemGoneError: If it does not live to the first frame.
    """
    return drive_target(
        plan,
        packets,
        matcher_process(undropping(config) if unhurried else config, gallery),
        pacing=Pacing.UNHURRIED if unhurried else Pacing.OPEN,
        in_flight=1,
        clock=clock,
        progress=progress,
    )


def undropping(config: MatcherConfig) -> MatcherConfig:
    """Let the matcher process every frame, in order of arrival."""
    return config.model_copy(update={"engine": config.engine.unhurried()})


def drive_target(
    plan: ArrivalPlan,
    packets: Sequence[Sequence[bytes]],
    open_target: OpenTarget,
    *,
    pacing: Pacing,
    in_flight: int,
    clock: Callable[[], int],
    progress: Progress,
    changes: Sequence[GalleryChange] = (),
) -> Session:
    """Drive any target with a plan and collect everything it says.

    Args:
        plan: When frames are captured.
        packets: Of each camera of the plan, the packet of each frame.
        open_target: Starts the target, and ends it.
        pacing: What a frame waits for.
        in_flight: How many may be under way, if the pacing is closed.
        clock: Nanoseconds.
        progress: Told of warm-up and of frames sent.
        changes: The plan's changes of the watchlist, one each, with their templates.

    Raises:
        BadInputError: If the target refuses its input, or takes no changes and there
            are some.
        SystemStartError, SystemGoneError: If it does not live to the first frame.
    """
    ledger = Ledger()
    progress("warm up the matcher", 0, 1)
    with open_target(ledger) as target:
        clock_check = check_clock(target.read_clock, clock=clock)
        errands = errands_of(plan, changes, target, pacing=pacing)
        progress("warm up the matcher", 1, 1)
        ours, theirs = _own_account(target), _account_of(target)
        start_ns = 0 if pacing is Pacing.UNHURRIED else clock() + _LEAD_NS
        began_ns = clock()
        done = drive(
            plan,
            packets,
            target.issue,
            start_ns=start_ns,
            pace=pace_of(pacing, ledger, in_flight=in_flight, clock=clock),
            clock=clock,
            progress=lambda row: progress("send frames", row, len(plan)),
            errands=errands,
        )
        drive_s = (clock() - began_ns) / 1e9
        harness = used(ours, _own_account(target))
        still_theirs = _account_of(target)
        done = _hear_out(target, done)
        return Session(
            system=target.system,
            clock_check=_checked_again(target, clock_check, done, clock=clock),
            drive=done,
            results=ledger.results,
            drive_s=drive_s,
            harness=harness,
            matcher=(
                None
                if theirs is None or still_theirs is None
                else used(theirs, still_theirs)
            ),
            changes=tuple(
                became_of(number, done, ledger.effects)
                for number in range(len(plan.changes))
            ),
        )


def _hear_out(target: Target, done: Drive) -> Drive:
    """Let the frames under way end, whatever ended the sending."""
    if done.lost:
        return done
    try:
        target.flush()
    except KeyboardInterrupt:
        return replace(done, interrupted=True)
    except SystemGoneError as error:
        # Ctrl-C may have cut a message short; that is no fault of the matcher.
        return done if done.interrupted else replace(done, lost=error.reason)
    return done


def _checked_again(
    target: Target, before: ClockCheck, done: Drive, *, clock: Callable[[], int]
) -> ClockCheck:
    """Check the clock after the run as well; a target that is gone has none."""
    if done.lost or done.interrupted or done.clock_stopped:
        return before
    try:
        return worse_of(before, check_clock(target.read_clock, clock=clock))
    except SystemGoneError:
        return before


def _own_account(target: Target) -> Account:
    """Read the harness's account: this process, and those that carry for it."""
    accounts = [read_account(os.getpid())]
    if isinstance(target, Carried):
        for pid in target.carrier_pids:
            with suppress(ProcessLookupError):
                accounts.append(read_account(pid))
    return joined(accounts)


def _account_of(target: Target) -> Account | None:
    """Read the target's account; None if it has none, or has died."""
    try:
        return None if target.pid is None else read_family_account(target.pid)
    except ProcessLookupError:
        return None
