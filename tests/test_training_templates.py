"""Claims about the fit of the template model: it finds where templates came from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

pytest.importorskip("torch")

from synthetic_crowds.templates.model import ENROLMENT, TemplateModel
from synthetic_crowds.templates.population import TemplatePopulation
from training.fit_templates import fit
from training.template_fit import goodness_of_fit
from training.template_measures import MeasuredTemplates

D, N = 24, 3000


def _truth() -> TemplateModel:
    """Identities in some directions more than in others, one poor condition."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.standard_normal((D, D)))[0]
    spread = 0.19 * np.linspace(1.5, 0.5, D)
    return TemplateModel(
        embedder_sha256="0" * 64,
        groups=np.array(["a", "b"]),
        group_shares=np.array([0.5, 0.5]),
        group_means=(0.2 * turn[:2] * [[1], [-1]]).astype(np.float32),
        conditions=np.array([ENROLMENT, "32 px"]),
        means=np.zeros((2, D), np.float32),
        gains=np.array([1.0, 0.8]),
        identity=np.stack([turn * spread] * 2).astype(np.float32),
        day=(0.05 * np.eye(D)).astype(np.float32),
        shot=np.stack([0.03 * np.eye(D), 0.09 * np.eye(D)]).astype(np.float32),
        strength_sd=np.array([0.15, 0.2]),
        strength_shot=np.stack([np.zeros(9), np.linspace(-0.9, 0.3, 9)]),
        kin_shares=np.array([0.05, 0.01]),
        kin_resemblance=np.array([0.5, 0.9]),
    )


def _kin(people: TemplatePopulation) -> np.ndarray:
    likeness = people.resemblances(0, N)[::2]
    return np.select([likeness == 0.5, likeness == 0.9], [0, 1], -1)


def _measured(model: TemplateModel) -> MeasuredTemplates:
    people = TemplatePopulation(model, seed=5)
    street = np.stack(
        [
            [
                people.templates(0, N, condition="32 px", day=day, shot=shot)
                for shot in (0, 1)
            ]
            for day in (1, 2)
        ]
    )
    return MeasuredTemplates(
        enrolled=people.enrolled(0, N),
        street=street.transpose(2, 0, 1, 3)[None],
        group=people.groups(0, N),
        kin=_kin(people),
        groups=("a", "b"),
        conditions=(ENROLMENT, "32 px"),
    )


def test_fit_recovers_the_model_that_templates_were_drawn_from() -> None:
    """Scores of people drawn from the fit are distributed as those it was fitted to."""
    measured = _measured(_truth())
    model = fit(measured, embedder="0" * 64, seed=7)
    people = TemplatePopulation(model, seed=9)
    desk = people.enrolled(0, N)
    seen = people.templates(0, N, condition="32 px", day=1)
    wanted = (measured.enrolled * measured.street[0, :, 0, 0]).sum(axis=1)
    found = (desk * seen).sum(axis=1)
    assert ks_2samp(found, wanted).statistic < 0.05
    others = (desk[: N // 2] * desk[N // 2 :]).sum(axis=1)
    wanted_others = (measured.enrolled[: N // 2] * measured.enrolled[N // 2 :]).sum(
        axis=1
    )
    assert abs(others.std() - wanted_others.std()) < 0.02
    # Of the person, of the day; and siblings and twins.
    np.testing.assert_allclose(model.strength_sd, [0.15, 0.2], atol=0.08)
    np.testing.assert_allclose(model.kin_resemblance, [0.5, 0.9], atol=0.15)


def test_goodness_of_fit_compares_like_with_like() -> None:
    """One row per condition and kind of pair, tails only where they can be seen."""
    measured = _measured(_truth())
    model = fit(measured, embedder="0" * 64, seed=7)
    few = replace(
        measured,
        enrolled=measured.enrolled[:300],
        street=measured.street[:, :300],
        group=measured.group[:300],
        kin=measured.kin[:150],
    )
    table = goodness_of_fit(model, few, seed=2)
    assert sum(row.startswith("| mated") for row in table.splitlines()) == 1
    assert "| 1 in 1,000 |" in table
    assert "| 1 in 100,000 |" not in table
