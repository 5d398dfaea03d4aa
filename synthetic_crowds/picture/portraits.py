"""Portraits: one face, close up, under a studio's or the street's light.

Owns the rendering of single heads. Knows nothing of crowds or watchlists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.heads.build import build_head
from synthetic_crowds.picture.bust import build_bust, dressed_shoulders
from synthetic_crowds.raster.figure import (
    Rect,
    develop,
    expose_samples,
    look_at,
    merge,
    paint_of,
)
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.raster.rasteriser import (
    FACING_CAMERA,
    NEAR_M,
    Intrinsics,
    Light,
    linear_to_srgb,
    project,
    srgb_to_linear,
)
from synthetic_crowds.records import Portrait

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.heads.build import Head
    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.records import MeshPart

__all__ = ["draw_studio_light", "render_head", "render_portrait"]

# Far enough for natural proportions, as in a custody suite.
_DISTANCE_M = 1.8
_SAMPLES = 2
_MEAN_FACE_HEIGHT_M = 0.183


def draw_studio_light(*, rng: Generator) -> Light:
    """Draw soft light from the front and above, as portraits have it."""
    azimuth = np.radians(rng.normal(0.0, 28.0))
    elevation = np.radians(rng.uniform(15.0, 50.0))
    direction = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            -np.sin(elevation),
            -np.cos(azimuth) * np.cos(elevation),
        ]
    )
    warmth = rng.normal(0.0, 0.035)
    tint = np.array([1.0 - warmth, 1.0, 1.0 + warmth])
    key = rng.uniform(0.50, 0.72)
    fill = rng.uniform(0.32, 0.46)
    return Light(
        direction=direction.astype(np.float32),
        key_bgr=(key * tint).astype(np.float32),
        sky_bgr=(fill * tint).astype(np.float32),
        ground_bgr=(fill * rng.uniform(0.5, 0.8) * tint).astype(np.float32),
        up=np.array([0.0, -1.0, 0.0], np.float32),
    )


def render_portrait(
    person: Person,
    appearance: Appearance,
    *,
    yaw_deg: float,
    pitch_deg: float,
    roll_deg: float,
    face_height_px: float,
    size_px: tuple[int, int],
    light: Light | None,
    background_bgr: tuple[float, float, float] | None,
    rng: Generator,
) -> Portrait:
    """Render one person's portrait.

    Args:
        person: Who.
        appearance: On which day.
        yaw_deg: Positive turns the face to the image's right.
        pitch_deg: Positive looks up.
        roll_deg: Positive leans the crown to the image's right.
        face_height_px: Wanted height of the face box of an average frontal head;
            bigger heads come out bigger, as they do in life.
        size_px: Height and width of the picture; the face is centred.
        light: In camera space; None draws a studio's.
        background_bgr: sRGB, 0 to 255; None draws a wall's.
        rng: Draws the light and the wall, where none is given.

    Returns:
        The picture with its box and landmarks.
    """
    if light is None:
        light = draw_studio_light(rng=rng)
    if background_bgr is None:
        wall = rng.uniform(90.0, 220.0) * rng.uniform(0.94, 1.0, 3)
        background_bgr = (float(wall[0]), float(wall[1]), float(wall[2]))
    head = build_head(person, appearance)
    turned = gaze_rotation(yaw_deg, pitch_deg, roll_deg)
    return render_head(
        person,
        appearance,
        head,
        rotation=turned,
        face_height_px=face_height_px,
        size_px=size_px,
        light=light,
        background_bgr=background_bgr,
        shoulders=dressed_shoulders(person, appearance),
    )


def render_head(
    person: Person,
    appearance: Appearance,
    head: Head,
    *,
    rotation: NDArray[np.float64],
    face_height_px: float,
    size_px: tuple[int, int],
    light: Light,
    background_bgr: tuple[float, float, float],
    shoulders: tuple[MeshPart, ...] | None = None,
) -> Portrait:
    """Render a head that is already built; several views of it cost less so.

    Args:
        person: Whose head.
        appearance: The same that built it.
        head: From `build_head`.
        rotation: (3, 3) of the head against its body, from `pose.gaze_rotation`.
        face_height_px: As in `render_portrait`.
        size_px: Height and width.
        light: In camera space.
        background_bgr: sRGB, 0 to 255.
        shoulders: From `bust.dressed_shoulders`; None for a plain collar, which is
            cheaper and enough where only the face is cut out.

    Returns:
        The picture with its box and landmarks.
    """
    height, width = size_px
    turned = FACING_CAMERA @ rotation
    middle = turned @ ((head.outline.min(axis=0) + head.outline.max(axis=0)) / 2.0)
    translation = np.array([0.0, 0.0, _DISTANCE_M]) - middle
    focal = face_height_px * _DISTANCE_M / _MEAN_FACE_HEIGHT_M
    lens = Intrinsics(fx_px=focal, fy_px=focal, cx_px=width / 2.0, cy_px=height / 2.0)
    if shoulders is None:
        shoulders = build_bust(person, appearance, head)
    tile = _take(shoulders, head, turned, translation, lens, light, size_px)
    behind = srgb_to_linear(np.clip(np.rint(background_bgr), 0, 255).astype(np.uint8))
    image = tile[..., :3] + (1.0 - tile[..., 3:]) * behind
    landmarks, _ = project(
        head.landmarks, rotation=turned, translation_m=translation, intrinsics=lens
    )
    outline, _ = project(
        head.outline, rotation=turned, translation_m=translation, intrinsics=lens
    )
    return Portrait(
        person_id=person.person_id,
        image_bgr=linear_to_srgb(image.astype(np.float32)),
        box_xyxy=np.concatenate([outline.min(axis=0), outline.max(axis=0)]).astype(
            np.float32
        ),
        landmarks=landmarks.astype(np.float32),
    )


def _take(
    shoulders: tuple[MeshPart, ...],
    head: Head,
    turned: NDArray[np.float64],
    translation: NDArray[np.float64],
    lens: Intrinsics,
    light: Light,
    size_px: tuple[int, int],
) -> NDArray[np.float32]:
    """Draw shoulders and head, (h, w, 4), linear and premultiplied."""
    parts = (*shoulders, *head.parts)
    figure = merge(
        parts,
        paint_of(parts),
        [np.zeros(len(part.triangles), np.bool_) for part in parts],
    )
    view = look_at(
        [
            (part.vertices, part.normals, rotation, translation)
            for part, rotation in zip(
                parts,
                [FACING_CAMERA] * len(shoulders) + [turned] * len(head.parts),
                strict=True,
            )
        ],
        lens,
        nearest_m=NEAR_M,
    )
    rect = Rect(0, 0, size_px[1], size_px[0])
    tile = np.zeros((*size_px, 4), np.float32)
    owners = expose_samples(
        figure, view, rect, samples=_SAMPLES, triangles=slice(0, len(figure.triangles))
    )
    develop(
        figure,
        view,
        owners,
        rect,
        tile,
        samples=_SAMPLES,
        px_per_m=lens.fx_px / _DISTANCE_M,
        light=light,
        viewer=-translation,
    )
    return tile
