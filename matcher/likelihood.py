"""Comparison scores as log-likelihood ratios, so that they mean the same in any model.

Owns the fit and its judgement. Knows nothing of models or galleries: pairs of scores
come in, of the same person and of different ones.

A cosine of 0.6 is strong evidence from one embedder and none from another. Its
log-likelihood ratio says how much likelier the score is if both templates are of one
person than if they are of two; it is a number of evidence, and thresholds on it carry
over from model to model.

Source:
    Brümmer and du Preez, Application-independent evaluation of speaker detection,
    Computer Speech and Language 20, 2006 (logistic fit; the cost Cllr); Morrison,
    Tutorial on logistic-regression calibration, AJFS 45, 2013.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from matcher.errors import CalibrationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from matcher.calibration import Cohort

__all__ = ["ScoreScale", "cllr", "fit_scale", "pairs_of"]

_LEAST_PAIRS = 100
_STEPS = 50
_CONVERGED = 1e-10
# Keeps the fit finite where the two kinds do not overlap; worth one pair of each.
_PRIOR_PAIRS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreScale:
    """A line from comparison scores to log-likelihood ratios, natural logarithm.

    Attributes:
        slope: Evidence per unit of score; above 0.
        offset: Evidence of a score of 0.
        n_mated, n_non_mated: Pairs behind it.
    """

    slope: float
    offset: float
    n_mated: int
    n_non_mated: int

    def llr(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Turn comparison scores into log-likelihood ratios."""
        return self.slope * np.asarray(scores, np.float64) + self.offset

    def score(self, llr: float) -> float:
        """Say which comparison score has this log-likelihood ratio."""
        return (llr - self.offset) / self.slope


def fit_scale(
    mated: NDArray[np.floating], non_mated: NDArray[np.floating]
) -> ScoreScale:
    """Fit the line by logistic regression, both kinds weighing the same.

    With equal weights the regression's log-odds are the log-likelihood ratio itself.

    Args:
        mated: (m,) scores of pairs of one person.
        non_mated: (n,) scores of pairs of two.

    Raises:
        CalibrationError: If there are too few pairs, or higher scores are no
            evidence of the same person.
    """
    if min(len(mated), len(non_mated)) < _LEAST_PAIRS:
        message = (
            f"a score scale must be fitted to at least {_LEAST_PAIRS} pairs of each "
            f"kind, got {len(mated)} mated and {len(non_mated)} non-mated; record more"
        )
        raise CalibrationError(message)
    scores = np.concatenate([mated, non_mated]).astype(np.float64)
    same = np.repeat([1.0, 0.0], [len(mated), len(non_mated)])
    # Each kind has a few of the other in it, by Laplace's rule.
    share = _PRIOR_PAIRS / (np.where(same == 1.0, len(mated), len(non_mated)) + 2.0)
    target = same * (1.0 - share) + (1.0 - same) * share
    weight = np.where(same == 1.0, 0.5 / len(mated), 0.5 / len(non_mated))
    centre, spread = scores.mean(), scores.std()
    design = np.stack([(scores - centre) / spread, np.ones(len(scores))], axis=1)
    found = np.zeros(2)
    for _ in range(_STEPS):
        odds = special.expit(design @ found)
        gradient = design.T @ (weight * (target - odds))
        curvature = (design * (weight * odds * (1.0 - odds))[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        # Newton's step, shortened: far from the answer it would overshoot.
        found += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CONVERGED:
            break
    slope = float(found[0] / spread)
    if slope <= 0.0:
        message = (
            "higher scores must be evidence of the same person, got a slope of "
            f"{slope:.3g}; are mated and non-mated pairs confused?"
        )
        raise CalibrationError(message)
    return ScoreScale(
        slope=slope,
        offset=float(found[1] - slope * centre),
        n_mated=len(mated),
        n_non_mated=len(non_mated),
    )


def cllr(mated_llr: NDArray[np.float64], non_mated_llr: NDArray[np.float64]) -> float:
    """Judge log-likelihood ratios: 0 is perfect, 1 is knowing nothing, bits.

    Args:
        mated_llr: (m,) of pairs of one person.
        non_mated_llr: (n,) of pairs of two.
    """
    miss = np.logaddexp(0.0, -mated_llr).mean()
    alarm = np.logaddexp(0.0, non_mated_llr).mean()
    return float((miss + alarm) / (2.0 * np.log(2.0)))


def pairs_of(cohort: Cohort) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compare a cohort's first and last template of each passage.

    The last holds the first among others, and both are of one day: mated scores here
    are higher than against a portrait. The scale says so in its origin.

    Returns:
        Mated scores, (m,), and non-mated scores, (m (m - 1),).
    """
    last_row = np.flatnonzero(np.diff(cohort.passages, append=-1) != 0)
    first_row = np.concatenate([[0], last_row[:-1] + 1])
    several = first_row != last_row
    first, last = (
        cohort.templates[first_row[several]],
        cohort.templates[last_row[several]],
    )
    scores: NDArray[np.float32] = first @ last.T
    mated = np.diagonal(scores).copy()
    return mated, scores[~np.eye(len(scores), dtype=bool)]
