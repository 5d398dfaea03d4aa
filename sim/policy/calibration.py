"""Learns the rates of a deployment from the record of earlier ones.

Owns three hierarchical models: true alerts, false alerts, and arrests among true
alerts; and the priors where the record is silent. What the record cannot tell, the
true recognition rate, has no part here. Knows nothing of policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from lfr_errors import BadInputError
from sim.policy.families import BetaBinomial, NegativeBinomial
from sim.policy.hierarchy import Covariate, Levels, Spread, Term, Walk
from sim.policy.laplace import fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.laplace import Posterior
    from sim.policy.records import Deployments

__all__ = [
    "REFERENCE_HOURS",
    "REFERENCE_THRESHOLD",
    "REFERENCE_WATCHLIST",
    "THRESHOLD_STEP",
    "Calibration",
    "CalibrationConfig",
    "Outcome",
    "TooFewDeploymentsError",
    "calibrate",
    "month_of",
    "saturation_scale",
]

# Where the covariates are zero; any values would do, these keep the intercepts
# readable as "a usual deployment".
REFERENCE_HOURS = 5.5
REFERENCE_WATCHLIST = 15_000.0
REFERENCE_THRESHOLD = 0.60
THRESHOLD_STEP = 0.02

_FEWEST = 20


class TooFewDeploymentsError(BadInputError):
    """The record before the cut-off is too short to learn from."""

    def __init__(self, *, n: int, end: str) -> None:
        self.n = n
        super().__init__(
            f"calibration needs at least {_FEWEST} deployments with a printed duration "
            f"before the cut-off, got {n} before {end}; choose a later cut-off"
        )


class CalibrationConfig(BaseModel):
    """Priors and windows of the calibration.

    The window and the term of saturation were chosen by forecasts inside 2024 alone
    (`validation.validate_within`), never by rows held out later. The season was not:
    inside 2024 it costs about 1 % of the score, and stays because a model for a whole
    year that denies seasons would be surer than anybody is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_date: str = Field(
        default="2023-12-01",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="First deployment used for true alerts and arrests; weekly paired "
        "deployments began in December 2023.",
    )
    watchlist_elasticity: float = Field(
        default=0.5,
        ge=-2.0,
        le=2.0,
        description="Prior mean: log true alerts by log watchlist "
        "(fact watchlist_elasticity).",
    )
    watchlist_elasticity_sd: float = Field(
        default=0.5, gt=0.0, le=2.0, description="Its prior standard deviation."
    )
    threshold_true: float = Field(
        default=-0.03,
        ge=-1.0,
        le=1.0,
        description="Prior mean: log true alerts per 0.02 of threshold "
        "(fact threshold_effect_true).",
    )
    threshold_true_sd: float = Field(
        default=0.05, gt=0.0, le=1.0, description="Its prior standard deviation."
    )
    threshold_false: float = Field(
        default=-0.7,
        ge=-5.0,
        le=1.0,
        description="Prior mean: log false alerts per 0.02 of threshold "
        "(fact threshold_effect_false).",
    )
    threshold_false_sd: float = Field(
        default=0.7, gt=0.0, le=5.0, description="Its prior standard deviation."
    )
    fpir_watchlist_exponent: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        description="Prior mean: log false alerts by log watchlist; the NPL test found "
        "1 in 60,000 at 1,000 and 1 in 6,000 at 10,000 (facts fpir_watchlist_*).",
    )
    fpir_watchlist_exponent_sd: float = Field(
        default=0.1, gt=0.0, le=1.0, description="Its prior standard deviation."
    )
    season_sd: float = Field(
        default=0.15,
        gt=0.0,
        le=1.0,
        description="Prior standard deviation of the yearly wave of true alerts, on "
        "the log scale; little more than a year of record cannot tell it alone.",
    )
    saturation_sd: float = Field(
        default=0.3,
        gt=0.0,
        le=2.0,
        description="Prior standard deviation of the log odds of arrest by the log "
        "number of true alerts in the same deployment.",
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """One fitted model of counts, in the terms that a forecast needs.

    Attributes:
        posterior: Draws of its coefficients and spreads.
        sites, boroughs: Names behind the levels; empty if the model has none.
        first_month, n_months: Which months the walk or the periods cover.
        period_months: Months in one period: 1 for a walk, 3 for quarters.
    """

    posterior: Posterior
    sites: tuple[str, ...]
    boroughs: tuple[str, ...]
    first_month: int
    n_months: int
    period_months: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """What the record says, with its uncertainty.

    Attributes:
        true_alerts: Negative binomial counts per deployment.
        false_alerts: Negative binomial counts per deployment.
        arrests: Beta-binomial shares of true alerts.
        not_engaged: Counts of true alerts without an engagement, and of all.
        n_rows: Deployments that were learnt from.
        last_date: Of the last of them.
        n_draws: Joint posterior draws held.
    """

    true_alerts: Outcome
    false_alerts: Outcome
    arrests: Outcome
    not_engaged: tuple[int, int]
    n_rows: int
    last_date: np.datetime64
    n_draws: int


def month_of(date: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Number the months of dates from January 1970, (n,)."""
    return date.astype("datetime64[M]").astype(np.int64)


def saturation_scale(
    true_alerts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the covariate of `saturation`: 0 at the usual seven true alerts."""
    return np.log(np.maximum(true_alerts, 1) / 7.0)


def calibrate(
    record: Deployments,
    config: CalibrationConfig,
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> Calibration:
    """Fit the three models to every deployment of `record`.

    Args:
        record: Deployments before the cut-off, and no others.
        config: Priors and window.
        n_draws: Joint draws to keep.
        rng: Source of the draws.

    Raises:
        TooFewDeploymentsError: If fewer than 20 rows can be used.
    """
    printed = record.where(~np.isnan(record.duration_h) & ~np.isnan(record.threshold))
    recent = printed.between(np.datetime64(config.first_date), None)
    if len(recent) < _FEWEST:
        end = str(record.date[-1]) if len(record) else "any date"
        raise TooFewDeploymentsError(n=len(recent), end=end)
    return Calibration(
        true_alerts=_fit_true(recent, config, n_draws=n_draws, rng=rng),
        false_alerts=_fit_false(printed, config, n_draws=n_draws, rng=rng),
        arrests=_fit_arrests(recent, config, n_draws=n_draws, rng=rng),
        not_engaged=(int(recent.not_engaged.sum()), int(recent.true_alerts.sum())),
        n_rows=len(recent),
        last_date=recent.date[-1],
        n_draws=n_draws,
    )


def _fit_true(
    rows: Deployments,
    config: CalibrationConfig,
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> Outcome:
    month = month_of(rows.date)
    first = int(month.min())
    n_months = int(month.max()) - first + 1
    angle = 2.0 * np.pi * (month % 12) / 12.0
    drift = Spread(name="month_step", median=0.08, log_sd=0.7)
    terms: tuple[Term, ...] = (
        # A usual deployment raised some seven alerts (grid of 2024); 1 is wide.
        Covariate(name="intercept", values=np.ones(len(rows)), mean=2.0, sd=1.0),
        Covariate(name="duration", values=_log_hours(rows), mean=1.0, sd=0.3),
        Covariate(
            name="watchlist",
            values=_log_watchlist(rows),
            mean=config.watchlist_elasticity,
            sd=config.watchlist_elasticity_sd,
        ),
        Covariate(
            name="threshold",
            values=_threshold_steps(rows),
            mean=config.threshold_true,
            sd=config.threshold_true_sd,
        ),
        Covariate(name="cos", values=np.cos(angle), mean=0.0, sd=config.season_sd),
        Covariate(name="sin", values=np.sin(angle), mean=0.0, sd=config.season_sd),
        *_places(rows, borough_median=0.25, site_median=0.35),
        Walk(name="time", n_steps=n_months, index=month - first, spread=drift),
    )
    fitted = fit(
        NegativeBinomial(counts=rows.true_alerts.astype(np.float64)),
        terms,
        shape=Spread(name="shape", median=15.0, log_sd=1.0),
    )
    return Outcome(
        posterior=fitted.draw(n_draws, rng=rng),
        sites=_names(rows.site),
        boroughs=_names(rows.borough),
        first_month=first,
        n_months=n_months,
        period_months=1,
    )


def _fit_false(
    rows: Deployments,
    config: CalibrationConfig,
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> Outcome:
    quarter = month_of(rows.date) // 3
    first = int(quarter.min())
    n_quarters = int(quarter.max()) - first + 1
    between = Spread(name="quarter", median=0.6, log_sd=0.7)
    terms: tuple[Term, ...] = (
        # 0.03 an hour, within a factor of five: the grid of 2023 and 2024 at 0.60.
        Covariate(
            name="intercept",
            values=np.ones(len(rows)),
            mean=float(np.log(0.03 * REFERENCE_HOURS)),
            sd=1.5,
        ),
        Covariate(name="duration", values=_log_hours(rows), mean=1.0, sd=0.05),
        Covariate(
            name="watchlist",
            values=_log_watchlist(rows),
            mean=config.fpir_watchlist_exponent,
            sd=config.fpir_watchlist_exponent_sd,
        ),
        Covariate(
            name="threshold",
            values=_threshold_steps(rows),
            mean=config.threshold_false,
            sd=config.threshold_false_sd,
        ),
        Levels(
            name="time",
            names=tuple(str(first + step) for step in range(n_quarters)),
            index=quarter - first,
            spread=between,
        ),
    )
    fitted = fit(
        NegativeBinomial(counts=rows.false_alerts.astype(np.float64)),
        terms,
        shape=Spread(name="shape", median=2.0, log_sd=1.0),
    )
    return Outcome(
        posterior=fitted.draw(n_draws, rng=rng),
        sites=(),
        boroughs=(),
        first_month=3 * first,
        n_months=3 * n_quarters,
        period_months=3,
    )


def _fit_arrests(
    rows: Deployments,
    config: CalibrationConfig,
    *,
    n_draws: int,
    rng: np.random.Generator,
) -> Outcome:
    terms: tuple[Term, ...] = (
        Covariate(name="intercept", values=np.ones(len(rows)), mean=0.0, sd=1.0),
        *_places(rows, borough_median=0.2, site_median=0.2),
        # Officers are few: of many true alerts in one deployment, fewer end in arrest
        # (0.52 of up to three, 0.41 of thirteen and more, grid of 2024).
        Covariate(
            name="saturation",
            values=saturation_scale(rows.true_alerts),
            mean=0.0,
            sd=config.saturation_sd,
        ),
    )
    trials = rows.true_alerts.astype(np.float64)
    # A record may print more arrests than true alerts: all of them, at most.
    counts = np.minimum(rows.arrests.astype(np.float64), trials)
    fitted = fit(
        BetaBinomial(counts=counts, trials=trials),
        terms,
        shape=Spread(name="shape", median=40.0, log_sd=1.0),
    )
    return Outcome(
        posterior=fitted.draw(n_draws, rng=rng),
        sites=_names(rows.site),
        boroughs=_names(rows.borough),
        first_month=0,
        n_months=0,
        period_months=1,
    )


def _places(
    rows: Deployments, *, borough_median: float, site_median: float
) -> tuple[Levels, Levels]:
    boroughs, sites = _names(rows.borough), _names(rows.site)
    return (
        Levels(
            name="borough",
            names=boroughs,
            index=_index(rows.borough, boroughs),
            spread=Spread(name="borough", median=borough_median, log_sd=0.7),
        ),
        Levels(
            name="site",
            names=sites,
            index=_index(rows.site, sites),
            spread=Spread(name="site", median=site_median, log_sd=0.7),
        ),
    )


def _names(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))


def _index(values: tuple[str, ...], names: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([names.index(value) for value in values], dtype=np.int64)


def _log_hours(rows: Deployments) -> NDArray[np.float64]:
    return np.log(rows.duration_h / REFERENCE_HOURS)


def _log_watchlist(rows: Deployments) -> NDArray[np.float64]:
    return np.log(rows.watchlist_size / REFERENCE_WATCHLIST)


def _threshold_steps(rows: Deployments) -> NDArray[np.float64]:
    return (rows.threshold - REFERENCE_THRESHOLD) / THRESHOLD_STEP
