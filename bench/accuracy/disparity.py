"""Are two groups treated alike? Three answers: equal, unequal, or cannot tell.

Owns the comparison of each group's error rate with everyone else's, and the allowance
for making many of them. Knows nothing of how rates come about.

"No significant difference" is no equality. A comparison is *equal* only if the ratio
of the rates is shown to lie within a margin, *unequal* only if it is shown to differ
from 1; else it *cannot tell*, and says how many more passages would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import fisher_exact, norm

from bench.accuracy.fairness import GROUPINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records import PassageOutcome

__all__ = ["MARGIN", "Disparity", "Likeness", "disparities", "holm"]

# Rates whose ratio lies between 1/MARGIN and MARGIN are called equal.
MARGIN = 1.5
_LEVEL = 0.05
# From the first guess up, each a tenth more: at most six times as many.
_GUESSES = 20


class Likeness(StrEnum):
    """What can be said of two rates."""

    EQUAL = "equal"
    UNEQUAL = "unequal"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disparity:
    """One group against everyone else.

    Attributes:
        rate: `"fnir"` or `"fpir"`.
        grouping, group: For example `"sex"`, `"female"`.
        ratio: The group's rate over the others', half a case added to each count.
        low, high: Its 95 % interval, for this comparison alone.
        n_group, n_others: Passages behind the two rates.
        likeness: What can be said, with all comparisons of the run allowed for.
        n_more: Passages that would decide it, all groups together, if the rates
            stayed; 0 where it is decided, None where no number would.
    """

    rate: str
    grouping: str
    group: str
    ratio: float
    low: float
    high: float
    n_group: int
    n_others: int
    likeness: Likeness
    n_more: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Errors and passages of a group and of the others."""

    rate: str
    grouping: str
    group: str
    k: int
    n: int
    k_others: int
    n_others: int

    @property
    def log_ratio(self) -> float:
        """Logarithm of the ratio of rates."""
        return math.log((self.k + 0.5) / (self.n + 0.5)) - math.log(
            (self.k_others + 0.5) / (self.n_others + 0.5)
        )

    @property
    def error(self) -> float:
        """Standard error of it (Katz)."""
        return math.sqrt(
            max(
                1 / (self.k + 0.5)
                - 1 / (self.n + 0.5)
                + 1 / (self.k_others + 0.5)
                - 1 / (self.n_others + 0.5),
                1e-12,
            )
        )

    def p_unequal(self) -> float:
        """Chance of a difference this large if there were none (Fisher)."""
        counts = [
            [self.k, self.n - self.k],
            [self.k_others, self.n_others - self.k_others],
        ]
        return float(fisher_exact(counts).pvalue)

    def p_equal(self) -> float:
        """Chance of a ratio this near 1 if it lay at the margin (two one-sided)."""
        distance = math.log(MARGIN) - abs(self.log_ratio)
        return float(norm.sf(distance / self.error))


def disparities(passages: Sequence[PassageOutcome]) -> tuple[Disparity, ...]:
    """Compare FNIR and FPIR of every group with everyone else's.

    Groups with nobody outside them, or rates without cases, are left out.

    Args:
        passages: Those that count.

    Source:
        D. Katz et al., Biometrics 34 (1978) 469-474, with half a case added: log ratio
        and its error. D. J. Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15
        (1987) 657-680: two one-sided tests. S. Holm, Scand. J. Statistics 6 (1979)
        65-70: many comparisons.
    """
    tables = [
        *_tables("fnir", [p for p in passages if p.mated], lambda p: not p.true_alert),
        *_tables("fpir", [p for p in passages if not p.mated], lambda p: p.alerted),
    ]
    claims = [t.p_unequal() for t in tables] + [t.p_equal() for t in tables]
    shown = holm(claims, level=_LEVEL)
    m = len(tables)
    found = []
    for k, table in enumerate(tables):
        likeness = Likeness.CANNOT_TELL
        if shown[m + k]:
            likeness = Likeness.EQUAL
        elif shown[k]:
            likeness = Likeness.UNEQUAL
        decided = likeness is not Likeness.CANNOT_TELL
        spread = 1.959964 * table.error
        found.append(
            Disparity(
                rate=table.rate,
                grouping=table.grouping,
                group=table.group,
                ratio=math.exp(table.log_ratio),
                low=math.exp(table.log_ratio - spread),
                high=math.exp(table.log_ratio + spread),
                n_group=table.n,
                n_others=table.n_others,
                likeness=likeness,
                n_more=0 if decided else _n_more(table, n_claims=2 * m),
            )
        )
    return tuple(found)


def holm(p_values: Sequence[float], *, level: float) -> tuple[bool, ...]:
    """Say which claims are shown when all of them were tried, in their order."""
    shown = [False] * len(p_values)
    for rank, k in enumerate(np.argsort(p_values)):
        if p_values[int(k)] > level / (len(p_values) - rank):
            break
        shown[int(k)] = True
    return tuple(shown)


def _tables(
    rate: str,
    cases: Sequence[PassageOutcome],
    is_error: Callable[[PassageOutcome], bool],
) -> list[_Table]:
    tables = []
    k_all, n_all = sum(is_error(p) for p in cases), len(cases)
    for grouping, group_of in GROUPINGS.items():
        members: dict[str, list[PassageOutcome]] = {}
        for passage in cases:
            members.setdefault(group_of(passage), []).append(passage)
        for group in sorted(members):
            k, n = sum(is_error(p) for p in members[group]), len(members[group])
            if n < n_all:
                tables.append(
                    _Table(
                        rate=rate,
                        grouping=grouping,
                        group=group,
                        k=k,
                        n=n,
                        k_others=k_all - k,
                        n_others=n_all - n,
                    )
                )
    return tables


def _n_more(table: _Table, *, n_claims: int) -> int | None:
    """Forecast the passages that would show the one or the other claim.

    Errors shrink with the square root of the passages: that gives a first guess, which
    grows until the tests themselves agree. A claim yet to be shown has, at worst, the
    whole family against it.
    """
    needed = _LEVEL / n_claims
    distance = abs(table.log_ratio)
    gaps = [g for g in (distance, math.log(MARGIN) - distance) if g > 1e-6]
    if not gaps:
        return None
    z_needed = float(norm.isf(needed))
    growth = max(1.0, min((z_needed * table.error / gap) ** 2 for gap in gaps))
    for _ in range(_GUESSES):
        more = _grown(table, growth)
        if min(more.p_unequal(), more.p_equal()) <= needed:
            return more.n + more.n_others - table.n - table.n_others
        growth *= 1.1
    return None


def _grown(table: _Table, growth: float) -> _Table:
    """Let a table grow as it is."""
    n, n_others = math.ceil(table.n * growth), math.ceil(table.n_others * growth)
    return replace(
        table,
        k=round(table.k / table.n * n),
        n=n,
        k_others=round(table.k_others / table.n_others * n_others),
        n_others=n_others,
    )
