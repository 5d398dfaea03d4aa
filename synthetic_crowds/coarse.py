"""Coarse doubles of detailed meshes, for people far away and for shadows.

Owns the merging of vertices that share a small cell of space. Knows nothing of
what the meshes stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["coarsen"]

# Texture seams: vertices in one cell of space but far apart on the texture stay two.
_TEXTURE_CELLS = 4


def coarsen(part: MeshPart, *, cell_m: float) -> MeshPart:
    """Merge all vertices of each cubic cell into the first of them.

    Args:
        part: The detailed mesh.
        cell_m: Side of a cell; thinner features vanish.
    """
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
    _, kept = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    return MeshPart(
        vertices=part.vertices[first],
        normals=part.normals[first],
        triangles=triangles[np.sort(kept)],
        uv=part.uv[first],
        texture_bgra=part.texture_bgra,
        occlusion=part.occlusion[first],
        specular=part.specular,
    )
