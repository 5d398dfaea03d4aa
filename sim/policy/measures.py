"""What a reader wants to know of a programme, and how sure the answer is.

Owns the list of measures, good and bad side by side, and their intervals. There is no
single score: weighing them is not arithmetic. Knows nothing of how they came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.columns import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["MEASURES", "Estimate", "Measure", "estimate", "measure_named"]

# All intervals of the policy report hold 90 %: the level of the retrodiction.
LEVEL = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of a programme.

    Attributes:
        name: For scripts.
        label: For readers.
        unit: What it counts.
        of: From totals (n, len(Outcome)) to values (n,); NaN where undefined.
    """

    name: str
    label: str
    unit: str
    of: Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measure over all replications.

    Attributes:
        measure: Its name.
        median, low, high: The ends hold 90 % of the replications.
        mean: Of the replications.
        mean_error: Standard error of the mean, from their number.
        n: Replications in which the measure is defined.
    """

    measure: str
    median: float
    low: float
    high: float
    mean: float
    mean_error: float
    n: int


def _sum(*columns: Outcome) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def total(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        summed: NDArray[np.float64] = totals[:, list(columns)].sum(axis=1)
        return summed

    return total


def _ratio(
    above: Outcome, *below: Outcome
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def ratio(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        denominator = totals[:, list(below)].sum(axis=1)
        safe = np.where(denominator > 0.0, denominator, 1.0)
        return np.where(denominator > 0.0, totals[:, above] / safe, np.nan)

    return ratio


def _missed(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    return totals[:, Outcome.MATED] - totals[:, Outcome.TRUE_ALERTS]


MEASURES = (
    Measure(
        name="deployments",
        label="Deployments",
        unit="deployments",
        of=_sum(Outcome.DEPLOYMENTS),
    ),
    Measure(name="faces", label="Faces scanned", unit="faces", of=_sum(Outcome.FACES)),
    Measure(
        name="mated",
        label="Passages of people on the watchlist",
        unit="passages",
        of=_sum(Outcome.MATED),
    ),
    Measure(
        name="missed", label="of them without an alert", unit="passages", of=_missed
    ),
    Measure(
        name="alerts",
        label="Alerts",
        unit="alerts",
        of=_sum(Outcome.TRUE_ALERTS, Outcome.FALSE_ALERTS),
    ),
    Measure(
        name="true_alerts",
        label="True alerts",
        unit="alerts",
        of=_sum(Outcome.TRUE_ALERTS),
    ),
    Measure(
        name="false_alerts",
        label="False alerts",
        unit="alerts",
        of=_sum(Outcome.FALSE_ALERTS),
    ),
    Measure(
        name="true_dismissed",
        label="True alerts that review dismissed",
        unit="alerts",
        of=_sum(Outcome.TRUE_DISMISSED),
    ),
    Measure(
        name="lost",
        label="People not reached in time",
        unit="people",
        of=_sum(Outcome.TRUE_LOST, Outcome.FALSE_LOST),
    ),
    Measure(
        name="false_engaged",
        label="People stopped on a false alert",
        unit="people",
        of=_sum(Outcome.FALSE_ENGAGED),
    ),
    Measure(
        name="no_action",
        label="People rightly recognised, stopped, no action",
        unit="people",
        of=_sum(Outcome.NO_ACTION),
    ),
    Measure(
        name="other_outcome",
        label="Other disposals",
        unit="people",
        of=_sum(Outcome.OTHER_OUTCOME),
    ),
    Measure(name="arrests", label="Arrests", unit="people", of=_sum(Outcome.ARRESTS)),
    Measure(
        name="charged",
        label="Charged or cautioned",
        unit="people",
        of=_sum(Outcome.CHARGED),
    ),
    Measure(
        name="under_18_alerts",
        label="Alerts naming a person under 18",
        unit="alerts",
        of=_sum(Outcome.UNDER_18_ALERTS),
    ),
    Measure(
        name="officer_hours",
        label="Officer hours",
        unit="h",
        of=_sum(Outcome.OFFICER_HOURS),
    ),
    Measure(name="cost_gbp", label="Cost", unit="GBP", of=_sum(Outcome.COST_GBP)),
    Measure(
        name="faces_per_arrest",
        label="Faces scanned per arrest",
        unit="faces",
        of=_ratio(Outcome.FACES, Outcome.ARRESTS),
    ),
    Measure(
        name="officer_hours_per_arrest",
        label="Officer hours per arrest",
        unit="h",
        of=_ratio(Outcome.OFFICER_HOURS, Outcome.ARRESTS),
    ),
    Measure(
        name="cost_gbp_per_arrest",
        label="Cost per arrest",
        unit="GBP",
        of=_ratio(Outcome.COST_GBP, Outcome.ARRESTS),
    ),
    Measure(
        name="review_wait_s",
        label="Mean wait for review",
        unit="s",
        of=_ratio(Outcome.REVIEW_WAIT_S, Outcome.TRUE_ALERTS, Outcome.FALSE_ALERTS),
    ),
)


def measure_named(name: str) -> Measure:
    """Return one measure; an unknown name raises StopIteration's kin, KeyError."""
    for measure in MEASURES:
        if measure.name == name:
            return measure
    raise KeyError(name)


def estimate(name: str, values: NDArray[np.float64]) -> Estimate:
    """Summarise one measure over the replications in which it is defined.

    Args:
        name: Of the measure.
        values: (n,) with NaN where undefined; at least one is not.
    """
    known = values[~np.isnan(values)]
    tail = (1.0 - LEVEL) / 2.0
    low, median, high = np.quantile(known, [tail, 0.5, 1.0 - tail])
    return Estimate(
        measure=name,
        median=float(median),
        low=float(low),
        high=float(high),
        mean=float(known.mean()),
        mean_error=float(known.std() / np.sqrt(len(known))),
        n=len(known),
    )
