"""Crowds before a camera near by and one far off, for evaluation and for choosing.

Owns which street, which cameras and which seed a number stands for. Knows nothing of
matching.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.crowd import make_crowd
from training.streets import FAR_HFOV_DEG, draw_camera, draw_crowd

if TYPE_CHECKING:
    from pathlib import Path

    from synthetic_crowds.config import WatchlistConfig
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.records import Crowd

__all__ = ["two_camera_crowd"]


def two_camera_crowd(
    index: int,
    *,
    seed: int,
    duration_s: float,
    fps: float,
    watchlist: WatchlistConfig,
    domain: IdentityDomain,
    cache_dir: Path,
) -> Crowd:
    """Make one street's crowd, or read it from the cache.

    Args:
        index: Number of the street.
        seed: Of every draw.
        duration_s: Of each clip.
        fps: Of each camera.
        watchlist: Who is sought.
        domain: Of the people.
        cache_dir: Of clips and portraits.
    """
    rng = np.random.default_rng((seed, index))
    # Steps of four: the first streets differ in setting, and soon in light.
    crowd = draw_crowd(4 * index % 15, duration_s=duration_s, rng=rng)
    near = draw_camera("near", fps=fps, rng=rng)
    far = draw_camera("far", fps=fps, rng=rng, hfov_deg=FAR_HFOV_DEG)
    # People pass once, so that every mated passage is another identity's.
    return make_crowd(
        crowd.model_copy(update={"return_share": 0.0}),
        (near, far),
        watchlist,
        seed=seed * 1000 + index,
        cache_dir=cache_dir,
        workers=1,
        progress=lambda _task, _done, _total: None,
        domain=domain,
    )
