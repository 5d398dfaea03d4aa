"""The morph basis of heads: loads it once, and blends positions from it.

Owns the file `basis/heads.npz` and the names of its targets. Knows nothing of
people: it takes weights and returns vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HeadBasis", "blend", "load_head_basis", "smooth_normals"]

_FILE = Path(__file__).parent / "heads.npz"
_DELTA_UNIT_M = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadBasis:
    """Average head, topology and sparse morph targets.

    Vertices are skin first (seam copies last among them), then both eyes; targets
    carry one row more: the joint at the root of the neck. The joint of the head is
    the origin, and no target moves it.

    Attributes:
        template_m: (v, 3) float32, the average young head; what textures are
            painted on.
        neutral_m: (v + 1, 3) float32, what targets are added to.
        n_skin: How many vertices are skin.
        skin_triangles: (t, 3) int32.
        eye_triangles: (e, 3) int32.
        weld: (n_skin,) int32, the vertex whose normal each vertex shares.
        right_of_seam: (n_skin,) bool, copies at u = 0.
        occlusion: (n_skin,) float32 in [0, 1], share of the sky seen.
        masks: (3, m, m) uint8 on the face's unrolling: lips, eyelids, ears.
        target_row: Row of each target by name.
        axes: Names of the signed shape axes, in the order of `Person.face_shape`.
        reach_m: How far the end of an axis moves its furthest vertex.
        one_sided: (k,) bool, axes that have no negative end.
        starts: (n + 1,) int32 into `indices` and `deltas`.
        indices: (d,) int32 vertex of each delta.
        deltas: (d, 3) float32, metres.
    """

    template_m: NDArray[np.float32]
    neutral_m: NDArray[np.float32]
    n_skin: int
    skin_triangles: NDArray[np.int32]
    eye_triangles: NDArray[np.int32]
    weld: NDArray[np.int32]
    right_of_seam: NDArray[np.bool_]
    occlusion: NDArray[np.float32]
    masks: NDArray[np.uint8]
    target_row: dict[str, int]
    axes: tuple[str, ...]
    reach_m: dict[str, float]
    one_sided: NDArray[np.bool_]
    starts: NDArray[np.int32]
    indices: NDArray[np.int32]
    deltas: NDArray[np.float32]


@lru_cache(maxsize=1)
def load_head_basis() -> HeadBasis:
    """Read the basis that is shipped with the package."""
    with np.load(_FILE) as stored:
        arrays = {name: stored[name] for name in stored.files}
    names = [str(name) for name in arrays["target_names"]]
    axes = tuple(dict.fromkeys(n.split("/")[1] for n in names if n.startswith("axis/")))
    deltas = arrays["target_deltas"].astype(np.float32) * np.float32(_DELTA_UNIT_M)
    starts = arrays["target_starts"]
    reach_m = dict.fromkeys(axes, 0.0)
    for row, name in enumerate(names):
        if name.startswith("axis/"):
            axis = name.split("/")[1]
            furthest = float(np.abs(deltas[starts[row] : starts[row + 1]]).max())
            reach_m[axis] = max(reach_m[axis], furthest)
    basis = HeadBasis(
        template_m=arrays["template_m"],
        neutral_m=arrays["neutral_m"],
        n_skin=int(arrays["n_skin"]),
        skin_triangles=arrays["skin_triangles"].astype(np.int32),
        eye_triangles=arrays["eye_triangles"].astype(np.int32),
        weld=arrays["weld"].astype(np.int32),
        right_of_seam=arrays["right_of_seam"],
        occlusion=arrays["occlusion"].astype(np.float32) / np.float32(255.0),
        masks=arrays["masks"],
        target_row={name: row for row, name in enumerate(names)},
        axes=axes,
        one_sided=np.array([f"axis/{axis}/-" not in names for axis in axes]),
        reach_m=reach_m,
        starts=starts,
        indices=arrays["target_indices"].astype(np.int32),
        deltas=deltas,
    )
    for name in ("template_m", "neutral_m", "skin_triangles", "eye_triangles"):
        getattr(basis, name).setflags(write=False)
    return basis


def blend(
    basis: HeadBasis, weights: dict[str, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Add weighted targets to the neutral head.

    Args:
        basis: From `load_head_basis`.
        weights: Weight of each target by name; absent ones weigh nothing, and so
            do names that the basis left out because they move no vertex.

    Returns:
        Vertices (v, 3) float32, metres, origin at the joint of head and neck; and
        the joint at the root of the neck, (3,).
    """
    rows = [
        (basis.target_row[name], weight)
        for name, weight in weights.items()
        if weight != 0.0 and name in basis.target_row
    ]
    positions = basis.neutral_m.copy()
    _accumulate(
        positions,
        np.array([row for row, _ in rows], np.int64),
        np.array([weight for _, weight in rows], np.float32),
        basis.starts,
        basis.indices,
        basis.deltas,
    )
    return positions[:-1], positions[-1]


@njit(cache=True, nogil=True)
def _accumulate(
    positions: NDArray[np.float32],
    rows: NDArray[np.int64],
    weights: NDArray[np.float32],
    starts: NDArray[np.int32],
    indices: NDArray[np.int32],
    deltas: NDArray[np.float32],
) -> None:
    """Add `weights` times each target's deltas to `positions`, in order."""
    for k in range(rows.shape[0]):
        w = weights[k]
        for i in range(starts[rows[k]], starts[rows[k] + 1]):
            v = indices[i]
            positions[v, 0] += w * deltas[i, 0]
            positions[v, 1] += w * deltas[i, 1]
            positions[v, 2] += w * deltas[i, 2]


@njit(cache=True, nogil=True)
def smooth_normals(
    vertices: NDArray[np.float32],
    triangles: NDArray[np.int32],
    weld: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Area-weighted unit normals; welded vertices share theirs.

    Args:
        vertices: (v, 3).
        triangles: (t, 3), counter-clockwise seen from outside.
        weld: (v,) the vertex that stands for each vertex.

    Returns:
        (v, 3) float32.
    """
    normals = np.zeros(vertices.shape, np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx = uy * vz - uz * vy
        ny = uz * vx - ux * vz
        nz = ux * vy - uy * vx
        for k in range(3):
            i = weld[triangles[t, k]]
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(vertices.shape[0]):
        j = weld[i]
        if j != i:
            continue
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0.0:
            normals[i, 0] /= length
            normals[i, 1] /= length
            normals[i, 2] /= length
        else:
            normals[i, 1] = 1.0
    for i in range(vertices.shape[0]):
        j = weld[i]
        normals[i, 0] = normals[j, 0]
        normals[i, 1] = normals[j, 1]
        normals[i, 2] = normals[j, 2]
    return normals
