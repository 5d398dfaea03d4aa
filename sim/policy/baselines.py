"""Naive forecasts that a model must beat.

Owns two: the mean of the last year before the cut-off, and the mean of the same site
before the cut-off. Each exists as its literal self, one number, and in a harder
form, a Poisson distribution around that number. Knows nothing of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.records import Deployments

__all__ = ["Baseline", "last_year_mean", "same_site_mean"]

_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """A naive forecast of each row.

    Attributes:
        name: For tables.
        mean: (n,) the forecast number.
    """

    name: str
    mean: NDArray[np.float64]

    def poisson(self, n_draws: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return draws of a Poisson distribution around the mean, (n_draws, n)."""
        return rng.poisson(self.mean, (n_draws, len(self.mean)))


def last_year_mean(
    before: Deployments, counts: NDArray[np.int64], rows: Deployments
) -> Baseline:
    """Forecast every row by the mean of the last 365 days of the record.

    Args:
        before: Deployments before the cut-off.
        counts: (len(before),) what is forecast.
        rows: Deployments to forecast.
    """
    is_recent = before.date > before.date[-1] - np.timedelta64(_YEAR_DAYS, "D")
    mean = float(counts[is_recent].mean())
    return Baseline(name="last year's mean", mean=np.full(len(rows), mean))


def same_site_mean(
    before: Deployments, counts: NDArray[np.int64], rows: Deployments
) -> Baseline:
    """Forecast every row by its site's mean; by the last year's for a new site.

    Args:
        before: Deployments before the cut-off.
        counts: (len(before),) what is forecast.
        rows: Deployments to forecast.
    """
    fallback = last_year_mean(before, counts, rows).mean
    site = np.array(before.site)
    means = [
        float(counts[site == name].mean()) if name in before.site else fallback[row]
        for row, name in enumerate(rows.site)
    ]
    return Baseline(name="same site's mean", mean=np.array(means))
