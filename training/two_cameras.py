"""Crowds before a camera near by and one far off, for evaluation and for choosing.

Owns which street, which cameras and which seed a number stands for. Knows nothing of
matching.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.crowd import make_crowd
from training.streets import FAR_HFOV_DEG, draw_camera, draw_crowd

if TYPE_CHECKING:
    from pathlib import Path

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.config import CrowdConfig, WatchlistConfig
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.records import Crowd

__all__ = ["TwoCameraStreet", "two_camera_crowd", "two_camera_street"]


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
    street = two_camera_street(index, seed=seed, duration_s=duration_s, fps=fps)
    return make_crowd(
        street.crowd,
        street.cameras,
        watchlist,
        seed=street.seed,
        cache_dir=cache_dir,
        workers=1,
        progress=lambda _task, _done, _total: None,
        domain=domain,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoCameraStreet:
    """What a number stands for.

    Attributes:
        crowd: Who walks.
        cameras: The near one, then the far one.
        seed: Of the crowd.
    """

    crowd: CrowdConfig
    cameras: tuple[CameraConfig, CameraConfig]
    seed: int


def two_camera_street(
    index: int, *, seed: int, duration_s: float, fps: float
) -> TwoCameraStreet:
    """Draw the settings of a street; see `two_camera_crowd`."""
    rng = np.random.default_rng((seed, index))
    # Steps of four: the first streets differ in setting, and soon in light.
    crowd = draw_crowd(4 * index % 15, duration_s=duration_s, rng=rng)
    near = draw_camera("near", fps=fps, rng=rng)
    far = draw_camera("far", fps=fps, rng=rng, hfov_deg=FAR_HFOV_DEG)
    # People pass once, so that every mated passage is another identity's.
    return TwoCameraStreet(
        crowd=crowd.model_copy(update={"return_share": 0.0}),
        cameras=(near, far),
        seed=seed * 1000 + index,
    )
