"""People's meshes, merged so that they can be drawn fast and often.

Owns what is prepared once per mesh (winding, halved textures) and the door to the
loops in `figure_*.py`. It draws what `rasteriser.draw` and `resolve` draw,
within the tolerance that `tests/test_figure.py` states; those remain the reference,
and serve what is large, close or drawn once. Knows nothing of people or streets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_crowds.raster.figure_light import shade
from synthetic_crowds.raster.figure_meshes import (
    CLOSED,
    HOLED,
    SUBPIXELS,
    pierce,
    wind,
)
from synthetic_crowds.raster.figure_paint import Paint, paint_of
from synthetic_crowds.raster.figure_placing import place, points_of
from synthetic_crowds.raster.figure_sift import sift
from synthetic_crowds.raster.figure_visibility import cover
from synthetic_crowds.raster.lanes import LANES
from synthetic_crowds.raster.rasteriser import lamps_of

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
    "points_of",
]

# What `pierce` says of triangles that are one hole.
_NOTHING = 2
# From this scale on (faces some 60 px high) neighbouring samples look alike.
_GROUPED_FROM_PX_PER_M = 330.0
_NO_SCENERY = np.zeros((0, 0), np.float32)
_NOTHING_FILLED = np.zeros((0, 0), np.int32)


class Rect(NamedTuple):
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
class Figure:
    """Mesh parts in one; vertices are given anew for every pose.

    Attributes:
        paint: Of its parts.
        triangles: (t, 4) int32: corners among the vertices of all parts, wound
            outwards, and the part.
        kinds: (t,) uint8, whether a triangle is `CLOSED` or `HOLED`.
        starts: (p + 1,) int64, where each part's triangles begin.
        uv: (v, 2) float32.
        looks: (3, v) float32: `uv`, and the share of the sky that a vertex sees.
    """

    paint: Paint
    triangles: NDArray[np.int32]
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
        triangles=np.column_stack(
            (
                np.concatenate(meshes),
                np.repeat(np.arange(len(parts), dtype=np.int32), counts),
            )
        ),
        kinds=np.concatenate(kinds),
        starts=np.cumsum([0, *counts]),
        uv=uv,
        looks=np.vstack([uv.T, np.concatenate([p.occlusion for p in parts])]),
    )


def look_at(
    figure: Figure,
    groups: Sequence[
        tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]
    ],
    intrinsics: Intrinsics,
    *,
    nearest_m: float,
) -> View:
    """Project a figure's vertices.

    Args:
        figure: Whose.
        groups: Runs of vertices in the figure's order: (7, n) from `points_of`,
            rotation (3, 3) to the camera, place (3,) in its space, metres.
        intrinsics: The camera.
        nearest_m: Nothing is taken to be nearer than this.
    """
    n = len(figure.uv)
    screen = np.empty((n, 2), np.int32)
    inverse = np.empty(n, np.float32)
    corners = np.empty((n, 8), np.float32)
    k = intrinsics
    start = 0
    boxes = []
    for points, rotation, place_m in groups:
        turn = np.array(rotation)
        box = place(
            points,
            turn,
            turn,
            place_m,
            (float(k.fx_px), float(k.fy_px), float(k.cx_px), float(k.cy_px)),
            nearest_m,
            figure.looks,
            (screen, inverse, corners),
            start,
        )
        boxes.append(box)
        start += points.shape[1]
    return View(
        screen=screen,
        inverse=inverse,
        corners=corners,
        boxes_xyxy=np.array(boxes) / SUBPIXELS,
    )


def expose_samples(
    figure: Figure,
    view: View,
    rect: Rect,
    *,
    samples: int,
    triangles: slice,
    skip: Rect | None = None,
    filled: NDArray[np.int32] | None = None,
    corner: tuple[int, int] = (0, 0),
) -> NDArray[np.int32]:
    """Find which triangle each sample of a rectangle sees.

    Args:
        figure: The mesh.
        view: From `look_at`.
        rect: Which pixels.
        samples: Per pixel along each side, 1 or 2.
        triangles: Which of the mesh, without a step.
        skip: Pixels whose samples are of no meaning.
        filled: (m, n) from `develop`: blocks that are full hide what lies behind; what
            their samples see is of no meaning.
        corner: Left and top of the first block in the frame.

    Returns:
        (h * samples, w * samples and some more), as `figure_visibility.cover` says.
    """
    height, width = rect.shape
    seen = np.zeros((height * samples, width * samples + LANES), np.int32)
    chosen = np.empty(triangles.stop - triangles.start + 1, np.int32)
    left_out = skip if skip is not None else Rect(0, 0, 0, 0)
    count = sift(
        view.screen,
        figure.triangles,
        triangles.start,
        triangles.stop,
        figure.starts,
        figure.kinds,
        rect.left,
        rect.top,
        width,
        height,
        samples,
        (left_out.left, left_out.top, left_out.right, left_out.bottom),
        filled if filled is not None else _NOTHING_FILLED,
        corner[0],
        corner[1],
        chosen,
    )
    cover(
        view.screen,
        view.inverse,
        figure.triangles,
        chosen[:count],
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
    filled: NDArray[np.int32] | None = None,
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
        filled: (m, n), how many pixels of each block of the plate let nothing through;
            written.

    """
    grouped = px_per_m > _GROUPED_FROM_PX_PER_M
    left_out = skip if skip is not None else Rect(0, 0, 0, 0)
    shade(
        seen,
        rect.shape[1],
        figure.owner_bits,
        samples,
        grouped,
        view.corners,
        figure.triangles,
        figure.paint.texels,
        figure.paint.sheets,
        figure.paint.texels_per_m,
        px_per_m if grouped else px_per_m * samples,
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
        filled if filled is not None else _NOTHING_FILLED,
    )
