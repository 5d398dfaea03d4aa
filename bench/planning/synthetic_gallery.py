"""Galleries of any size, made of the enrolled and of strangers.

Owns the filling up. Knows nothing of loads.
"""

from __future__ import annotations

import numpy as np

from matcher.gallery import Gallery
from matcher.records import SubjectId

__all__ = ["gallery_of"]


def gallery_of(gallery: Gallery, size: int) -> Gallery:
    """Shorten a gallery, or fill it up with templates of nobody.

    Strangers are drawn at random on the sphere: as costly to search as people, and
    far from everybody.

    Args:
        gallery: The enrolled.
        size: Templates wanted.
    """
    n, dimension = gallery.templates.shape
    if size <= n:
        return Gallery(
            templates=gallery.templates[:size].copy(),
            subject_ids=gallery.subject_ids[:size],
            embedder_sha256=gallery.embedder_sha256,
        )
    rng = np.random.default_rng(size)
    strangers = rng.standard_normal((size - n, dimension), dtype=np.float32)
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    return Gallery(
        templates=np.concatenate([gallery.templates, strangers]),
        subject_ids=(
            *gallery.subject_ids,
            *(SubjectId(f"stranger-{k}") for k in range(size - n)),
        ),
        embedder_sha256=gallery.embedder_sha256,
    )
