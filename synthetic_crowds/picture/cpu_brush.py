"""People drawn by the processor.

Owns which parts of a person are drawn how finely. Knows nothing of where they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.picture.plate import PAD_PX, SAMPLES
from synthetic_crowds.picture.showing import may_show, share_shown
from synthetic_crowds.raster.figure import develop, expose_samples
from synthetic_crowds.raster.optics import smear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.plate import PasserBy, Plate
    from synthetic_crowds.raster.figure import Rect

__all__ = ["CpuBrush"]


class CpuBrush:
    """Draws with the loops of `raster/figure.py`.

    The head and the collar around it get four samples a pixel; the rest of the body
    gets one, and the lens's blur smooths its edge.
    """

    def draw(self, plate: Plate, person: PasserBy) -> float:
        """Draw somebody; see `Brush`."""
        figure, rect = person.double.figure, person.rect
        ground = plate.light, (-PAD_PX, -PAD_PX)
        if person.is_soft:
            # Lens and shutter draw them out before they hide behind others.
            ground = np.zeros((*rect.shape, 4), np.float32), (rect.left, rect.top)
        n_body = person.double.n_body_triangles
        parts: list[tuple[Rect, int, slice, Rect | None]] = [
            (rect, 1, slice(0, n_body), person.head_rect)
        ]
        if 0 not in person.head_rect.shape:
            whole = slice(0, len(figure.triangles))
            parts.append((person.head_rect, SAMPLES, whole, None))
        visibility = 0.0
        filled = None if person.is_soft else plate.filled
        for part, samples, triangles, skip in parts:
            # Of a face that shows, truth must know every sample; others are hidden.
            counts = samples == SAMPLES and person.faces
            counts = counts and _may_show(plate, person.face_rect)
            owners = expose_samples(
                figure,
                person.view,
                part,
                samples=samples,
                triangles=triangles,
                skip=skip,
                filled=None if counts else filled,
                corner=(-PAD_PX, -PAD_PX),
            )
            if counts:
                visibility = share_shown(
                    plate.light, PAD_PX, plate.scenery_m, person.hidden_by_m,
                    owners, (part.left, part.top, part.right - part.left),
                    (1 << figure.owner_bits) - 1, n_body, person.face_hull,
                )  # fmt: skip
            develop(
                figure,
                person.view,
                owners,
                part,
                ground[0],
                samples=samples,
                px_per_m=person.px_per_m,
                light=person.light,
                viewer=person.viewer,
                corner=ground[1],
                skip=skip,
                scenery_m=plate.scenery_m,
                depth_m=person.hidden_by_m,
                filled=filled,
            )
        if person.is_soft:
            tile = smear(
                ground[0],
                lens_blur_px=person.defocus_px,
                motion_px=person.motion_px,
            )
            _lay_behind(plate.light, tile, rect.left + PAD_PX, rect.top + PAD_PX)
        return visibility

    def finish(self, plate: Plate) -> None:
        """Do nothing: the plate holds it all."""


def _may_show(plate: Plate, rect: Rect) -> bool:
    """Whether what is on a plate lets anything through within a rectangle."""
    return bool(
        may_show(
            plate.filled,
            rect.left + PAD_PX,
            rect.top + PAD_PX,
            rect.right + PAD_PX,
            rect.bottom + PAD_PX,
        )
    )


@njit(cache=True, nogil=True)
def _lay_behind(
    light: NDArray[np.float32], tile: NDArray[np.float32], left: int, top: int
) -> None:
    """Add a tile where the plate is still clear."""
    for row in range(tile.shape[0]):
        for column in range(tile.shape[1]):
            pixel = light[top + row, left + column]
            clear = np.float32(1.0) - pixel[3]
            for c in range(4):
                pixel[c] += clear * tile[row, column, c]
