"""Paints skin: tone, redness, lips, lids, wrinkles and marks.

Owns the albedo of the bare face in sRGB. Knows nothing of brows, beards or hair, which
are painted over it, nor of light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.heads.face_canvas import EYE_M, MOUTH_Y_M, FaceCanvas
from synthetic_crowds.heads.reflectance import BLOOD_BGR, skin_colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["paint_skin"]


def paint_skin(
    person: Person, appearance: Appearance, canvas: FaceCanvas
) -> NDArray[np.float32]:
    """Paint the bare skin of one face.

    Args:
        person: Tone and marks.
        appearance: Tan, flush, tiredness and make-up.
        canvas: Static maps of the texture size.

    Returns:
        (n, n, 3) float32 sRGB B, G, R, 0 to 255.
    """
    skin = person.skin
    tone = float(np.clip(skin.tone + appearance.tan, 0.5, 10.5))
    colour = skin_colour(tone, skin.undertone)
    dark = float(np.clip((tone - 3.0) / 6.0, 0.0, 1.0))
    shape = canvas.lips.shape

    # Not a matrix product: BLAS rounds differently from one machine to the next.
    slow = (skin.mottling[:, None] * canvas.mottling).sum(axis=0).reshape(shape)
    slow /= np.float32(8.0**0.5)
    light = 1.0 + 0.030 * slow + 0.016 * canvas.fine + 0.022 * canvas.pores
    light += dark * (0.13 * canvas.forehead + 0.12 * canvas.nose + 0.09 * canvas.cheeks)
    shadows = np.clip(skin.shadows + appearance.tiredness, 0.0, 1.0)
    light -= (0.05 + 0.15 * shadows) * canvas.under_eyes
    light -= (0.05 + 0.07 * dark) * canvas.sockets
    light -= _creases(skin.wrinkles, canvas)
    image = light[..., None].astype(np.float32) * colour.astype(np.float32)

    # Blood shows as less green and blue; less so through dark skin.
    flush = np.clip(skin.redness + appearance.flush, 0.0, 1.2)
    blood = (0.35 + 0.9 * flush) * (canvas.cheeks + 0.8 * canvas.nose)
    blood += 0.5 * canvas.ears + 0.3 * canvas.chin + 0.25 * canvas.pores * flush
    blood *= 0.11 * (1.0 - 0.55 * dark)
    image *= 1.0 - blood[..., None] * BLOOD_BGR.astype(np.float32)
    if skin.freckles > 0.0:
        spots = np.clip((np.roll(canvas.fine, 7, axis=1) - 0.34) * 3.0, 0.0, 1.0)
        where = np.clip(canvas.cheeks + canvas.nose + 0.4 * canvas.forehead, 0.0, 1.0)
        spots *= skin.freckles * where
        image *= 1.0 - spots[..., None] * np.array([0.30, 0.22, 0.12], np.float32)
    _paint_marks(image, skin.marks, canvas, dark=dark)
    _paint_lips(image, person, appearance, canvas, colour=colour, dark=dark)
    _paint_lids(image, person, appearance, canvas)
    return image


def _creases(wrinkles: float, canvas: FaceCanvas) -> NDArray[np.float32]:
    """Darkness of wrinkles; the folds of the nose show at every age."""
    nasolabial, crow, forehead, frown, bag, corner = canvas.creases
    young = 0.045
    return np.asarray(
        (young + 0.14 * wrinkles) * nasolabial
        + wrinkles * (0.15 * crow + 0.14 * forehead + 0.15 * frown + 0.13 * bag)
        + (0.02 + 0.10 * wrinkles) * corner,
        np.float32,
    )


def _paint_marks(
    image: NDArray[np.float32],
    marks: NDArray[np.float32],
    canvas: FaceCanvas,
    *,
    dark: float,
) -> None:
    """Moles and spots, as wide as they are in template coordinates."""
    x, y = canvas.position_m[..., 0], canvas.position_m[..., 1]
    texel_m = 0.35 / len(image)
    for mark_x, mark_y, radius, darkness, redness in marks:
        # Marks below a texel keep their area, not their contrast.
        wide = max(float(radius), texel_m)
        strength = float(darkness) * (float(radius) / wide) ** 2 * (0.62 - 0.2 * dark)
        rows = np.flatnonzero(np.abs(y[:, len(y) // 2] - mark_y) < 4 * wide + 0.02)
        if len(rows) == 0:
            continue
        band = slice(rows[0], rows[-1] + 1)
        distance2 = (x[band] - mark_x) ** 2 + (y[band] - mark_y) ** 2
        cover = strength * np.exp(-((distance2 / wide**2) ** 1.5)) * canvas.front[band]
        channels = np.array([1.0, 1.0 - 0.1 * redness, 0.85 - 0.6 * redness])
        image[band] *= 1.0 - cover[..., None] * channels.astype(np.float32)


def _paint_lips(
    image: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    canvas: FaceCanvas,
    *,
    colour: NDArray[np.float64],
    dark: float,
) -> None:
    skin = person.skin
    red = np.array([0.70, 0.64, 0.90]) - skin.lip_redness * np.array(
        [0.06, 0.12, -0.04]
    )
    brown = np.array([0.80, 0.70, 0.80]) + skin.lip_redness * np.array([0.04, 0, 0.2])
    lips = colour * (red * (1.0 - dark) + brown * dark)
    lips *= 1.0 - 0.10 * skin.lip_darkness
    # Men's and old lips differ less from the skin around them.
    pale = 0.35 * person.masculinity + 0.3 * skin.wrinkles
    lips = lips * (1.0 - pale) + colour * np.array([0.80, 0.76, 0.88]) * pale
    lipstick = appearance.lipstick
    lips = lips * (1.0 - lipstick) + np.array(appearance.lipstick_bgr) * lipstick
    y = canvas.position_m[..., 1]
    # The upper lip faces down and looks darker even in flat light.
    upper = np.clip((y - MOUTH_Y_M) / 0.004, 0.0, 1.0)
    shade = 1.0 - 0.10 * upper + 0.05 * canvas.strands
    cover = (np.clip(canvas.lips * 1.25 - 0.12, 0.0, 1.0) * 0.85)[..., None]
    image *= 1.0 - cover
    image += cover * (lips.astype(np.float32) * shade[..., None])
    parting = np.exp(-(((y - MOUTH_Y_M) / 0.0013) ** 2)) * np.clip(
        canvas.lips * 1.5, 0.0, 1.0
    )
    image *= 1.0 - (0.55 * parting)[..., None]


def _paint_lids(
    image: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
    canvas: FaceCanvas,
) -> None:
    """Lash lines and eye make-up."""
    upper = np.clip((canvas.position_m[..., 1] - EYE_M[1]) / 0.002 + 0.5, 0.0, 1.0)
    edge = np.clip((canvas.lids - 0.62) / 0.33, 0.0, 1.0)
    make_up = appearance.eye_make_up
    lashes = person.skin.lash_strength + 0.5 * make_up
    line = edge * (0.18 + 0.62 * upper) * min(lashes, 1.0)
    shadow = 0.45 * make_up * upper * np.clip(canvas.lids * 1.3 + canvas.sockets, 0, 1)
    image *= (1.0 - 0.5 * shadow)[..., None]
    image *= 1.0 - line[..., None] * np.array([0.86, 0.88, 0.82], np.float32)
