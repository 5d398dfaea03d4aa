"""On whom false alerts fall, and whether the record can tell a difference.

Owns the share of false alerts and of wrongful stops by group, the ratio of error
rates behind a recorded count, and the three-state statement about it. Knows nothing
of how many false alerts there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta, binom

from sim.policy.columns import Outcome
from sim.policy.measures import Estimate, estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.config import GroupsConfig
    from sim.policy.programme import ProgrammeResult

__all__ = [
    "GroupBurden",
    "Ratio",
    "State",
    "burdens",
    "false_alerts_to_tell",
    "recorded_ratio",
]

# The level of statements about groups: 95 %, as for rates elsewhere in the harness.
_LEVEL = 0.95
_POWER = 0.80
# Beyond this many false alerts the answer is "more than any programme will see".
_MOST_FALSE_ALERTS = 5_000


class State(StrEnum):
    """What may be said about a difference between groups."""

    DIFFERENT = "the groups differ by more than the margin"
    ALIKE = "the groups do not differ by more than the margin"
    CANNOT_TELL = "the evidence cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBurden:
    """What a programme does to one group.

    Attributes:
        group: Its name.
        crowd_share: Best guess of its share of the crowd.
        false_alerts, stopped: Over the programme.
        stopped_per_million: Stopped on a false alert, per million faces of the group.
        share_of_stopped: Of all who are stopped on a false alert, where any are.
    """

    group: str
    crowd_share: float
    false_alerts: Estimate
    stopped: Estimate
    stopped_per_million: Estimate
    share_of_stopped: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A recorded count of one group among false alerts, and what it can mean.

    Attributes:
        group: Whose.
        count, of: As recorded.
        share, share_low, share_high: Of false alerts, with the exact 95 % interval.
        crowd_low, crowd_high: 95 % range of its share of the crowd.
        ratio, low, high: Error rate of the group against all others, with the 95 %
            interval that also carries the uncertainty of the crowd.
        state: What may be said.
        margin: That was asked about.
    """

    group: str
    count: int
    of: int
    share: float
    share_low: float
    share_high: float
    crowd_low: float
    crowd_high: float
    ratio: float
    low: float
    high: float
    state: State
    margin: float


def _crowd(
    config: GroupsConfig, n: int, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the composition of the crowd, (n, groups)."""
    return rng.dirichlet(np.array(config.crowd_shares) * config.crowd_concentration, n)


def burdens(
    result: ProgrammeResult, config: GroupsConfig, *, rng: np.random.Generator
) -> tuple[GroupBurden, ...]:
    """Share out the false alerts of a programme among the groups of the crowd.

    Args:
        result: The programme.
        config: Crowd and ratios, with their uncertainty.
        rng: Source of both, and of who it happens to be.
    """
    totals = result.total()
    n = len(totals)
    crowd = _crowd(config, n, rng=rng)
    spread = config.fpir_log_sd * rng.standard_normal(crowd.shape)
    # The first group is the reference: its ratio is 1 by definition.
    spread[:, 0] = 0.0
    weight = crowd * np.array(config.fpir_ratios) * np.exp(spread)
    chance = weight / weight.sum(axis=1, keepdims=True)
    alerts = totals[:, Outcome.FALSE_ALERTS].astype(np.int64)
    stopped = totals[:, Outcome.FALSE_ENGAGED].astype(np.int64)
    by_stop = rng.multinomial(stopped, chance)
    by_alert = by_stop + rng.multinomial(alerts - stopped, chance)
    faces = np.maximum(totals[:, [Outcome.FACES]] * crowd, 1.0)
    per_million = by_stop / faces * 1e6
    share = np.where(
        stopped[:, None] > 0, by_stop / np.maximum(stopped[:, None], 1), np.nan
    )
    # A programme that stops nobody has no shares: they are shown as zero of zero.
    share = np.zeros_like(share) if np.isnan(share).all() else share
    return tuple(
        GroupBurden(
            group=name,
            crowd_share=config.crowd_shares[column],
            false_alerts=estimate("false_alerts", by_alert[:, column].astype(float)),
            stopped=estimate("stopped", by_stop[:, column].astype(float)),
            stopped_per_million=estimate("per_million", per_million[:, column]),
            share_of_stopped=estimate("share", share[:, column]),
        )
        for column, name in enumerate(config.names)
    )


def recorded_ratio(
    config: GroupsConfig,
    *,
    group: str,
    count: int,
    of: int,
    rng: np.random.Generator,
) -> Ratio:
    """Say what a recorded count of a group among false alerts can mean.

    The odds of the group among false alerts, over its odds in the crowd, are the
    ratio of its error rate to everybody else's. The crowd at the cameras was not
    published, so its uncertainty belongs to the interval.

    Args:
        config: The crowd and the margin.
        group: One of its names.
        count: Recorded cases of the group.
        of: Recorded cases in all, 1 or more.
        rng: Source of the draws.

    Source:
        Clopper and Pearson, Biometrika 26(4), 1934, for the interval of the share.
    """
    draws = 20_000
    tail = (1.0 - _LEVEL) / 2.0
    share = rng.beta(count + 0.5, of - count + 0.5, draws)
    crowd = _crowd(config, draws, rng=rng)[:, config.names.index(group)]
    crowd = np.clip(crowd, 1e-6, 1.0 - 1e-6)
    ratio = share / (1.0 - share) / (crowd / (1.0 - crowd))
    low, middle, high = np.quantile(ratio, [tail, 0.5, 1.0 - tail])
    crowd_low, crowd_high = np.quantile(crowd, [tail, 1.0 - tail])
    share_low = float(beta.ppf(tail, count, of - count + 1)) if count else 0.0
    share_high = float(beta.ppf(1 - tail, count + 1, of - count)) if count < of else 1.0
    return Ratio(
        group=group,
        count=count,
        of=of,
        share=count / of,
        share_low=share_low,
        share_high=share_high,
        crowd_low=float(crowd_low),
        crowd_high=float(crowd_high),
        ratio=float(middle),
        low=float(low),
        high=float(high),
        state=_state(float(low), float(high), config.margin),
        margin=config.margin,
    )


def _state(low: float, high: float, margin: float) -> State:
    if low > margin or high < 1.0 / margin:
        return State.DIFFERENT
    if low >= 1.0 / margin and high <= margin:
        return State.ALIKE
    return State.CANNOT_TELL


def false_alerts_to_tell(crowd_share: float, ratio: float) -> int | None:
    """Return how many false alerts it takes to tell a ratio from 1.

    The smallest number at which an exact two-sided binomial test at 5 % finds the
    ratio with 80 % power, if the crowd were known exactly.

    Args:
        crowd_share: Of the group, in (0, 1).
        ratio: True ratio of error rates, above 0, not 1.

    Returns:
        The number; None if it is above 5,000.
    """
    odds = ratio * crowd_share / (1.0 - crowd_share)
    share = odds / (1.0 + odds)
    tail = (1.0 - _LEVEL) / 2.0
    n = np.arange(1, _MOST_FALSE_ALERTS + 1)
    if ratio > 1.0:
        critical = binom.isf(tail, n, crowd_share) + 1
        power = binom.sf(critical - 1, n, share)
    else:
        critical = binom.ppf(tail, n, crowd_share) - 1
        power = binom.cdf(critical, n, share)
    enough = np.flatnonzero(power >= _POWER)
    return int(n[enough[0]]) if len(enough) else None
