"""The body basis as it lies on disk, unrolled into charts that can be painted.

Owns loading `basis/bodies.npz` and every quantity that all bodies share: surfaces,
skin weights, texture coordinates, and where on the body each vertex lies. Knows
nothing of clothes or colours.

The suit is cut into charts whose axes mean something: around and along a limb or the
trunk. A hem is then a row of texels and a seam a column. Left and right share a chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthetic_crowds.bodies.skeleton import Bone
from synthetic_crowds.raster.surface import bake

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ATLAS_PX",
    "CHARTS",
    "BodyBasis",
    "Chart",
    "ChartBox",
    "Landmark",
    "Surface",
    "body_basis",
]

ATLAS_PX = 256
SHAPE_UNIT_M = 1e-4
_PATH = Path(__file__).parents[1] / "basis" / "bodies.npz"
# Triangles across the cut at the back of a limb run on beyond half a turn.
_WRAP_RAD = 0.9
_HAND_OCCLUSION = 0.7
# Where the trunk's chart goes over from heights to rings around the neck.
_SHOULDERS_FROM_M, _SHOULDERS_OVER_M, _SHOULDERS_RADIUS_M = 0.30, 0.12, 0.19


class Chart(IntEnum):
    """The pieces into which the surface is cut."""

    TRUNK = 0
    ARM = 1
    LEG = 2
    FOOT = 3
    SKIN = 4
    SKIRT = 5
    TRIM = 6
    BAG = 7


class ChartBox(NamedTuple):
    """Where a chart lies in the atlas (texels) and what its rows and columns mean.

    `across` is the angle in radians, 0 in front and growing to the subject's left on
    the trunk, outwards on limbs; metres from heel to toe on the foot. `along` is the
    height in metres on the average body, on the arm the share from shoulder to wrist,
    on the shoulders a mixture of height and distance from the neck; the first value
    is at the top row.
    """

    x: int
    y: int
    width: int
    height: int
    across: tuple[float, float]
    along: tuple[float, float]


class Landmark(IntEnum):
    """Rows behind the points, counted from the first bone's joint."""

    HEAD = 20
    NECK = 21
    CROWN = 24
    SOLE = 25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Triangles over points, with texture coordinates.

    Attributes:
        source: (r,) int32, the point behind each drawn vertex; seams repeat points.
        uv: (r, 2) float32 in the atlas.
        triangles: (t, 3) int32 over drawn vertices.
    """

    source: NDArray[np.int32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]

    @property
    def over_points(self) -> NDArray[np.int32]:
        """The triangles (t, 3) over points, seams closed."""
        return self.source[self.triangles]


_AROUND = (-np.pi, np.pi + _WRAP_RAD)
CHARTS = {
    Chart.TRUNK: ChartBox(0, 0, 256, 112, _AROUND, (0.67, -0.16)),
    Chart.ARM: ChartBox(0, 112, 128, 64, _AROUND, (-0.35, 1.1)),
    Chart.FOOT: ChartBox(128, 112, 96, 64, (-0.10, 0.22), (-0.66, -0.84)),
    Chart.SKIN: ChartBox(224, 112, 32, 24, (-0.12, 0.12), (0.25, -0.05)),
    Chart.TRIM: ChartBox(224, 136, 32, 20, (0.0, 1.0), (0.0, 1.0)),
    Chart.BAG: ChartBox(224, 156, 32, 20, (0.0, 1.0), (0.0, 1.0)),
    Chart.LEG: ChartBox(0, 176, 128, 80, _AROUND, (0.14, -0.82)),
    Chart.SKIRT: ChartBox(128, 176, 128, 80, _AROUND, (0.24, -0.72)),
}
_ARM_BONES = (Bone.ARM_L, Bone.FOREARM_L, Bone.HAND_L)
_LEG_BONES = (Bone.THIGH_L, Bone.SHIN_L)
_FOOT_BONES = (Bone.FOOT_L, Bone.TOES_L)
_SPINE = [Bone.PELVIS, Bone.CHEST, Landmark.NECK]
_TO_RIGHT = Bone.COLLAR_R - Bone.COLLAR_L


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyBasis:
    """What all bodies share. `p` points: `s` of the suit, then hands, then skirt.

    Attributes:
        mean_m: (p + 26, 3) float32: points, then the joints of 20 bones, head joint,
            neck joint, tips of the toes, crown and sole (`Landmark`).
        shapes: (2, 3, 3, p + 26, 3) int16, in `SHAPE_UNIT_M` from `mean_m`, by sex
            (female, male), age (10, 25, 90 years) and weight (low, mean, high).
        body_mass_index: (2, 3, 3) float32, measured on those shapes.
        n_suit: s.
        n_hands: Points of both hands.
        bones: (p, 4) uint8, what each point follows.
        weights: (p, 4) float32, how much.
        occlusion: (p,) float32.
        share: (p, 4) float32, how much a point belongs to trunk, arms, legs, feet.
        height_m: (p,) float32 on the average body.
        arm_share: (p,) float32 from shoulder (0) to wrist (1).
        edges: (e, 2) int32, of the suit, both ways, sorted by their first end.
        edge_starts: (s + 1,) int32, where each point's edges begin.
        body: Suit and hands.
        skirt: The skirt.
        texel_m: (256, 256, 3) float32, the point of the average body behind each
            texel; where left and right share one, that of either side.
    """

    mean_m: NDArray[np.float32]
    shapes: NDArray[np.int16]
    body_mass_index: NDArray[np.float32]
    n_suit: int
    n_hands: int
    bones: NDArray[np.uint8]
    weights: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    share: NDArray[np.float32]
    height_m: NDArray[np.float32]
    arm_share: NDArray[np.float32]
    edges: NDArray[np.int32]
    edge_starts: NDArray[np.int32]
    body: Surface
    skirt: Surface
    texel_m: NDArray[np.float32]

    @property
    def is_suit(self) -> NDArray[np.bool_]:
        """(p,) which points belong to the suit."""
        return np.arange(len(self.bones)) < self.n_suit


@lru_cache(maxsize=1)
def body_basis() -> BodyBasis:
    """Load the basis once per process."""
    with np.load(_PATH) as stored:
        arrays = {name: stored[name] for name in stored.files}
    n_suit = int(arrays["suit_count"])
    n_hands = int(arrays["hands_count"])
    n = n_suit + n_hands + int(arrays["skirt_count"])
    mean = arrays["mean_m"]
    points, joints = mean[:n], mean[n:]
    bones = arrays["skin_bones"]
    weights = arrays["skin_weights"].astype(np.float32)
    weights /= weights.sum(axis=1, keepdims=True)
    share = _shares(bones, weights)
    suit_triangles = arrays["suit_triangles"].astype(np.int32)
    hand_triangles = arrays["hands_triangles"].astype(np.int32) + n_suit
    skirt_triangles = arrays["skirt_triangles"].astype(np.int32) + n_suit + n_hands

    arm_share = _arm_share(points, joints)
    chart = np.argmax(share[suit_triangles].sum(axis=1), axis=1)
    across, along = _coordinates(points, joints, arm_share)
    corners = np.concatenate((suit_triangles, hand_triangles))
    charts = np.concatenate((chart, np.full(len(hand_triangles), Chart.SKIN)))
    body = _cut(corners, charts, across, along)
    skirt = _cut(
        skirt_triangles, np.full(len(skirt_triangles), Chart.SKIRT), across, along
    )
    pairs = suit_triangles[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2)
    edges = np.unique(pairs, axis=0).astype(np.int32)
    return BodyBasis(
        mean_m=mean,
        shapes=arrays["shapes"],
        body_mass_index=arrays["body_mass_index"],
        n_suit=n_suit,
        n_hands=n_hands,
        bones=bones,
        weights=weights,
        occlusion=_occlusion(arrays["occlusion"], n_suit, n_hands),
        share=share,
        height_m=np.ascontiguousarray(points[:, 1]),
        arm_share=arm_share,
        edges=edges,
        edge_starts=np.searchsorted(edges[:, 0], np.arange(n_suit + 1)).astype(
            np.int32
        ),
        body=body,
        skirt=skirt,
        texel_m=bake(body.uv, points[body.source], body.triangles, ATLAS_PX)
        + bake(skirt.uv, points[skirt.source], skirt.triangles, ATLAS_PX),
    )


def _occlusion(
    stored: NDArray[np.uint8], n_suit: int, n_hands: int
) -> NDArray[np.float32]:
    """Decode occlusion; a wrist inside its sleeve is not to look like a shadow."""
    occlusion = (stored / 255.0).astype(np.float32)
    hands = slice(n_suit, n_suit + n_hands)
    occlusion[hands] = np.maximum(occlusion[hands], _HAND_OCCLUSION)
    return occlusion


def _shares(
    bones: NDArray[np.uint8], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Sum skin weights by trunk, arms, legs and feet, in the order of `Chart`."""
    part = np.zeros(len(Bone), int)
    for chart, group in (
        (Chart.ARM, _ARM_BONES),
        (Chart.LEG, _LEG_BONES),
        (Chart.FOOT, _FOOT_BONES),
    ):
        for bone in group:
            part[[bone, bone + _TO_RIGHT]] = chart
    share = np.zeros((len(bones), 4), np.float32)
    rows = np.repeat(np.arange(len(bones)), 4)
    np.add.at(share, (rows, part[bones].ravel()), weights.ravel())
    return share


def _arm_share(
    points: NDArray[np.float32], joints: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Project points on the nearer arm: 0 at the shoulder, 1 at the wrist."""
    mirrored = points * np.where(points[:, :1] < 0, [-1.0, 1.0, 1.0], 1.0)
    shoulder, elbow, wrist = joints[[Bone.ARM_L, Bone.FOREARM_L, Bone.HAND_L]]
    upper, lower = elbow - shoulder, wrist - elbow
    lengths = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    on_upper = (mirrored - shoulder) @ upper / lengths[0]
    on_lower = (mirrored - elbow) @ lower / lengths[1]
    bisector = upper / lengths[0] + lower / lengths[1]
    beyond = (mirrored - elbow) @ bisector > 0
    metres = np.where(beyond, lengths[0] + on_lower, np.minimum(on_upper, lengths[0]))
    share: NDArray[np.float32] = (metres / sum(lengths)).astype(np.float32)
    return share


def _coordinates(
    points: NDArray[np.float32],
    joints: NDArray[np.float32],
    arm_share: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute each chart's (8, p) coordinates across and along for every point."""
    side = np.where(points[:, 0] < 0, -1.0, 1.0)
    x, y, z = side * points[:, 0], points[:, 1], points[:, 2]
    across, along = np.zeros((2, len(Chart), len(points)))
    spine = np.interp(y, joints[_SPINE, 1], joints[_SPINE, 2])
    across[Chart.TRUNK] = across[Chart.SKIRT] = np.arctan2(points[:, 0], z - spine)
    along[Chart.SKIRT] = along[Chart.LEG] = y
    # On the shoulders height says little: rows become rings around the neck.
    rise = np.clip((y - _SHOULDERS_FROM_M) / _SHOULDERS_OVER_M, 0.0, 1.0)
    from_neck = np.hypot(x, z - joints[Landmark.NECK, 2])
    ring = np.clip(_SHOULDERS_RADIUS_M - from_neck, 0.0, None)
    along[Chart.TRUNK] = y + 0.8 * ring * rise * rise * (3.0 - 2.0 * rise)

    shoulder, elbow, wrist = joints[[Bone.ARM_L, Bone.FOREARM_L, Bone.HAND_L]]
    upper = float(np.linalg.norm(elbow - shoulder))
    bend = upper / (upper + float(np.linalg.norm(wrist - elbow)))
    axis = np.stack(
        [
            np.interp(arm_share, (0.0, bend, 1.0), (shoulder[k], elbow[k], wrist[k]))
            for k in range(3)
        ]
    )
    # Outwards and up from the arm in its rest pose, and forwards.
    out = (x - axis[0]) * 0.7 + (y - axis[1]) * 0.7
    across[Chart.ARM] = np.arctan2(out, z - axis[2])
    along[Chart.ARM] = arm_share

    legs = joints[[Bone.THIGH_L, Bone.SHIN_L, Bone.FOOT_L]]
    heights = legs[::-1, 1]
    across[Chart.LEG] = np.arctan2(
        x - np.interp(y, heights, legs[::-1, 0]),
        z - np.interp(y, heights, legs[::-1, 2]),
    )
    across[Chart.FOOT], along[Chart.FOOT] = z - joints[Bone.FOOT_L, 2], y
    across[Chart.SKIN], along[Chart.SKIN] = x - joints[Bone.HAND_L, 0], y
    return across, along


def _cut(
    corners: NDArray[np.int32],
    charts: NDArray[np.int64],
    across: NDArray[np.float64],
    along: NDArray[np.float64],
) -> Surface:
    """Give every vertex one copy per chart, and one more beyond the cut at the back."""
    angle = across[charts[:, None], corners]
    circular = np.isin(charts, (Chart.TRUNK, Chart.ARM, Chart.LEG, Chart.SKIRT))
    cut = circular & (np.ptp(angle, axis=1) > np.pi)
    wrapped = cut[:, None] & (angle < 0)
    keys = (corners.astype(np.int64) * len(Chart) + charts[:, None]) * 2 + wrapped
    unique, triangles = np.unique(keys, return_inverse=True)
    source, chart, turn = (
        unique // 2 // len(Chart),
        unique // 2 % len(Chart),
        unique % 2,
    )
    uv = np.empty((len(unique), 2), np.float32)
    for name, box in CHARTS.items():
        mine = chart == name
        a = across[name, source[mine]] + 2.0 * np.pi * turn[mine]
        u = (a - box.across[0]) / (box.across[1] - box.across[0])
        v = (along[name, source[mine]] - box.along[0]) / (box.along[1] - box.along[0])
        # Half a texel inside, so that bilinear lookups stay in the chart.
        uv[mine, 0] = (box.x + np.clip(u * box.width, 0.5, box.width - 0.5)) / ATLAS_PX
        uv[mine, 1] = (
            box.y + np.clip(v * box.height, 0.5, box.height - 0.5)
        ) / ATLAS_PX
    return Surface(
        source=source.astype(np.int32),
        uv=uv,
        triangles=triangles.reshape(corners.shape).astype(np.int32),
    )
