"""Policy A against policy B in one world.

Owns paired differences. Both policies met the same crowd, staff and luck, so the
difference of one replication is what the policy did, and its spread is far smaller
than that of either policy. Knows nothing of policies' contents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.measures import MEASURES, Estimate, estimate

if TYPE_CHECKING:
    from sim.policy.programme import ProgrammeResult

__all__ = ["Difference", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One measure under two policies.

    Attributes:
        measure: Its name.
        base, other: Under each policy.
        change: Of `other` less `base`, replication by replication.
        share_higher, share_lower: Of the replications in which `other` is.
        variance_ratio: Variance of the paired change over that of two independent
            runs; what common random numbers saved.
    """

    measure: str
    base: Estimate
    other: Estimate
    change: Estimate
    share_higher: float
    share_lower: float
    variance_ratio: float


def compare(base: ProgrammeResult, other: ProgrammeResult) -> tuple[Difference, ...]:
    """Pair two programmes replication by replication.

    Args:
        base: Policy A.
        other: Policy B, run in the same world.
    """
    differences = []
    for measure in MEASURES:
        before, after = measure.of(base.total()), measure.of(other.total())
        defined = ~np.isnan(before) & ~np.isnan(after)
        if not defined.any():
            continue
        before, after = before[defined], after[defined]
        change = after - before
        apart = float(before.var() + after.var())
        differences.append(
            Difference(
                measure=measure.name,
                base=estimate(measure.name, before),
                other=estimate(measure.name, after),
                change=estimate(measure.name, change),
                share_higher=float(np.mean(change > 0.0)),
                share_lower=float(np.mean(change < 0.0)),
                variance_ratio=float(change.var() / apart) if apart > 0.0 else 0.0,
            )
        )
    return tuple(differences)
