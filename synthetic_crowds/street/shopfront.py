"""Shops that people stop at: an open door, windows beside it, a name above.

Owns their paint on the wall on the left. Knows nothing of who stops there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthetic_crowds.street.decor import SHOP_NAMES, glaze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator

    from synthetic_crowds.street.settings import ShopConfig
    from synthetic_crowds.street.sheets import Sheet

__all__ = ["open_shops"]

_HALF_BAY_M, _HALF_DOOR_M = 2.1, 0.55
_DOOR_TOP_M, _TOP_M = 2.2, 3.5
_FASCIAS = ((62, 42, 30), (40, 62, 34), (44, 36, 120), (122, 90, 40), (40, 24, 74))
_PALE = (226, 232, 236)
_HALL, _LAMP = (26, 28, 32), (150, 180, 200)


def open_shops(wall: Sheet, shops: Sequence[ShopConfig], *, rng: Generator) -> None:
    """Paint shops over what a wall shows.

    Args:
        wall: u along the street, v up; painted on.
        shops: Where their doors are.
        rng: Decides names, colours and goods.
    """
    for shop in shops:
        x = shop.x_m
        bay = (x - _HALF_BAY_M, x + _HALF_BAY_M)
        fascia = _FASCIAS[int(rng.integers(len(_FASCIAS)))]
        plinth = tuple(0.8 * level + 12 for level in fascia)
        wall.fill(bay, (0.0, _TOP_M), plinth)
        wall.fill((bay[0] + 0.1, bay[1] - 0.1), (2.62, 3.4), fascia)
        name = SHOP_NAMES[int(rng.integers(len(SHOP_NAMES)))]
        wall.word(name, bay[0] + 0.4, 2.8, 0.42, _PALE, glow=0.5, narrow=0.9)
        glaze(wall, (bay[0] + 0.15, x - _HALF_DOOR_M - 0.12), (0.5, 2.5), rng)
        glaze(wall, (x + _HALF_DOOR_M + 0.12, bay[1] - 0.15), (0.5, 2.5), rng)
        door = (x - _HALF_DOOR_M, x + _HALF_DOOR_M)
        # Open: a dim hall, a lamp at its end, a light over the door.
        wall.fill((door[0] - 0.06, door[1] + 0.06), (0.0, _DOOR_TOP_M + 0.06), _PALE)
        wall.fill(door, (0.0, _DOOR_TOP_M), _HALL, glow=0.03)
        wall.fill((x - 0.2, x + 0.25), (1.1, 1.75), _LAMP, glow=0.12)
        wall.fill(door, (_DOOR_TOP_M + 0.06, 2.5), (96, 108, 116), glow=0.35)
