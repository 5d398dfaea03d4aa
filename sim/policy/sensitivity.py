"""Which assumption moves a result most.

Owns two views of one set of replications, without running any again: the share of a
result's variance that each uncertain quantity explains alone (first-order Sobol index
from given data), and how far the result moves when the quantity does (tornado).
Knows nothing of what the quantities mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from sim.policy.calibration import REFERENCE_THRESHOLD, THRESHOLD_STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.world import World

__all__ = ["Influence", "Quantity", "influences", "quantities"]

# Bins of equal count; with thousands of replications each holds hundreds.
_BINS = 20

# How readers call the fields of `parameters.Draws`.
_LABELS = {
    "recognition": "true recognition rate",
    "review_s": "review time",
    "response_s": "response time of teams",
    "engagement_false_s": "time with a person wrongly stopped",
    "engagement_true_s": "time with a person rightly stopped",
    "engagement_arrest_s": "time that an arrest binds a team",
    "true_dismissed": "true alerts dismissed in review",
    "false_accepted": "false alerts let through by review",
    "not_reached": "people not reached",
    "charged": "arrests that end in charge",
    "other_outcome": "other disposals without arrest",
    "arrest_officer_hours": "officer hours per arrest elsewhere",
    "officer_hour_gbp": "cost of an officer hour",
    "deployment_gbp": "fixed cost of a deployment",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantity:
    """One uncertain input.

    Attributes:
        name: For readers.
        values: (n,) one per replication.
    """

    name: str
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """What one input does to one result.

    Attributes:
        name: Of the input.
        first_order: Share of the variance of the result's ranks that it explains
            alone, 0 to 1.
        low, high: Mean result in the input's lowest and highest tenth.
    """

    name: str
    first_order: float
    low: float
    high: float


def quantities(world: World, *, threshold: float) -> tuple[Quantity, ...]:
    """Return every uncertain input of a world.

    Args:
        world: Its draws.
        threshold: At which the level of false alerts is meant.
    """
    true, false, arrests = world.true_alerts, world.false_alerts, world.arrests
    steps = (threshold - REFERENCE_THRESHOLD) / THRESHOLD_STEP
    fitted = (
        ("level of true alerts at the start", true.intercept + true.time[:, 0]),
        (
            "drift of true alerts after the record",
            true.time.mean(axis=1) - true.time[:, 0],
        ),
        ("true alerts by watchlist", true.watchlist),
        ("true alerts by threshold", true.threshold),
        ("season", np.hypot(true.cos, true.sin)),
        ("over-dispersion of true alerts", true.shape),
        ("false alerts at this threshold", false.intercept + steps * false.threshold),
        (
            "drift of false alerts between quarters",
            np.log(np.exp(false.time).mean(axis=1)),
        ),
        ("over-dispersion of false alerts", false.shape),
        ("share of true alerts that end in arrest", arrests.intercept),
        ("arrests falling behind when alerts are many", arrests.saturation),
    )
    return (
        *(Quantity(name=name, values=values) for name, values in fitted),
        *(
            Quantity(name=_LABELS[name], values=values)
            for name, values in world.draws.named()
        ),
    )


def influences(
    inputs: tuple[Quantity, ...], result: NDArray[np.float64]
) -> tuple[Influence, ...]:
    """Rank inputs by the share of a result's variance that each explains alone.

    Args:
        inputs: (n,) values each.
        result: (n,) of one measure, without NaN.

    Source:
        Plischke, Borgonovo and Smith, Global sensitivity measures from given data,
        European Journal of Operational Research 226(3), 2013; less the share that
        bins of an input without influence would explain by chance.
    """
    # Of ranks: a few replications with very many false alerts would else own the
    # variance, and no input would explain it.
    ranks = rankdata(result)
    ranked = [_influence(quantity, result, ranks) for quantity in inputs]
    return tuple(sorted(ranked, key=lambda each: -each.first_order))


def _influence(
    quantity: Quantity, result: NDArray[np.float64], ranks: NDArray[np.float64]
) -> Influence:
    n = len(result)
    order = np.argsort(quantity.values, kind="stable")
    bins = np.array_split(ranks[order], min(_BINS, n))
    means = np.array([each.mean() for each in bins])
    sizes = np.array([len(each) for each in bins])
    variance = float(ranks.var())
    explained = 0.0
    if variance > 0.0 and n > len(bins):
        between = float((sizes * (means - ranks.mean()) ** 2).sum() / n) / variance
        # Adjusted as R² is: without influence the expectation is 0.
        explained = 1.0 - (1.0 - between) * (n - 1.0) / (n - len(bins))
    tenth = max(n // 10, 1)
    return Influence(
        name=quantity.name,
        first_order=max(explained, 0.0),
        low=float(result[order[:tenth]].mean()),
        high=float(result[order[-tenth:]].mean()),
    )
