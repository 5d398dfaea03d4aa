"""People drawn by a graphics card.

Owns what travels between the plate here and the one on the card. Knows nothing of GL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.picture.plate import PAD_PX
from synthetic_crowds.picture.showing import share_shown
from synthetic_crowds.raster.figure import Rect
from synthetic_crowds.raster.gl_canvas import GlCanvas
from synthetic_crowds.raster.optics import smear

if TYPE_CHECKING:
    from synthetic_crowds.picture.plate import PasserBy, Plate

__all__ = ["GlBrush"]

# A number of more bits than any triangle's.
_ALL_BITS = (1 << 31) - 1


class GlBrush:
    """Draws on a card's plate, four samples to every pixel.

    Args:
        plate: Empty; of the frames' size.

    Raises:
        GraphicsError: If this machine cannot.
    """

    def __init__(self, plate: Plate) -> None:
        height, width = plate.scenery_m.shape
        self._frame = Rect(-PAD_PX, -PAD_PX, width + PAD_PX, height + PAD_PX)
        self._canvas = GlCanvas(width, height, rim_px=PAD_PX)

    def release(self) -> None:
        """Give the card's memory back."""
        self._canvas.release()

    def start(self, plate: Plate) -> None:
        """Begin a frame."""
        self._canvas.start(plate.scenery_m)

    def draw(self, plate: Plate, person: PasserBy) -> float:
        """Draw somebody; see `Brush`."""
        canvas, rect, double = self._canvas, person.rect, person.double
        canvas.draw(
            double.figure,
            person.view,
            rect,
            px_per_m=person.px_per_m,
            light=person.light,
            viewer=person.viewer,
        )
        visibility = 0.0
        face = person.face_rect.within(rect)
        if person.faces and 0 not in face.shape:
            # Who stands before them is on the card.
            rows = slice(face.top + PAD_PX, face.bottom + PAD_PX)
            columns = slice(face.left + PAD_PX, face.right + PAD_PX)
            plate.light[rows, columns] = canvas.plate(face)
            visibility = share_shown(
                plate.light, PAD_PX, plate.scenery_m, person.hidden_by_m,
                canvas.owners(face), (face.left, face.top, face.shape[1]),
                _ALL_BITS, double.n_body_triangles, person.face_hull,
            )  # fmt: skip
        if not person.is_soft:
            canvas.lay(rect, hidden_by_m=person.hidden_by_m)
            return visibility
        # Lens and shutter draw them out before they hide behind others.
        tile = smear(
            canvas.tile(rect, hidden_by_m=person.hidden_by_m),
            lens_blur_px=person.defocus_px,
            motion_px=person.motion_px,
        )
        before = canvas.plate(rect)
        canvas.put(rect, before + (np.float32(1.0) - before[..., 3:]) * tile)
        return visibility

    def finish(self, plate: Plate) -> None:
        """Fetch the plate from the card."""
        np.copyto(plate.light, self._canvas.plate(self._frame))
