"""Fits a hierarchical model of counts by Laplace's approximation.

Owns the mode of the coefficients (Newton), the approximate evidence for the spreads
and their Gaussian posterior on the log scale, and joint draws of both. Deterministic
given its generator, and fast: about a second for two hundred rows and a hundred
coefficients. Knows nothing of what is counted.

Source:
    Rue, Martino and Chopin, Approximate Bayesian inference for latent Gaussian
    models, JRSS B 71(2), 2009, with one Gaussian for the spreads in place of a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

from lfr_errors import LfrError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sim.policy.families import Family
    from sim.policy.hierarchy import Spread, Term

__all__ = ["Fit", "FitError", "Posterior", "fit"]

# Coefficient draws per draw of the spreads: the costly part is shared.
_PER_SPREAD = 20
# Step of the numerical Hessian, on the log scale of the spreads.
_STEP = 0.15


class FitError(LfrError, ArithmeticError):
    """Newton's method did not find a mode."""

    def __init__(self, *, step: float) -> None:
        self.step = step
        super().__init__(
            "the mode of the coefficients must be found within 60 Newton steps, but "
            f"the last step was still {step:g}; check the record for extreme rows"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posterior:
    """Joint draws of every coefficient and spread.

    Attributes:
        terms: Names of the terms, in order.
        coefficients: Per term, (draws, size).
        spreads: Names of the spreads, the family's shape last.
        values: (draws, spreads) positive.
    """

    terms: tuple[str, ...]
    coefficients: tuple[NDArray[np.float64], ...]
    spreads: tuple[str, ...]
    values: NDArray[np.float64]

    def term(self, name: str) -> NDArray[np.float64]:
        """Return the draws of one term, (draws, size)."""
        return self.coefficients[self.terms.index(name)]

    def scalar(self, name: str) -> NDArray[np.float64]:
        """Return the draws of a term with one coefficient, (draws,)."""
        return self.term(name)[:, 0]

    def spread(self, name: str) -> NDArray[np.float64]:
        """Return the draws of one spread, (draws,)."""
        return self.values[:, self.spreads.index(name)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Mode:
    """Where the coefficients are most probable, given the spreads."""

    coefficients: NDArray[np.float64]
    cholesky: NDArray[np.float64]
    log_evidence: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A fitted model, ready to be drawn from.

    Attributes:
        family: What was counted.
        terms: Of the predictor.
        shape: The family's own spread.
        log_spreads: (k,) their mode, the shape last.
        covariance: (k, k) of the logarithms.
    """

    family: Family
    terms: tuple[Term, ...]
    shape: Spread
    log_spreads: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def draw(self, n_draws: int, *, rng: np.random.Generator) -> Posterior:
        """Draw coefficients and spreads together.

        Args:
            n_draws: How many.
            rng: Source of the draws.
        """
        n_outer = -(-n_draws // _PER_SPREAD)
        logs = self._draw_log_spreads(n_outer, rng=rng)
        design = _design(self.terms)
        rows = []
        for log_spreads in logs:
            mode = _find_mode(self, design, log_spreads)
            noise = rng.standard_normal((design.shape[1], _PER_SPREAD))
            wiggle = solve_triangular(mode.cholesky, noise, trans="T", lower=True)
            rows.append((mode.coefficients[:, None] + wiggle).T)
        # Shuffled, so that any prefix or stride of draws is as good as the whole.
        order = rng.permutation(n_outer * _PER_SPREAD)[:n_draws]
        stacked = np.vstack(rows)[order]
        edges = np.cumsum([term.prior_mean().size for term in self.terms])[:-1]
        names = [term.spread.name for term in self.terms if term.spread is not None]
        return Posterior(
            terms=tuple(term.name for term in self.terms),
            coefficients=tuple(np.split(stacked, edges, axis=1)),
            spreads=(*names, self.shape.name),
            values=np.exp(np.repeat(logs, _PER_SPREAD, axis=0)[order]),
        )

    def _draw_log_spreads(
        self, n: int, *, rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """Draw the logarithms of the spreads, (n, k), within two deviations.

        The Gaussian describes the middle of their posterior. Its far tail is not
        evidence, and a spread drawn from there would be raised to a power again.
        """
        logs = rng.multivariate_normal(self.log_spreads, self.covariance, n)
        reach = 2.0 * np.sqrt(np.diag(self.covariance))
        return np.clip(logs, self.log_spreads - reach, self.log_spreads + reach)


def fit(
    family: Family,
    terms: tuple[Term, ...],
    *,
    shape: Spread,
) -> Fit:
    """Find the most probable spreads, and how sure they are.

    Args:
        family: The counts.
        terms: Of the predictor.
        shape: Prior of the family's over-dispersion.

    Raises:
        FitError: If the record allows no mode.
    """
    spreads = [term.spread for term in terms if term.spread is not None] + [shape]
    start = np.log([spread.median for spread in spreads])
    draft = Fit(
        family=family,
        terms=terms,
        shape=shape,
        log_spreads=start,
        covariance=np.eye(len(spreads)),
    )
    design = _design(terms)

    def cost(log_spreads: NDArray[np.float64]) -> float:
        prior = sum(
            spread.log_prior(float(value))
            for spread, value in zip(spreads, log_spreads, strict=True)
        )
        return -(_find_mode(draft, design, log_spreads).log_evidence + prior)

    options = {"xatol": 0.02, "fatol": 0.01, "maxiter": 400}
    best = minimize(cost, start, method="Nelder-Mead", options=options).x
    return Fit(
        family=family,
        terms=terms,
        shape=shape,
        log_spreads=best,
        covariance=_inverse_hessian(cost, best),
    )


def _design(terms: tuple[Term, ...]) -> NDArray[np.float64]:
    return np.hstack([term.columns() for term in terms])


def _prior(
    terms: tuple[Term, ...], log_spreads: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    remaining = iter(np.exp(log_spreads))
    blocks = [
        term.precision(0.0 if term.spread is None else float(next(remaining)))
        for term in terms
    ]
    mean = np.concatenate([term.prior_mean() for term in terms])
    return mean, block_diag(*blocks)


def _find_mode(
    model: Fit, design: NDArray[np.float64], log_spreads: NDArray[np.float64]
) -> _Mode:
    mean, precision = _prior(model.terms, log_spreads)
    shape = float(np.exp(log_spreads[-1]))
    at = mean.copy()
    size = np.inf
    for _ in range(60):
        eta = design @ at
        weights = model.family.curvature(eta, shape)
        hessian = (design.T * weights) @ design + precision
        slope = design.T @ model.family.slope(eta, shape) - precision @ (at - mean)
        factor = cho_factor(hessian, lower=True)
        step = cho_solve(factor, slope)
        size = float(np.abs(step).max())
        # Long first steps overshoot where exp() is steep.
        at += step * min(1.0, 2.0 / max(size, 1e-12))
        if size < 1e-6:
            break
    else:
        raise FitError(step=size)
    cholesky = np.tril(factor[0])
    deviation = at - mean
    log_evidence = (
        model.family.log_likelihood(design @ at, shape)
        - 0.5 * float(deviation @ precision @ deviation)
        + 0.5 * float(np.linalg.slogdet(precision)[1])
        - float(np.log(np.diag(cholesky)).sum())
    )
    return _Mode(coefficients=at, cholesky=cholesky, log_evidence=log_evidence)


def _inverse_hessian(
    cost: Callable[[NDArray[np.float64]], float], at: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Invert the curvature of `cost` at its minimum by central differences."""
    size = len(at)
    steps = np.eye(size) * _STEP
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(i + 1):
            corners = (
                cost(at + steps[i] + steps[j])
                - cost(at + steps[i] - steps[j])
                - cost(at - steps[i] + steps[j])
                + cost(at - steps[i] - steps[j])
            )
            hessian[i, j] = hessian[j, i] = corners / (4.0 * _STEP**2)
    values, vectors = np.linalg.eigh(hessian)
    # A flat direction tells nothing: there the posterior is the prior, whose
    # log-normal has a standard deviation of about 1.
    inverse: NDArray[np.float64] = (vectors / np.maximum(values, 1.0)) @ vectors.T
    return inverse
