"""Is the second better, worse, or equal? Speed, capacity and errors in one verdict.

Owns how two sets of runs are held against each other. Knows nothing of how runs come
about or are stored.

*Worse* and *better* need a change that is larger than the margin and than the noise
floor, and an interval that excludes no change; *equal* needs the whole interval within
the margin, however noisy the machine; else the answer is *inconclusive*. Between
single runs, whose own spread nobody measured, *worse* and *better* ask for the whole
interval beyond the margin. All intervals of one comparison hold together (Bonferroni),
so that one in twenty comparisons, not of figures, errs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = [
    "Comparison",
    "Contrast",
    "Figure",
    "Judgement",
    "NoiseFloor",
    "compare_figures",
    "compare_rounds",
    "conclude",
    "figures_to_compare",
    "judge_change",
    "noise_floor",
]

_LEVEL = 0.05
_LEAST_SHARE = 0.05
_MORE_IS_BETTER = frozenset({"throughput_fps", "max_cameras"})


class Judgement(StrEnum):
    """What can be said of the second, held against the first."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "equal"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of one run.

    Attributes:
        value, low, high: With its 95 % interval; bounds None where there are none.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One figure of the second against the first.

    Attributes:
        metric: Name in the metrics map.
        first, second: The figure in either.
        change: Relative for times and rates per second (0.2 is a fifth more), in
            points for shares (0.02 is two points).
        low, high: Its interval, wide enough for all contrasts to hold together.
        margin: Changes within it are called equal.
        floor: Changes no larger than it are seen of a build against itself.
        is_relative: Which of the two kinds of change it is.
        judgement: What can be said.
    """

    metric: str
    first: float
    second: float
    change: float
    low: float
    high: float
    margin: float
    floor: float
    is_relative: bool
    judgement: Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """How far one figure of a build differs from itself, run in turn with itself.

    Attributes:
        furthest: End of the 95 % interval of the mean relative change.
        variance: Of the log ratio of a round.
        freedom: Degrees of freedom behind it.
    """

    furthest: float
    variance: float
    freedom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Every contrast, and the one word that follows."""

    judgement: Judgement
    contrasts: tuple[Contrast, ...]


def figures_to_compare(figures: Mapping[str, Figure]) -> tuple[str, ...]:
    """Pick the figures of speed that a comparison is of, in order of the map.

    A stage that takes less than a twentieth of all service is left out: it cannot slow
    the whole, and every figure more widens the intervals of the others.

    Args:
        figures: Of the first of the two.
    """
    heads = ("glass_to_alert_s.p50", "glass_to_alert_s.p95", "glass_to_alert_s.p99")
    services = {
        name: figure.value
        for name, figure in figures.items()
        if name.startswith("service_s.") and name.endswith(".p50")
    }
    least = _LEAST_SHARE * sum(services.values())
    return tuple(
        name
        for name in figures
        if name in heads
        or name in _MORE_IS_BETTER
        or (name in services and services[name] >= least)
    )


def compare_figures(
    first: Mapping[str, Figure], second: Mapping[str, Figure], *, margin: float
) -> tuple[Contrast, ...]:
    """Compare single runs by the intervals of their figures.

    Two runs know nothing of how runs differ among themselves: `margin` has to allow
    for it, or `compare_rounds` has to measure it.

    Args:
        first: Figures of speed by name; those without an interval are passed over.
        second: Likewise.
        margin: Relative change that is called equal.
    """
    names = [
        name
        for name in figures_to_compare(first)
        if name in second and _error(first[name]) and _error(second[name])
    ]
    z = float(norm.isf(_LEVEL / 2 / max(len(names), 1)))
    contrasts = []
    for name in names:
        a, b = first[name], second[name]
        log_ratio = math.log(b.value / a.value)
        spread = z * math.hypot(_error(a), _error(b))
        contrasts.append(
            _relative(
                name,
                a.value,
                b.value,
                log_ratio,
                spread,
                margin=margin,
                floor=0.0,
                beyond=margin,
            )
        )
    return tuple(contrasts)


def compare_rounds(
    first: Mapping[str, Sequence[float]],
    second: Mapping[str, Sequence[float]],
    *,
    floor: Mapping[str, NoiseFloor],
    margin: float,
) -> tuple[Contrast, ...]:
    """Compare interleaved runs, round by round: what both suffered falls out.

    How much rounds scatter is learnt from these and from those of the noise floor
    together: a handful of rounds alone hardly knows its own spread.

    Args:
        first: Of each figure, its value in every round; at least three rounds.
        second: Likewise, round for round.
        floor: How the first differs from itself.
        margin: Relative change that is called equal.
    """
    contrasts = []
    for name, noise in floor.items():
        a, b = np.asarray(first[name]), np.asarray(second[name])
        ratios = np.log(b / a)
        n = len(ratios)
        freedom = n - 1 + noise.freedom
        squares = (n - 1) * ratios.var(ddof=1) + noise.freedom * noise.variance
        quantile = student_t.isf(_LEVEL / 2 / len(floor), freedom)
        spread = float(quantile * math.sqrt(squares / freedom / n))
        contrasts.append(
            _relative(
                name,
                float(np.median(a)),
                float(np.median(b)),
                float(ratios.mean()),
                spread,
                margin=margin,
                floor=noise.furthest,
                beyond=0.0,
            )
        )
    return tuple(contrasts)


def noise_floor(
    first: Mapping[str, Sequence[float]], again: Mapping[str, Sequence[float]]
) -> dict[str, NoiseFloor]:
    """Say how far the same thing differs from itself.

    Args:
        first: Of each figure, its value in every round.
        again: The same build and settings, run in turn with the first.
    """
    floor = {}
    for name, values in first.items():
        ratios = np.log(np.asarray(again[name]) / np.asarray(values))
        n = len(ratios)
        variance = float(ratios.var(ddof=1))
        spread = float(student_t.isf(_LEVEL / 2, n - 1)) * math.sqrt(variance / n)
        floor[name] = NoiseFloor(
            furthest=math.expm1(abs(float(ratios.mean())) + spread),
            variance=variance,
            freedom=n - 1,
        )
    return floor


def conclude(contrasts: Sequence[Contrast], *, n_invalid: int = 0) -> Comparison:
    """Say it in one word.

    Worse if anything is; better if something is and nothing is worse; equal if
    everything is; else inconclusive.

    Args:
        contrasts: Of all figures.
        n_invalid: Runs behind them that are INVALID: with any, nothing is concluded.
    """
    said = {contrast.judgement for contrast in contrasts}
    word = Judgement.INCONCLUSIVE
    if n_invalid > 0:
        return Comparison(judgement=word, contrasts=tuple(contrasts))
    if Judgement.WORSE in said:
        word = Judgement.WORSE
    elif Judgement.BETTER in said:
        word = Judgement.BETTER
    elif said == {Judgement.EQUAL}:
        word = Judgement.EQUAL
    return Comparison(judgement=word, contrasts=tuple(contrasts))


def _relative(
    metric: str,
    first: float,
    second: float,
    log_ratio: float,
    spread: float,
    *,
    margin: float,
    floor: float,
    beyond: float,
) -> Contrast:
    low, high = math.expm1(log_ratio - spread), math.expm1(log_ratio + spread)
    more_is_worse = metric not in _MORE_IS_BETTER
    return Contrast(
        metric=metric,
        first=first,
        second=second,
        change=math.expm1(log_ratio),
        low=low,
        high=high,
        margin=margin,
        floor=floor,
        is_relative=True,
        judgement=judge_change(
            math.expm1(log_ratio),
            low,
            high,
            margin=margin,
            floor=floor,
            beyond=beyond,
            more_is_worse=more_is_worse,
        ),
    )


def judge_change(
    change: float,
    low: float,
    high: float,
    *,
    margin: float,
    floor: float,
    beyond: float,
    more_is_worse: bool,
) -> Judgement:
    """Judge a change by its size and its interval.

    Args:
        change: Of the second against the first.
        low: Where its interval begins.
        high: Where it ends.
        margin: Equal, if all of the interval lies within it.
        floor: No change up to here tells better from worse.
        beyond: Nor one whose interval reaches in here.
        more_is_worse: Which way is which.
    """
    if -margin <= low and high <= margin:
        return Judgement.EQUAL
    least = max(margin, floor)
    if low > beyond and change > least:
        return Judgement.WORSE if more_is_worse else Judgement.BETTER
    if high < -beyond and change < -least:
        return Judgement.BETTER if more_is_worse else Judgement.WORSE
    return Judgement.INCONCLUSIVE


def _error(figure: Figure) -> float:
    """Standard error of the figure's logarithm; 0 where it cannot be told."""
    if figure.low is None or figure.high is None or figure.low <= 0.0:
        return 0.0
    return (math.log(figure.high) - math.log(figure.low)) / (2 * 1.959964)
