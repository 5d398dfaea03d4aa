"""Paints facial hair, from a morning's shadow to a full beard.

Owns where beards grow and which parts each habit keeps. Also says how far a beard
stands out, for the mesh. Knows nothing of triangles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.heads.face_canvas import MOUTH_Y_M
from synthetic_crowds.people.person import Beard, BeardStyle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.heads.face_canvas import FaceCanvas
    from synthetic_crowds.people.person import Appearance

__all__ = ["beard_cover", "paint_beard"]

# How dense each style keeps moustache, chin and cheeks with jaw.
_KEPT = {
    BeardStyle.SHAVEN: (0.0, 0.0, 0.0),
    BeardStyle.STUBBLE: (0.42, 0.42, 0.34),
    BeardStyle.MOUSTACHE: (0.95, 0.0, 0.0),
    BeardStyle.GOATEE: (0.9, 0.95, 0.0),
    BeardStyle.SHORT: (0.8, 0.85, 0.72),
    BeardStyle.FULL: (0.95, 1.0, 0.95),
}


def _soft(value: NDArray[np.floating], width: float) -> NDArray[np.float64]:
    """Step from 0 to 1 around value 0, over `width`."""
    return np.asarray(np.clip(value / width + 0.5, 0.0, 1.0), np.float64)


def _regions(
    position_m: NDArray[np.float32], beard: Beard
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Moustache, chin, and cheeks with jaw, on the template, in [0, 1]."""
    x, y, z = np.abs(position_m[..., 0]), position_m[..., 1], position_m[..., 2]
    lip = MOUTH_Y_M
    top = lip + 0.0155 - 0.16 * x
    moustache = _soft(top - y, 0.004) * _soft(y - (lip - 0.002 - 0.3 * x), 0.006)
    moustache = moustache * _soft(0.030 - x, 0.006) * (z > 0.06)
    chin = _soft(lip - 0.011 - y, 0.006) * _soft(0.027 - x, 0.008)
    chin = chin * _soft(y + 0.088, 0.012) * (z > 0.035)
    # The cheek's upper edge falls from the sideburn to the corner of the mouth.
    edge = np.interp(
        x,
        (0.0, 0.026, 0.045, 0.062, 0.072),
        (-0.050, -0.028, -0.010, 0.010, 0.024),
    )
    cheeks = _soft(edge + beard.cheek_line_m - y, 0.009) * _soft(y + 0.086, 0.014)
    cheeks = cheeks * _soft(z - 0.030, 0.010)
    return moustache, chin, cheeks


def beard_cover(
    position_m: NDArray[np.float32], beard: Beard, *, stubble: float
) -> NDArray[np.float32]:
    """How much hair covers the face at template positions.

    Args:
        position_m: (..., 3).
        beard: Growth and style.
        stubble: Growth since the last shave, in [0, 1].

    Returns:
        (...,) in [0, 1].
    """
    moustache, chin, cheeks = _regions(position_m, beard)
    shadow = 0.30 * stubble + 0.06
    kept = [max(share, shadow) * beard.density for share in _KEPT[beard.style]]
    return np.asarray(
        np.maximum(np.maximum(moustache * kept[0], chin * kept[1]), cheeks * kept[2]),
        np.float32,
    )


def paint_beard(
    image: NDArray[np.float32],
    beard: Beard,
    appearance: Appearance,
    canvas: FaceCanvas,
    *,
    colour_bgr: NDArray[np.float64],
) -> None:
    """Paint facial hair over the skin, sparing the lips.

    Args:
        image: (n, n, 3) float32 sRGB, changed in place.
        beard: Growth and style.
        appearance: Stubble of the day.
        canvas: Static maps.
        colour_bgr: (3,) of the hair, 0 to 255.
    """
    if beard.density == 0.0:
        return
    middle = canvas.position_m[:, canvas.position_m.shape[1] // 2, 1]
    rows = np.flatnonzero((middle < 0.045) & (middle > -0.125))
    band = slice(rows[0], rows[-1] + 1)
    cover = beard_cover(canvas.position_m[band], beard, stubble=appearance.stubble)
    grain = 0.55 * canvas.fine[band] + 0.45 * canvas.strands[band]
    patches = np.clip(canvas.pores[band] * 1.2 + 0.2, 0.0, 1.0) * beard.patchiness
    cover = np.clip(cover * (1.0 + 0.45 * grain - 0.55 * patches), 0.0, 0.96)
    cover *= 1.0 - np.clip(canvas.lips[band] * 1.3, 0.0, 1.0)
    shade = (1.0 + 0.22 * grain)[..., None].astype(np.float32)
    cover = cover[..., None].astype(np.float32)
    image[band] *= 1.0 - cover
    image[band] += cover * shade * colour_bgr.astype(np.float32)
