"""Where a policy fails: the corner of the unknown that failures have in common.

Owns the patient rule induction method. It peels away thin slices of replications, one
input at a time, as long as that leaves failures denser. Knows nothing of what counts
as failure.

Source:
    Friedman and Fisher, Bump hunting in high-dimensional data, Statistics and
    Computing 9, 1999; Bryant and Lempert, Thinking inside the box, Technological
    Forecasting and Social Change 77(1), 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.sensitivity import Quantity

__all__ = ["Bound", "Box", "discover"]

_PEEL = 0.05
_SMALLEST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One side of the corner.

    Attributes:
        name: Of the input.
        low, high: Its range inside; infinite where it is free.
        low_rank, high_rank: The same as shares of all replications.
    """

    name: str
    low: float
    high: float
    low_rank: float
    high_rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A corner in which failures gather.

    Attributes:
        bounds: The inputs that matter; the others are free.
        failures: Share of all replications that fail.
        coverage: Share of the failures that lie in the corner.
        density: Share of the corner that fails.
        mass: Share of all replications that lie in the corner.
    """

    bounds: tuple[Bound, ...]
    failures: float
    coverage: float
    density: float
    mass: float


def discover(
    inputs: tuple[Quantity, ...], fails: NDArray[np.bool_], *, max_bounds: int
) -> Box:
    """Find a corner of the inputs in which failures are dense.

    Args:
        inputs: (n,) values each.
        fails: (n,) whether the replication failed; some do and some do not.
        max_bounds: Inputs that the corner may restrict.
    """
    n = len(fails)
    ranks = np.stack(
        [np.argsort(np.argsort(each.values, kind="stable")) / n for each in inputs]
    )
    low, high = np.zeros(len(inputs)), np.ones(len(inputs))
    inside = np.ones(n, dtype=bool)
    best, best_worth = _box(inputs, fails, low, high, inside), 0.0
    sides = (low.copy(), high.copy())
    while inside.sum() > _SMALLEST * n and fails[inside].mean() < 1.0:
        used = set(np.flatnonzero((low > 0.0) | (high < 1.0)).tolist())
        allowed = used if len(used) >= max_bounds else set(range(len(inputs)))
        peel = _best_peel(ranks, fails, inside, sorted(allowed))
        if peel is None:
            break
        column, is_low, edge = peel
        (low if is_low else high)[column] = edge
        inside &= (ranks[column] >= low[column]) & (ranks[column] <= high[column])
        box = _box(inputs, fails, low, high, inside)
        # Of all the boxes on the way, the one that explains most failures with the
        # fewest others: coverage falls and density rises as slices go.
        worth = box.coverage * box.density
        if worth > best_worth:
            best, best_worth = box, worth
            sides = (low.copy(), high.copy())
    return _pruned(inputs, ranks, fails, best, best_worth, *sides)


def _pruned(
    inputs: tuple[Quantity, ...],
    ranks: NDArray[np.float64],
    fails: NDArray[np.bool_],
    best: Box,
    worth: float,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> Box:
    """Free every input whose bounds the box can do without."""
    for column in range(len(inputs)):
        freed_low, freed_high = low.copy(), high.copy()
        freed_low[column], freed_high[column] = 0.0, 1.0
        inside = np.all(
            (ranks >= freed_low[:, None]) & (ranks <= freed_high[:, None]), axis=0
        )
        box = _box(inputs, fails, freed_low, freed_high, inside)
        # A twentieth of its worth is not worth an input more to read.
        if box.coverage * box.density >= 0.95 * worth:
            best, low, high = box, freed_low, freed_high
    return best


def _box(
    inputs: tuple[Quantity, ...],
    fails: NDArray[np.bool_],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    inside: NDArray[np.bool_],
) -> Box:
    return Box(
        bounds=_bounds(inputs, low, high),
        failures=float(fails.mean()),
        coverage=float(fails[inside].sum() / max(fails.sum(), 1)),
        density=float(fails[inside].mean()),
        mass=float(inside.mean()),
    )


def _best_peel(
    ranks: NDArray[np.float64],
    fails: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    columns: list[int],
) -> tuple[int, bool, float] | None:
    """Return the slice whose removal raises the density most, if any does."""
    now = fails[inside].mean()
    best_gain = 0.0
    best: tuple[int, bool, float] | None = None
    for column in columns:
        values = ranks[column, inside]
        for is_low, share in ((True, _PEEL), (False, 1.0 - _PEEL)):
            edge = float(np.quantile(values, share))
            kept = values >= edge if is_low else values <= edge
            gain = float(fails[inside][kept].mean() - now)
            if gain > best_gain:
                best, best_gain = (column, is_low, edge), gain
    return best


def _bounds(
    inputs: tuple[Quantity, ...], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[Bound, ...]:
    bounds = []
    for column, quantity in enumerate(inputs):
        if low[column] <= 0.0 and high[column] >= 1.0:
            continue
        ends = np.quantile(quantity.values, [low[column], high[column]])
        bounds.append(
            Bound(
                name=quantity.name,
                low=float(ends[0]) if low[column] > 0.0 else -np.inf,
                high=float(ends[1]) if high[column] < 1.0 else np.inf,
                low_rank=float(low[column]),
                high_rank=float(high[column]),
            )
        )
    return tuple(bounds)
