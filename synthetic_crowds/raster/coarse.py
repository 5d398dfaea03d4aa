"""Coarse doubles of detailed meshes, for people far away and for shadows.

Owns the merging of vertices that share a small cell of space. Knows nothing of
what the meshes stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Thinning", "thinning_of", "top_down", "whole"]

# Texture seams: vertices in one cell of space but far apart on the texture stay two.
_TEXTURE_CELLS = 4
# Height of the bands in which `top_down` sorts.
_BAND_M = 0.012


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thinning:
    """Which vertices of a mesh to keep; it outlives the mesh's next pose.

    Attributes:
        kept: (n,) int64, indices of the vertices that stay.
        triangles: (t, 3) int32, indices into `kept`.
        closed: (t,) bool, triangles whose backs are never seen.
    """

    kept: NDArray[np.int64]
    triangles: NDArray[np.int32]
    closed: NDArray[np.bool_]

    def of(self, part: MeshPart) -> MeshPart:
        """Thin a pose of the mesh from which this was made."""
        return MeshPart(
            vertices=part.vertices[self.kept],
            normals=part.normals[self.kept],
            triangles=self.triangles,
            uv=part.uv[self.kept],
            texture_bgra=part.texture_bgra,
            occlusion=part.occlusion[self.kept],
            specular=part.specular,
        )


def top_down(thin: Thinning, vertices: NDArray[np.float32]) -> Thinning:
    """Sort a thinning from the top down, so that rows of pixels find it side by side.

    A mesh that keeps all its vertices keeps their order, too.

    Args:
        thin: Of a mesh that stands upright.
        vertices: (v, 3) of the whole mesh.
    """
    x, y, _ = vertices[thin.kept].T
    order = np.lexsort((x, -np.floor(y / _BAND_M)))
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    rows = np.argsort(rank[thin.triangles].min(axis=1), kind="stable")
    triangles, closed = thin.triangles[rows], thin.closed[rows]
    if len(order) == len(vertices):
        return Thinning(kept=thin.kept, triangles=triangles, closed=closed)
    return Thinning(kept=thin.kept[order], triangles=rank[triangles], closed=closed)


def whole(n_vertices: int, triangles: NDArray[np.int32]) -> Thinning:
    """Keep a mesh as it is; it may be open anywhere."""
    return Thinning(
        kept=np.arange(n_vertices),
        triangles=triangles,
        closed=np.zeros(len(triangles), np.bool_),
    )


def thinning_of(part: MeshPart, *, cell_m: float, rim_m: float = np.inf) -> Thinning:
    """Find how to merge all vertices of each cubic cell into the first of them.

    Args:
        part: The detailed mesh.
        cell_m: Side of a cell; thinner features vanish. 0 keeps every vertex.
        rim_m: Further than this from the mesh's rim, nobody sees its inside.
    """
    if cell_m:
        kept, triangles = _cluster(part, cell_m)
    else:
        kept, triangles = np.arange(len(part.vertices)), part.triangles
    centres = part.vertices[kept][triangles].mean(axis=1)
    if np.isfinite(rim_m):
        closed = cKDTree(_rim(part)).query(centres)[0] > rim_m
    else:
        closed = np.zeros(len(triangles), np.bool_)
    return Thinning(kept=kept, triangles=triangles, closed=closed)


def _rim(part: MeshPart) -> NDArray[np.float32]:
    """Vertices (n, 3) on edges that belong to one triangle only; seams are none."""
    _, spot = np.unique(part.vertices, axis=0, return_inverse=True)
    corners = spot.reshape(-1)[part.triangles]
    edges = np.sort(
        np.concatenate([corners[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1
    )
    places, count = np.unique(edges, axis=0, return_counts=True)
    lonely = np.unique(places[count == 1])
    _, where = np.unique(spot.reshape(-1), return_index=True)
    return np.asarray(part.vertices[where[lonely]])


def _cluster(
    part: MeshPart, cell_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Merge the vertices of each cell."""
    cells = np.column_stack(
        (
            np.floor(part.vertices / cell_m).astype(np.int64),
            np.floor(part.uv * _TEXTURE_CELLS).astype(np.int64),
        )
    )
    _, first, cell = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    triangles: NDArray[np.int32] = cell.reshape(-1).astype(np.int32)[part.triangles]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    # Merged neighbours often coincide; one copy of each is enough.
    _, once = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    return first, triangles[np.sort(once)]
