"""The parts of a hierarchical linear predictor, and their joint Gaussian prior.

Owns three kinds of term: a known covariate with a Gaussian prior, exchangeable
levels that share a spread, and a random walk through time that shares a step.
Knows nothing of what is counted or how the parts are fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Covariate", "Levels", "Spread", "Term", "Walk"]

# The first step of a walk is pinned to 0 by this precision: the intercept owns it.
_PINNED = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A positive number to be learnt, with its prior on the scale of its logarithm.

    Attributes:
        name: How results call it.
        median, log_sd: Of the log-normal prior.
    """

    name: str
    median: float
    log_sd: float

    def log_prior(self, log_value: float) -> float:
        """Return the log density of the logarithm, without its constant."""
        return -0.5 * ((log_value - float(np.log(self.median))) / self.log_sd) ** 2


class Term(Protocol):
    """One block of coefficients of the predictor."""

    @property
    def name(self) -> str:
        """How results call it."""
        ...

    @property
    def spread(self) -> Spread | None:
        """The spread that the block shares; None if its prior is known."""
        ...

    def columns(self) -> NDArray[np.float64]:
        """Return the design of the training rows, (n, size)."""
        ...

    def prior_mean(self) -> NDArray[np.float64]:
        """Return the prior mean, (size,)."""
        ...

    def precision(self, spread: float) -> NDArray[np.float64]:
        """Return the prior precision, (size, size), given the block's spread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Covariate:
    """One coefficient on a known quantity.

    Attributes:
        name: How results call it.
        values: (n,) the quantity in each training row.
        mean, sd: Of the coefficient's Gaussian prior.
    """

    name: str
    values: NDArray[np.float64]
    mean: float
    sd: float

    @property
    def spread(self) -> Spread | None:
        """None: the prior is known."""
        return None

    def columns(self) -> NDArray[np.float64]:
        """Return the quantity as one column, (n, 1)."""
        return self.values[:, None]

    def prior_mean(self) -> NDArray[np.float64]:
        """Return the prior mean, (1,)."""
        return np.array([self.mean])

    def precision(self, spread: float) -> NDArray[np.float64]:  # noqa: ARG002 - known
        """Return 1 / sd², (1, 1)."""
        return np.array([[self.sd**-2]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """Exchangeable effects, such as those of sites: normal around 0.

    Attributes:
        name: How results call it.
        names: Of the levels.
        index: (n,) int64, the level of each training row.
        spread: Standard deviation between levels, to be learnt.
    """

    name: str
    names: tuple[str, ...]
    index: NDArray[np.int64]
    spread: Spread

    def columns(self) -> NDArray[np.float64]:
        """Return the indicator of each level, (n, levels)."""
        return np.eye(len(self.names))[self.index]

    def prior_mean(self) -> NDArray[np.float64]:
        """Return zeros, (levels,)."""
        return np.zeros(len(self.names))

    def precision(self, spread: float) -> NDArray[np.float64]:
        """Return the identity over spread², (levels, levels)."""
        return np.eye(len(self.names)) * spread**-2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Walk:
    """A level that drifts by a normal step each month, starting from 0.

    Attributes:
        name: How results call it.
        n_steps: Months, from the first training row to the last.
        index: (n,) int64, the month of each training row.
        spread: Standard deviation of a step, to be learnt.
    """

    name: str
    n_steps: int
    index: NDArray[np.int64]
    spread: Spread

    def columns(self) -> NDArray[np.float64]:
        """Return the indicator of each month, (n, n_steps)."""
        return np.eye(self.n_steps)[self.index]

    def prior_mean(self) -> NDArray[np.float64]:
        """Return zeros, (n_steps,)."""
        return np.zeros(self.n_steps)

    def precision(self, spread: float) -> NDArray[np.float64]:
        """Return the precision of a first-order random walk, (n_steps, n_steps).

        Source:
            Rue and Held, Gaussian Markov Random Fields, 2005, 3.3.1.
        """
        steps = np.diff(np.eye(self.n_steps), axis=0)
        precision: NDArray[np.float64] = steps.T @ steps * spread**-2
        precision[0, 0] += _PINNED
        return precision
