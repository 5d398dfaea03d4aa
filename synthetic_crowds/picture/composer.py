"""One frame: people into a street, with the truth about every face it shows.

Owns the order of hiding: near people first, so that nothing hidden costs light. Knows
nothing of time: a frame is a list of people and where they stand, so a single random
picture is composed just as a clip is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.picture.actors import pose
from synthetic_crowds.picture.cpu_brush import CpuBrush
from synthetic_crowds.picture.darkroom import lay_over
from synthetic_crowds.picture.gl_brush import GlBrush
from synthetic_crowds.picture.plate import new_plate
from synthetic_crowds.picture.sprites import put_on
from synthetic_crowds.raster.optics import expose
from synthetic_crowds.records import Renderer
from synthetic_crowds.street.shadows import cast, ellipse_m, view_ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Actor, Posed
    from synthetic_crowds.picture.plate import Plate
    from synthetic_crowds.picture.sprites import Sprite
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.street.motion import Stance
    from synthetic_crowds.street.scene import Scene

__all__ = ["Frame", "FrameFaces", "compose"]

# Scenery hides a person if it is nearer than they are by more than their own depth.
_BODY_DEPTH_M = 0.3
# Nobody reaches further from where they stand, nor does the better part of a shadow.
_REACH_M, _TALLEST_M = 1.0, 2.2
# The ground that two feet keep the sky's light from.
_FEET_RADII_M = (0.36, 0.26)
# Each thread's last plate and picture, whose memory the next frame takes over, and its
# way to a graphics card.
_LAST = threading.local()
_CPU = CpuBrush()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameFaces:
    """Every face of which a frame shows a pixel, far ones first.

    Attributes:
        person_index: (n,) int32, into the people given to `compose`.
        box_xyxy: (n, 4) float32, pixels, of the whole face, hidden or not.
        landmarks: (n, 5, 2) float32, pixels, in the order of `records.LANDMARKS`.
        yaw_pitch_roll_deg: (n, 3) float32, against the line of sight.
        visibility: (n,) float32 in (0, 1].
        body_box_xyxy: (n, 4) float32, pixels, of head and body together.
    """

    person_index: NDArray[np.int32]
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    yaw_pitch_roll_deg: NDArray[np.float32]
    visibility: NDArray[np.float32]
    body_box_xyxy: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A picture and what it shows.

    Attributes:
        image_bgr: (h, w, 3) uint8, sRGB.
        faces: The truth.
    """

    image_bgr: NDArray[np.uint8]
    faces: FrameFaces


def compose(
    scene: Scene,
    people: Sequence[tuple[Actor, Stance]],
    camera: Camera,
    optics: Optics,
    *,
    rng: Generator,
    renderer: Renderer = Renderer.CPU,
) -> Frame:
    """Put people into a street and take a picture.

    Args:
        scene: The empty street, made for this camera and lens.
        people: Actors and where they stand, in any order.
        camera: The eye.
        optics: Its lens and sensor.
        rng: Decides the sensor's noise and nothing else.
        renderer: Draws people.

    Raises:
        GraphicsError: If this machine has no such renderer.
    """
    image = _street(scene)
    light = scene.light.seen_by(camera)
    posed = [
        (index, pose(actor, stance))
        for index, (actor, stance) in enumerate(people)
        if _in_view(stance, scene, camera)
    ]
    _cast_shadows(image, scene, [person for _, person in posed], camera)
    necks_m = np.array([person.neck_m for _, person in posed]).reshape(-1, 3)
    nearness = np.argsort(camera.to_camera(necks_m)[:, 2], kind="stable").tolist()
    # Not to be found again if anything goes wrong before it is wiped.
    plate = new_plate(scene.depth_m, room=vars(_LAST).pop("light", None))
    brush = _CPU if renderer is Renderer.CPU else _graphics(plate)
    sprites: list[tuple[int, Sprite]] = []
    # Near people first: whatever they hide is never lit.
    for index, person in (posed[i] for i in nearness):
        sprite = put_on(
            plate,
            person,
            camera,
            light,
            optics,
            body_depth_m=_BODY_DEPTH_M,
            brush=brush,
        )
        if sprite is not None:
            sprites.append((index, sprite))
    brush.finish(plate)
    lay_over(
        image,
        plate,
        [sprite.rect for _, sprite in sprites],
        lens_blur_px=optics.lens_blur_px,
    )
    _LAST.light = plate.light
    return Frame(image_bgr=expose(image, optics, rng=rng), faces=_see_faces(sprites))


def _graphics(plate: Plate) -> GlBrush:
    """The thread's own brush for plates of this size, ready to begin."""
    size, brush = vars(_LAST).get("graphics", (None, None))
    if brush is None or size != plate.light.shape:
        if brush is not None:
            brush.release()
        brush = GlBrush(plate)
        _LAST.graphics = plate.light.shape, brush
    brush.start(plate)
    return brush


def _street(scene: Scene) -> NDArray[np.uint8]:
    """The empty street, to be painted over; it is the thread's until its next frame."""
    image: NDArray[np.uint8] | None = getattr(_LAST, "image", None)
    if image is None or image.shape != scene.background_bgr.shape:
        image = _LAST.image = np.empty_like(scene.background_bgr)
    np.copyto(image, scene.background_bgr)
    return image


def _cast_shadows(
    image: NDArray[np.uint8], scene: Scene, people: list[Posed], camera: Camera
) -> None:
    """Darken the street's ground below people and where they keep the light from."""
    view = view_ground(scene.light, camera)
    for person in people:
        feet = ellipse_m(person.feet_m, person.stance.heading_deg, _FEET_RADII_M)
        shadow = cast(person.actor.outline, person.outline_bones(), feet, view)
        if shadow is not None:
            shadow.darken(image, scene.ground)


def _in_view(stance: Stance, scene: Scene, camera: Camera) -> bool:
    """Whether a person standing there, or their shadow, may show at all."""
    k = camera.intrinsics
    return bool(
        _may_show(
            stance.x_m,
            stance.y_m,
            camera.rotation,
            camera.position_m,
            (k.fx_px, k.fy_px, k.cx_px, k.cy_px),
            scene.depth_m,
        )
    )


@njit(cache=True, nogil=True)
def _may_show(
    x_m: float,
    y_m: float,
    rotation: NDArray[np.float64],
    lens_m: NDArray[np.float64],
    lens: tuple[float, float, float, float],
    scenery_m: NDArray[np.float32],
) -> bool:
    """Whether any pixel near a person shows scenery further off than they are."""
    left, top, right, bottom, nearest_m = _reach(x_m, y_m, rotation, lens_m, lens)
    if nearest_m < 1.0:
        return True
    height, width = scenery_m.shape
    for y in range(max(floor(top), 0), min(max(ceil(bottom), 0), height)):
        for x in range(max(floor(left), 0), min(max(ceil(right), 0), width)):
            if scenery_m[y, x] > nearest_m - _BODY_DEPTH_M:
                return True
    return False


@njit(cache=True, nogil=True)
def _reach(
    x_m: float,
    y_m: float,
    rotation: NDArray[np.float64],
    lens_m: NDArray[np.float64],
    lens: tuple[float, float, float, float],
) -> tuple[float, float, float, float, float]:
    """Project the box that holds a person: left, top, right, bottom, least depth."""
    left, top, right, bottom, nearest = np.inf, np.inf, -np.inf, -np.inf, np.inf
    for corner in range(8):
        x = x_m + (_REACH_M if corner & 1 else -_REACH_M) - lens_m[0]
        y = y_m + (_REACH_M if corner & 2 else -_REACH_M) - lens_m[1]
        z = (_TALLEST_M if corner & 4 else 0.0) - lens_m[2]
        depth = rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z
        nearest = min(nearest, depth)
        across = rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z
        down = rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z
        if depth > 0.0:
            u, v = across / depth * lens[0] + lens[2], down / depth * lens[1] + lens[3]
            left, right = min(left, u), max(right, u)
            top, bottom = min(top, v), max(bottom, v)
    return left, top, right, bottom, nearest


def _see_faces(sprites: list[tuple[int, Sprite]]) -> FrameFaces:
    """List the faces of which anything shows, far ones first."""
    seen = [pair for pair in reversed(sprites) if pair[1].visibility > 0.0]

    def stack(values: list[object], *shape: int) -> NDArray[np.float32]:
        return np.asarray(values, np.float32).reshape(-1, *shape)

    return FrameFaces(
        person_index=np.asarray([index for index, _ in seen], np.int32),
        box_xyxy=stack([sprite.face_box_xyxy for _, sprite in seen], 4),
        landmarks=stack([sprite.landmarks for _, sprite in seen], 5, 2),
        yaw_pitch_roll_deg=stack([sprite.yaw_pitch_roll_deg for _, sprite in seen], 3),
        visibility=stack([sprite.visibility for _, sprite in seen]),
        body_box_xyxy=stack([sprite.body_box_xyxy for _, sprite in seen], 4),
    )
