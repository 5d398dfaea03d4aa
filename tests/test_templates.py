"""Claims about populations that consist of templates alone."""

import numpy as np
import pytest

from synthetic_crowds.errors import TemplateModelError
from synthetic_crowds.templates.model import (
    ENROLMENT,
    TemplateModel,
    load_model,
    save_model,
)
from synthetic_crowds.templates.population import BLOCK, TemplatePopulation

D = 16


def _model(**changes) -> TemplateModel:
    parts = {
        "embedder_sha256": "0" * 64,
        "groups": np.array(["a", "b"]),
        "group_shares": np.array([0.75, 0.25]),
        "group_means": np.eye(2, D, dtype=np.float32) * 0.4,
        "conditions": np.array([ENROLMENT, "32 px"]),
        "means": np.zeros((2, D), np.float32),
        "gains": np.array([1.0, 0.7]),
        "identity": np.stack([np.eye(D) * 0.2] * 2).astype(np.float32),
        "day": np.eye(D, dtype=np.float32) * 0.05,
        "shot": np.stack([np.eye(D) * 0.02, np.eye(D) * 0.08]).astype(np.float32),
        "strength_sd": np.zeros(2),
        "strength_shot": np.zeros((2, 5)),
        "kin_shares": np.zeros(2),
        "kin_resemblance": np.array([0.5, 0.95]),
    }
    return TemplateModel(**{**parts, **changes})


def test_anybody_can_be_drawn_without_the_others() -> None:
    """A person's template does not depend on who else is asked for."""
    people = TemplatePopulation(_model(), seed=3)
    across = people.enrolled(BLOCK - 5, 10)
    np.testing.assert_array_equal(across[:5], people.enrolled(BLOCK - 5, 5))
    np.testing.assert_array_equal(across[5:], people.enrolled(BLOCK, 5))


def test_templates_have_unit_length() -> None:
    """As those of an embedder."""
    templates = TemplatePopulation(_model(), seed=3).enrolled(0, 100)
    assert templates.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 1.0, atol=1e-5)


def test_poor_pictures_resemble_their_person_less() -> None:
    """Mated scores fall with the condition and stay above non-mated ones."""
    people = TemplatePopulation(_model(), seed=3)
    desk = people.enrolled(0, 2000)

    def mated(condition: str) -> float:
        seen = people.templates(0, 2000, condition=condition, day=1)
        return float((desk * seen).sum(axis=1).mean())

    non_mated = float((desk[:1000] * desk[1000:]).sum(axis=1).mean())
    assert mated(ENROLMENT) > mated("32 px") + 0.05 > non_mated + 0.05


def test_groups_come_in_their_shares_and_resemble_themselves() -> None:
    """Impostors of one's own group score higher."""
    people = TemplatePopulation(_model(), seed=3)
    group = people.groups(0, 4000)
    assert abs((group == 0).mean() - 0.75) < 0.03
    desk = people.enrolled(0, 4000)
    first, second = desk[:2000], desk[2000:]
    same = group[:2000] == group[2000:]
    scores = (first * second).sum(axis=1)
    assert scores[same].mean() > scores[~same].mean() + 0.1


def test_seeds_and_shots_differ() -> None:
    """Another seed is another population, another shot another picture."""
    people = TemplatePopulation(_model(), seed=3)
    others = TemplatePopulation(_model(), seed=4)
    assert not np.allclose(people.enrolled(0, 5), others.enrolled(0, 5))
    shots = [
        people.templates(0, 5, condition="32 px", day=1, shot=shot) for shot in (0, 1)
    ]
    assert not np.allclose(*shots)


def test_kin_resemble_each_other_by_as_much_as_the_model_says() -> None:
    """Twins more than siblings, siblings more than strangers, in their shares."""
    shares = np.array([0.3, 0.2])
    people = TemplatePopulation(_model(kin_shares=shares), seed=3)
    desk = people.enrolled(0, 8000)
    likeness = people.resemblances(0, 8000)[::2]
    scores = (desk[::2] * desk[1::2]).sum(axis=1)
    strangers, siblings, twins = (scores[likeness == r] for r in (0.0, 0.5, 0.95))
    assert abs(len(siblings) / 4000 - 0.3) < 0.03
    assert abs(len(twins) / 4000 - 0.2) < 0.03
    assert twins.mean() > siblings.mean() + 0.2 > strangers.mean() + 0.4


def test_strengths_scatter_mated_scores_by_person_day_and_picture() -> None:
    """What is weak in all pictures of a person, or of a day, is weak in each."""
    parts = {
        "person": _model(strength_sd=np.array([1.0, 0.0])),
        "day": _model(strength_sd=np.array([0.0, 1.0])),
        "picture": _model(
            strength_shot=np.stack([np.zeros(5), np.linspace(-2.0, 1.0, 5)])
        ),
    }
    alike = {}
    for name, model in parts.items():
        people = TemplatePopulation(model, seed=3)
        desk = people.enrolled(0, 4000)
        scores = [
            (
                desk * people.templates(0, 4000, condition="32 px", day=day, shot=shot)
            ).sum(axis=1)
            for day, shot in ((1, 0), (1, 1), (2, 0))
        ]
        one_day = np.corrcoef(scores[0], scores[1])[0, 1]
        two_days = np.corrcoef(scores[0], scores[2])[0, 1]
        alike[name] = (one_day > 0.5, two_days > 0.5)
    assert alike == {
        "person": (True, True),
        "day": (True, False),
        "picture": (False, False),
    }


def test_groups_have_spreads_of_their_own() -> None:
    """A group whose identities lie close together has the higher impostor scores."""
    close = np.stack([np.eye(D) * 0.2, np.eye(D) * 0.05]).astype(np.float32)
    people = TemplatePopulation(_model(identity=close), seed=3)
    group, desk = people.groups(0, 6000), people.enrolled(0, 6000)
    within = [
        np.mean((desk[group == g] @ desk[group == g].T)[np.triu_indices(500, k=1)])
        for g in (0, 1)
    ]
    assert within[1] > within[0] + 0.2


def test_models_are_kept_on_disk(tmp_path) -> None:
    """What was saved is loaded, and gives the same people."""
    save_model(_model(), tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(
        TemplatePopulation(loaded, seed=1).enrolled(0, 3),
        TemplatePopulation(_model(), seed=1).enrolled(0, 3),
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"gains": np.ones(3)}, "gains must be"),
        ({"group_means": np.zeros((1, D), np.float32)}, "group_means must be"),
    ],
)
def test_models_that_do_not_fit_together_are_refused(change, complaint) -> None:
    """The error names what is wrong."""
    with pytest.raises(TemplateModelError, match=complaint):
        _model(**change)


def test_unknown_conditions_are_refused() -> None:
    """The error lists those that were measured."""
    with pytest.raises(TemplateModelError, match=r"32 px.*'48 px'"):
        TemplatePopulation(_model(), seed=1).templates(0, 1, condition="48 px", day=1)


def test_unreadable_models_are_refused(tmp_path) -> None:
    """No traceback for a file that is none."""
    path = tmp_path / "model.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(TemplateModelError, match="cannot be read"):
        load_model(path)
