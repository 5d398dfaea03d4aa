"""Error rates as somebody tested them: counts at thresholds and watchlist sizes.

Owns the way between tested points. False positives scale with the watchlist as the
points say, never by assumption: one tested size allows no other. Knows nothing of who
tested, or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lfr_errors import BadInputError
from sim.policy.records import freeze

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OperatingPoints", "UntestedPointError"]

# A size or threshold this near to a tested one counts as tested.
_NEAR = 1e-6


class UntestedPointError(BadInputError):
    """The policy leaves the range in which error rates were tested."""

    def __init__(self, *, what: str, asked: float, tested: tuple[float, ...]) -> None:
        self.what = what
        self.asked = asked
        self.tested = tested
        values = ", ".join(f"{value:g}" for value in tested)
        super().__init__(
            f"{what} must be within what the error rates were tested at ({values}), "
            f"got {asked:g}; change the policy or test there"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OperatingPoints:
    """Counts of tests, one row a point.

    Attributes:
        source: Who measured, for reports.
        threshold: (n,) on the tested matcher's own scale.
        watchlist_size: (n,) people.
        false_alerts, non_mated: (n,) false alerts of non-mated passages.
        true_alerts, mated: (n,) true alerts of mated passages; 0 of 0 where unknown.
        reach: Factor by which a watchlist may lie outside the tested sizes.
    """

    source: str
    threshold: NDArray[np.float64]
    watchlist_size: NDArray[np.float64]
    false_alerts: NDArray[np.float64]
    non_mated: NDArray[np.float64]
    true_alerts: NDArray[np.float64]
    mated: NDArray[np.float64]
    reach: float

    def __post_init__(self) -> None:
        """Check that the columns agree; freeze them."""
        freeze(self, length=len(self.threshold))

    @property
    def knows_recognition(self) -> bool:
        """Every point has mated passages."""
        return bool(np.all(self.mated > 0.0))

    def fpir(
        self,
        *,
        threshold: float,
        watchlist_size: float,
        n: int,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Draw the false-positive identification rate at one point, (n,).

        Each tested rate is drawn from its Beta posterior (Jeffreys' prior); between
        points the logarithm of the rate is linear in the threshold and in the
        logarithm of the watchlist.

        Raises:
            UntestedPointError: If the point lies outside the tested range.
        """
        drawn = _beta(self.false_alerts, self.non_mated, n, rng=rng)
        return np.exp(self._between(np.log(drawn), threshold, watchlist_size))

    def tpir(
        self,
        *,
        threshold: float,
        watchlist_size: float,
        n: int,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Draw the true-positive identification rate at one point, (n,).

        Raises:
            UntestedPointError: If the point lies outside the tested range.
        """
        drawn = _beta(self.true_alerts, self.mated, n, rng=rng)
        return np.exp(self._between(np.log(drawn), threshold, watchlist_size))

    def _between(
        self, logs: NDArray[np.float64], threshold: float, watchlist_size: float
    ) -> NDArray[np.float64]:
        """Interpolate (n, points) to one point: first along the size, then across."""
        thresholds = np.unique(self.threshold)
        low, high, weight = _bracket(
            thresholds, threshold, what="threshold", slack=_NEAR
        )
        parts = [
            self._along_size(logs, self.threshold == edge, watchlist_size)
            for edge in (low, high)
        ]
        blend: NDArray[np.float64] = (1.0 - weight) * parts[0] + weight * parts[1]
        return blend

    def _along_size(
        self,
        logs: NDArray[np.float64],
        at: NDArray[np.bool_],
        watchlist_size: float,
    ) -> NDArray[np.float64]:
        sizes = self.watchlist_size[at]
        order = np.argsort(sizes)
        sizes, logs = sizes[order], logs[:, at][:, order]
        # One tested size says nothing of how the rate scales: no reach beyond it.
        reach = self.reach if len(sizes) > 1 else 1.0
        inside = sizes[0] / reach * (1 - _NEAR) <= watchlist_size
        if not (inside and watchlist_size <= sizes[-1] * reach * (1 + _NEAR)):
            raise UntestedPointError(
                what="watchlist_size", asked=watchlist_size, tested=tuple(sizes)
            )
        if len(sizes) == 1:
            return logs[:, 0]
        right = int(np.clip(np.searchsorted(sizes, watchlist_size), 1, len(sizes) - 1))
        span = np.log(sizes[right] / sizes[right - 1])
        weight = np.log(watchlist_size / sizes[right - 1]) / span
        line: NDArray[np.float64] = (1.0 - weight) * logs[:, right - 1] + weight * logs[
            :, right
        ]
        return line


def _beta(
    count: NDArray[np.float64],
    of: NDArray[np.float64],
    n: int,
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    return rng.beta(count + 0.5, of - count + 0.5, (n, len(count)))


def _bracket(
    tested: NDArray[np.float64], asked: float, *, what: str, slack: float
) -> tuple[float, float, float]:
    """Return the tested neighbours of `asked`, and the weight of the upper one."""
    if not tested[0] - slack <= asked <= tested[-1] + slack:
        raise UntestedPointError(what=what, asked=asked, tested=tuple(tested))
    right = int(np.clip(np.searchsorted(tested, asked), 0, len(tested) - 1))
    left = right if tested[right] <= asked + slack else right - 1
    low, high = float(tested[max(left, 0)]), float(tested[right])
    weight = 0.0 if high <= low else (asked - low) / (high - low)
    return low, high, weight
