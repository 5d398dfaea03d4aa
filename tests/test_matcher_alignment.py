"""Claims about the similarity fit and the chips it cuts."""

import numpy as np
import pytest

from matcher.alignment import align, fit_residuals, fit_similarity, template


def _placed(factor: complex, shift: complex) -> np.ndarray:
    """Landmarks that the similarity z -> factor z + shift lays on the template."""
    target = template(64) @ np.array([1, 1j])
    z = (target - shift) / factor
    return np.stack([z.real, z.imag], axis=-1)[None].astype(np.float32)


@pytest.mark.parametrize("scale", [0.2, 0.7, 1.0, 3.0], ids=str)
def test_similarity_that_made_the_landmarks_is_recovered(scale: float) -> None:
    """Least squares is exact where an exact similarity exists."""
    factor, shift = scale * np.exp(0.4j), -80 * scale + 30j
    found = fit_similarity(_placed(factor, shift), chip_px=64)

    assert np.allclose([found[0][0], found[1][0]], [factor, shift], atol=1e-3)


def test_fit_is_the_least_squares_one() -> None:
    """No nearby similarity lies closer to the template than the one returned."""
    rng = np.random.default_rng(0)
    landmarks = _placed(0.8 + 0.1j, 5 - 20j) + rng.normal(0, 3, (1, 5, 2))
    target = template(64) @ np.array([1, 1j])
    points = landmarks[0, :, 0] + 1j * landmarks[0, :, 1]
    (factor,), (shift,) = fit_similarity(landmarks.astype(np.float32), chip_px=64)

    def misfit(a: complex, b: complex) -> float:
        return float((np.abs(a * points + b - target) ** 2).sum())

    best = misfit(factor, shift)
    for step in (1e-2, -1e-2, 1e-2j, -1e-2j):
        assert misfit(factor + step, shift - step * points.mean()) > best
        assert misfit(factor, shift + 10 * step) > best


def test_residual_is_zero_on_the_template_and_grows_as_a_face_turns() -> None:
    """Foreshortening one axis, as turning does, is no similarity."""
    turned = [
        (template(112) * [squeeze, 1.0]).astype(np.float32)
        for squeeze in (1.0, 0.8, 0.6)
    ]
    residuals = fit_residuals(np.array(turned))

    assert residuals[0] < 1e-6
    assert residuals[0] < residuals[1] < residuals[2]


@pytest.mark.parametrize("scale", [0.15, 0.3, 0.9, 2.0], ids=str)
def test_chip_shows_what_lies_under_its_pixels(scale: float) -> None:
    """A picture of its own coordinates tells where each chip pixel was taken from."""
    rows, columns = np.indices((720, 1280)) + 0.5
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[..., 0] = np.round(columns / 5.1)
    picture[..., 1] = np.round(rows / 2.9)
    factor = scale * np.exp(-0.2j)
    shift = 32 + 32j - factor * (640 + 360j)
    chip = align(picture, _placed(factor, shift), chip_px=64)[0]

    for row, column in [(20, 20), (32, 40), (50, 30)]:
        source = ((column + 0.5) + 1j * (row + 0.5) - shift) / factor
        assert abs(chip[row, column, 0] * 5.1 - source.real) < 5.1
        assert abs(chip[row, column, 1] * 2.9 - source.imag) < 2.9


def test_shrinking_averages_instead_of_picking_pixels() -> None:
    """A fine chequerboard shrunk eightfold is grey: nothing aliases."""
    board = (np.indices((720, 1280)).sum(axis=0) % 2 * 255).astype(np.uint8)
    picture = np.repeat(board[..., None], 3, axis=2)
    factor = 0.12 + 0.0j
    chip = align(
        picture, _placed(factor, 32 + 32j - factor * (640 + 360j)), chip_px=64
    )[0]

    assert abs(float(chip.mean()) - 127.5) < 3
    assert float(chip.std()) < 10


@pytest.mark.parametrize(
    "landmarks",
    [np.zeros((1, 5, 2)), np.full((1, 5, 2), -4000.0), np.empty((0, 5, 2))],
    ids=["all in one point", "far outside", "none"],
)
def test_odd_landmarks_give_chips_and_no_error(landmarks: np.ndarray) -> None:
    """What a network says at its worst must not stop a camera."""
    chips = align(
        np.zeros((90, 160, 3), np.uint8), landmarks.astype(np.float32), chip_px=64
    )

    assert chips.shape == (len(landmarks), 64, 64, 3)
