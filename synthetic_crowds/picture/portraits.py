"""Portraits: one face, close up, under a studio's or the street's light.

Owns the rendering of single heads. Knows nothing of crowds or watchlists.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    points_of,
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
    from synthetic_crowds.raster.figure import Figure
    from synthetic_crowds.records import MeshPart, PersonId

__all__ = [
    "Sitter",
    "draw_studio_light",
    "frame_head",
    "render_head",
    "render_portrait",
    "seat",
]

# Far enough for natural proportions, as in a custody suite.
_DISTANCE_M = 1.8
_SAMPLES = 2
_MEAN_FACE_HEIGHT_M = 0.183


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sitter:
    """A head on shoulders, ready for any number of pictures.

    Attributes:
        person_id: Whose.
        head: Theirs on that day.
        shoulders: In the head's upright frame.
        figure: Shoulders and head, merged.
        shoulder_points: (7, s) float32 from `points_of`, in the head's upright frame.
        head_points: (7, h) float32 from `points_of`, in the head's frame.
    """

    person_id: PersonId
    head: Head
    shoulders: tuple[MeshPart, ...]
    figure: Figure
    shoulder_points: NDArray[np.float32]
    head_points: NDArray[np.float32]


def seat(
    person: Person,
    appearance: Appearance,
    head: Head,
    *,
    shoulders: tuple[MeshPart, ...] | None = None,
) -> Sitter:
    """Put a head on shoulders; several pictures of it cost this once.

    Args:
        person: Whose head.
        appearance: The same that built it.
        head: From `build_head`.
        shoulders: From `bust.dressed_shoulders`; None for a plain collar, which is
            cheaper and enough where only the face is cut out.
    """
    if shoulders is None:
        shoulders = build_bust(person, appearance, head)
    parts = (*shoulders, *head.parts)
    open_everywhere = [np.zeros(len(part.triangles), np.bool_) for part in parts]
    return Sitter(
        person_id=person.person_id,
        head=head,
        shoulders=shoulders,
        figure=merge(parts, paint_of(parts), open_everywhere),
        shoulder_points=_points(shoulders),
        head_points=_points(head.parts),
    )


def _points(parts: tuple[MeshPart, ...]) -> NDArray[np.float32]:
    """Lay out the vertices of several parts, one after the other, (7, n)."""
    return points_of(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
    )


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
    sitter = seat(
        person,
        appearance,
        build_head(person, appearance),
        shoulders=dressed_shoulders(person, appearance),
    )
    return render_head(
        sitter,
        rotation=gaze_rotation(yaw_deg, pitch_deg, roll_deg),
        face_height_px=face_height_px,
        size_px=size_px,
        light=light,
        background_bgr=background_bgr,
    )


def render_head(
    sitter: Sitter,
    *,
    rotation: NDArray[np.float64],
    face_height_px: float,
    size_px: tuple[int, int],
    light: Light,
    background_bgr: tuple[float, float, float],
) -> Portrait:
    """Take a picture of somebody who is seated.

    Args:
        sitter: From `seat`.
        rotation: (3, 3) of the head against its body, from `pose.gaze_rotation`.
        face_height_px: As in `render_portrait`.
        size_px: Height and width.
        light: In camera space.
        background_bgr: sRGB, 0 to 255.

    Returns:
        The picture with its box and landmarks.
    """
    turned, translation, lens = frame_head(
        sitter.head, rotation, face_height_px=face_height_px, size_px=size_px
    )
    tile = _take(sitter, turned, translation, lens, light, size_px)
    behind = srgb_to_linear(np.clip(np.rint(background_bgr), 0, 255).astype(np.uint8))
    image = tile[..., :3] + (1.0 - tile[..., 3:]) * behind
    landmarks, _ = project(
        sitter.head.landmarks,
        rotation=turned,
        translation_m=translation,
        intrinsics=lens,
    )
    outline, _ = project(
        sitter.head.outline,
        rotation=turned,
        translation_m=translation,
        intrinsics=lens,
    )
    return Portrait(
        person_id=sitter.person_id,
        image_bgr=linear_to_srgb(image.astype(np.float32)),
        box_xyxy=np.concatenate([outline.min(axis=0), outline.max(axis=0)]).astype(
            np.float32
        ),
        landmarks=landmarks.astype(np.float32),
    )


def frame_head(
    head: Head,
    rotation: NDArray[np.float64],
    *,
    face_height_px: float,
    size_px: tuple[int, int],
) -> tuple[NDArray[np.float64], NDArray[np.float64], Intrinsics]:
    """Set a head up before a lens, its face in the middle.

    Args:
        head: Whose.
        rotation: (3, 3) of the head against its body, from `pose.gaze_rotation`.
        face_height_px: As in `render_portrait`.
        size_px: Height and width of the picture.

    Returns:
        Rotation (3, 3) and place (3,) of the head's frame in the camera's, and the
        lens.
    """
    height, width = size_px
    turned = FACING_CAMERA @ rotation
    middle = (head.outline.min(axis=0) + head.outline.max(axis=0)) / 2.0
    translation = np.array([0.0, 0.0, _DISTANCE_M]) - turned @ middle
    focal = face_height_px * _DISTANCE_M / _MEAN_FACE_HEIGHT_M
    lens = Intrinsics(fx_px=focal, fy_px=focal, cx_px=width / 2.0, cy_px=height / 2.0)
    return turned, translation, lens


def _take(
    sitter: Sitter,
    turned: NDArray[np.float64],
    translation: NDArray[np.float64],
    lens: Intrinsics,
    light: Light,
    size_px: tuple[int, int],
) -> NDArray[np.float32]:
    """Draw shoulders and head, (h, w, 4), linear and premultiplied."""
    figure = sitter.figure
    view = look_at(
        figure,
        (
            (sitter.shoulder_points, FACING_CAMERA, translation),
            (sitter.head_points, turned, translation),
        ),
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
