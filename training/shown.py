"""Views as a street camera shows them to an embedder, and what it makes of them.

Owns the way from stored views to chips, and the measure of held-out people. Knows
nothing of losses or schedules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from training.augment import CLEAN, STREET, degraded_chip
from training.feeding import Batch, feed
from training.verification import Separation, pair_scores, separation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from training.faces_dataset import FaceViews
    from training.networks import FaceEmbedder

__all__ = ["as_input", "chips_of", "embed_views", "validate"]

_VALIDATION_BATCH = 256


def chips_of(
    faces: FaceViews, rows: NDArray[np.int64], *, chip_px: int, rng: np.random.Generator
) -> Tensor:
    """Degrade the views at `rows`; every second enrolment view stays nearly clean."""
    chips = np.empty((len(rows), chip_px, chip_px, 3), np.uint8)
    for chip, row in zip(chips, rows, strict=True):
        near = faces.enrolment[row] and rng.random() < 0.5
        chip[:], _ = degraded_chip(
            faces.images_bgr[row],
            faces.landmarks[row],
            float(faces.face_height_px[row]),
            config=CLEAN if near else STREET,
            chip_px=chip_px,
            rng=rng,
        )
    return torch.from_numpy(chips)


def as_input(chips: Tensor) -> Tensor:
    """Turn (n, c, c, 3) bytes into (n, 3, c, c) floats, channels last in memory."""
    return chips.permute(0, 3, 1, 2).float()


def embed_views(
    embedder: FaceEmbedder,
    faces: FaceViews,
    *,
    seed: int,
    workers: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """Embed every view as a street camera would deliver it.

    Args:
        embedder: In evaluation mode, of any state, on `device`.
        faces: n views.
        seed: Of the degradations.
        workers: Processes that degrade.
        device: Where to embed.

    Returns:
        (n, d) float32, unit length.
    """
    parts = range(0, len(faces), _VALIDATION_BATCH)

    def make(first: int) -> Batch:
        rows = np.arange(first, min(first + _VALIDATION_BATCH, len(faces)))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(99, first)))
        return (chips_of(faces, rows, chip_px=embedder.chip_px, rng=rng),)

    vectors = []
    with torch.no_grad():
        for (chips,) in feed(make, parts, workers=workers, device=device):
            shown = as_input(chips)
            both = embedder(shown) + embedder(shown.flip(3))
            vectors.append(nn.functional.normalize(both).cpu().numpy())
    return np.concatenate(vectors)


def validate(
    embedder: FaceEmbedder,
    faces: FaceViews,
    *,
    seed: int,
    workers: int,
    device: torch.device,
) -> dict[str, Separation]:
    """Measure separation on held-out people, same day and other day apart."""
    embedder.eval()
    vectors = embed_views(embedder, faces, seed=seed, workers=workers, device=device)
    same_day, other_day, non_mated = pair_scores(vectors, faces.person, faces.day)
    embedder.train()
    return {
        "same day": separation(same_day, non_mated),
        "other day": separation(other_day, non_mated),
    }
