"""Skin as light meets it: a clear surface over melanin over blood.

Owns how much of each colour comes back from skin of a given make-up, and how much
melanin a step of the Monk scale stands for. Knows nothing of faces.

Light is partly thrown back by the surface. The rest crosses the melanin of the
epidermis, is scattered by collagen, loses what blood takes, and crosses the melanin
again. Absorption follows Lambert and Beer in three bands, those of a camera's channels.

Source:
    S. L. Jacques, "Optical properties of biological tissues: a review", Physics in
    Medicine and Biology 58 (2013): melanin absorbs as wavelength to the power -3.48.
    S. Prahl, "Tabulated molar extinction coefficient for hemoglobin in water" (1999):
    blood of 70 % saturation, relative to 545 nm.
    Surface: Fresnel's law at normal incidence for a refractive index of 1.45.
    Collagen's white and the steps of melanin are fitted, by least squares, to ten
    swatches in the order of the Monk Skin Tone Scale (Monk 2019) that were chosen by
    eye; the fit errs by 2.2 of 255 levels (root mean square).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.colour import encode_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BLOOD_BGR", "melanin_of", "skin_colour"]

# Middle of each channel: blue, green, red.
_BANDS_NM = np.array([465.0, 545.0, 610.0])
_MELANIN_BGR = (_BANDS_NM / 610.0) ** -3.48
# Absorption by blood against that in the green band.
BLOOD_BGR = np.array([0.637, 1.0, 0.076])
BLOOD_BGR.setflags(write=False)
_COLLAGEN_BGR = np.array([0.767, 0.876, 0.964])
_SURFACE = ((1.45 - 1.0) / (1.45 + 1.0)) ** 2
_BLOOD = 0.264
# Optical depth of melanin, both ways, in the red band, of Monk tones 1 to 10.
_MELANIN = (0.103, 0.184, 0.267, 0.417, 0.631, 0.976, 1.424, 1.877, 2.403, 2.966)
# Carotene takes blue alone: what makes a complexion warm.
_CAROTENE_BGR = np.array([1.0, 0.0, 0.0])


def melanin_of(tone: float) -> float:
    """Optical depth of melanin of a continuous Monk tone."""
    return float(np.interp(tone, np.arange(1, 11), _MELANIN))


def skin_colour(tone: float, undertone: float) -> NDArray[np.float64]:
    """Colour of bare skin under white light.

    Args:
        tone: Continuous Monk scale; it sets the melanin.
        undertone: -1 cool to 1 warm; warm skin shows less blood and more carotene.

    Returns:
        (3,) sRGB B, G, R, 0 to 255.
    """
    depth = (
        melanin_of(tone) * _MELANIN_BGR
        + _BLOOD * (1.0 - 0.13 * undertone) * BLOOD_BGR
        + 0.10 * undertone * _CAROTENE_BGR
    )
    return 255.0 * encode_srgb(_SURFACE + _COLLAGEN_BGR * np.exp(-depth))
