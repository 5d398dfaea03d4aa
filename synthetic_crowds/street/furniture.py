"""Things that stand about in a street: bollards, lamp posts, bins, barriers, gates.

Owns where they stand, clear of where people walk, save for the few
that hide a passer-by for a moment. Knows nothing of light or cameras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.config import Setting
from synthetic_crowds.street.solids import block, post

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart
    from synthetic_crowds.street.layout import Layout

__all__ = ["furnish"]

_Placed = tuple["MeshPart", "NDArray[np.float64]"]


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
        (post(0.07, 1.0, iron), np.array([x, kerb + 0.35, 0.0]))
        for x in np.arange(layout.zone_near_x_m + 2.2, layout.end_x_m, 2.6)
    ]
    lamp_x = layout.zone_far_x_m + rng.uniform(-2.5, 1.0)
    placed.append((post(0.075, 6.0, steel), np.array([lamp_x, kerb + 0.4, 0.0])))
    placed.append((post(0.075, 6.0, steel), np.array([lamp_x + 22.0, kerb + 0.4, 0.0])))
    placed.append(
        (
            post(0.24, 0.95, (52, 50, 46)),
            np.array([lamp_x + 2.6, kerb + 0.5, 0.0]),
        )
    )
    return placed


def _station(layout: Layout) -> list[_Placed]:
    gate_x = layout.corner_far_x_m + 3.5
    placed = [
        (block((1.6, 0.28, 1.05), (150, 148, 146)), np.array([gate_x, y, 0.0]))
        for y in np.arange(layout.far_wall_y_m + 1.0, layout.wall_y_m, 0.95)
    ]
    placed.extend(
        (post(0.32, 5.0, (176, 180, 182)), np.array([x, y, 0.0]))
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
            (block((2.2, 0.04, 0.04), steel), np.array([x, y, height]))
            for height in (0.25, 1.05)
        )
        placed.extend(
            (post(0.012, 0.82, steel), np.array([x + bar, y, 0.25]))
            for bar in np.arange(-1.0, 1.05, 0.2)
        )
        placed.extend(
            (post(0.02, 1.09, steel), np.array([x + foot, y, 0.0]))
            for foot in (-1.05, 1.05)
        )
    return placed
