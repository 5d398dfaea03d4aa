"""Texture coordinates of a head, and the way back from texel to template position.

Owns one idea: everything on a head is painted in *template coordinates*, the
positions that the average head has. A feature painted there follows every morph.
Knows nothing of people or colours.

The mesh's own texture coordinates give the face few texels. Here the face is
unrolled from a vertical axis inside it, and the crown from a point on that axis,
so that 86 % of the width serves the front 200 degrees.

Source:
    `FACES.md`, Texture (the 86 % for 200 degrees).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FACE_UNROLL",
    "HAIR_UNROLL",
    "TexelMap",
    "Unroll",
    "bake_texel_map",
    "unroll",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unroll:
    """How a head is unrolled on to a square.

    Attributes:
        axis_z_m: Where the vertical axis stands, in template coordinates.
        crown_y_m: Height of the point from which the crown is unrolled.
        crown_radius_m: Arc length per radian above that height.
        chin_s_m: Height below which texels stretch (neck).
        bottom_s_m: Height at the texture's last row.
        chin_v: v at `chin_s_m`.
        front_deg: Half angle served by `front_share` of the width.
        front_share: Share of the width that the front receives.
    """

    axis_z_m: float
    crown_y_m: float
    crown_radius_m: float
    chin_s_m: float
    bottom_s_m: float
    chin_v: float
    front_deg: float
    front_share: float


# Template heights are relative to the head's joint: eyes near 0.03, chin -0.08.
FACE_UNROLL = Unroll(
    axis_z_m=0.045,
    crown_y_m=0.062,
    crown_radius_m=0.080,
    chin_s_m=-0.092,
    bottom_s_m=-0.20,
    chin_v=0.86,
    front_deg=100.0,
    front_share=0.86,
)
HAIR_UNROLL = Unroll(
    axis_z_m=0.0,
    crown_y_m=0.062,
    crown_radius_m=0.095,
    chin_s_m=-0.092,
    bottom_s_m=-0.20,
    chin_v=0.95,
    front_deg=90.0,
    front_share=0.5,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TexelMap:
    """Which template point each texel of a square texture shows.

    Attributes:
        position_m: (n, n, 3) float32, template coordinates.
        covered: (n, n) bool, False where no surface lies; `position_m` is there
            that of the nearest covered texel of the row.
    """

    position_m: NDArray[np.float32]
    covered: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.position_m.setflags(write=False)
        self.covered.setflags(write=False)


def unroll(
    template_m: NDArray[np.float32],
    how: Unroll,
    *,
    right_of_seam: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Compute texture coordinates from template positions.

    Args:
        template_m: (v, 3) positions on the average head.
        how: Which unrolling.
        right_of_seam: (v,) vertices on the seam at the back of the head that
            belong to the subject's right side (u = 0 rather than 1).

    Returns:
        (v, 2) float32 in [0, 1]. The subject's left has the larger u, as in a
        frontal picture; v runs from crown to neck.
    """
    x = template_m[:, 0].astype(np.float64)
    y = template_m[:, 1].astype(np.float64)
    z = template_m[:, 2].astype(np.float64) - how.axis_z_m
    angle = np.degrees(np.arctan2(x, z))
    angle = np.where(right_of_seam & (angle > 0.0), -180.0, angle)
    half_front, half = how.front_share / 2.0, 0.5
    knots = [-180.0, -how.front_deg, how.front_deg, 180.0]
    u = np.interp(angle, knots, [0.0, half - half_front, half + half_front, 1.0])
    elevation = np.arctan2(y - how.crown_y_m, np.hypot(x, z))
    s = np.where(y > how.crown_y_m, how.crown_y_m + how.crown_radius_m * elevation, y)
    top = how.crown_y_m + how.crown_radius_m * np.pi / 2.0
    v = np.interp(s, [how.bottom_s_m, how.chin_s_m, top], [1.0, how.chin_v, 0.0])
    return np.stack([u, v], axis=1).astype(np.float32)


@njit(cache=True, nogil=True)
def _rasterise(
    uv: NDArray[np.float32],
    template: NDArray[np.float32],
    triangles: NDArray[np.int32],
    axis_z: float,
    size: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fill (size, size, 3) positions; the outermost surface wins."""
    position = np.zeros((size, size, 3), np.float32)
    reach = np.full((size, size), -1.0, np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = uv[a, 0] * size - 0.5, uv[a, 1] * size - 0.5
        x1, y1 = uv[b, 0] * size - 0.5, uv[b, 1] * size - 0.5
        x2, y2 = uv[c, 0] * size - 0.5, uv[c, 1] * size - 0.5
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.floor(min(x0, x1, x2))))
        right = min(size - 1, int(np.ceil(max(x0, x1, x2))))
        top = max(0, int(np.floor(min(y0, y1, y2))))
        bottom = min(size - 1, int(np.ceil(max(y0, y1, y2))))
        for py in range(top, bottom + 1):
            for px in range(left, right + 1):
                w1 = ((px - x0) * (y2 - y0) - (x2 - x0) * (py - y0)) / area
                w2 = ((x1 - x0) * (py - y0) - (px - x0) * (y1 - y0)) / area
                w0 = 1.0 - w1 - w2
                if w0 < -1e-4 or w1 < -1e-4 or w2 < -1e-4:
                    continue
                px_m = w0 * template[a, 0] + w1 * template[b, 0] + w2 * template[c, 0]
                py_m = w0 * template[a, 1] + w1 * template[b, 1] + w2 * template[c, 1]
                pz_m = w0 * template[a, 2] + w1 * template[b, 2] + w2 * template[c, 2]
                r = np.float32(np.sqrt(px_m**2 + (pz_m - axis_z) ** 2))
                if r > reach[py, px]:
                    reach[py, px] = r
                    position[py, px, 0] = px_m
                    position[py, px, 1] = py_m
                    position[py, px, 2] = pz_m
    return position, reach


def bake_texel_map(
    uv: NDArray[np.float32],
    template_m: NDArray[np.float32],
    triangles: NDArray[np.int32],
    how: Unroll,
    *,
    size_px: int,
) -> TexelMap:
    """Find the template position behind every texel.

    Args:
        uv: (v, 2) from `unroll`.
        template_m: (v, 3) positions on the average head.
        triangles: (t, 3) indices.
        how: The unrolling that made `uv`.
        size_px: Side of the texture.

    Returns:
        The map; where several layers overlap (ears, lips), the outermost.
    """
    position, reach = _rasterise(uv, template_m, triangles, how.axis_z_m, size_px)
    covered = reach >= 0.0
    # Holes copy their row's nearest covered texel, so that bilinear lookups at
    # the border of the surface never blend with a colour painted nowhere.
    columns = np.arange(size_px)
    for row in range(size_px):
        known = columns[covered[row]]
        if len(known) == 0:
            continue
        after = np.clip(np.searchsorted(known, columns), 0, len(known) - 1)
        before = np.clip(after - 1, 0, len(known) - 1)
        nearer_before = columns - known[before] <= known[after] - columns
        position[row] = position[row][
            np.where(nearer_before, known[before], known[after])
        ]
    return TexelMap(position_m=position, covered=covered)
