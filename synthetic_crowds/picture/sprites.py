"""One person put on a plate, with the truth about their face.

Owns how finely a person is drawn and what a camera sees of their face. Knows nothing
of the street, and of other people only what of the plate they have taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.picture.doubles import LEVEL_BELOW_PX
from synthetic_crowds.picture.looking import look
from synthetic_crowds.picture.showing import may_show, share_shown
from synthetic_crowds.picture.sighting import sight
from synthetic_crowds.raster.figure import (
    Rect,
    develop,
    expose_samples,
)
from synthetic_crowds.raster.figure_sift import BLOCK_BITS
from synthetic_crowds.raster.optics import is_smeared, smear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.raster.rasteriser import Light

__all__ = ["PAD_PX", "Plate", "Sprite", "new_plate", "put_on"]

# A face turned further than this shows no face.
_AVERTED_DEG = 100.0
_AVERTED_LEVEL = 1
_NEAREST_M = 0.8
# Room around a plate and around people for blur to spread into.
PAD_PX = 4
_SAMPLES = 2
_BLOCK_PX = 1 << BLOCK_BITS
# Out of focus by less than this shows nowhere.
_SHARP_PX = 0.3


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
class Sprite:
    """What a camera sees of one person behind those who are on the plate already.

    Attributes:
        rect: The pixels that they may have changed.
        body_box_xyxy: Of head and body, pixels.
        visibility: Share of the face's pixels that show; 0 if it is turned away.
        face_box_xyxy: (4,) float64.
        landmarks: (5, 2) float64.
        yaw_pitch_roll_deg: Against the line of sight.
    """

    rect: Rect
    body_box_xyxy: tuple[float, ...]
    visibility: float
    face_box_xyxy: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    yaw_pitch_roll_deg: tuple[float, float, float]


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
    return Plate(
        light=room,
        scenery_m=scenery_m,
        filled=np.zeros((height // _BLOCK_PX + 1, width // _BLOCK_PX + 1), np.int32),
    )


def put_on(
    plate: Plate,
    posed: Posed,
    camera: Camera,
    light: Light,
    optics: Optics,
    *,
    body_depth_m: float,
) -> Sprite | None:
    """Draw one person behind everybody who is on the plate already.

    The head and the collar around it get four samples a pixel; the rest of the body
    gets one, and the lens's blur smooths its edge.

    Args:
        plate: Written to.
        posed: Nearer than nobody on the plate.
        camera: The eye.
        light: In camera space.
        optics: The camera's lens and shutter.
        body_depth_m: Scenery hides them if it is nearer by more than this.

    Returns:
        `None` if they are behind the lens, too near it, or out of the frame.
    """
    seen = sight(posed, camera, exposure_s=optics.exposure_s)
    depth_m = float(seen.neck_m[2])
    if depth_m < _NEAREST_M:
        return None
    face_box = seen.box_xyxy.tolist()
    faces = abs(seen.yaw_pitch_roll_deg[0]) <= _AVERTED_DEG
    double = posed.actor.doubles[_level(face_box[3] - face_box[1], faces=faces)]
    view = look(posed, double, camera, nearest_m=_NEAREST_M / 4)
    body_box, head_box = view.boxes_xyxy.tolist()
    whole = (
        *map(min, body_box[:2], head_box[:2]),
        *map(max, body_box[2:], head_box[2:]),
    )
    frame = Rect(-PAD_PX, -PAD_PX, camera.width_px + PAD_PX, camera.height_px + PAD_PX)
    defocus_px = float(optics.defocus_px(seen.neck_m[2]))
    rect = _around(whole, room_px=math.ceil(2.0 * defocus_px)).within(frame)
    if 0 in rect.shape:
        return None
    ground = plate.light, (-PAD_PX, -PAD_PX)
    is_soft = is_smeared(seen.motion_px) or defocus_px > _SHARP_PX
    if is_soft:
        # Lens and shutter draw them out before they hide behind others.
        ground = np.zeros((*rect.shape, 4), np.float32), (rect.left, rect.top)
    head_rect = _around(head_box).within(rect)
    n_triangles = len(double.figure.triangles)
    drawn: list[tuple[Rect, int, slice, Rect | None]] = [
        (rect, 1, slice(0, double.n_body_triangles), head_rect)
    ]
    if 0 not in head_rect.shape:
        drawn.append((head_rect, _SAMPLES, slice(0, n_triangles), None))
    visibility = 0.0
    face = _around(face_box)
    filled = None if is_soft else plate.filled
    for part, samples, triangles, skip in drawn:
        # Of a face that shows, truth must know every sample; others are hidden.
        counts = samples == _SAMPLES and faces and _may_show(plate, face)
        owners = expose_samples(
            double.figure,
            view,
            part,
            samples=samples,
            triangles=triangles,
            skip=skip,
            filled=None if counts else filled,
            corner=(-PAD_PX, -PAD_PX),
        )
        if counts:
            visibility = share_shown(
                plate.light, PAD_PX, plate.scenery_m, depth_m - body_depth_m,
                owners, (part.left, part.top, part.right - part.left),
                (1 << double.figure.owner_bits) - 1, double.n_body_triangles, seen.hull,
            )  # fmt: skip
        develop(
            double.figure,
            view,
            owners,
            part,
            ground[0],
            samples=samples,
            px_per_m=camera.intrinsics.fx_px / depth_m,
            light=light,
            viewer=-seen.neck_m,
            corner=ground[1],
            skip=skip,
            scenery_m=plate.scenery_m,
            depth_m=depth_m - body_depth_m,
            filled=filled,
        )
    if is_soft:
        tile = smear(ground[0], lens_blur_px=defocus_px, motion_px=seen.motion_px)
        _lay_behind(plate.light, tile, rect.left + PAD_PX, rect.top + PAD_PX)
    return Sprite(
        rect=rect,
        body_box_xyxy=whole,
        visibility=visibility,
        face_box_xyxy=seen.box_xyxy,
        landmarks=seen.landmarks,
        yaw_pitch_roll_deg=seen.yaw_pitch_roll_deg,
    )


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


def _level(face_height_px: float, *, faces: bool) -> int:
    """Which double to draw: coarser ones the lower the face is on the image."""
    level = len(LEVEL_BELOW_PX) - 1
    while face_height_px >= LEVEL_BELOW_PX[level]:
        level -= 1
    return level if faces else max(level, _AVERTED_LEVEL)


def _around(box_xyxy: Sequence[float], *, room_px: int = 0) -> Rect:
    """Whole pixels around a box, with room for blur."""
    left, top, right, bottom = box_xyxy
    pad_px = PAD_PX + room_px
    return Rect(
        math.floor(left) - pad_px,
        math.floor(top) - pad_px,
        math.ceil(right) + pad_px,
        math.ceil(bottom) + pad_px,
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
