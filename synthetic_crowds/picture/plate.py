"""A plate that light falls on, and one person about to be drawn on it.

Owns the records that whoever draws people reads. Knows nothing of how they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from synthetic_crowds.raster.figure_sift import BLOCK_BITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.doubles import Double
    from synthetic_crowds.raster.figure import Rect, View
    from synthetic_crowds.raster.rasteriser import Light

__all__ = ["PAD_PX", "SAMPLES", "Brush", "PasserBy", "Plate", "new_plate"]

# Room around a plate and around people for blur to spread into.
PAD_PX = 4
# Of a pixel of a face, along each side.
SAMPLES = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plate:
    """What people have sent to the sensor so far, the nearest ones first.

    Attributes:
        light: (h + 2 pad, w + 2 pad, 4) float32, linear, premultiplied.
        scenery_m: (h, w) float32, how far the street is.
        filled: (m, n) int32, how many pixels of each block of `light` let nothing more
            through.
    """

    light: NDArray[np.float32]
    scenery_m: NDArray[np.float32]
    filled: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PasserBy:
    """One person before a camera, about to be drawn.

    Attributes:
        double: In the detail that their distance asks for.
        view: Where the camera sees its vertices.
        rect: The pixels that they may change, blur included.
        head_rect: Those of head and collar.
        face_rect: Those of the face, hidden or not.
        face_hull: (m, 2) float64, pixels, the face's outline.
        faces: Whether the face is turned to the camera at all.
        hidden_by_m: Scenery nearer than this hides them.
        px_per_m: Their scale on the picture.
        light: In camera space.
        viewer: (3,) float64, from the head to the lens, camera space.
        defocus_px: Standard deviation of the lens's blur at their distance; 0 if it
            shows nowhere.
        motion_px: How far they move right and down while the shutter is open.
        is_soft: Whether lens or shutter draw them out.
    """

    double: Double
    view: View
    rect: Rect
    head_rect: Rect
    face_rect: Rect
    face_hull: NDArray[np.float64]
    faces: bool
    hidden_by_m: float
    px_per_m: float
    light: Light
    viewer: NDArray[np.float64]
    defocus_px: float
    motion_px: tuple[float, float]
    is_soft: bool


class Brush(Protocol):
    """Whatever draws people on a plate."""

    def draw(self, plate: Plate, person: PasserBy) -> float:
        """Draw somebody behind everybody who is on the plate already.

        Returns:
            Share of their face's pixels that show; 0 if it is turned away.
        """

    def finish(self, plate: Plate) -> None:
        """See that `light` holds all that was drawn."""


def new_plate(
    scenery_m: NDArray[np.float32], *, room: NDArray[np.float32] | None = None
) -> Plate:
    """Make an empty plate before a street.

    Args:
        scenery_m: (h, w), how far the street is.
        room: The `light` of a plate that nobody needs any more, dark again; where it
            fits, it is used again, for memory new to a process costs more.
    """
    height, width = (side + 2 * PAD_PX for side in scenery_m.shape)
    if room is None or room.shape != (height, width, 4):
        room = np.zeros((height, width, 4), np.float32)
    block_px = 1 << BLOCK_BITS
    return Plate(
        light=room,
        scenery_m=scenery_m,
        filled=np.zeros((height // block_px + 1, width // block_px + 1), np.int32),
    )
