"""Forecasts recorded deployments from those before them, and scores the forecasts.

Owns the order of time: nothing on or after the cut-off reaches the calibration.
Knows nothing of policies or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lfr_errors import BadInputError
from sim.policy.baselines import last_year_mean, same_site_mean
from sim.policy.calibration import CalibrationConfig, calibrate
from sim.policy.forecast import Counts, forecast
from sim.policy.scoring import (
    Coverage,
    crps,
    exact_coverage,
    interval,
    whole_coverage,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.baselines import Baseline
    from sim.policy.records import Deployments

__all__ = [
    "BaselineScore",
    "NothingToPredictError",
    "Retrodiction",
    "Score",
    "Total",
    "month_starts",
    "retrodict",
]

LEVELS = (0.5, 0.9)


class NothingToPredictError(BadInputError):
    """No recorded deployment lies on or after the cut-off."""

    def __init__(self, *, cut_off: str, last: str) -> None:
        self.cut_off = cut_off
        super().__init__(
            "retrodiction needs recorded deployments with printed duration and "
            f"threshold on or after the cut-off {cut_off}, but the record ends on "
            f"{last}; choose an earlier --cut-off or give a longer --record"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineScore:
    """One naive forecast beside the model's.

    Attributes:
        name: Which.
        crps: Mean score, in counts.
        gain: Share by which the model's mean score is lower.
    """

    name: str
    crps: float
    gain: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The sum over all rows.

    Attributes:
        observed: What happened.
        median, low, high: Of the prediction; the ends hold about 90 %.
    """

    observed: int
    median: float
    low: int
    high: int

    @property
    def is_inside(self) -> bool:
        """What happened lies inside the interval."""
        return self.low <= self.observed <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well one kind of count was foretold.

    Attributes:
        name: `alerts`, `false_alerts` or `arrests`.
        n: Deployments.
        exact: Coverage of exact-level intervals, 50 % and 90 %.
        whole: Coverage of whole-number intervals, 50 % and 90 %.
        crps: Mean score, in counts.
        bias: Mean of predicted less observed, in counts a deployment.
        observed_mean: Observed counts a deployment.
        baselines: The literal naive forecasts, then their harder Poisson forms.
        total: Over all rows.
    """

    name: str
    n: int
    exact: tuple[Coverage, ...]
    whole: tuple[Coverage, ...]
    crps: float
    bias: float
    observed_mean: float
    baselines: tuple[BaselineScore, ...]
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Retrodiction:
    """Every forecast, every fact and every score.

    Attributes:
        cut_off: First day that was predicted.
        origins: Days on which the model was learnt anew; one unless updating.
        rows: What happened.
        counts: What was predicted, one column a row.
        n_learnt: Deployments behind the first calibration.
        scores: For alerts, false alerts and arrests.
    """

    cut_off: np.datetime64
    origins: tuple[np.datetime64, ...]
    rows: Deployments
    counts: Counts
    n_learnt: int
    scores: tuple[Score, ...]


def month_starts(
    first: np.datetime64, last: np.datetime64
) -> tuple[np.datetime64, ...]:
    """Return `first` and the first day of every later month up to `last`."""
    start = first.astype("datetime64[M]") + 1
    months = np.arange(start, last.astype("datetime64[M]") + 1)
    return (first, *(month.astype("datetime64[D]") for month in months))


def retrodict(
    record: Deployments,
    config: CalibrationConfig,
    *,
    cut_off: np.datetime64,
    origins: tuple[np.datetime64, ...],
    n_draws: int,
    seed: int,
) -> Retrodiction:
    """Predict every deployment on or after the cut-off, and score it.

    Args:
        record: Past and future; only the past is learnt from.
        config: Priors of the calibration.
        cut_off: First day to predict.
        origins: Days on which to learn anew, the cut-off first. With one, everything
            is foretold on the cut-off; with `month_starts`, at most a month ahead.
        n_draws: Draws of each predictive distribution.
        seed: Of all randomness.

    Raises:
        NothingToPredictError: If nothing lies on or after the cut-off.
        TooFewDeploymentsError: If too little lies before it.
    """
    usable = record.where(~np.isnan(record.duration_h) & ~np.isnan(record.threshold))
    rows = usable.between(cut_off, None)
    if len(rows) == 0:
        last = str(record.date[-1])
        raise NothingToPredictError(cut_off=str(cut_off), last=last)
    parts, n_learnt = [], 0
    for position, origin in enumerate(origins):
        end = origins[position + 1] if position + 1 < len(origins) else None
        ahead = usable.between(origin, end)
        if len(ahead) == 0:
            continue
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(position,)))
        known = usable.between(None, origin)
        calibration = calibrate(known, config, n_draws=n_draws, rng=rng)
        n_learnt = n_learnt if n_learnt else calibration.n_rows
        parts.append(forecast(calibration, ahead, rng=rng))
    counts = Counts(
        alerts=np.hstack([part.alerts for part in parts]),
        false_alerts=np.hstack([part.false_alerts for part in parts]),
        arrests=np.hstack([part.arrests for part in parts]),
    )
    before = usable.between(None, cut_off)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(len(origins),)))
    scores = tuple(
        _score(name, draws, seen, learnt, before=before, rows=rows, rng=rng)
        for name, draws, seen, learnt in (
            ("alerts", counts.alerts, rows.alerts, before.alerts),
            (
                "false_alerts",
                counts.false_alerts,
                rows.false_alerts,
                before.false_alerts,
            ),
            ("arrests", counts.arrests, rows.arrests, before.arrests),
        )
    )
    return Retrodiction(
        cut_off=cut_off,
        origins=origins,
        rows=rows,
        counts=counts,
        n_learnt=n_learnt,
        scores=scores,
    )


def _score(
    name: str,
    draws: NDArray[np.int64],
    observed: NDArray[np.int64],
    learnt: NDArray[np.int64],
    *,
    before: Deployments,
    rows: Deployments,
    rng: np.random.Generator,
) -> Score:
    model = float(crps(draws, observed).mean())
    naive = (
        last_year_mean(before, learnt, rows),
        same_site_mean(before, learnt, rows),
    )
    low, high, _ = interval(draws.sum(axis=1), level=0.9)
    return Score(
        name=name,
        n=len(rows),
        exact=tuple(exact_coverage(draws, observed, level=p) for p in LEVELS),
        whole=tuple(whole_coverage(draws, observed, level=p) for p in LEVELS),
        crps=model,
        bias=float(draws.mean() - observed.mean()),
        observed_mean=float(observed.mean()),
        baselines=(
            *(_literal(each, observed, model) for each in naive),
            *(_harder(each, observed, model, len(draws), rng=rng) for each in naive),
        ),
        total=Total(
            observed=int(observed.sum()),
            median=float(np.median(draws.sum(axis=1))),
            low=low,
            high=high,
        ),
    )


def _literal(
    baseline: Baseline, observed: NDArray[np.int64], model: float
) -> BaselineScore:
    score = float(crps(baseline.mean[None, :], observed).mean())
    return _against(baseline.name, score, model)


def _harder(
    baseline: Baseline,
    observed: NDArray[np.int64],
    model: float,
    n_draws: int,
    *,
    rng: np.random.Generator,
) -> BaselineScore:
    score = float(crps(baseline.poisson(n_draws, rng=rng), observed).mean())
    return _against(f"Poisson around {baseline.name}", score, model)


def _against(name: str, score: float, model: float) -> BaselineScore:
    # A baseline without error cannot be beaten: its gain is minus infinity or nothing.
    if score == 0.0:
        return BaselineScore(name=name, crps=0.0, gain=-np.inf if model > 0.0 else 0.0)
    return BaselineScore(name=name, crps=score, gain=1.0 - model / score)
