"""Claims about landmarks that are looked at twice."""

import numpy as np
import pytest

from matcher.alignment import fit_similarity, template
from matcher.config import AlignmentConfig
from matcher.landmarks import (
    AsDetected,
    make_refiner,
    moved_landmarks,
    refiner_name,
)
from matcher.weights import read_manifest


def _faces(n: int, seed: int = 0) -> np.ndarray:
    """Landmarks of upright and tilted faces of several sizes, n of them."""
    rng = np.random.default_rng(seed)
    turn = np.exp(1j * rng.uniform(-0.4, 0.4, n)) * rng.uniform(20, 200, n)
    shape = template(1) @ np.array([1.0, 1.0j]) + rng.normal(0, 0.02, (n, 5))
    placed = turn[:, None] * shape + rng.uniform(50, 300, (n, 1)) * (1 + 1j)
    return np.stack((placed.real, placed.imag), axis=-1).astype(np.float32)


def test_no_shift_on_a_perfect_chip_is_no_move() -> None:
    """Landmarks that are a similarity of the template stay where they are."""
    found = _faces(1)
    factor, shift = fit_similarity(found, chip_px=1)
    exact = (template(1) @ np.array([1, 1j]) - shift[0]) / factor[0]
    landmarks = np.stack((exact.real, exact.imag), -1)[None].astype(np.float32)
    moved = moved_landmarks(landmarks, np.zeros((1, 5, 2), np.float32))
    np.testing.assert_allclose(moved, landmarks, atol=1e-3)


def test_the_true_shifts_lead_back_to_the_true_landmarks() -> None:
    """Shifts are measured on the chip, landmarks come out in the image."""
    truth = _faces(6)
    rng = np.random.default_rng(1)
    missed = (truth + rng.normal(0, 3, truth.shape)).astype(np.float32)
    factor, origin = fit_similarity(missed, chip_px=1)
    on_chip = factor[:, None] * (truth @ np.array([1, 1j])) + origin[:, None]
    shifts = np.stack((on_chip.real, on_chip.imag), -1) - template(1)
    moved = moved_landmarks(missed, shifts.astype(np.float32))
    np.testing.assert_allclose(moved, truth, atol=1e-2)


def test_refining_can_be_left_out() -> None:
    """The setting takes the detector at its word."""
    refiner = make_refiner(AlignmentConfig(refine=False))
    assert isinstance(refiner, AsDetected)
    landmarks = _faces(2)
    image = np.zeros((300, 300, 3), np.uint8)
    np.testing.assert_array_equal(refiner.refine(image, landmarks), landmarks)


def test_a_refiner_is_named_by_its_hash() -> None:
    """A result names every network that it came by; none is named none."""
    sha256 = read_manifest().refiner.sha256
    assert refiner_name(AlignmentConfig()) == f"reference@{sha256}"
    assert refiner_name(AlignmentConfig(refine=False)) == "none"


@pytest.mark.parametrize("n", [0, 1, 3])
def test_the_shipped_refiner_takes_any_number_of_faces(n: int) -> None:
    """What goes in comes out, corrected, finite and near where it was."""
    image = np.random.default_rng(2).integers(0, 255, (400, 400, 3), np.uint8)
    landmarks = _faces(n)
    refined = make_refiner(AlignmentConfig()).refine(image, landmarks)
    assert refined.shape == (n, 5, 2)
    assert refined.dtype == np.float32
    assert np.isfinite(refined).all()
