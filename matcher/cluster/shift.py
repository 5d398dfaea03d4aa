"""Another machine's times, told as ours.

Owns the shifting of every stamp of a result. Pure. Knows nothing of how the difference
of two clocks was found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matcher.records import FrameResult

__all__ = ["shifted"]


def shifted(result: FrameResult, offset_ns: int) -> FrameResult:
    """Add an offset to every stamp of a result; capture times are the sender's own.

    Args:
        result: As another machine told it.
        offset_ns: Our clock less its.
    """
    if offset_ns == 0:
        return result
    outcome = replace(
        result.outcome,
        received_ns=result.outcome.received_ns + offset_ns,
        done_ns=result.outcome.done_ns + offset_ns,
    )
    return replace(
        result,
        outcome=outcome,
        events=tuple(
            replace(
                event,
                enqueued_ns=event.enqueued_ns + offset_ns,
                started_ns=event.started_ns + offset_ns,
                ended_ns=event.ended_ns + offset_ns,
            )
            for event in result.events
        ),
        probes=tuple(
            replace(probe, decided_ns=probe.decided_ns + offset_ns)
            for probe in result.probes
        ),
        alerts=tuple(
            replace(alert, alert_time_ns=alert.alert_time_ns + offset_ns)
            for alert in result.alerts
        ),
    )
