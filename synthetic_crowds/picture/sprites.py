"""One person's pixels, cut out, with the truth about their face.

Owns how finely a person is drawn and what a camera would see of the face if nobody
were in the way. Knows nothing of other people or the street.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.raster.optics import smear
from synthetic_crowds.raster.pose import angles_seen
from synthetic_crowds.raster.rasteriser import (
    Canvas,
    Intrinsics,
    draw,
    new_canvas,
    resolve,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.raster.rasteriser import Light
    from synthetic_crowds.records import MeshPart

__all__ = ["Sprite", "cut_out"]

_BODY, _HEAD = 0, 1
# People whose face is lower than this on the image are drawn from coarse doubles.
_COARSE_BELOW_PX = 30.0
# A face turned further than this shows no face.
_AVERTED_DEG = 100.0
_NEAREST_M = 0.8
# Room around a tile for blur to spread into.
_PAD_PX = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sprite:
    """What a camera sees of one person, before anything hides them.

    Attributes:
        left_px, top_px: Of the tile, in the frame.
        tile: (h, w, 4) float32, linear, premultiplied, as blurred.
        depth_m: Along the optical axis.
        body_box_xyxy: (4,) float64, of head and body.
        faces: Whether the face is turned enough towards the camera to be one.
        face_rows, face_columns: (n,) int, the face's own pixels in the frame's
            coordinates; some may lie outside it.
        face_box_xyxy: (4,) float64.
        landmarks: (5, 2) float64.
        yaw_pitch_roll_deg: (3,) float64, against the line of sight.
    """

    left_px: int
    top_px: int
    tile: NDArray[np.float32]
    depth_m: float
    body_box_xyxy: NDArray[np.float64]
    faces: bool
    face_rows: NDArray[np.intp]
    face_columns: NDArray[np.intp]
    face_box_xyxy: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    yaw_pitch_roll_deg: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rect:
    """Whole pixels of a frame, right and bottom exclusive; may reach beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def within(self, other: _Rect) -> _Rect:
        """What both have in common, perhaps nothing."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return _Rect(
            left,
            top,
            max(min(self.right, other.right), left),
            max(min(self.bottom, other.bottom), top),
        )

    def slices(self, frame: _Rect) -> tuple[slice, slice]:
        """Its rows and columns in an array that covers `frame`."""
        return (
            slice(self.top - frame.top, self.bottom - frame.top),
            slice(self.left - frame.left, self.right - frame.left),
        )


def cut_out(
    posed: Posed, camera: Camera, light: Light, optics: Optics
) -> Sprite | None:
    """Draw one person.

    The head and the collar around it get four samples a pixel; the rest of the body
    gets one, and the lens's blur smooths its edge.

    Returns:
        `None` if they are behind the lens, too near it, or out of the frame.
    """
    depth_m = float(camera.to_camera(posed.neck_m)[2])
    if depth_m < _NEAREST_M:
        return None
    head = posed.actor.head
    outline = camera.to_camera(head.outline @ posed.head_turn.T + posed.neck_m)
    marks = camera.to_camera(head.landmarks @ posed.head_turn.T + posed.neck_m)
    hull = camera.to_image(outline)
    face_box = _bounds(hull)
    head_box = _bounds(_spots(posed.coarse_head, posed.head_turn, posed.neck_m, camera))
    body_box = _bounds(_spots(posed.coarse_body, posed.body_turn, posed.feet_m, camera))
    whole = np.concatenate(
        (np.minimum(head_box[:2], body_box[:2]), np.maximum(head_box[2:], body_box[2:]))
    )
    frame = _Rect(
        -_PAD_PX, -_PAD_PX, camera.width_px + _PAD_PX, camera.height_px + _PAD_PX
    )
    rect, head_rect = _around(whole).within(frame), _around(head_box)
    if 0 in rect.shape:
        return None
    angles = angles_seen(camera.rotation @ posed.head_turn, outline.mean(axis=0))
    faces = abs(angles[0]) <= _AVERTED_DEG
    far = face_box[3] - face_box[1] < _COARSE_BELOW_PX
    body_parts = posed.coarse_body if far else posed.body_parts
    head_parts = posed.head_parts if faces and not far else posed.coarse_head
    canvas = _render(posed, body_parts, (), rect, 1, camera, light)
    tile = resolve(canvas, factor=1)
    rows = columns = np.empty(0, np.intp)
    shared = head_rect.within(rect)
    if 0 not in shared.shape:
        canvas = _render(posed, body_parts, head_parts, head_rect, 2, camera, light)
        fine = resolve(canvas, factor=2)
        tile[shared.slices(rect)] = fine[shared.slices(head_rect)]
        rows, columns = _face_pixels(canvas, hull, head_rect)
    return Sprite(
        left_px=rect.left,
        top_px=rect.top,
        tile=smear(
            tile,
            lens_blur_px=optics.lens_blur_px,
            motion_px=_motion_px(posed, camera, optics.exposure_s),
        ),
        depth_m=depth_m,
        body_box_xyxy=whole,
        faces=faces,
        face_rows=rows,
        face_columns=columns,
        face_box_xyxy=face_box,
        landmarks=camera.to_image(marks),
        yaw_pitch_roll_deg=np.array(angles),
    )


def _spots(
    parts: tuple[MeshPart, ...],
    turn: NDArray[np.float64],
    place_m: NDArray[np.float64],
    camera: Camera,
) -> NDArray[np.float64]:
    """Pixels (n, 2) of every vertex; the few behind the lens come out on its edge."""
    local = np.concatenate([part.vertices for part in parts])
    seen = camera.to_camera(local @ turn.T + place_m)
    seen[:, 2] = np.maximum(seen[:, 2], _NEAREST_M / 4)
    return camera.to_image(seen)


def _bounds(spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """The box (4,) xyxy around pixels (n, 2)."""
    return np.concatenate((spots.min(axis=0), spots.max(axis=0)))


def _around(box_xyxy: NDArray[np.float64]) -> _Rect:
    """Whole pixels around a box, with room for blur."""
    left, top, right, bottom = box_xyxy
    return _Rect(
        math.floor(left) - _PAD_PX,
        math.floor(top) - _PAD_PX,
        math.ceil(right) + _PAD_PX,
        math.ceil(bottom) + _PAD_PX,
    )


def _render(
    posed: Posed,
    body_parts: tuple[MeshPart, ...],
    head_parts: tuple[MeshPart, ...],
    rect: _Rect,
    samples: int,
    camera: Camera,
    light: Light,
) -> Canvas:
    """Draw these parts as seen through a rectangle."""
    height, width = rect.shape
    canvas = new_canvas(height * samples, width * samples)
    k = camera.intrinsics
    intrinsics = Intrinsics(
        fx_px=k.fx_px * samples,
        fy_px=k.fy_px * samples,
        cx_px=(k.cx_px - rect.left) * samples,
        cy_px=(k.cy_px - rect.top) * samples,
    )
    for parts, turn, place_m, owner in (
        (head_parts, posed.head_turn, posed.neck_m, _HEAD),
        (body_parts, posed.body_turn, posed.feet_m, _BODY),
    ):
        for part in parts:
            draw(
                canvas,
                part,
                rotation=camera.rotation @ turn,
                translation_m=camera.to_camera(place_m),
                intrinsics=intrinsics,
                light=light,
                owner=owner,
            )
    return canvas


def _face_pixels(
    canvas: Canvas, hull: NDArray[np.float64], rect: _Rect
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns, in the frame, of the head's pixels inside the face."""
    inside = np.zeros(rect.shape, np.uint8)
    points = np.round(hull - (rect.left, rect.top)).astype(np.int32)
    cv2.fillConvexPoly(inside, cv2.convexHull(points), 1)
    own = canvas.owner[::2, ::2] == _HEAD
    rows, columns = np.nonzero(own & (inside > 0))
    return rows + rect.top, columns + rect.left


def _motion_px(posed: Posed, camera: Camera, exposure_s: float) -> tuple[float, float]:
    """How far the head moves on the image while the shutter is open."""
    stance = posed.stance
    shift_m = np.array([stance.vx_m_s, stance.vy_m_s, 0.0]) * exposure_s
    ends = camera.to_camera(np.stack((posed.neck_m, posed.neck_m + shift_m)))
    start, end = camera.to_image(ends)
    return float(end[0] - start[0]), float(end[1] - start[1])
