"""Two families of over-dispersed counts, as a linear predictor sees them.

Owns log likelihoods with their first derivative and curvature. Knows nothing of what
makes up the predictor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BetaBinomial", "Family", "NegativeBinomial"]

# Keeps exp() finite while Newton's method is still far from the mode.
_ETA_LIMIT = 12.0


class Family(Protocol):
    """The distribution of n counts, given n predictors and one shape."""

    def log_likelihood(self, eta: NDArray[np.float64], shape: float) -> float:
        """Return the sum over all counts."""
        ...

    def slope(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the derivative by each predictor, (n,)."""
        ...

    def curvature(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the negative second derivative, or its expectation; (n,), > 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NegativeBinomial:
    """Counts with mean exp(eta) and variance mean + mean² / shape.

    A Poisson count whose rate varies by a Gamma factor: the Gamma-Poisson mixture.

    Attributes:
        counts: (n,) float64.
    """

    counts: NDArray[np.float64]

    def log_likelihood(self, eta: NDArray[np.float64], shape: float) -> float:
        """Return the sum over all counts."""
        mean = _mean(eta)
        terms = (
            gammaln(self.counts + shape)
            - gammaln(shape)
            - gammaln(self.counts + 1.0)
            + shape * np.log(shape / (shape + mean))
            + self.counts * np.log(mean / (shape + mean))
        )
        return float(terms.sum())

    def slope(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the derivative by each predictor, (n,)."""
        mean = _mean(eta)
        return (self.counts - mean) * shape / (shape + mean)

    def curvature(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the negative second derivative, (n,)."""
        mean = _mean(eta)
        return mean * shape * (self.counts + shape) / (shape + mean) ** 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BetaBinomial:
    """`counts` of `trials` with a mean share expit(eta), varying by a Beta factor.

    Attributes:
        counts, trials: (n,) float64, counts at most trials.
    """

    counts: NDArray[np.float64]
    trials: NDArray[np.float64]

    def log_likelihood(self, eta: NDArray[np.float64], shape: float) -> float:
        """Return the sum over all counts, without its constant."""
        yes, no = _beta(eta, shape)
        missed = self.trials - self.counts
        return float((betaln(self.counts + yes, missed + no) - betaln(yes, no)).sum())

    def slope(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the derivative by each predictor, (n,)."""
        yes, no = _beta(eta, shape)
        by_share = (
            digamma(self.counts + yes)
            - digamma(yes)
            - digamma(self.trials - self.counts + no)
            + digamma(no)
        )
        share = expit(eta)
        slope: NDArray[np.float64] = shape * by_share * share * (1.0 - share)
        return slope

    def curvature(self, eta: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
        """Return the binomial information, shrunk by the variance inflation, (n,)."""
        share = expit(eta)
        inflation = 1.0 + (self.trials - 1.0) / (shape + 1.0)
        information: NDArray[np.float64] = (
            self.trials * share * (1.0 - share) / np.maximum(inflation, 1e-9)
        )
        return information


def _mean(eta: NDArray[np.float64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = np.exp(np.clip(eta, -_ETA_LIMIT, _ETA_LIMIT))
    return mean


def _beta(
    eta: NDArray[np.float64], shape: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    share = np.clip(expit(eta), 1e-9, 1.0 - 1e-9)
    return share * shape, (1.0 - share) * shape
