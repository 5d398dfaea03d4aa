"""How well drawn templates resemble measured ones.

Owns the comparison: the same comparisons made among measured and among drawn
templates, side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import ks_2samp

from synthetic_crowds.templates.population import TemplatePopulation
from training.template_measures import KINSHIPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.templates.model import TemplateModel
    from training.template_measures import MeasuredTemplates

    Scores = NDArray[np.float32]

__all__ = ["goodness_of_fit"]

_DRAWN = 4096
_TAILS = (1e-2, 1e-3, 1e-4, 1e-5)
_FMRS = (1e-2, 1e-3, 1e-4)


def goodness_of_fit(
    model: TemplateModel, measured: MeasuredTemplates, *, seed: int
) -> str:
    """Tabulate scores and error rates, measured and drawn.

    Args:
        model: Fitted to the measured.
        measured: Templates.
        seed: Of the drawn population.

    Returns:
        Markdown tables: means, spreads and the largest distance between the two
        distributions (Kolmogorov-Smirnov); upper tails of what strangers score, where
        ten comparisons or more lie beyond; false non-match rates at thresholds of
        stated false match rates, each world with its own threshold.
    """
    people = TemplatePopulation(model, seed=seed)
    desk = people.enrolled(0, _DRAWN)
    likeness = people.resemblances(0, _DRAWN)[::2]
    kinds = [likeness == r for r in model.kin_resemblance]
    kin = np.select([k & (likeness > 0.0) for k in kinds], range(len(KINSHIPS)), -1)
    strangers = (
        _strangers(measured.enrolled, measured.enrolled, measured.kin),
        _strangers(desk, desk, kin),
    )
    scores = ["| scores | measured | drawn | largest distance |", "|---|---|---|---|"]
    scores.append(_row("strangers, two enrolments", *strangers))
    for place, kinship in enumerate(KINSHIPS):
        pairs = (
            _pairs(measured.enrolled, measured.kin, place),
            _pairs(desk, kin, place),
        )
        if min(len(p) for p in pairs) > 0:
            scores.append(_row(f"{kinship}s, two enrolments", *pairs))
    errors = ["| false non-matches at FMR | measured | drawn |", "|---|---|---|"]
    for place, name in enumerate(model.conditions[1:].tolist()):
        seen = measured.street[place, :, 0, 0]
        drawn = people.templates(0, _DRAWN, condition=name, day=1)
        others = (
            _strangers(measured.enrolled, seen, measured.kin),
            _strangers(desk, drawn, kin),
        )
        mated = (np.sum(measured.enrolled * seen, axis=1), np.sum(desk * drawn, axis=1))
        scores += [
            _row(f"strangers, {name}", *others),
            _row(f"mated, {name}", *mated),
        ]
        errors += _missed(name, mated, others)
    tails = ["| strangers' score exceeded by | measured | drawn |", "|---|---|---|"]
    tails += [
        f"| 1 in {1 / tail:,.0f} | {np.quantile(strangers[0], 1 - tail):.3f} "
        f"| {np.quantile(strangers[1], 1 - tail):.3f} |"
        for tail in _TAILS
        if tail * len(strangers[0]) >= 10
    ]
    return "\n\n".join("\n".join(table) for table in (scores, tails, errors))


def _strangers(a: Scores, b: Scores, kin: NDArray[np.int64]) -> Scores:
    """Scores of everyone in `a` against everyone in `b` but themselves and their kin.

    Two enrolments of one list are compared twice, which changes no share.
    """
    scores = a @ b.T
    compared = ~np.eye(len(a), dtype=bool)
    first = 2 * np.flatnonzero(kin >= 0)
    compared[first, first + 1] = compared[first + 1, first] = False
    return np.asarray(scores[compared])


def _pairs(enrolled: Scores, kin: NDArray[np.int64], place: int) -> Scores:
    first = 2 * np.flatnonzero(kin == place)
    return np.asarray(np.sum(enrolled[first] * enrolled[first + 1], axis=1))


def _row(name: str, measured: Scores, made: Scores) -> str:
    moments = (f"{s.mean():.3f}, {s.std():.3f}" for s in (measured, made))
    distance = ks_2samp(measured, made).statistic
    return f"| {name} | {' | '.join(moments)} | {distance:.3f} |"


def _missed(
    name: str, mated: tuple[Scores, Scores], others: tuple[Scores, Scores]
) -> Iterator[str]:
    for fmr in _FMRS:
        if fmr * len(others[0]) < 10:
            continue
        shares = (
            float(np.mean(m < np.quantile(o, 1.0 - fmr)))
            for m, o in zip(mated, others, strict=True)
        )
        yield f"| {fmr:g}, {name} | " + " | ".join(f"{s:.1%}" for s in shares) + " |"
