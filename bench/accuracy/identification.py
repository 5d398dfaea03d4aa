"""Open-set identification rates per passage: FPIR, FNIR, TPIR, FTA; and the DET curve.

Owns the definitions. Knows nothing of groups, load or how passages were joined.

A *true alert* names the person who walks there; any other alert is false. Failure to
acquire is failure: a mated passage of which no search was made counts as missed. So
does one whose reference failed to enrol, since whoever wrote the watchlist sought it.

Source:
    ISO/IEC 19795-1:2021, 3.22 and 3.23 (FNIR, FPIR); the unit of account is the
    passage in place of the search, since one passage makes several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.intervals.bootstrap import clustered_proportion
from bench.intervals.proportion import proportion
from bench.records import Metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.records import AlertOutcome, PassageOutcome

__all__ = [
    "LARGE_FACE_PX",
    "DetCurve",
    "det_curve",
    "fnir",
    "fpir",
    "fta",
    "identification_metrics",
    "is_large_and_clear",
    "tpir",
]

# Face height from which the reference matcher's claim is made (its model card).
LARGE_FACE_PX = 60.0
_RESAMPLING_SEED = 19795


def tpir(passages: Sequence[PassageOutcome]) -> Metric:
    """Share of mated passages on which a true alert was raised."""
    mated = [passage for passage in passages if passage.mated]
    return proportion(sum(passage.true_alert for passage in mated), len(mated))


def fnir(passages: Sequence[PassageOutcome]) -> Metric:
    """Share of mated passages without a true alert: 1 - TPIR."""
    mated = [passage for passage in passages if passage.mated]
    return proportion(sum(not passage.true_alert for passage in mated), len(mated))


def fpir(passages: Sequence[PassageOutcome]) -> Metric:
    """Share of non-mated passages on which an alert, of necessity false, was raised."""
    non_mated = [passage for passage in passages if not passage.mated]
    return proportion(sum(passage.alerted for passage in non_mated), len(non_mated))


def fta(passages: Sequence[PassageOutcome]) -> Metric:
    """Share of passages, mated or not, of which no search was made."""
    return proportion(sum(p.n_probes == 0 for p in passages), len(passages))


def is_large_and_clear(passage: PassageOutcome) -> bool:
    """Say whether the largest face is 60 px high or more and not occluded.

    Not occluded means: in at least one frame of the zone nine tenths of the face were
    in view. That is the lenient reading: it keeps hard passages in the denominator.
    """
    return passage.max_face_height_px >= LARGE_FACE_PX and passage.unoccluded_frames > 0


def identification_metrics(
    passages: Sequence[PassageOutcome], alerts: Sequence[AlertOutcome]
) -> dict[str, Metric]:
    """Report every rate of the counted passages, and the alerts behind them.

    Args:
        passages: Those that count (`bench.accuracy.passages`).
        alerts: All of the run.
    """
    large = [passage for passage in passages if is_large_and_clear(passage)]
    n_mated = sum(passage.mated for passage in passages)
    true_alerts = sum(alert.correct for alert in alerts)
    # On nothing, or on somebody who walks beside the zone: nobody's passage either way.
    outside = sum(alert.passage_id is None for alert in alerts)
    n = len(passages)
    return {
        "passages.mated": Metric(value=n_mated, n=n, unit="passages"),
        "passages.non_mated": Metric(value=n - n_mated, n=n, unit="passages"),
        "tpir": tpir(passages),
        "tpir.face_60px": tpir(large),
        "fnir": fnir(passages),
        "fnir.face_60px": fnir(large),
        "fpir": fpir(passages),
        "fta": fta(passages),
        **_clustered(passages),
        "fta.face_60px": fta(large),
        "alerts.true": Metric(value=true_alerts, n=len(alerts), unit="alerts"),
        "alerts.false": Metric(
            value=len(alerts) - true_alerts, n=len(alerts), unit="alerts"
        ),
        "alerts.outside_passages": Metric(value=outside, n=len(alerts), unit="alerts"),
    }


def _clustered(passages: Sequence[PassageOutcome]) -> dict[str, Metric]:
    """Report FNIR and FPIR again with people, not passages, as what chance gave.

    The resampling has a seed of its own: it belongs to the figure, not to the run, and
    a reader of the folder has to come to the same digits.
    """
    rng = np.random.default_rng(_RESAMPLING_SEED)
    mated = [p for p in passages if p.mated]
    others = [p for p in passages if not p.mated]
    return {
        "fnir.clustered": clustered_proportion(
            [not p.true_alert for p in mated], [p.person_id for p in mated], rng=rng
        ),
        "fpir.clustered": clustered_proportion(
            [p.alerted for p in others], [p.person_id for p in others], rng=rng
        ),
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetCurve:
    """FPIR and FNIR at every threshold that changes either.

    Attributes:
        threshold: (m,) float64, increasing.
        fpir, fnir: (m,) float64, of passages with a score at or above it.
        n_non_mated, n_mated: Their denominators.
    """

    threshold: NDArray[np.float64]
    fpir: NDArray[np.float64]
    fnir: NDArray[np.float64]
    n_non_mated: int
    n_mated: int


def det_curve(passages: Sequence[PassageOutcome]) -> DetCurve:
    """Trade FPIR against FNIR over all thresholds, from the probes' scores.

    A passage is found at threshold T if some probe of it scored T or more; for mated
    passages the mate must have been first candidate. Passages without a probe score
    below every threshold. Lists are searched at rank 1.

    Args:
        passages: Those that count.

    Returns:
        The curve; without a point where mated or non-mated passages are lacking,
        since a rate of nothing is none.
    """
    mated = [p.mate_score for p in passages if p.mated]
    non_mated = [p.best_score for p in passages if not p.mated]
    scores = (*mated, *non_mated) if mated and non_mated else ()
    threshold = np.unique([score for score in scores if score is not None])
    n_found = _n_at_or_above(mated, threshold)
    return DetCurve(
        threshold=threshold,
        # Without scores there are no thresholds either, and nothing is divided.
        fpir=_n_at_or_above(non_mated, threshold) / max(len(non_mated), 1),
        fnir=(len(mated) - n_found) / max(len(mated), 1),
        n_non_mated=len(non_mated),
        n_mated=len(mated),
    )


def _n_at_or_above(
    scores: list[float | None], threshold: NDArray[np.float64]
) -> NDArray[np.int64]:
    ordered = np.sort([score for score in scores if score is not None])
    return np.asarray(len(ordered) - np.searchsorted(ordered, threshold, side="left"))
