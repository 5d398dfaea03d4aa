"""Paints eyebrows as strands along an arched band.

Owns their look. Knows nothing of skin or hair but the colours it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.heads.face_canvas import FaceCanvas
    from synthetic_crowds.people.person import Brows

__all__ = ["paint_brows"]

# Height of the average brow's lower inner edge on the template.
_BROW_Y_M = 0.0555
_REACH_M = 0.022


def paint_brows(
    image: NDArray[np.float32],
    brows: Brows,
    canvas: FaceCanvas,
    *,
    colour_bgr: NDArray[np.float64],
) -> None:
    """Paint both brows over the skin.

    Args:
        image: (n, n, 3) float32 sRGB, changed in place.
        brows: Their shape.
        canvas: Static maps.
        colour_bgr: (3,) of the strands, 0 to 255.
    """
    y_all = canvas.position_m[..., 1]
    middle = y_all[:, len(y_all) // 2]
    rows = np.flatnonzero(np.abs(middle - _BROW_Y_M) < _REACH_M + 0.006)
    band = slice(rows[0], rows[-1] + 1)
    x, y = np.abs(canvas.position_m[band, :, 0]), y_all[band]

    t = (x - brows.inner_x_m) / brows.length_m
    inside = np.clip(t, 0.0, 1.0)
    peak = brows.arch_at
    rise = np.where(inside < peak, inside / peak, (1.0 - inside) / (1.0 - peak))
    rise = rise * rise * (3.0 - 2.0 * rise)
    centre = _BROW_Y_M + brows.height_m + brows.slope * (x - brows.inner_x_m)
    centre = centre + brows.arch_m * rise
    half = 0.5 * brows.thickness_m * (1.0 - brows.taper * inside**1.6)
    half = half * (0.62 + 0.38 * np.clip(inside / 0.18, 0.0, 1.0))
    soft = 0.0011
    cover = np.clip((half - np.abs(y - centre)) / soft * 0.5 + 0.5, 0.0, 1.0)
    # Ends thin out over some millimetres, the inner one more raggedly.
    strands = canvas.strands[band] + 0.6 * canvas.fine[band]
    cover *= np.clip((t + 0.04 + 0.05 * strands) / 0.10, 0.0, 1.0)
    cover *= np.clip((1.0 - t) / 0.08, 0.0, 1.0)
    cover *= np.clip(brows.density + 0.38 * strands, 0.0, 1.0) * canvas.front[band]
    cover = np.clip(cover, 0.0, 0.97)[..., None].astype(np.float32)
    image[band] *= 1.0 - cover
    image[band] += cover * colour_bgr.astype(np.float32)
