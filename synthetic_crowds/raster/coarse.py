"""Coarse doubles of detailed meshes, for people far away and for shadows.

Owns the merging of vertices that share a small cell of space. Knows nothing of
what the meshes stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Thinning", "thinning_of"]

# Texture seams: vertices in one cell of space but far apart on the texture stay two.
_TEXTURE_CELLS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thinning:
    """Which vertices of a mesh to keep; it outlives the mesh's next pose.

    Attributes:
        kept: (n,) int64, indices of the vertices that stay.
        triangles: (t, 3) int32, indices into `kept`.
    """

    kept: NDArray[np.int64]
    triangles: NDArray[np.int32]

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


def thinning_of(part: MeshPart, *, cell_m: float) -> Thinning:
    """Find how to merge all vertices of each cubic cell into the first of them.

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
    _, once = np.unique(np.sort(triangles, axis=1), axis=0, return_index=True)
    return Thinning(kept=first, triangles=triangles[np.sort(once)])
