"""People's meshes, merged so that they can be drawn fast and often.

Owns what is prepared once per mesh (winding, halved textures) and the door to the
loops in `figure_*.py`. It draws what `rasteriser.draw` and `resolve` draw,
within the tolerance that `tests/test_figure.py` states; those remain the reference,
and serve what is large, close or drawn once. Knows nothing of people or streets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.raster.colour import LINEAR_TO_SRGB, SRGB_TO_LINEAR
from synthetic_crowds.raster.figure_light import shade
from synthetic_crowds.raster.figure_meshes import halve, pack, pierce, wind
from synthetic_crowds.raster.figure_visibility import (
    CLOSED,
    HOLED,
    SUBPIXELS,
    cover,
    place,
)
from synthetic_crowds.raster.lanes import LANES
from synthetic_crowds.raster.rasteriser import gloss_doublings, lamps_of, wrap_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.raster.rasteriser import Intrinsics, Light
    from synthetic_crowds.records import MeshPart

__all__ = [
    "Figure",
    "Paint",
    "Rect",
    "View",
    "develop",
    "expose_samples",
    "look_at",
    "merge",
    "paint_of",
]

_SMALLEST_SHEET = 16
_LEVELS = 5
# Lookups at a texture's edge reach into what follows it, and weigh it with nothing.
_MARGIN = 4096
# What `pierce` says of triangles that are one hole.
_NOTHING = 2
# From this scale on (faces some 60 px high) neighbouring samples look alike.
_GROUPED_FROM_PX_PER_M = 330.0
_NO_SCENERY = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class Rect:
    """Whole pixels of a frame, right and bottom exclusive; may reach beyond it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def within(self, other: Rect) -> Rect:
        """What both have in common, perhaps nothing."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Rect(
            left,
            top,
            max(min(self.right, other.right), left),
            max(min(self.bottom, other.bottom), top),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paint:
    """How the parts of a figure look, whatever their meshes' detail.

    Attributes:
        texels: (n,) uint64, every texture and its halves, as `pack` says.
        alpha: (n,) uint8, of the same texels.
        sheets: (p, levels, 3) int32, offset into `texels`, height and width.
        texels_per_m: (p,) float64, how finely a part is painted.
        finish: (p, 7) float32, as `figure_light.shade` reads it.
        doublings: (p,) int32, logarithms of the highlights' exponents.
    """

    texels: NDArray[np.uint64]
    alpha: NDArray[np.uint8]
    sheets: NDArray[np.int32]
    texels_per_m: NDArray[np.float64]
    finish: NDArray[np.float32]
    doublings: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Figure:
    """Mesh parts in one; vertices are given anew for every pose.

    Attributes:
        paint: Of its parts.
        triangles: (t, 3) int32 over the vertices of all parts, wound outwards.
        part_of: (t,) uint8.
        kinds: (t,) uint8, whether a triangle is `CLOSED` or `HOLED`.
        starts: (p + 1,) int64, where each part's triangles begin.
        uv: (v, 2) float32.
        looks: (v, 3) float32: `uv`, and the share of the sky that a vertex sees.
    """

    paint: Paint
    triangles: NDArray[np.int32]
    part_of: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    starts: NDArray[np.int64]
    uv: NDArray[np.float32]
    looks: NDArray[np.float32]

    @property
    def owner_bits(self) -> int:
        """How many bits tell triangles' sides, as `figure_visibility.cover` says."""
        return (2 * len(self.triangles) + 2).bit_length()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """A figure's vertices as a camera sees them.

    Attributes:
        screen: (v, 2) int32, in 1/256 pixel.
        inverse: (v,) float32, 1/depth.
        corners: (v, 8) float32, as `figure_light.shade` reads them.
        boxes_xyxy: (g, 4) float64, pixels, around each group of vertices.
    """

    screen: NDArray[np.int32]
    inverse: NDArray[np.float32]
    corners: NDArray[np.float32]
    boxes_xyxy: NDArray[np.float64]


def paint_of(parts: Sequence[MeshPart]) -> Paint:
    """Gather how parts look; textures that they share are stored once."""
    stacks: dict[int, tuple[list[NDArray[np.uint8]], list[tuple[int, int, int]]]] = {}
    offset = 0
    for part in parts:
        if id(part.texture_bgra) not in stacks:
            sheets = _halvings(part.texture_bgra)
            places = []
            for sheet in sheets:
                places.append((offset, sheet.shape[0], sheet.shape[1]))
                offset += sheet.shape[0] * sheet.shape[1]
            places += [places[-1]] * (_LEVELS - len(places))
            stacks[id(part.texture_bgra)] = sheets, places
    texels = np.concatenate(
        [sheet.reshape(-1, 4) for sheets, _ in stacks.values() for sheet in sheets]
    )
    wrap = np.stack([wrap_of(part.specular) for part in parts])
    gloss = np.array([[part.specular] for part in parts], np.float32)
    return Paint(
        texels=pack(np.pad(texels, ((0, _MARGIN), (0, 0))), SRGB_TO_LINEAR),
        alpha=np.ascontiguousarray(texels[:, 3]),
        sheets=np.array([stacks[id(part.texture_bgra)][1] for part in parts], np.int32),
        texels_per_m=np.array([_texels_per_m(part) for part in parts]),
        finish=np.hstack((gloss, wrap, 1.0 / (1.0 + wrap))),
        doublings=np.array([gloss_doublings(p.specular) for p in parts], np.int32),
    )


def merge(
    parts: Sequence[MeshPart], paint: Paint, closed: Sequence[NDArray[np.bool_]]
) -> Figure:
    """Merge parts, in the order in which `paint` was gathered from them.

    Args:
        parts: Meshes.
        paint: Their looks.
        closed: Of each part, which triangles' backs are never seen, (t,) bool.
    """
    first = np.cumsum([0, *(len(part.vertices) for part in parts)])
    meshes, kinds = [], []
    for part, shut, start in zip(parts, closed, first[:-1], strict=True):
        alpha = np.ascontiguousarray(part.texture_bgra[..., 3])
        pierced = pierce(part.uv, part.triangles, alpha)
        wound = wind(part.vertices, part.normals, part.triangles) + np.int32(start)
        kind = CLOSED * shut.astype(np.uint8) + HOLED * (pierced == 1)
        meshes.append(wound[pierced < _NOTHING])
        kinds.append(kind.astype(np.uint8)[pierced < _NOTHING])
    counts = [len(mesh) for mesh in meshes]
    uv = np.concatenate([part.uv for part in parts])
    return Figure(
        paint=paint,
        triangles=np.concatenate(meshes),
        part_of=np.repeat(np.arange(len(parts), dtype=np.uint8), counts),
        kinds=np.concatenate(kinds),
        starts=np.cumsum([0, *counts]),
        uv=uv,
        looks=np.column_stack([uv, np.concatenate([p.occlusion for p in parts])]),
    )


def _halvings(texture: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Halve a texture until it is small."""
    sheets = [np.ascontiguousarray(texture)]
    while len(sheets) < _LEVELS and min(sheets[-1].shape[:2]) >= 2 * _SMALLEST_SHEET:
        sheets.append(halve(sheets[-1], SRGB_TO_LINEAR, LINEAR_TO_SRGB))
    return sheets


def _texels_per_m(part: MeshPart) -> float:
    """Mean number of texels along a metre of a part's surface."""
    if not len(part.triangles):
        return 0.0
    # Every eighth triangle tells.
    a, b, c = part.triangles[::8].T
    v, uv = part.vertices, part.uv * part.texture_bgra.shape[1::-1]
    e, f = uv[b] - uv[a], uv[c] - uv[a]
    painted = np.abs(e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]).sum()
    surface = np.linalg.norm(np.cross(v[b] - v[a], v[c] - v[a]), axis=1).sum()
    return math.sqrt(float(painted) / max(float(surface), 1e-9))


def look_at(
    figure: Figure,
    groups: Sequence[
        tuple[
            NDArray[np.float32],
            NDArray[np.float32],
            NDArray[np.floating],
            NDArray[np.floating],
        ]
    ],
    intrinsics: Intrinsics,
    *,
    nearest_m: float,
) -> View:
    """Project a figure's vertices.

    Args:
        figure: Whose.
        groups: Runs of vertices in the figure's order: positions (n, 3), normals
            (n, 3), rotation (3, 3) to the camera, place (3,) in its space, metres.
        intrinsics: The camera.
        nearest_m: Nothing is taken to be nearer than this.
    """
    n = len(figure.uv)
    screen = np.empty((n, 2), np.int32)
    inverse = np.empty(n, np.float32)
    corners = np.empty((n, 8), np.float32)
    optics = (
        float(intrinsics.fx_px),
        float(intrinsics.fy_px),
        float(intrinsics.cx_px),
        float(intrinsics.cy_px),
    )
    start = 0
    boxes = []
    for vertices, normals, rotation, place_m in groups:
        rows = slice(start, start + len(vertices))
        box = place(
            vertices,
            normals,
            figure.looks[rows],
            np.ascontiguousarray(rotation, np.float64),
            np.ascontiguousarray(place_m, np.float64),
            optics,
            nearest_m,
            screen[rows],
            inverse[rows],
            corners[rows],
        )
        boxes.append(box)
        start += len(vertices)
    return View(
        screen=screen,
        inverse=inverse,
        corners=corners,
        boxes_xyxy=np.array(boxes) / SUBPIXELS,
    )


def expose_samples(
    figure: Figure, view: View, rect: Rect, *, samples: int, triangles: slice
) -> NDArray[np.int32]:
    """Find which triangle each sample of a rectangle sees.

    Returns:
        (h * samples, w * samples and some more), as `figure_visibility.cover` says.
    """
    height, width = rect.shape
    seen = np.zeros((height * samples, width * samples + LANES), np.int32)
    cover(
        view.screen,
        view.inverse,
        figure.triangles,
        triangles.start,
        triangles.stop,
        figure.part_of,
        figure.kinds,
        figure.uv,
        figure.paint.alpha,
        figure.paint.sheets,
        rect.left,
        rect.top,
        samples,
        width * samples,
        figure.owner_bits,
        seen,
    )
    return seen


def develop(  # noqa: PLR0913
    figure: Figure,
    view: View,
    seen: NDArray[np.int32],
    rect: Rect,
    plate: NDArray[np.float32],
    *,
    samples: int,
    px_per_m: float,
    light: Light,
    viewer: NDArray[np.floating],
    corner: tuple[int, int] = (0, 0),
    skip: Rect | None = None,
    scenery_m: NDArray[np.float32] | None = None,
    depth_m: float = 0.0,
) -> None:
    """Light what the samples see and put it on a plate, behind what is on it.

    Args:
        figure: The mesh.
        view: From `look_at`.
        seen: From `expose_samples`.
        rect: The same rectangle.
        plate: (h, w, 4) float32, linear, premultiplied; written.
        samples: As given to `expose_samples`.
        px_per_m: Scale of the figure on the image.
        light: In camera space.
        viewer: (3,) from the figure to the lens, camera space.
        corner: Left and top of the plate in the frame.
        skip: Pixels to leave out.
        scenery_m: (H, W) of the frame; what is nearer than `depth_m` hides.
        depth_m: Of the figure.
    """
    grouped = px_per_m > _GROUPED_FROM_PX_PER_M
    # One texel to a lookup; finer ones would flicker, coarser ones would blur.
    lookups_per_m = px_per_m if grouped else px_per_m * samples
    fineness = figure.paint.texels_per_m / lookups_per_m
    level = np.minimum(np.log2(np.maximum(fineness, 1.0)), _LEVELS - 1)
    left_out = skip if skip is not None else Rect(0, 0, 0, 0)
    shade(
        seen,
        rect.shape[1],
        figure.owner_bits,
        samples,
        grouped,
        view.corners,
        figure.triangles,
        figure.part_of,
        figure.paint.texels,
        figure.paint.sheets[np.arange(len(level)), level.astype(np.int64)],
        figure.paint.finish,
        figure.paint.doublings,
        lamps_of(light, viewer),
        rect.left,
        rect.top,
        (left_out.left, left_out.top, left_out.right, left_out.bottom),
        scenery_m if scenery_m is not None else _NO_SCENERY,
        np.float32(depth_m),
        plate,
        corner[0],
        corner[1],
    )
