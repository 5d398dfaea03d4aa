"""Does the matcher do, under the clock, what it does without; and does it cache?

Owns the two audits that compare runs, each with its reason and cure. Knows nothing of
how the runs are made.

Source:
    MLCommons, MLPerf inference rules, compliance tests TEST01 (accuracy in performance
    mode) and TEST04 (caching of repeated queries).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.records import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records import PassageOutcome
    from matcher.records import FrameResult

__all__ = ["audit_accuracy", "audit_caching", "repeat_speed_up"]

# Of the passages that both runs saw whole, as many may come out differently.
_MAX_DIFFERING = 0.02
# A frame shown again may be done in as much less time before it looks remembered.
_MAX_SPEED_UP = 1.10
_FEWEST_FRAMES = 20


def audit_accuracy(
    timed: Sequence[PassageOutcome], unhurried: Sequence[PassageOutcome]
) -> Reason | None:
    """Hold passages of which no frame was skipped against the same, unhurried.

    What was skipped may be missed: that is load. But a passage that was processed
    whole has to come out the same, or the matcher does less when it is watched by the
    clock.

    Returns:
        Why the run is INVALID, or, with nothing to compare, INCONCLUSIVE; None if the
        audit passed.
    """
    without = {p.passage_id: p for p in unhurried}
    whole = [
        (p, without[p.passage_id])
        for p in timed
        if p.n_frames_processed == p.n_frames and p.passage_id in without
    ]
    if not whole:
        return Reason(
            code="audit_accuracy",
            status=Status.INCONCLUSIVE,
            message="accuracy must be audited on passages that no skip touched, but "
            "the run has none",
            cure="lower the load, or raise crowd.duration_s",
        )
    n_differ = sum(
        (a.true_alert, a.false_alert) != (b.true_alert, b.false_alert) for a, b in whole
    )
    if n_differ <= _MAX_DIFFERING * len(whole):
        return None
    return Reason(
        code="audit_accuracy",
        status=Status.INVALID,
        message="passages of which no frame was skipped must come out as they do "
        f"unhurried (all but {_MAX_DIFFERING:.0%}), but {n_differ} of {len(whole)} "
        "differ",
        cure="let the matcher do the same work in either mode",
    )


def audit_caching(results: Sequence[FrameResult], *, n_frames: int) -> Reason | None:
    """Find out whether frames shown a second time are done faster than the first.

    Args:
        results: Of an unhurried run in which every camera's clip was shown twice.
        n_frames: Frames of one showing.

    Returns:
        Why the run is INVALID, or INCONCLUSIVE for want of frames; None if the audit
        passed.
    """
    speed_up = repeat_speed_up(results, n_frames=n_frames)
    if speed_up is None:
        return Reason(
            code="audit_caching",
            status=Status.INCONCLUSIVE,
            message=f"caching must be audited on {_FEWEST_FRAMES} frames shown twice "
            "or more, but fewer were",
            cure="raise crowd.duration_s",
        )
    if speed_up <= _MAX_SPEED_UP:
        return None
    return Reason(
        code="audit_caching",
        status=Status.INVALID,
        message=f"frames shown again must take as long as before (within "
        f"{_MAX_SPEED_UP - 1:.0%}), but they are done {speed_up:.2f} times as fast",
        cure="let the matcher remember no frames: no street shows one twice",
    )


def repeat_speed_up(results: Sequence[FrameResult], *, n_frames: int) -> float | None:
    """Say how many times as fast frames are at their second showing, at the median.

    The first second of either showing is left out: tracks begin afresh there.
    """
    took = {
        (r.outcome.camera_id, r.outcome.frame_index): sum(
            e.ended_ns - e.started_ns for e in r.events
        )
        for r in results
    }
    ratios = [
        took[camera, index] / max(took[camera, index + n_frames], 1)
        for camera, index in took
        if 10 <= index < n_frames and (camera, index + n_frames) in took
    ]
    return float(np.median(ratios)) if len(ratios) >= _FEWEST_FRAMES else None
