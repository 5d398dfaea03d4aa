"""One frame: people into a street, with the truth about every face it shows.

Owns the order of hiding (far people first), the blending, and visibility, exact to
the pixel. Knows nothing of time: a frame is a list of people and where they stand, so
a single random picture is composed just as a clip is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.picture.actors import pose
from synthetic_crowds.picture.sprites import cut_out
from synthetic_crowds.raster.colour import SRGB_TO_LINEAR, linear_to_srgb
from synthetic_crowds.raster.optics import expose
from synthetic_crowds.street.shadows import cast, darken, ellipse_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Actor
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
_NOBODY = -1
_ENCODE = linear_to_srgb(np.linspace(0.0, 1.0, 4096, dtype=np.float32))


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
) -> Frame:
    """Put people into a street and take a picture.

    Args:
        scene: The empty street, made for this camera and lens.
        people: Actors and where they stand, in any order.
        camera: The eye.
        optics: Its lens and sensor.
        rng: Decides the sensor's noise and nothing else.
    """
    image = scene.background_bgr.copy()
    owners = np.full(image.shape[:2], _NOBODY, np.int32)
    light = scene.light.seen_by(camera)
    sprites: list[tuple[int, Sprite]] = []
    for index, (actor, stance) in enumerate(people):
        if not _in_view(stance, scene, camera):
            continue
        posed = pose(actor, stance)
        sprite = cut_out(posed, camera, light, optics)
        if sprite is not None:
            sprites.append((index, sprite))
        feet = ellipse_m(posed.feet_m, stance.heading_deg, _FEET_RADII_M)
        shadow = cast(posed.silhouette(), feet, scene.light, camera)
        if shadow is not None:
            darken(image, scene.ground, shadow)
    sprites.sort(key=lambda pair: -pair[1].depth_m)
    for index, sprite in sprites:
        _lay(
            image,
            owners,
            scene.depth_m,
            sprite.tile,
            sprite.left_px,
            sprite.top_px,
            np.float32(sprite.depth_m - _BODY_DEPTH_M),
            index,
            SRGB_TO_LINEAR,
            _ENCODE,
        )
    return Frame(
        image_bgr=expose(image, optics, rng=rng), faces=_see_faces(sprites, owners)
    )


def _in_view(stance: Stance, scene: Scene, camera: Camera) -> bool:
    """Whether a person standing there, or their shadow, may show at all."""
    corners = np.array(
        [
            (stance.x_m + dx, stance.y_m + dy, z)
            for dx in (-_REACH_M, _REACH_M)
            for dy in (-_REACH_M, _REACH_M)
            for z in (0.0, _TALLEST_M)
        ]
    )
    seen = camera.to_camera(corners)
    if (seen[:, 2] < 1.0).any():
        return True
    spots = camera.to_image(seen)
    left, top = np.maximum(np.floor(spots.min(axis=0)), 0).astype(int)
    right, bottom = np.ceil(spots.max(axis=0)).astype(int)
    behind = scene.depth_m[top : max(bottom, 0), left : max(right, 0)]
    return bool((behind > seen[:, 2].min() - _BODY_DEPTH_M).any())


def _see_faces(
    sprites: list[tuple[int, Sprite]], owners: NDArray[np.int32]
) -> FrameFaces:
    """Count what is left of each face once everybody stands in the frame."""
    height, width = owners.shape
    seen: list[tuple[int, Sprite, float]] = []
    for index, sprite in sprites:
        rows, columns = sprite.face_rows, sprite.face_columns
        if not sprite.faces or not len(rows):
            continue
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        shown = int((owners[rows[inside], columns[inside]] == index).sum())
        if shown:
            seen.append((index, sprite, shown / len(rows)))

    def stack(values: list[object], *shape: int) -> NDArray[np.float32]:
        return np.asarray(values, np.float32).reshape(-1, *shape)

    return FrameFaces(
        person_index=np.asarray([index for index, _, _ in seen], np.int32),
        box_xyxy=stack([sprite.face_box_xyxy for _, sprite, _ in seen], 4),
        landmarks=stack([sprite.landmarks for _, sprite, _ in seen], 5, 2),
        yaw_pitch_roll_deg=stack(
            [sprite.yaw_pitch_roll_deg for _, sprite, _ in seen], 3
        ),
        visibility=stack([share for _, _, share in seen]),
        body_box_xyxy=stack([sprite.body_box_xyxy for _, sprite, _ in seen], 4),
    )


@njit(cache=True, nogil=True)
def _lay(
    image: NDArray[np.uint8],
    owners: NDArray[np.int32],
    scenery_m: NDArray[np.float32],
    tile: NDArray[np.float32],
    left: int,
    top: int,
    depth_m: np.float32,
    owner: int,
    decode: NDArray[np.float32],
    encode: NDArray[np.uint8],
) -> None:
    """Blend a tile over the image in linear light, and mark whose pixels they are."""
    height, width = owners.shape
    for row in range(max(0, -top), min(tile.shape[0], height - top)):
        y = top + row
        for column in range(max(0, -left), min(tile.shape[1], width - left)):
            x = left + column
            cover = tile[row, column, 3]
            if cover < np.float32(0.004) or scenery_m[y, x] < depth_m:
                continue
            clear = np.float32(1.0) - cover
            for c in range(3):
                light = tile[row, column, c] + clear * decode[image[y, x, c]]
                light = min(max(light, np.float32(0.0)), np.float32(1.0))
                image[y, x, c] = encode[int(light * np.float32(4095.0) + 0.5)]
            if cover >= np.float32(0.5):
                owners[y, x] = owner
