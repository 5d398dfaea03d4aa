"""The runs behind the audits: the same frames unhurried, and shown twice.

Owns which runs an audit needs and how its findings join a verdict. Knows nothing of
what is asked of them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.driving.pacing import Pacing
from bench.driving.session import drive_target, undropping
from bench.driving.targets import TargetKind, matcher_process
from bench.load.feeds import feed_with, repeated
from bench.load.settings import LoadConfig
from bench.records import Status, Verdict
from bench.running.audits import audit_accuracy, audit_caching
from bench.running.folder import instrument_of
from bench.running.metrics import counted_passages
from bench.running.rig import rig_of
from bench.running.run import measure

if TYPE_CHECKING:
    import numpy as np

    from bench.driving.session import Progress
    from bench.records import PassageOutcome, Reason, RunRecord
    from bench.running.rig import Rig
    from bench.running.run import Origin, Settings
    from matcher.gallery import Enrolment

__all__ = ["audited", "with_reasons"]


def audited(
    record: RunRecord,
    rig: Rig,
    enrolment: Enrolment,
    settings: Settings,
    origin: Origin,
    *,
    rng: np.random.Generator,
    progress: Progress,
) -> RunRecord:
    """Audit a run in real time, and let what is found join its verdict.

    Args:
        record: The run.
        rig: What it was made with.
        enrolment: Its gallery.
        settings: Its settings.
        origin: Its origin.
        rng: The stream of the arrivals, for the frames shown twice.
        progress: Told of the two audits.
    """
    progress("audits", 0, 2)
    unhurried = measure(
        rig,
        enrolment,
        settings,
        origin,
        unhurried=True,
        progress=_quiet,
        target=TargetKind.PROCESS,
    )
    accuracy = audit_accuracy(_counted(record), _counted(unhurried))
    progress("audits", 1, 2)
    clip = rig.crowd.clips[0]
    shown = feed_with(clip, rig.packets[0])
    twice = rig_of(rig.crowd, [repeated(shown, 2)], LoadConfig(), rng=rng)
    session = drive_target(
        twice.plan,
        twice.packets,
        matcher_process(undropping(settings.matcher), enrolment.gallery),
        pacing=Pacing.UNHURRIED,
        in_flight=1,
        clock=time.perf_counter_ns,
        progress=_quiet,
    )
    caching = audit_caching(session.results, n_frames=clip.n_frames)
    progress("audits", 2, 2)
    found = [reason for reason in (accuracy, caching) if reason is not None]
    return replace(
        record,
        verdict=with_reasons(record.verdict, found),
        notes=(*record.notes, _note(found)),
    )


def with_reasons(verdict: Verdict, more: list[Reason]) -> Verdict:
    """Add reasons to a verdict; the worst of all decides."""
    reasons = (*verdict.reasons, *more)
    statuses = {reason.status for reason in reasons}
    worst = next(
        (s for s in (Status.INVALID, Status.INCONCLUSIVE) if s in statuses),
        Status.VALID,
    )
    return Verdict(status=worst, reasons=reasons)


def _counted(record: RunRecord) -> tuple[PassageOutcome, ...]:
    return counted_passages(
        record.passages, record.plan, record.sent, instrument_of(record)
    )


def _note(found: list[Reason]) -> str:
    if not found:
        return (
            "Audited: passages processed whole come out as they do unhurried, and "
            "frames shown again take as long as before."
        )
    return "Audited, and not all is well: see the verdict."


def _quiet(_task: str, _done: int, _total: int) -> None:
    """Say nothing of the steps within an audit."""
