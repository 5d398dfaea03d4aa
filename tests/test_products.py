"""The best of a matrix product, found without holding the product."""

import numpy as np
import pytest

from matcher.indexes.exact import ExactIndex
from matcher.indexes.products import best_of_products
from matcher.records import Embeddings


def _drawn(n: int, d: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


@pytest.mark.parametrize(
    ("n", "d", "m", "k"),
    [
        (1, 128, 8, 1),
        (5, 8, 9, 5),
        (960, 128, 32, 3),
        (961, 128, 32, 961),
        (5000, 128, 33, 1),
        (5000, 128, 70, 40),
        (3000, 512, 32, 8),
        (9000, 4, 1, 2000),
    ],
)
def test_products_find_what_a_sort_finds(n: int, d: int, m: int, k: int) -> None:
    """Sizes about one slice, one part and one batch of probes, and k beyond each."""
    templates, probes = _drawn(n, d, seed=1), _drawn(m, d, seed=2)
    found = best_of_products(templates, probes, k=k)
    expected = ExactIndex(templates).search(Embeddings(vectors=probes), k=k)
    rescored = np.einsum("mkd,md->mk", templates[found.rows], probes)

    assert np.allclose(found.scores, expected.scores, atol=1e-4)
    assert np.allclose(found.scores, rescored, atol=1e-4)
    assert all(len(set(rows)) == k for rows in found.rows.tolist())


def test_padding_is_never_found() -> None:
    """The last part is filled up with zeros, which beat scores below zero."""
    templates = -np.abs(_drawn(1000, 16, seed=3))
    probes = np.abs(_drawn(8, 16, seed=4))
    found = best_of_products(templates, probes, k=1000)

    assert (found.scores < 0).all()
    assert (np.sort(found.rows) == np.arange(1000)).all()


def test_the_best_in_one_part_are_all_found() -> None:
    """Neighbours in the gallery may all be better than everybody else."""
    templates = 0.01 * _drawn(20_000, 32, seed=5)
    probe = _drawn(1, 32, seed=6)
    near = [7000, 7001, 7300, 7301, 8000]
    templates[near] = probe * np.array([[5], [4], [3], [2], [1]])
    found = best_of_products(templates, np.repeat(probe, 8, axis=0), k=5)

    assert (found.rows == near).all()
