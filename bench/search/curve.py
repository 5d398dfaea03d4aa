"""Errors against load, and against the length of the watchlist.

Owns the points of a curve and the test whether FPIR grows in proportion to the
watchlist. Knows nothing of how runs come about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from bench.records import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "CurvePoint",
    "Growth",
    "OverWhat",
    "fit_growth",
    "point_of",
]

_FIGURES = (
    "fnir",
    "fpir",
    "fta",
    "frames.skipped_share",
    "glass_to_alert_s.p50",
    "glass_to_alert_s.p95",
    "glass_to_alert_s.p99",
    "throughput_fps",
    "utilisation",
)
_MISSING = Metric(value=None, n=0)


class OverWhat(StrEnum):
    """What a curve is drawn over."""

    CAMERAS = "cameras"
    WATCHLIST = "watchlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One load, with what was measured under it.

    Attributes:
        x: Cameras, or subjects on the watchlist.
        status: Verdict of the run.
        figures: Metrics by name, as measured in real time.
        floor: The error rates of the same frames, unhurried.
        induced: What load adds to them, passage by passage, with people resampled.
    """

    x: int
    status: str
    figures: Mapping[str, Metric]
    floor: Mapping[str, Metric]
    induced: Mapping[str, Metric]


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How FPIR grows with the watchlist: as N to the power of `exponent`.

    Attributes:
        exponent: 1 is proportion, as if every subject were one more chance.
        low, high: Its 95 % interval, people resampled.
        is_proportional: The interval holds 1; with few false alerts it holds much.
        n_errors: False alerts behind it, at the longest watchlist.
    """

    exponent: float
    low: float
    high: float
    is_proportional: bool
    n_errors: int


def point_of(
    x: int,
    status: str,
    metrics: Mapping[str, Metric],
    floor: Mapping[str, Metric],
    *,
    induced: Mapping[str, Metric],
) -> CurvePoint:
    """Keep of a run what a curve shows; a figure that is absent has no value."""
    return CurvePoint(
        x=x,
        status=status,
        figures={name: metrics.get(name, _MISSING) for name in _FIGURES},
        floor={name: floor.get(name, _MISSING) for name in ("fnir", "fpir", "fta")},
        induced={name: induced.get(name, _MISSING) for name in ("fnir", "fpir")},
    )


def fit_growth(
    sizes: Sequence[int],
    alerted: NDArray[np.bool_],
    people: Sequence[str],
    *,
    rng: np.random.Generator,
    n_resamples: int = 400,
) -> Growth | None:
    """Fit 1 - exp(-a N^b) to the share of non-mated passages alerted on.

    N independent chances of a false alert each give 1 - (1 - p)^N, which is b = 1.
    The same passages stand behind every size, so people are resampled whole.

    Args:
        sizes: (m,) lengths of the watchlist, increasing, at least two.
        alerted: (m, n) of each size and non-mated passage.
        people: (n,) whose each passage is.
        rng: Draws the people anew.
        n_resamples: How often.

    Returns:
        The fit; None if no false alert was seen at two sizes or more.

    Source:
        P. Grother et al., NIST IR 8271 (2019), on FPIR against N; the model is a
        binomial regression with complementary log-log link.
    """
    hits = alerted.sum(axis=1)
    if (hits > 0).sum() < 2:
        return None
    log_sizes = np.log(np.asarray(sizes, dtype=np.float64))
    names, owner = np.unique(np.asarray(people, dtype=np.str_), return_inverse=True)
    by_person = np.array([np.bincount(owner, weights=row) for row in alerted])
    cases = np.bincount(owner)
    exponents = []
    even = np.full(len(names), 1.0 / len(names))
    for weights in rng.multinomial(len(names), even, size=n_resamples):
        k = by_person @ weights
        if (k > 0).sum() >= 2:
            exponents.append(_exponent(log_sizes, k, float(cases @ weights)))
    low, high = np.quantile(exponents, (0.025, 0.975))
    return Growth(
        exponent=_exponent(log_sizes, hits.astype(np.float64), float(len(owner))),
        low=float(low),
        high=float(high),
        is_proportional=bool(low <= 1.0 <= high),
        n_errors=int(hits[-1]),
    )


def _exponent(
    log_sizes: NDArray[np.float64], k: NDArray[np.float64], n: float
) -> float:
    """Maximise the binomial likelihood over (log a, b); return b."""

    def surprise(parameters: NDArray[np.float64]) -> float:
        rate = np.exp(np.clip(parameters[0] + parameters[1] * log_sizes, -50.0, 5.0))
        return float(-(k * np.log(-np.expm1(-rate)) - (n - k) * rate).sum())

    level = math.log(-math.log1p(-min(float(k[-1]) / n, 0.999))) if k[-1] > 0 else -5.0
    start = np.array([level - log_sizes[-1], 1.0])
    found = minimize(surprise, start, method="Nelder-Mead")
    return float(found.x[1])
