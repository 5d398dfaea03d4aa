"""Where hair grows: height over the hairline, as a field on the template.

Owns the curve of the hairline and how it recedes. Used for vertices (thickness of
the hair) and texels (colour, holes) alike, so that the two agree. Knows nothing of
styles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Hair

__all__ = ["over_hairline"]

# The average hairline on the template: azimuth from the front (deg), height (m).
# Forehead, temple, sideburn before the ear, around the ear, nape.
_LINE = np.array(
    [
        (0.0, 0.1130),
        (28.0, 0.1110),
        (42.0, 0.1000),
        (50.0, 0.0820),
        (56.0, 0.0580),
        (59.0, 0.0320),
        (61.5, 0.0200),
        (63.5, 0.0240),
        (66.0, 0.0480),
        (73.0, 0.0540),
        (84.0, 0.0550),
        (98.0, 0.0510),
        (106.0, 0.0200),
        (118.0, -0.0150),
        (150.0, -0.0420),
        (180.0, -0.0480),
    ]
)
# Height per distance from the line, by azimuth, at a head radius of 75 mm.
_DEGREES = np.arange(0.0, 180.5, 0.5)
_SLOPE = np.gradient(
    np.interp(_DEGREES, _LINE[:, 0], _LINE[:, 1]), np.radians(0.5) * 0.075
)
_STEEPNESS = (
    _DEGREES,
    np.convolve(
        np.pad(np.hypot(1.0, _SLOPE), 6, mode="edge"), np.full(13, 1 / 13), mode="valid"
    ),
)
# The bald crown of a receded head: its centre on the template, its radius at 1.
_CROWN_M = np.array([0.0, 0.140, -0.015])
_CROWN_RADIUS_M = 0.085


def over_hairline(
    template_m: NDArray[np.float32], hair: Hair | None
) -> NDArray[np.float32]:
    """Measure how far points lie above (or below) somebody's hairline.

    Args:
        template_m: (..., 3) template positions.
        hair: Whose hairline; None for the average one.

    Returns:
        (...,) float32, metres; hair grows where it is positive.
    """
    x, y, z = template_m[..., 0], template_m[..., 1], template_m[..., 2]
    azimuth = np.degrees(np.arctan2(np.abs(x), z))
    line = np.interp(azimuth, _LINE[:, 0], _LINE[:, 1])
    # Where the line runs steeply, height over it overstates the distance to it.
    steepness = np.interp(azimuth, _STEEPNESS[0], _STEEPNESS[1])
    if hair is None:
        return np.asarray((y - line) / steepness, np.float32)
    front = np.clip((58.0 - azimuth) / 20.0, 0.0, 1.0)
    centre = np.exp(-((azimuth / 14.0) ** 2))
    temple = np.exp(-(((azimuth - 34.0) / 15.0) ** 2))
    line = line + front * (hair.hairline_m - 0.004 * hair.peak * centre)
    line = line + hair.recession * (0.030 * temple + 0.022 * front)
    height = (y - line) / steepness
    if hair.recession > 0.4:
        to_crown = np.sqrt(
            (x - _CROWN_M[0]) ** 2 + (y - _CROWN_M[1]) ** 2 + (z - _CROWN_M[2]) ** 2
        )
        radius = _CROWN_RADIUS_M * (hair.recession - 0.4) / 0.6
        height = np.minimum(height, (to_crown - radius) * 0.7)
    return np.asarray(height, np.float32)
