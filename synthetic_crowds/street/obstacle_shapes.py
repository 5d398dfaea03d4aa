"""What obstacles look like: bollards, planters, benches, kiosks.

Owns their parts, colours and signs. Knows nothing of light, cameras, or of who walks
round them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.street.obstacles import corners_m
from synthetic_crowds.street.settings import ObstacleKind
from synthetic_crowds.street.sheets import blank_sheet
from synthetic_crowds.street.solids import block, board, leaves, moved, post

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.records import MeshPart
    from synthetic_crowds.street.settings import ObstacleConfig
    from synthetic_crowds.street.sheets import Sheet

__all__ = ["Standing", "stand_up"]

_Size = tuple[float, float, float]

_IRON, _STEEL, _STONE = (44, 42, 40), (120, 122, 124), (150, 156, 158)
_OAK, _SOIL = (70, 108, 148), (34, 44, 58)
_SIGNS = ("NEWS", "COFFEE", "FLOWERS", "TICKETS")
_LIVERIES = ((58, 74, 30), (110, 60, 34), (44, 40, 118), (72, 66, 60))
_CREAM = (206, 222, 230)
# How far beyond its foot a thing darkens the ground.
_FOOT_M = 0.05
_BOARD_PX_PER_M = 90.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """One thing on the ground.

    Attributes:
        parts: In world axes about `place_m`.
        place_m: (3,) float64, the middle of its foot.
        foot_m: (n, 3) float64, the outline that it keeps from the sky's light.
    """

    parts: tuple[MeshPart, ...]
    place_m: NDArray[np.float64]
    foot_m: NDArray[np.float64]


def stand_up(
    obstacles: Sequence[ObstacleConfig], *, rng: Generator
) -> tuple[Standing, ...]:
    """Build obstacles.

    Args:
        obstacles: What stands where.
        rng: Decides leaves, liveries and signs.
    """
    return tuple(_stand(obstacle, rng) for obstacle in obstacles)


def _stand(obstacle: ObstacleConfig, rng: Generator) -> Standing:
    built = _BUILDERS[obstacle.kind](obstacle.size_m, rng)
    return Standing(
        parts=tuple(moved(part, (0.0, 0.0, 0.0), obstacle.turn_deg) for part in built),
        place_m=np.array([obstacle.x_m, obstacle.y_m, 0.0]),
        foot_m=np.pad(corners_m(obstacle, beyond_m=_FOOT_M), ((0, 0), (0, 1))),
    )


def _bollard(size_m: _Size, rng: Generator) -> list[MeshPart]:
    """An iron post with a collar, a white band and a cap."""
    del rng  # every bollard looks the same
    radius, tall = min(size_m[:2]) / 2, size_m[2]
    return [
        post(radius, 0.12 * tall, _IRON),
        post(0.75 * radius, 0.94 * tall, _IRON),
        moved(post(0.78 * radius, 0.1 * tall, (208, 212, 214)), (0, 0, 0.72 * tall)),
        moved(post(0.95 * radius, 0.06 * tall, _IRON), (0, 0, 0.94 * tall)),
    ]


def _planter(size_m: _Size, rng: Generator) -> list[MeshPart]:
    """A stone box with a rim, soil, and bushes in a row."""
    length, width, tall = size_m
    box = 0.55 * tall
    parts = [
        block((0.96 * length, 0.94 * width, box - 0.06), _STONE),
        moved(block((length, width, 0.06), (166, 172, 174)), (0, 0, box - 0.06)),
        moved(block((0.9 * length, 0.84 * width, 0.01), _SOIL), (0, 0, box)),
    ]
    n_bushes = max(round(length / (1.1 * width)), 1)
    step = length / n_bushes
    for number in range(n_bushes):
        grown = float(rng.uniform(0.8, 1.0))
        bush = leaves((1.05 * step, 0.95 * width, grown * (tall - box)), 260, rng=rng)
        parts.append(moved(bush, ((number + 0.5) * step - length / 2, 0, box)))
    return parts


def _bench(size_m: _Size, rng: Generator) -> list[MeshPart]:
    """Oak slats on iron frames; its back is along its length, on its left."""
    del rng  # every bench looks the same
    length, width, tall = size_m
    seat = 0.52 * tall
    slat = 0.2 * width
    parts = [
        moved(block((length, 0.85 * slat, 0.035), _OAK), (0, y, seat))
        for y in (np.arange(4) - 1.9) * slat
    ]
    parts += [
        moved(block((length, 0.03, 0.09), _OAK), (0, 0.42 * width, height))
        for height in np.linspace(seat + 0.12, tall - 0.09, 3)
    ]
    for x in (-0.42 * length, 0.42 * length):
        parts += [
            moved(block((0.05, 0.05, seat), _IRON), (x, -0.36 * width, 0)),
            moved(block((0.05, 0.05, tall), _IRON), (x, 0.46 * width, 0)),
            moved(block((0.05, 0.85 * width, 0.04), _IRON), (x, 0, seat - 0.04)),
        ]
    return parts


def _kiosk(size_m: _Size, rng: Generator) -> list[MeshPart]:
    """A booth: counters and hatches on the long sides, signs, a roof that juts out."""
    length, width, tall = size_m
    livery = _LIVERIES[int(rng.integers(len(_LIVERIES)))]
    sign = _SIGNS[int(rng.integers(len(_SIGNS)))]
    body, roof = tall - 0.12, 0.12
    faces = [
        (moved(board((length, body), _front((length, body), livery, sign)),
               (0, -width / 2, 0)), 0.0),
        (moved(board((length, body), _front((length, body), livery, sign)),
               (0, -width / 2, 0)), 180.0),
        (moved(board((width, body), _flank((width, body), livery, sign)),
               (0, -length / 2, 0)), 90.0),
        (moved(board((width, body), _flank((width, body), livery, sign)),
               (0, -length / 2, 0)), -90.0),
    ]  # fmt: skip
    parts = [moved(face, (0, 0, 0), turn_deg) for face, turn_deg in faces]
    parts += [
        moved(block((0.8 * length, 0.22, 0.05), _STEEL), (0, side, 0.36 * tall))
        for side in (-width / 2 - 0.02, width / 2 + 0.02)
    ]
    parts.append(
        moved(block((length + 0.3, width + 0.3, roof), (58, 56, 54)), (0, 0, body))
    )
    return parts


def _front(
    size_m: tuple[float, float], livery: tuple[int, int, int], sign: str
) -> NDArray[np.uint8]:
    """A long side: panels, a hatch with goods, the sign above."""
    wide, tall = size_m
    sheet = blank_sheet((0.0, wide), (0.0, tall), _BOARD_PX_PER_M, livery)
    sheet.fill((0.0, wide), (0.0, 0.12), (52, 54, 56))
    dark = tuple(0.75 * level for level in livery)
    for left in np.arange(0.08, wide - 0.2, wide / 4):
        sheet.fill((left, left + wide / 4 - 0.1), (0.2, 0.34 * tall), dark)
    hatch = (0.1 * wide, 0.9 * wide), (0.4 * tall, 0.78 * tall)
    sheet.fill(*hatch, (70, 92, 108))
    for number, left in enumerate(np.arange(0.12, 0.84, 0.09)):
        height = (0.1 + 0.05 * (number * 7 % 3)) * tall
        colour = ((40, 70, 170), (150, 120, 60), (70, 150, 190), (190, 200, 205))
        sheet.fill(
            (left * wide, (left + 0.07) * wide),
            (0.4 * tall, 0.4 * tall + height),
            colour[number % 4],
        )
    _name(sheet, size_m, sign)
    return sheet.albedo_bgr


def _flank(
    size_m: tuple[float, float], livery: tuple[int, int, int], sign: str
) -> NDArray[np.uint8]:
    """A short side: panels, a notice, the sign above."""
    wide, tall = size_m
    sheet = blank_sheet((0.0, wide), (0.0, tall), _BOARD_PX_PER_M, livery)
    sheet.fill((0.0, wide), (0.0, 0.12), (52, 54, 56))
    dark = tuple(0.78 * level for level in livery)
    sheet.fill((0.08, wide - 0.08), (0.2, 0.34 * tall), dark)
    sheet.fill((0.08, wide - 0.08), (0.38 * tall, 0.78 * tall), dark)
    sheet.fill((0.3 * wide, 0.7 * wide), (0.42 * tall, 0.72 * tall), _CREAM)
    for row in range(5):
        v = (0.46 + 0.045 * row) * tall
        sheet.fill((0.34 * wide, 0.64 * wide), (v, v + 0.03), (96, 100, 104))
    _name(sheet, size_m, sign)
    return sheet.albedo_bgr


def _name(sheet: Sheet, size_m: tuple[float, float], sign: str) -> None:
    """Paint a kiosk's sign across the top of a side."""
    wide, tall = size_m
    sheet.fill((0.02 * wide, 0.98 * wide), (0.81 * tall, 0.97 * tall), _CREAM)
    letters = 0.1 * tall
    narrow = min(0.8, 0.88 * wide / (0.95 * letters * len(sign)))
    start = (wide - 0.92 * narrow * letters * len(sign)) / 2
    sheet.word(sign, start, 0.84 * tall, letters, (36, 40, 44), narrow=narrow)


_BUILDERS: dict[ObstacleKind, Callable[[_Size, Generator], list[MeshPart]]] = {
    ObstacleKind.BOLLARD: _bollard,
    ObstacleKind.PLANTER: _planter,
    ObstacleKind.BENCH: _bench,
    ObstacleKind.KIOSK: _kiosk,
}
