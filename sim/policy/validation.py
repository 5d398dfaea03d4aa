"""Chooses between calibrations by forecasts inside the past alone.

Owns rolling origins: each first of a month in turn is the cut-off, and the months
after it are foretold and scored, all before the day from which the model is judged.
Knows nothing of the judged rows.

Source:
    Tashman, Out-of-sample tests of forecasting accuracy, International Journal of
    Forecasting 16(4), 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.retrodiction import month_starts, retrodict

if TYPE_CHECKING:
    from sim.policy.calibration import CalibrationConfig
    from sim.policy.records import Deployments
    from sim.policy.retrodiction import Score

__all__ = ["Validation", "validate_within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Mean scores of one calibration over all origins, weighted by deployments.

    Attributes:
        n: Deployments foretold, each once for every origin that reaches it.
        crps_alerts, crps_arrests: Lower is better.
        covered_alerts, covered_arrests: Exact coverage of 50 % and of 90 % intervals.
    """

    n: int
    crps_alerts: float
    crps_arrests: float
    covered_alerts: tuple[float, float]
    covered_arrests: tuple[float, float]


def validate_within(
    record: Deployments,
    config: CalibrationConfig,
    *,
    first: np.datetime64,
    end: np.datetime64,
    months_ahead: int,
    n_draws: int,
    seed: int,
) -> Validation:
    """Score one calibration by rolling origins.

    Args:
        record: Deployments; those from `end` on are not looked at.
        config: The calibration to score.
        first: First cut-off.
        end: Day before which everything happens.
        months_ahead: Each origin foretells so many months.
        n_draws: Of each predictive distribution.
        seed: Of all randomness.
    """
    past = record.between(None, end)
    last = (end.astype("datetime64[M]") - np.timedelta64(months_ahead, "M")).astype(
        "datetime64[D]"
    )
    results = []
    for origin in month_starts(first, last):
        horizon = (
            origin.astype("datetime64[M]") + np.timedelta64(months_ahead, "M")
        ).astype("datetime64[D]")
        results.append(
            retrodict(
                past.between(None, horizon),
                config,
                cut_off=origin,
                origins=(origin,),
                n_draws=n_draws,
                seed=seed,
            )
        )
    alerts = [result.scores[0] for result in results]
    arrests = [result.scores[2] for result in results]
    return Validation(
        n=sum(score.n for score in alerts),
        crps_alerts=_mean(alerts, [score.crps for score in alerts]),
        crps_arrests=_mean(arrests, [score.crps for score in arrests]),
        covered_alerts=_covered(alerts),
        covered_arrests=_covered(arrests),
    )


def _covered(scores: list[Score]) -> tuple[float, float]:
    half, most = (
        _mean(scores, [score.exact[level].covered for score in scores])
        for level in (0, 1)
    )
    return half, most


def _mean(scores: list[Score], values: list[float]) -> float:
    return float(np.average(values, weights=[score.n for score in scores]))
