"""One person put on a plate, with the truth about their face.

Owns how finely a person is drawn and what a camera sees of their face. Knows nothing
of the street, and of other people only what of the plate they have taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthetic_crowds.picture.doubles import LEVEL_BELOW_PX
from synthetic_crowds.picture.looking import look
from synthetic_crowds.picture.plate import PAD_PX, PasserBy
from synthetic_crowds.picture.sighting import sight
from synthetic_crowds.raster.figure import Rect
from synthetic_crowds.raster.optics import is_smeared

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.picture.plate import Brush, Plate
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.raster.rasteriser import Light

__all__ = ["Sprite", "put_on"]

# A face turned further than this shows no face.
_AVERTED_DEG = 100.0
_AVERTED_LEVEL = 1
_NEAREST_M = 0.8
# Out of focus by less than this shows nowhere.
_SHARP_PX = 0.3


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


def put_on(
    plate: Plate,
    posed: Posed,
    camera: Camera,
    light: Light,
    optics: Optics,
    *,
    body_depth_m: float,
    brush: Brush,
) -> Sprite | None:
    """Draw one person behind everybody who is on the plate already.

    Args:
        plate: Written to.
        posed: Nearer than nobody on the plate.
        camera: The eye.
        light: In camera space.
        optics: The camera's lens and shutter.
        body_depth_m: Scenery hides them if it is nearer by more than this.
        brush: Draws.

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
    person = PasserBy(
        double=double,
        view=view,
        rect=rect,
        head_rect=_around(head_box).within(rect),
        face_rect=_around(face_box),
        face_hull=seen.hull,
        faces=faces,
        hidden_by_m=depth_m - body_depth_m,
        px_per_m=camera.intrinsics.fx_px / depth_m,
        light=light,
        viewer=-seen.neck_m,
        defocus_px=defocus_px,
        motion_px=seen.motion_px,
        is_soft=is_smeared(seen.motion_px) or defocus_px > _SHARP_PX,
    )
    visibility = brush.draw(plate, person)
    return Sprite(
        rect=rect,
        body_box_xyxy=whole,
        visibility=visibility,
        face_box_xyxy=seen.box_xyxy,
        landmarks=seen.landmarks,
        yaw_pitch_roll_deg=seen.yaw_pitch_roll_deg,
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
