"""Depth of field: how blurred things are that are not at the lens's focus.

Owns the circle of confusion and the blurring of a flat picture by its depth. Knows
nothing of what a picture shows.

Source:
    Thin lens: a point at depth d is seen through a pupil of width A, focused at f, as
    a disc of width F * A * |1 / f - 1 / d| for a focal length of F pixels; a disc of
    width w blurs like a Gaussian of standard deviation w / 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.raster.optics import Optics

__all__ = ["blur_by_depth"]

# Standard deviations, pixels, between which pictures are blended.
_STEPS_PX = (0.0, 0.7, 1.4, 2.8, 5.6, 11.2)


def blur_by_depth(
    image_bgr: NDArray[np.uint8], depth_m: NDArray[np.float32], optics: Optics
) -> NDArray[np.uint8]:
    """Blur each place of a picture as far as it is out of focus.

    Args:
        image_bgr: (h, w, 3), in focus everywhere.
        depth_m: (h, w), along the optical axis.
        optics: The lens.

    Returns:
        A new picture; the same one for a lens without a pupil.
    """
    if optics.pupil_m == 0.0:
        return image_bgr
    wanted = np.asarray(optics.defocus_px(depth_m), np.float32)
    levels = [image_bgr.astype(np.float32)]
    levels += [
        np.asarray(cv2.GaussianBlur(levels[0], (0, 0), step)) for step in _STEPS_PX[1:]
    ]
    blurred = levels[0].copy()
    for lower, upper, low_px, high_px in zip(
        levels, levels[1:], _STEPS_PX, _STEPS_PX[1:], strict=False
    ):
        share = np.clip((wanted - low_px) / (high_px - low_px), 0.0, 1.0)[..., None]
        within = (wanted > low_px)[..., None]
        blurred = np.where(within, lower + share * (upper - lower), blurred)
    return np.clip(np.rint(blurred), 0, 255).astype(np.uint8)
