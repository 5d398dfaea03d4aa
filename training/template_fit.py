"""How well drawn templates resemble measured ones.

Owns the comparison: the same comparisons made among measured and among drawn
templates, side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import ks_2samp

from synthetic_crowds.templates.population import TemplatePopulation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.templates.model import TemplateModel

__all__ = ["goodness_of_fit"]

_TAILS = (1e-2, 1e-3, 1e-4, 1e-5)


def goodness_of_fit(
    model: TemplateModel,
    enrolled: NDArray[np.float32],
    street: NDArray[np.float32],
    *,
    seed: int,
) -> str:
    """Tabulate mated and non-mated scores, measured and drawn.

    Args:
        model: Fitted to the measured.
        enrolled: (n, d) measured templates.
        street: (q - 1, n, 2, 2, d) measured templates.
        seed: Of the drawn population.

    Returns:
        A Markdown table: means, spreads, upper tails of the non-mated scores, and
        the largest distance between the two distributions (Kolmogorov-Smirnov).
    """
    n = len(enrolled)
    population = TemplatePopulation(model, seed=seed)
    drawn_desk = population.enrolled(0, n)
    lines = [
        "| scores | measured | drawn | largest distance |",
        "|---|---|---|---|",
    ]
    pairs = [("non-mated, two enrolments", _others(enrolled), _others(drawn_desk))]
    for place, name in enumerate(model.conditions[1:].tolist()):
        drawn = population.templates(0, n, condition=name, day=1)
        seen = street[place, :, 0, 0]
        pairs += [
            (
                f"non-mated, {name}",
                _crossed(enrolled, seen),
                _crossed(drawn_desk, drawn),
            ),
            (
                f"mated, {name}",
                np.sum(enrolled * seen, axis=1),
                np.sum(drawn_desk * drawn, axis=1),
            ),
        ]
    for name, measured, made in pairs:
        distance = ks_2samp(measured, made).statistic
        lines.append(
            f"| {name}: mean, standard deviation | {_moments(measured)} "
            f"| {_moments(made)} | {distance:.3f} |"
        )
    measured, made = pairs[0][1], pairs[0][2]
    lines += [
        f"| non-mated, two enrolments: exceeded by {tail:g} "
        f"| {np.quantile(measured, 1 - tail):.3f} "
        f"| {np.quantile(made, 1 - tail):.3f} | |"
        for tail in _TAILS
        if tail * len(measured) >= 10
    ]
    return "\n".join(lines)


def _others(templates: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores of every pair of different people."""
    rows, columns = np.triu_indices(len(templates), k=1)
    return np.asarray((templates @ templates.T)[rows, columns])


def _crossed(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores of everyone in `a` against everyone else in `b`."""
    scores = a @ b.T
    return np.asarray(scores[~np.eye(len(a), dtype=bool)])


def _moments(scores: NDArray[np.float32]) -> str:
    return f"{scores.mean():.3f}, {scores.std():.3f}"
