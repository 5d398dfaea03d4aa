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
        "identity": np.eye(D, dtype=np.float32) * 0.2,
        "day": np.eye(D, dtype=np.float32) * 0.05,
        "shot": np.stack([np.eye(D) * 0.02, np.eye(D) * 0.08]).astype(np.float32),
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
