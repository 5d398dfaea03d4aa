"""Turns a calibration into counts for deployments that were not learnt from.

Owns the step into new places and later months: an unseen site draws its effect from
the spread between sites, a later month walks on. Knows nothing of what happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from sim.policy.calibration import (
    REFERENCE_HOURS,
    REFERENCE_THRESHOLD,
    REFERENCE_WATCHLIST,
    THRESHOLD_STEP,
    month_of,
    saturation_scale,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.calibration import Calibration, Outcome
    from sim.policy.laplace import Posterior
    from sim.policy.records import Deployments

__all__ = ["Counts", "Effects", "forecast", "project"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """Draws of one outcome's predictor, laid out by place and month.

    Attributes:
        intercept, duration, watchlist, threshold, cos, sin, saturation: (draws,).
        place: (draws, sites), site and borough together.
        time: (draws, months) from `first_month` on.
        first_month: Of the first column of `time`.
        shape: (draws,) over-dispersion.
    """

    intercept: NDArray[np.float64]
    duration: NDArray[np.float64]
    watchlist: NDArray[np.float64]
    threshold: NDArray[np.float64]
    cos: NDArray[np.float64]
    sin: NDArray[np.float64]
    saturation: NDArray[np.float64]
    place: NDArray[np.float64]
    time: NDArray[np.float64]
    first_month: int
    shape: NDArray[np.float64]

    def predictor(
        self,
        *,
        site: NDArray[np.int64],
        month: int,
        duration_h: NDArray[np.float64] | float,
        watchlist_size: float,
        threshold: float,
    ) -> NDArray[np.float64]:
        """Return the linear predictor of one deployment in every draw, (draws,).

        Args:
            site: (draws,) column of `place`, one site a draw.
            month: As `month_of` numbers it.
            duration_h: Hours, one for all draws or (draws,).
            watchlist_size: People.
            threshold: On the matcher's scale.
        """
        angle = 2.0 * np.pi * (month % 12) / 12.0
        predictor: NDArray[np.float64] = (
            self.intercept
            + self.duration * np.log(duration_h / REFERENCE_HOURS)
            + self.watchlist * np.log(watchlist_size / REFERENCE_WATCHLIST)
            + self.threshold * (threshold - REFERENCE_THRESHOLD) / THRESHOLD_STEP
            + self.cos * np.cos(angle)
            + self.sin * np.sin(angle)
            + self.place[np.arange(len(site)), site]
            + self.time[:, month - self.first_month]
        )
        return predictor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counts:
    """Predicted counts, one column a deployment.

    Attributes:
        alerts, false_alerts, arrests: (draws, n) int64.
    """

    alerts: NDArray[np.int64]
    false_alerts: NDArray[np.int64]
    arrests: NDArray[np.int64]


def project(
    outcome: Outcome,
    *,
    sites: tuple[str, ...],
    boroughs: tuple[str, ...],
    first_month: int,
    last_month: int,
    rng: np.random.Generator,
) -> Effects:
    """Lay out one outcome's effects for given places and months.

    Args:
        outcome: A fitted model.
        sites: Of each column of `Effects.place`.
        boroughs: Of the same columns.
        first_month: First column of `Effects.time`.
        last_month: Its last column, included.
        rng: Source of effects that the record does not hold.
    """
    posterior = outcome.posterior
    return Effects(
        intercept=_scalar(posterior, "intercept"),
        duration=_scalar(posterior, "duration"),
        watchlist=_scalar(posterior, "watchlist"),
        threshold=_scalar(posterior, "threshold"),
        cos=_scalar(posterior, "cos"),
        sin=_scalar(posterior, "sin"),
        saturation=_scalar(posterior, "saturation"),
        place=_place(outcome, sites, boroughs, rng=rng),
        time=_time(outcome, first_month, last_month, rng=rng),
        first_month=first_month,
        shape=posterior.spread("shape"),
    )


def forecast(
    calibration: Calibration, rows: Deployments, *, rng: np.random.Generator
) -> Counts:
    """Predict alerts, false alerts and arrests from what is known before each row.

    Only date, place, duration, watchlist size and threshold of `rows` are read.

    Args:
        calibration: Learnt from earlier rows.
        rows: Deployments to predict, with printed durations and thresholds.
        rng: Source of new effects and of counts.
    """
    sites = tuple(sorted(set(rows.site)))
    boroughs = tuple(rows.borough[rows.site.index(site)] for site in sites)
    month = month_of(rows.date)
    true, false, arrest = (
        project(
            outcome,
            sites=sites,
            boroughs=boroughs,
            first_month=int(month.min()),
            last_month=int(month.max()),
            rng=rng,
        )
        for outcome in (
            calibration.true_alerts,
            calibration.false_alerts,
            calibration.arrests,
        )
    )

    def predict(effects: Effects) -> NDArray[np.float64]:
        columns = [
            effects.predictor(
                site=np.full(calibration.n_draws, sites.index(rows.site[row])),
                month=int(month[row]),
                duration_h=float(rows.duration_h[row]),
                watchlist_size=float(rows.watchlist_size[row]),
                threshold=float(rows.threshold[row]),
            )
            for row in range(len(rows))
        ]
        return np.stack(columns, axis=1)

    n_true = _gamma_poisson(np.exp(predict(true)), true.shape, rng=rng)
    n_false = _gamma_poisson(np.exp(predict(false)), false.shape, rng=rng)
    crowding = arrest.saturation[:, None] * saturation_scale(n_true)
    share = expit(predict(arrest) + crowding)
    shape = arrest.shape[:, None]
    chance = rng.beta(share * shape, (1.0 - share) * shape)
    return Counts(
        alerts=n_true + n_false,
        false_alerts=n_false,
        arrests=rng.binomial(n_true, chance),
    )


def _gamma_poisson(
    mean: NDArray[np.float64], shape: NDArray[np.float64], *, rng: np.random.Generator
) -> NDArray[np.int64]:
    factor = rng.standard_gamma(np.broadcast_to(shape[:, None], mean.shape))
    return rng.poisson(mean * factor / shape[:, None])


def _scalar(posterior: Posterior, name: str) -> NDArray[np.float64]:
    """Return a coefficient's draws; zeros for one that the model does not have."""
    if name not in posterior.terms:
        return np.zeros(len(posterior.values))
    return posterior.scalar(name)


def _place(
    outcome: Outcome,
    sites: tuple[str, ...],
    boroughs: tuple[str, ...],
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    n_draws = len(outcome.posterior.values)
    if not outcome.sites:
        return np.zeros((n_draws, len(sites)))
    near = _levels(outcome.posterior, "site", outcome.sites, sites, rng=rng)
    far = _levels(outcome.posterior, "borough", outcome.boroughs, boroughs, rng=rng)
    return near + far


def _levels(
    posterior: Posterior,
    name: str,
    known: tuple[str, ...],
    wanted: tuple[str, ...],
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    effects = posterior.term(name)
    spread = posterior.spread(name)
    # By name, so that two new sites of one borough share that borough's draw.
    new = {
        level: spread * rng.standard_normal(len(spread))
        for level in sorted(set(wanted) - set(known))
    }
    columns = [
        effects[:, known.index(level)] if level in known else new[level]
        for level in wanted
    ]
    return np.stack(columns, axis=1)


def _time(
    outcome: Outcome, first_month: int, last_month: int, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    n_draws = len(outcome.posterior.values)
    n_wanted = last_month - first_month + 1
    if outcome.n_months == 0:
        return np.zeros((n_draws, n_wanted))
    effects = outcome.posterior.term("time")
    is_walk = outcome.period_months == 1
    spread = outcome.posterior.spread("month_step" if is_walk else "quarter")
    n_periods = (last_month - outcome.first_month) // outcome.period_months + 1
    columns = list(effects.T)
    while len(columns) < n_periods:
        step = spread * rng.standard_normal(n_draws)
        columns.append(columns[-1] + step if is_walk else step)
    periods = [
        max((month - outcome.first_month) // outcome.period_months, 0)
        for month in range(first_month, last_month + 1)
    ]
    return np.stack([columns[period] for period in periods], axis=1)
