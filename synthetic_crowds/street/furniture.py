"""Things that stand about in a street: bollards, lamp posts, bins, barriers, gates.

Owns their shapes and where they stand, clear of where people walk, save for the few
that hide a passer-by for a moment. Knows nothing of light or cameras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.config import Setting
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.street.layout import Layout

__all__ = ["furnish"]

_Placed = tuple[MeshPart, "NDArray[np.float64]"]
_SIDES = 16


def furnish(setting: Setting, layout: Layout, *, rng: Generator) -> tuple[_Placed, ...]:
    """Choose furniture for a street.

    Returns:
        Parts in world axes about their foot, each with the place (3,) it stands on.
    """
    if setting is Setting.HIGH_STREET:
        return tuple(_high_street(layout, rng))
    if setting is Setting.STATION_GATE:
        return tuple(_station(layout))
    return tuple(_stadium(layout, rng))


def _high_street(layout: Layout, rng: Generator) -> list[_Placed]:
    kerb = layout.kerb_y_m
    iron, steel = (44, 42, 40), (120, 122, 124)
    placed = [
        (_post(0.07, 1.0, iron), np.array([x, kerb + 0.35, 0.0]))
        for x in np.arange(layout.zone_near_x_m + 2.2, layout.end_x_m, 2.6)
    ]
    lamp_x = layout.zone_far_x_m + rng.uniform(-2.5, 1.0)
    placed.append((_post(0.075, 6.0, steel), np.array([lamp_x, kerb + 0.4, 0.0])))
    placed.append(
        (_post(0.075, 6.0, steel), np.array([lamp_x + 22.0, kerb + 0.4, 0.0]))
    )
    placed.append(
        (
            _post(0.24, 0.95, (52, 50, 46)),
            np.array([lamp_x + 2.6, kerb + 0.5, 0.0]),
        )
    )
    return placed


def _station(layout: Layout) -> list[_Placed]:
    gate_x = layout.corner_far_x_m + 3.5
    placed = [
        (_block((1.6, 0.28, 1.05), (150, 148, 146)), np.array([gate_x, y, 0.0]))
        for y in np.arange(layout.far_wall_y_m + 1.0, layout.wall_y_m, 0.95)
    ]
    placed.extend(
        (_post(0.32, 5.0, (176, 180, 182)), np.array([x, y, 0.0]))
        for x in (layout.zone_far_x_m - 1.0, layout.zone_far_x_m + 16.0)
        for y in (layout.back_lane_y_m - 1.9,)
    )
    return placed


def _stadium(layout: Layout, rng: Generator) -> list[_Placed]:
    steel = (150, 152, 154)
    start = layout.zone_near_x_m + rng.uniform(1.0, 2.0)
    placed: list[_Placed] = []
    y = layout.kerb_y_m + 0.1
    for x in np.arange(start, layout.end_x_m, 2.3):
        if layout.zone_far_x_m + 1.0 < x < layout.corner_far_x_m + 4.0:
            continue
        placed.extend(
            (_block((2.2, 0.04, 0.04), steel), np.array([x, y, height]))
            for height in (0.25, 1.05)
        )
        placed.extend(
            (_post(0.012, 0.82, steel), np.array([x + bar, y, 0.25]))
            for bar in np.arange(-1.0, 1.05, 0.2)
        )
        placed.extend(
            (_post(0.02, 1.09, steel), np.array([x + foot, y, 0.0]))
            for foot in (-1.05, 1.05)
        )
    return placed


def _block(size_m: tuple[float, float, float], bgr: tuple[int, int, int]) -> MeshPart:
    """A box on its foot: extent along x, y and z."""
    half_x, half_y, tall = size_m[0] / 2, size_m[1] / 2, size_m[2]
    vertices: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    triangles: list[tuple[int, int, int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            if axis == 2 and sign < 0:
                continue
            normal = np.zeros(3)
            normal[axis] = sign
            others = [other for other in range(3) if other != axis]
            first = len(vertices)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corner = np.zeros(3)
                corner[axis], corner[others[0]], corner[others[1]] = sign, a, b
                vertices.append(
                    corner * (half_x, half_y, tall / 2) + (0.0, 0.0, tall / 2)
                )
                normals.append(normal)
            triangles += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    return _part(vertices, normals, triangles, bgr)


def _post(radius_m: float, tall_m: float, bgr: tuple[int, int, int]) -> MeshPart:
    """A round post on its foot."""
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    around = np.column_stack((np.cos(angle), np.sin(angle), np.zeros(_SIDES)))
    foot, head = around * radius_m, around * radius_m + (0.0, 0.0, tall_m)
    after = np.roll(np.arange(_SIDES), -1)
    here = np.arange(_SIDES)
    sides = np.concatenate(
        (
            np.column_stack((here, after, after + _SIDES)),
            np.column_stack((here, after + _SIDES, here + _SIDES)),
        )
    )
    lid = np.column_stack(
        (np.full(_SIDES, 3 * _SIDES), here + 2 * _SIDES, after + 2 * _SIDES)
    )
    above = np.tile((0.0, 0.0, 1.0), (_SIDES + 1, 1))
    return _part(
        np.concatenate((foot, head, head, [(0.0, 0.0, tall_m)])),
        np.concatenate((around, around, above)),
        np.concatenate((sides, lid)),
        bgr,
    )


def _part(
    vertices: object, normals: object, triangles: object, bgr: tuple[int, int, int]
) -> MeshPart:
    """Wrap plain geometry in one colour, darker towards the ground."""
    points = np.asarray(vertices, np.float32)
    texture = np.full((1, 1, 4), 255, np.uint8)
    texture[..., :3] = bgr
    return MeshPart(
        vertices=points,
        normals=np.asarray(normals, np.float32),
        triangles=np.asarray(triangles, np.int32),
        uv=np.full((len(points), 2), 0.5, np.float32),
        texture_bgra=texture,
        occlusion=np.where(points[:, 2] < 0.05, 0.55, 1.0).astype(np.float32),
        specular=0.1,
    )
