"""The template model's covariances, by moments of measured templates.

Owns what can be read off averages of products. Between two pictures of one person on
different days only group and identity are shared, so that with the enrolment as unit

    cov(enrolled, street_q)          = gain_q   * identity
    cov(street_q, street_q, 2 days)  = gain_q^2 * identity
    cov(street_q, street_q, 1 day)   = gain_q^2 * (identity + day)
    cov(street_q)                    = gain_q^2 * (identity + day) + shot_q

where everything is taken within groups. How strengths scatter is fitted afterwards, by
`training.template_strengths`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.templates.model import TemplateModel
from training.template_measures import KINSHIPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.template_measures import MeasuredTemplates

__all__ = ["model_of_moments", "root"]

# Quantiles of strengths; all of them 1 here.
_QUANTILES = 65


def model_of_moments(measured: MeasuredTemplates, *, embedder: str) -> TemplateModel:
    """Fit all but the strengths, which are left at one.

    Args:
        measured: Templates.
        embedder: SHA-256 of the model that made them.
    """
    n_groups, q = len(measured.groups), len(measured.conditions)
    enrolled, desk_mean, group_means = _centred(
        measured.enrolled, measured.group, n_groups
    )
    gains, means, with_desk, days, within = [1.0], [desk_mean], [], [], []
    for street in measured.street:
        mean = street.mean(axis=(0, 1, 2), dtype=np.float64)
        people = _within_groups(street - mean, measured.group)
        first, second = people[:, 0], people[:, 1]
        across = _covariance(first.mean(axis=1), second.mean(axis=1))
        shared = _covariance(enrolled, people.mean(axis=(1, 2)))
        gain = float(np.trace(across) / np.trace(shared))
        one_day = (
            _covariance(first[:, 0], first[:, 1])
            + _covariance(second[:, 0], second[:, 1])
        ) / 2
        gains.append(gain)
        means.append(mean)
        with_desk.append(people.mean(axis=(1, 2)) / gain)
        days.append((one_day - across) / gain**2)
        within.append(np.cov(people.reshape(-1, people.shape[-1]).T))
    seen = np.mean(with_desk, axis=0)
    identity = np.stack(
        [
            root(covariance)
            for covariance in _identities(enrolled, seen, measured.group, n_groups)
        ]
    )
    shares = np.bincount(measured.group, minlength=n_groups) / len(measured.group)
    day = root(np.mean(days, axis=0))
    known = _covariance(enrolled, seen) + day @ day.T
    shots = [np.cov(enrolled.T) - known]
    shots += [
        total - gain**2 * known for total, gain in zip(within, gains[1:], strict=True)
    ]
    return TemplateModel(
        embedder_sha256=embedder,
        groups=np.array(measured.groups),
        group_shares=shares,
        group_means=group_means.astype(np.float32),
        conditions=np.array(measured.conditions),
        means=np.stack(means).astype(np.float32),
        gains=np.array(gains),
        identity=identity.astype(np.float32),
        day=day.astype(np.float32),
        shot=np.stack([root(shot) for shot in shots]).astype(np.float32),
        strength_sd=np.zeros(2),
        strength_shot=np.zeros((q, _QUANTILES)),
        kin_shares=np.array(
            [Demographics().siblings_share, Demographics().twins_share]
        ),
        kin_resemblance=_resemblances(enrolled, seen, measured.kin),
    )


def _identities(
    enrolled: NDArray[np.float64],
    seen: NDArray[np.float64],
    group: NDArray[np.int64],
    n_groups: int,
) -> list[NDArray[np.float64]]:
    """Covariances of groups, drawn the nearer to everybody's the smaller they are."""
    everybody = _covariance(enrolled, seen)
    dimension = everybody.shape[0]
    found = []
    for g in range(n_groups):
        rows = group == g
        n = int(rows.sum())
        if n == 0:
            found.append(everybody)
            continue
        own = _covariance(enrolled[rows], seen[rows])
        weight = n / (n + dimension)
        found.append(weight * own + (1.0 - weight) * everybody)
    return found


def _resemblances(
    enrolled: NDArray[np.float64], seen: NDArray[np.float64], kin: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Correlation of the identities of each kind of kin; 0 where there are none."""
    shared = float(np.sum(enrolled * seen) / len(enrolled))
    found = []
    for place in range(len(KINSHIPS)):
        pairs = np.flatnonzero(kin == place)
        products = np.sum(enrolled[2 * pairs] * enrolled[2 * pairs + 1], axis=1)
        likeness = float(products.mean()) / shared if len(pairs) else 0.0
        found.append(min(max(likeness, 0.0), 0.99))
    return np.array(found)


def _centred(
    templates: NDArray[np.float32], group: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what is left within groups, the mean, and the groups' means about it."""
    mean = templates.mean(axis=0, dtype=np.float64)
    left = templates - mean
    means = np.zeros((n_groups, templates.shape[1]))
    for g in np.unique(group):
        means[g] = left[group == g].mean(axis=0)
    return left - means[group], mean, means


def _within_groups(
    people: NDArray[np.float64], group: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Take each group's mean off (n, 2, 2, d)."""
    left = people.copy()
    for g in np.unique(group):
        left[group == g] -= people[group == g].mean(axis=(0, 1, 2))
    return left


def _covariance(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Symmetrised covariance of paired rows (n, d), whose means are zero."""
    product = a.astype(np.float64).T @ b / len(a)
    return (product + product.T) / 2


def root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Square root of the nearest covariance; what noise made negative becomes zero."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
