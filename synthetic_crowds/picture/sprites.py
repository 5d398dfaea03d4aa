"""One person put on a plate, with the truth about their face.

Owns how finely a person is drawn and what a camera sees of their face. Knows nothing
of the street, and of other people only what of the plate they have taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from synthetic_crowds.picture.doubles import LEVEL_BELOW_PX
from synthetic_crowds.picture.looking import look
from synthetic_crowds.picture.sighting import sight
from synthetic_crowds.raster.figure import (
    Rect,
    develop,
    expose_samples,
)
from synthetic_crowds.raster.figure_sift import BLOCK_BITS, FULL
from synthetic_crowds.raster.optics import is_smeared, smear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.picture.doubles import Double
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
        body_box_xyxy: (4,) float64, of head and body.
        visibility: Share of the face's pixels that show; 0 if it is turned away.
        face_box_xyxy: (4,) float64.
        landmarks: (5, 2) float64.
        yaw_pitch_roll_deg: (3,) float64, against the line of sight.
    """

    rect: Rect
    body_box_xyxy: NDArray[np.float64]
    visibility: float
    face_box_xyxy: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    yaw_pitch_roll_deg: NDArray[np.float64]


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
    _, top, _, bottom = seen.box_xyxy.tolist()
    faces = abs(seen.yaw_pitch_roll_deg[0]) <= _AVERTED_DEG
    double = posed.actor.doubles[_level(bottom - top, faces=faces)]
    view = look(posed, double, camera, nearest_m=_NEAREST_M / 4)
    body_box, head_box = view.boxes_xyxy
    whole = np.concatenate(
        (np.minimum(head_box[:2], body_box[:2]), np.maximum(head_box[2:], body_box[2:]))
    )
    frame = Rect(-PAD_PX, -PAD_PX, camera.width_px + PAD_PX, camera.height_px + PAD_PX)
    defocus_px = float(optics.defocus_px(np.array(depth_m)))
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
    face = _around(seen.box_xyxy)
    filled = None if is_soft else plate.filled
    for part, samples, triangles, skip in drawn:
        # Of a face that shows, truth must know every sample; others are hidden.
        counts = samples == _SAMPLES and faces and _shows(plate, face)
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
            visibility = _visibility(
                plate, owners, seen.hull, face, part, double,
                np.float32(depth_m - body_depth_m),
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
        yaw_pitch_roll_deg=np.array(seen.yaw_pitch_roll_deg),
    )


def _shows(plate: Plate, rect: Rect) -> bool:
    """Whether any block of a rectangle lets anything through."""
    rows = slice(
        max(rect.top + PAD_PX, 0) // _BLOCK_PX,
        max(rect.bottom + PAD_PX, 0) // _BLOCK_PX + 1,
    )
    columns = slice(
        max(rect.left + PAD_PX, 0) // _BLOCK_PX,
        max(rect.right + PAD_PX, 0) // _BLOCK_PX + 1,
    )
    return bool((plate.filled[rows, columns] < FULL).any())


def _level(face_height_px: float, *, faces: bool) -> int:
    """Which double to draw: coarser ones the lower the face is on the image."""
    level = max(i for i, px in enumerate(LEVEL_BELOW_PX) if face_height_px < px)
    return level if faces else max(level, _AVERTED_LEVEL)


def _around(box_xyxy: NDArray[np.float64], *, room_px: int = 0) -> Rect:
    """Whole pixels around a box, with room for blur."""
    left, top, right, bottom = box_xyxy.tolist()
    pad_px = PAD_PX + room_px
    return Rect(
        math.floor(left) - pad_px,
        math.floor(top) - pad_px,
        math.ceil(right) + pad_px,
        math.ceil(bottom) + pad_px,
    )


def _visibility(
    plate: Plate,
    seen: NDArray[np.int32],
    hull: NDArray[np.float64],
    face: Rect,
    rect: Rect,
    double: Double,
    depth_m: np.float32,
) -> float:
    """Share of the face's pixels that are in the frame with nothing before them.

    Pixels of the face that lie beyond the frame were never drawn; they count by the
    area of its outline.
    """
    inside = np.zeros(face.shape, np.uint8)
    points = np.round(hull - (face.left, face.top)).astype(np.int32)
    cv2.fillConvexPoly(inside, cv2.convexHull(points), 1)
    own, shown, beyond = _count(
        plate.light,
        plate.scenery_m,
        seen,
        inside,
        (face.left, face.top),
        (rect.left, rect.top, 2 * rect.shape[1]),
        double.n_body_triangles,
        (1 << double.figure.owner_bits) - 1,
        depth_m,
    )
    return shown / (own + beyond) if own else 0.0


@njit(cache=True, nogil=True)
def _count(
    light: NDArray[np.float32],
    scenery: NDArray[np.float32],
    seen: NDArray[np.int32],
    inside: NDArray[np.uint8],
    face: tuple[int, int],
    rect: tuple[int, int, int],
    n_body: int,
    mask: int,
    depth: np.float32,
) -> tuple[int, int, int]:
    """Count the face's own pixels, those that show, and those beyond the rectangle."""
    own = 0
    shown = 0
    beyond = 0
    for row in range(inside.shape[0]):
        for column in range(inside.shape[1]):
            if inside[row, column] == 0:
                continue
            x, y = face[0] + column, face[1] + row
            i, j = 2 * (y - rect[1]), 2 * (x - rect[0])
            if i < 0 or j < 0 or i >= seen.shape[0] or j >= rect[2]:
                beyond += 1
                continue
            if (seen[i, j] & mask) >> 1 <= n_body:
                continue
            own += 1
            if x < 0 or y < 0 or x >= scenery.shape[1] or y >= scenery.shape[0]:
                continue
            covered = light[y + 4, x + 4, 3] >= np.float32(0.5)
            if not covered and scenery[y, x] >= depth:
                shown += 1
    return own, shown, beyond


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
