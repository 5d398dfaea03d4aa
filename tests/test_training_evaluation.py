"""Claims about whom an evaluation counts as unoccluded, and on which streets."""

import pytest

from synthetic_crowds.film.clips import walker_on_the_day
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import IdentityDomain
from training.two_cameras import two_camera_street


def _share_hidden(habits: Habits) -> float:
    street = two_camera_street(2, seed=9, duration_s=10.0, fps=6.0)
    crowd = street.crowd.model_copy(update={"habits": habits})
    hidden = [
        walker_on_the_day(
            index, crowd, seed=street.seed, domain=IdentityDomain.EVALUATION
        )[1].hides_face
        for index in range(200)
    ]
    return sum(hidden) / len(hidden)


@pytest.mark.parametrize("worn", ["face_mask_share", "sunglasses_share"])
def test_masks_and_sunglasses_hide_faces(worn: str) -> None:
    """Small children wear neither; hats and spectacles hide nothing that counts."""
    bare = {"face_mask_share": 0.0, "sunglasses_share": 0.0}

    assert _share_hidden(Habits(**bare, hat_factor=50.0, glasses_factor=50.0)) == 0.0
    assert 0.9 < _share_hidden(Habits(**bare | {worn: 1.0})) < 1.0


def test_a_streets_number_decides_its_settings() -> None:
    """The same number is the same street, before and after it is rendered."""
    streets = [
        two_camera_street(index, seed=9, duration_s=10.0, fps=6.0)
        for index in (0, 0, 1)
    ]

    assert streets[0] == streets[1] != streets[2]
    assert streets[0].cameras[0].hfov_deg < streets[0].cameras[1].hfov_deg
    assert streets[0].crowd.return_share == 0.0
