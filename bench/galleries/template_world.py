"""Galleries as large as one likes, with the spread of real templates of ours.

Owns the drawing of templates. Knows nothing of indexes.

The shipped calibration cohort holds the fused templates of some 1,500 passages. A
normal distribution with their mean and covariance draws as many further people as are
wanted, and the scatter within passages draws their probes. Directions drawn evenly
would be harder to index than any embedder's templates, and say nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.fusion import unit_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.calibration import Cohort

__all__ = ["TemplateWorld", "fit_world"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemplateWorld:
    """Where templates lie.

    Attributes:
        mean: (d,) float32, of people.
        between: (d, d) float32, the root of the covariance of people.
        within: (d, d) float32, the root of the covariance of one person's templates.
    """

    mean: NDArray[np.float32]
    between: NDArray[np.float32]
    within: NDArray[np.float32]

    def people(self, n: int, *, rng: np.random.Generator) -> NDArray[np.float32]:
        """Draw templates (n, d) of as many people."""
        noise = rng.standard_normal((n, len(self.mean)), dtype=np.float32)
        return unit_length(self.mean + noise @ self.between)

    def probes_of(
        self,
        templates: NDArray[np.float32],
        *,
        scatter: float,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """Draw one probe of each person; `scatter` 1 is that within a passage."""
        noise = rng.standard_normal(templates.shape, dtype=np.float32)
        return unit_length(templates + np.float32(scatter) * (noise @ self.within))


def fit_world(cohort: Cohort) -> TemplateWorld:
    """Fit the spread of a cohort's templates, passage by passage."""
    _, first = np.unique(cohort.passages, return_index=True)
    sizes = np.diff([*first, len(cohort.passages)])
    means = np.add.reduceat(cohort.templates, first) / sizes[:, None]
    residuals = cohort.templates - np.repeat(means, sizes, axis=0)
    return TemplateWorld(
        mean=means.mean(axis=0).astype(np.float32),
        between=_root(np.cov(means.T)),
        within=_root(residuals.T @ residuals / (len(residuals) - len(means))),
    )


def _root(covariance: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the symmetric root of a covariance matrix."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    rooted: NDArray[np.float32] = root.astype(np.float32)
    return rooted
