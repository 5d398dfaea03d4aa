"""What a street's surfaces look like: paving, shopfronts, tiles, concrete, signs.

Owns the paint of three settings, each as sheets for the ground, the wall on the
left, the wall across and the end. Names and notices are invented. Knows nothing of
cameras, light or people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.config import Setting
from synthetic_crowds.street.sheets import Sheet, blank_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

    from synthetic_crowds.street.layout import Layout

__all__ = ["SHOP_NAMES", "WALL_TOP_M", "Decor", "decorate", "glaze"]

# Sheets of walls reach this high; nothing higher comes into a camera's view.
WALL_TOP_M = 7.0
_GROUND_NEAR_X_M = 2.0
SHOP_NAMES = (
    "BAKERY", "BOOKS", "PHARMACY", "COFFEE", "FLOWERS", "SHOES", "OPTICIAN", "TEA ROOM",
    "BARBER", "GROCER", "CYCLES", "TAILOR", "RECORDS", "TOYS", "NOODLES", "HARDWARE",
)  # fmt: skip
_FASCIAS = (
    (62, 42, 30), (40, 62, 34), (44, 36, 120), (36, 36, 38), (122, 90, 40),
    (70, 100, 118), (40, 24, 74), (96, 104, 44), (150, 150, 146),
)  # fmt: skip
_PALE = (226, 232, 236)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decor:
    """The painted surfaces of one street.

    Attributes:
        ground: u along x, v along y.
        left: u along x, v up.
        right: u along -x, v up: what faces the pavement from across.
        end: u along -y, v up.
    """

    ground: Sheet
    left: Sheet
    right: Sheet
    end: Sheet


def decorate(
    setting: Setting, layout: Layout, *, px_per_m: float, rng: Generator
) -> Decor:
    """Paint a street.

    Args:
        setting: Which kind.
        layout: Its plan.
        px_per_m: Resolution of the ground nearby; walls get half of it.
        rng: Decides shops, colours and wear.
    """
    paint_ground, paint_wall = _PAINTERS[setting]
    left_m, right_m = layout.wall_y_m + 8.0, layout.far_wall_y_m
    x_m = (_GROUND_NEAR_X_M, layout.end_x_m)
    ground = blank_sheet(x_m, (right_m, left_m), px_per_m, (128, 128, 128))
    paint_ground(ground, layout, rng)
    walls = []
    for u_m in (x_m, (-layout.end_x_m, -_GROUND_NEAR_X_M), (-left_m, -right_m)):
        wall = blank_sheet(u_m, (0.0, WALL_TOP_M), px_per_m * 0.7, (128, 128, 128))
        paint_wall(wall, rng)
        walls.append(wall)
    return Decor(ground=ground, left=walls[0], right=walls[1], end=walls[2])


def _extent(sheet: Sheet) -> tuple[tuple[float, float], tuple[float, float]]:
    rows, columns = sheet.glow.shape
    return (
        (sheet.u0_m, sheet.u0_m + columns / sheet.px_per_m),
        (sheet.v0_m, sheet.v0_m + rows / sheet.px_per_m),
    )


def _pave_high_street(sheet: Sheet, layout: Layout, rng: Generator) -> None:
    """Flagstones, kerb, double yellow lines, asphalt, a crossing."""
    u_m, v_m = _extent(sheet)
    kerb = layout.kerb_y_m
    sheet.fill(u_m, v_m, (146, 152, 156))
    sheet.lattice(
        u_m, (kerb, v_m[1]), (0.75, 0.6),
        tone_sd=0.05, joint_tone=0.62, stagger=0.5, rng=rng,
    )  # fmt: skip
    for _ in range(60):
        u, v = rng.uniform(*u_m), rng.uniform(kerb, layout.wall_y_m)
        size = rng.uniform(0.02, 0.045)
        sheet.fill((u, u + size), (v, v + size), (112, 116, 118))
    sheet.fill(u_m, (kerb - 0.02, kerb + 0.16), (176, 180, 182))
    sheet.lattice(
        u_m, (kerb - 0.02, kerb + 0.16), (0.9, 0.4),
        tone_sd=0.03, joint_tone=0.6, rng=rng,
    )  # fmt: skip
    road = (v_m[0], kerb - 0.02)
    sheet.fill(u_m, road, (82, 81, 80))
    sheet.fill(u_m, (kerb - 0.1, kerb - 0.02), (58, 58, 58))
    for offset in (0.32, 0.52):
        sheet.fill(u_m, (kerb - offset - 0.07, kerb - offset), (74, 168, 196))
    centre = (kerb + v_m[0] + 3.0) / 2
    for start in np.arange(u_m[0], u_m[1], 5.0):
        sheet.fill((start, start + 2.0), (centre, centre + 0.1), (196, 198, 198))
    crossing = (layout.zone_far_x_m + 2.4, layout.zone_far_x_m + 5.2)
    for start in np.arange(v_m[0], kerb - 0.3, 1.2):
        sheet.fill(crossing, (start, start + 0.6), (204, 206, 206))
    sheet.roughen(amount=0.045, coarse_m=2.5, rng=rng)
    sheet.roughen(amount=0.05, coarse_m=0.05, rng=rng)


def _front_shops(sheet: Sheet, rng: Generator) -> None:
    """A row of shops with brick above: plinths, windows, doors, fascias."""
    (u, end), (_, top) = _extent(sheet)
    brick = ((88, 108, 150), (96, 112, 132), (120, 140, 160), (140, 146, 150))
    while u < end:
        width = rng.uniform(4.5, 7.0)
        bay = (u, min(u + width, end))
        colour = np.asarray(_FASCIAS[rng.integers(len(_FASCIAS))], np.float64)
        sheet.fill(bay, (3.5, top), brick[rng.integers(len(brick))])
        sheet.lattice(
            bay, (3.5, top), (0.225, 0.075),
            tone_sd=0.09, joint_tone=1.25, stagger=0.5, rng=rng,
        )  # fmt: skip
        for sash in np.arange(u + 0.9, bay[1] - 1.3, 1.9):
            sheet.fill((sash - 0.08, sash + 1.08), (4.4, 6.3), (206, 210, 212))
            lit = rng.random() < 0.3
            sheet.fill(
                (sash, sash + 1.0), (4.5, 6.2),
                (70, 82, 92) if lit else (66, 56, 50), glow=0.5 if lit else 0.0,
            )  # fmt: skip
        sheet.fill(bay, (0.0, 3.5), colour * 0.85)
        sheet.fill((u + 0.12, bay[1] - 0.12), (2.62, 3.4), colour)
        name = SHOP_NAMES[rng.integers(len(SHOP_NAMES))]
        sheet.word(name, u + 0.5, 2.8, 0.42, _PALE, glow=0.5, narrow=0.9)
        door = u + rng.uniform(0.3, 0.5)
        glaze(sheet, (door, door + 1.0), (0.06, 2.5), rng)
        sheet.fill((door + 0.82, door + 0.88), (0.9, 1.4), (170, 176, 180))
        pane = door + 1.2
        while pane + 0.6 < bay[1] - 0.2:
            reach = min(pane + rng.uniform(1.3, 1.9), bay[1] - 0.2)
            glaze(sheet, (pane, reach), (0.55, 2.5), rng)
            pane = reach + 0.09
        u = bay[1]
        sheet.fill((u - 0.11, u + 0.11), (0.0, 3.6), colour * 0.6 + 70)
    sheet.roughen(amount=0.04, coarse_m=1.5, rng=rng)


def glaze(
    sheet: Sheet, u_m: tuple[float, float], v_m: tuple[float, float], rng: Generator
) -> None:
    """A pane: a dim interior with goods, brighter where lamps shine, sky at the top."""
    sheet.fill(u_m, v_m, (58, 56, 52), glow=0.10)
    shelf = v_m[0] + 0.05
    while shelf < v_m[1] - 0.5:
        item = u_m[0] + 0.06
        while item < u_m[1] - 0.2:
            size = rng.uniform(0.1, 0.34)
            colour = rng.uniform(40, 190, 3)
            sheet.fill(
                (item, min(item + size, u_m[1] - 0.05)),
                (shelf, shelf + rng.uniform(0.15, 0.42)),
                0.45 * colour + 30,
                glow=float(rng.uniform(0.08, 0.4)),
            )
            item += size + rng.uniform(0.02, 0.15)
        shelf += rng.uniform(0.5, 0.75)
    sheet.fill(
        (u_m[0] + 0.04, u_m[1] - 0.04),
        (v_m[1] - 0.28, v_m[1] - 0.18),
        (150, 170, 180),
        glow=0.9,
    )
    # A slanted reflection of the bright street keeps glass from looking like paint.
    width = (u_m[1] - u_m[0]) * 0.25
    start = u_m[0] + float(rng.uniform(0.0, 0.6)) * (u_m[1] - u_m[0])
    for step in np.linspace(0, 1, 14):
        left, bottom = sheet.px(start + step * width, v_m[0] + step * (v_m[1] - v_m[0]))
        right, top = sheet.px(
            min(start + (step + 1.2) * width, u_m[1]),
            v_m[0] + min(step + 0.08, 1.0) * (v_m[1] - v_m[0]),
        )
        patch = sheet.albedo_bgr[max(top, 0) : max(bottom, 0), max(left, 0) : right]
        patch[:] = np.minimum(patch.astype(np.int16) + 26, 255).astype(np.uint8)


def _pave_station(sheet: Sheet, layout: Layout, rng: Generator) -> None:
    """Terrazzo with a tactile strip and a line to queue by."""
    u_m, v_m = _extent(sheet)
    sheet.fill(u_m, v_m, (178, 184, 188))
    sheet.lattice(u_m, v_m, (0.6, 0.6), tone_sd=0.025, joint_tone=0.78, rng=rng)
    edge = layout.back_lane_y_m - 0.9
    sheet.fill(u_m, (edge, edge + 0.4), (60, 176, 206))
    sheet.lattice(
        u_m, (edge, edge + 0.4), (0.4, 0.4), tone_sd=0.02, joint_tone=0.75, rng=rng
    )
    sheet.fill(u_m, (v_m[0], layout.far_wall_y_m + 3.5), (120, 126, 130))
    sheet.fill(u_m, (layout.wall_y_m - 0.3, layout.wall_y_m), (92, 96, 100))
    sheet.roughen(amount=0.02, coarse_m=3.0, rng=rng)
    sheet.roughen(amount=0.05, coarse_m=0.03, rng=rng)


def _panel_station(sheet: Sheet, rng: Generator) -> None:
    """Enamel panels, posters, a line map, ways out, a bright cornice."""
    u_m, (_, top) = _extent(sheet)
    sheet.fill(u_m, (0.0, top), (190, 196, 198))
    sheet.lattice(u_m, (0.0, top), (1.2, 1.5), tone_sd=0.012, joint_tone=0.7, rng=rng)
    sheet.fill(u_m, (0.0, 0.22), (66, 68, 72))
    sheet.fill(u_m, (2.62, 2.9), rng.uniform(40, 170, 3))
    u = u_m[0] + 1.0
    while u < u_m[1] - 3.0:
        kind = rng.random()
        if kind < 0.6:
            _hang_poster(sheet, u, rng)
            u += rng.uniform(1.6, 2.4)
        elif kind < 0.8:
            sheet.word("WAY OUT", u, 2.68, 0.17, _PALE, glow=0.6)
            u += 2.6
        else:
            glaze(sheet, (u, u + 2.4), (0.1, 2.45), rng)
            u += 3.0
    sheet.fill(u_m, (3.3, 3.5), (232, 236, 236), glow=1.0)
    sheet.fill(u_m, (3.5, top), (104, 108, 110))
    sheet.lattice(u_m, (3.5, top), (2.4, 0.8), tone_sd=0.03, joint_tone=0.6, rng=rng)


def _hang_poster(sheet: Sheet, u: float, rng: Generator) -> None:
    """An invented advertisement: a gradient, a shape, a word, small print."""
    wide, bottom, tall = 1.1, 0.75, 1.65
    sheet.fill((u - 0.05, u + wide + 0.05), (bottom - 0.05, bottom + tall + 0.05),
               (70, 72, 74), glow=0.05)  # fmt: skip
    start, stop = rng.uniform(40, 220, 3), rng.uniform(40, 220, 3)
    bands = 24
    for band in range(bands):
        share = band / (bands - 1)
        v = bottom + tall * band / bands
        sheet.fill((u, u + wide), (v, v + tall / bands + 0.02),
                   start * (1 - share) + stop * share, glow=0.25)  # fmt: skip
    left = u + rng.uniform(0.1, 0.4)
    sheet.fill((left, left + rng.uniform(0.3, 0.6)),
               (bottom + 0.5, bottom + rng.uniform(0.8, 1.1)),
               rng.uniform(30, 240, 3), glow=0.25)  # fmt: skip
    word = ("FRESH", "GO FURTHER", "SUMMER", "LISTEN", "NEW", "OPEN DAY")[
        rng.integers(6)
    ]
    sheet.word(word, u + 0.1, bottom + 1.3, 0.16, _PALE, narrow=0.7)
    for line in range(4):
        v = bottom + 0.12 + 0.07 * line
        sheet.fill((u + 0.1, u + rng.uniform(0.6, 1.0)), (v, v + 0.03), _PALE)


def _pave_stadium(sheet: Sheet, layout: Layout, rng: Generator) -> None:
    """Concrete bays with stains, litter and a painted walkway."""
    u_m, v_m = _extent(sheet)
    sheet.fill(u_m, v_m, (150, 154, 154))
    sheet.roughen(amount=0.07, coarse_m=1.8, rng=rng)
    sheet.lattice(u_m, v_m, (3.0, 3.0), tone_sd=0.03, joint_tone=0.55, rng=rng)
    edge = layout.kerb_y_m
    sheet.fill(u_m, (edge - 0.12, edge), (200, 204, 206))
    for _ in range(160):
        u, v = rng.uniform(*u_m), rng.uniform(*v_m)
        tint = 190 if rng.random() < 0.5 else 95
        size = rng.uniform(0.03, 0.1)
        sheet.fill((u, u + size), (v, v + 0.6 * size), (tint, tint, tint))
    sheet.roughen(amount=0.05, coarse_m=0.06, rng=rng)


def _wall_stadium(sheet: Sheet, rng: Generator) -> None:
    """Board-marked concrete, a coloured band, gate numbers, turnstile doors."""
    u_m, (_, top) = _extent(sheet)
    sheet.fill(u_m, (0.0, top), (136, 140, 142))
    sheet.lattice(u_m, (0.0, top), (2.4, 0.3), tone_sd=0.04, joint_tone=0.8, rng=rng)
    sheet.roughen(amount=0.06, coarse_m=1.2, rng=rng)
    band = ((128, 52, 30), (44, 40, 140), (58, 92, 34))[rng.integers(3)]
    sheet.fill(u_m, (2.3, 3.2), band)
    u, gate = u_m[0] + 1.0, int(rng.integers(1, 20))
    while u < u_m[1] - 5.0:
        sheet.word(f"GATE {gate}", u, 2.5, 0.5, _PALE, glow=0.35)
        sheet.fill((u + 3.2, u + 5.0), (0.0, 2.2), (64, 66, 70))
        sheet.lattice((u + 3.2, u + 5.0), (0.0, 2.2), (0.14, 2.3),
                      tone_sd=0.05, joint_tone=0.5, rng=rng)  # fmt: skip
        sheet.fill((u + 3.2, u + 5.0), (2.06, 2.18), (150, 190, 210), glow=0.9)
        u += rng.uniform(6.5, 8.5)
        gate += 1


_PAINTERS: dict[
    Setting,
    tuple[
        Callable[[Sheet, Layout, Generator], None], Callable[[Sheet, Generator], None]
    ],
] = {
    Setting.HIGH_STREET: (_pave_high_street, _front_shops),
    Setting.STATION_GATE: (_pave_station, _panel_station),
    Setting.STADIUM_EGRESS: (_pave_stadium, _wall_stadium),
}
