"""Triangles to pixels: a z-buffered, lit, textured picture of mesh parts.

Owns projection, hidden surfaces and shading, in linear light. Knows nothing of
people, streets or what a mesh stands for; the loops are in `raster_kernels.py`.

A subject who faces the lens has its left on the image's right: local x goes to
camera x, local y (up) to camera -y, local z (forward) to camera -z. That is the
proper rotation `FACING_CAMERA`, so nothing is mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.colour import (
    SRGB_TO_LINEAR,
    linear_to_srgb,
    srgb_to_linear,
)
from synthetic_crowds.raster.raster_kernels import (
    average_blocks,
    fill,
    front_then_back,
    snap,
    turn,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart

__all__ = [
    "FACING_CAMERA",
    "NEAR_M",
    "Canvas",
    "Intrinsics",
    "Light",
    "draw",
    "gloss_doublings",
    "lamps_of",
    "linear_to_srgb",
    "new_canvas",
    "project",
    "resolve",
    "srgb_to_linear",
    "wrap_of",
]

FACING_CAMERA = np.diag([1.0, -1.0, -1.0])
FACING_CAMERA.setflags(write=False)

# Surfaces nearer to the lens than this are cut away.
NEAR_M = 0.05
_NOWHERE = np.zeros(3)
# Skin lets light bleed past the terminator, red furthest (B, G, R); cloth does not.
_SKIN_WRAP_BGR = np.array([0.08, 0.14, 0.26], np.float32)
_SKIN_SPECULAR = 0.2
# Highlights: broad on skin, tight on eyes and lenses; exponents 2**4 and 2**7.
_BROAD_DOUBLINGS, _TIGHT_DOUBLINGS, _TIGHT_FROM = 4, 7, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrinsics:
    """A pinhole camera without skew or distortion.

    Attributes:
        fx_px, fy_px: Focal lengths.
        cx_px, cy_px: Where the optical axis meets the image.
    """

    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Light:
    """One key light and a two-toned surrounding, in linear light.

    A white matt surface that faces the key light under an open sky is as bright
    as `key_bgr` plus its share of `sky_bgr` and `ground_bgr`.

    Attributes:
        direction: (3,) float32, camera space, unit, from the subject to the key.
        key_bgr: (3,) float32, colour and strength of the key light.
        sky_bgr: (3,) float32, ambient on surfaces that face `up`.
        ground_bgr: (3,) float32, ambient on surfaces that face the ground.
        up: (3,) float32, camera space, unit, towards the zenith.
    """

    direction: NDArray[np.float32]
    key_bgr: NDArray[np.float32]
    sky_bgr: NDArray[np.float32]
    ground_bgr: NDArray[np.float32]
    up: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Check shapes and unit lengths, then make the arrays read-only.

        Raises:
            ValueError: If a vector is not (3,), or a direction is not a unit vector.
        """
        for name in ("direction", "key_bgr", "sky_bgr", "ground_bgr", "up"):
            vector = getattr(self, name)
            if vector.shape != (3,):
                message = f"Light.{name} must be (3,), got {vector.shape}"
                raise ValueError(message)
            vector.setflags(write=False)
        for name in ("direction", "up"):
            length = float(np.linalg.norm(getattr(self, name)))
            if abs(length - 1.0) > 1e-3:
                message = (
                    f"Light.{name} must have length 1, got {length:.4f}; divide by it"
                )
                raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """A picture under way; `draw` writes into its planes.

    Attributes:
        bgr: (h, w, 3) float32, linear light.
        depth_m: (h, w) float32, along the optical axis; inf where empty.
        owner: (h, w) int32, as given to `draw`; -1 where empty.
    """

    bgr: NDArray[np.float32]
    depth_m: NDArray[np.float32]
    owner: NDArray[np.int32]


def new_canvas(height_px: int, width_px: int) -> Canvas:
    """Make an empty canvas: black, infinitely far, owned by nobody."""
    return Canvas(
        bgr=np.zeros((height_px, width_px, 3), np.float32),
        depth_m=np.full((height_px, width_px), np.inf, np.float32),
        owner=np.full((height_px, width_px), -1, np.int32),
    )


def project(
    points: NDArray[np.floating],
    *,
    rotation: NDArray[np.floating],
    translation_m: NDArray[np.floating],
    intrinsics: Intrinsics,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project local points to the image.

    Args:
        points: (n, 3), metres, local frame.
        rotation: (3, 3), local to camera.
        translation_m: (3,), the local origin in camera space.
        intrinsics: The camera.

    Returns:
        Pixels (n, 2), meaningful where the depth (n,), metres, is positive.
    """
    camera = points.astype(np.float64) @ np.asarray(rotation).T + translation_m
    depth = camera[:, 2]
    scale = np.array([intrinsics.fx_px, intrinsics.fy_px])
    centre = np.array([intrinsics.cx_px, intrinsics.cy_px])
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = camera[:, :2] / depth[:, None] * scale + centre
    return pixels, depth


def draw(
    canvas: Canvas,
    part: MeshPart,
    *,
    rotation: NDArray[np.floating],
    translation_m: NDArray[np.floating],
    intrinsics: Intrinsics,
    light: Light,
    owner: int,
) -> None:
    """Draw a mesh part into a canvas, hidden by whatever is nearer.

    Both sides of a surface show; its normals say which one is out. Texels with
    alpha below 128 are holes. What reaches behind the lens or beyond the canvas
    is cut off.

    Args:
        canvas: Written to.
        part: The surface.
        rotation: (3, 3), local to camera, proper (determinant 1).
        translation_m: (3,), the local origin in camera space.
        intrinsics: The camera.
        light: In camera space.
        owner: Identifies the part's pixels in `canvas.owner`; not negative.
    """
    axes = np.asarray(rotation, np.float64)
    camera = turn(part.vertices, axes, np.asarray(translation_m, np.float64))
    normals = turn(part.normals, axes, _NOWHERE)
    triangles, uv, occlusion = part.triangles, part.uv, part.occlusion
    nearest = camera[:, 2].min(initial=np.inf)
    if nearest < NEAR_M:
        camera, normals, uv, occlusion, triangles = _clip_near(
            camera, normals, uv, occlusion, triangles
        )
    if not len(triangles):
        return

    screen = snap(
        camera, intrinsics.fx_px, intrinsics.fy_px, intrinsics.cx_px, intrinsics.cy_px
    )
    height, width = canvas.depth_m.shape
    order, front, total = front_then_back(
        screen, camera, normals, triangles, height, width
    )
    lamps = lamps_of(light, -camera.mean(axis=0))
    fill(
        canvas.bgr,
        canvas.depth_m,
        canvas.owner,
        owner,
        screen,
        normals,
        triangles,
        uv,
        occlusion,
        order,
        front,
        total,
        part.texture_bgra,
        SRGB_TO_LINEAR,
        lamps,
        wrap_of(part.specular),
        part.specular,
        gloss_doublings(part.specular),
    )


def lamps_of(light: Light, viewer: NDArray[np.floating]) -> NDArray[np.float32]:
    """Arrange light as the loops read it.

    Args:
        light: In camera space.
        viewer: (3,), from the subject to the lens, camera space. One half-vector
            serves a whole subject: it is small against its distance.

    Returns:
        (6, 3): towards the key light, key colour, sky, ground, towards the sky,
        half-way between key light and viewer.
    """
    x, y, z = viewer.tolist()
    key = light.direction.tolist()
    far = max(math.sqrt(x * x + y * y + z * z), NEAR_M)
    half = key[0] + x / far, key[1] + y / far, key[2] + z / far
    length = max(math.sqrt(half[0] ** 2 + half[1] ** 2 + half[2] ** 2), 1e-6)
    lamps = np.empty((6, 3), np.float32)
    lamps[0], lamps[1] = light.direction, light.key_bgr
    lamps[2], lamps[3] = light.sky_bgr, light.ground_bgr
    lamps[4] = light.up
    lamps[5] = half[0] / length, half[1] / length, half[2] / length
    return lamps


def wrap_of(specular: float) -> NDArray[np.float32]:
    """How far the key light bleeds past the terminator, (3,) B, G, R: only in skin."""
    return _SKIN_WRAP_BGR * np.float32(min(specular / _SKIN_SPECULAR, 1.0))


def gloss_doublings(specular: float) -> int:
    """A highlight's exponent is two to this power: tight on eyes and lenses."""
    return _TIGHT_DOUBLINGS if specular >= _TIGHT_FROM else _BROAD_DOUBLINGS


def resolve(canvas: Canvas, *, factor: int) -> NDArray[np.float32]:
    """Average `factor` x `factor` samples into each pixel of an anti-aliased tile.

    Args:
        canvas: Drawn at `factor` times the wanted size; both sides divisible by it.
        factor: Samples per pixel along each side, from 1.

    Returns:
        (h / factor, w / factor, 4) float32: linear B, G, R premultiplied by alpha,
        and alpha, the covered share of the pixel, in [0, 1]. Lay it over a linear
        background by `tile[..., :3] + (1 - tile[..., 3:]) * background`.

    Raises:
        ValueError: If `factor` does not divide the canvas.
    """
    height, width = canvas.depth_m.shape
    if height % factor or width % factor:
        message = (
            f"factor must divide the canvas, got {factor} for {height} x {width}; "
            "make the canvas a multiple of it"
        )
        raise ValueError(message)
    return average_blocks(canvas.bgr, canvas.owner, factor)


def _clip_near(
    camera: NDArray[np.float32],
    normals: NDArray[np.float32],
    uv: NDArray[np.float32],
    occlusion: NDArray[np.float32],
    triangles: NDArray[np.int32],
) -> tuple[
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.int32],
]:
    """Cut away what is nearer than `NEAR_M`; plain, since it is rare and slow."""
    corners = np.column_stack((camera, normals, uv, occlusion))
    kept: list[NDArray[np.float32]] = []
    for triangle in corners[triangles]:
        polygon = []
        for start, end in zip(triangle, np.roll(triangle, -1, axis=0), strict=True):
            if start[2] >= NEAR_M:
                polygon.append(start)
            if (start[2] >= NEAR_M) != (end[2] >= NEAR_M):
                share = (NEAR_M - start[2]) / (end[2] - start[2])
                polygon.append(start + share * (end - start))
        kept.extend(
            np.stack((polygon[0], polygon[i], polygon[i + 1]))
            for i in range(1, len(polygon) - 1)
        )
    fan = np.asarray(kept, np.float32).reshape(-1, corners.shape[1])
    return (
        np.ascontiguousarray(fan[:, :3]),
        np.ascontiguousarray(fan[:, 3:6]),
        np.ascontiguousarray(fan[:, 6:8]),
        np.ascontiguousarray(fan[:, 8]),
        np.arange(len(fan), dtype=np.int32).reshape(-1, 3),
    )
