"""What some walkers do at a shop: look at a window, or go in and come out again.

Owns who stops at which shop, and the steps of a stop from the street's point of view.
Knows nothing of how walkers keep out of each other's way, nor of what a shop looks
like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import StreetError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.routing import Ways
    from synthetic_crowds.street.settings import ShopConfig

__all__ = ["Errand", "Step", "Visit", "check_shops", "draw_errands", "longest_stay_s"]

# How far from the wall people stand at a window, and stop before a door.
_WINDOW_M, _DOOR_M = 0.55, 0.7
# Windows lie so far beside a door.
_BESIDE_M = (0.75, 1.8)
# Behind the wall nobody sees them.
_INSIDE_M = 1.6
_SHORTEST_S = 1.0
# Whoever is so near has arrived.
_NEAR_M = 0.4
# Whoever has not got there after this long goes on without.
_PATIENCE_S = 20.0
_THROUGH_DOOR_M_S = 0.9
# Who comes out waits until nobody stands so near to the door.
_CLEAR_M = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One stop at a shop.

    Attributes:
        door_x_m: Of the shop.
        spot_m: (x, y) where they stop: before the window or the door.
        inside_m: (x, y) where they are inside; `None` if they only look.
        stay_s: How long they look, or are inside.
    """

    door_x_m: float
    spot_m: tuple[float, float]
    inside_m: tuple[float, float] | None
    stay_s: float

    def clear_of(self, ways: Ways) -> Errand:
        """The same, at a window that no obstacle stands before."""
        if self.inside_m is not None:
            return self
        x_m, y_m = ways.clear(np.array(self.spot_m)).tolist()
        return replace(self, spot_m=(x_m, y_m))


def check_shops(
    shops: Sequence[ShopConfig], ways: Ways | None, layout: Layout, *, camera_id: str
) -> None:
    """Refuse shops that have no wall, or no way to their door.

    Raises:
        StreetError: If one lies at the corner or beyond it, or an obstacle stands
            before its door.
    """
    if shops and layout.open_left:
        raise StreetError(
            camera_id=camera_id,
            required="shops need the wall of a painted street",
            arrived="a background photograph",
            remedy="take the shop or the photograph out, or name its cameras",
        )
    last_m = layout.corner_near_x_m - _BESIDE_M[1] - 0.2
    for shop in shops:
        door = np.array([shop.x_m, layout.wall_y_m - _DOOR_M])
        if ways is not None and not np.array_equal(ways.clear(door), door):
            raise StreetError(
                camera_id=camera_id,
                required="the door of a shop must be free",
                arrived=f"an obstacle before the one at x_m = {shop.x_m:g}",
                remedy="move either",
            )
        if shop.x_m > last_m:
            raise StreetError(
                camera_id=camera_id,
                required=f"shops must lie before the corner (x_m up to {last_m:g})",
                arrived=f"x_m = {shop.x_m:g}",
                remedy="bring it nearer",
            )


def longest_stay_s(shops: Sequence[ShopConfig]) -> float:
    """How long before a clip somebody may go in who comes out during it; mostly."""
    return max((2.0 * shop.inside_mean_s for shop in shops), default=0.0)


def draw_errands(
    shops: Sequence[ShopConfig],
    layout: Layout,
    size: int,
    *,
    towards: bool,
    rng: Generator,
) -> list[Errand | None]:
    """Decide what a group does at the shops; all of it the same.

    Without shops, and for those who walk away, nothing is drawn.
    """
    if not shops or not towards:
        return [None] * size
    level = rng.random()
    for shop in shops:
        for share, enters in ((shop.look_share, False), (shop.enter_share, True)):
            if level < share:
                return _stop_at(shop, layout, size, enters=enters, rng=rng)
            level -= share
    return [None] * size


def _stop_at(
    shop: ShopConfig, layout: Layout, size: int, *, enters: bool, rng: Generator
) -> list[Errand | None]:
    mean_s = shop.inside_mean_s if enters else shop.look_mean_s
    stay_s = max(float(rng.exponential(mean_s)), _SHORTEST_S)
    side = 1.0 if rng.random() < 0.5 else -1.0
    beside_m = np.sort(rng.uniform(*_BESIDE_M, size)) * side
    errands: list[Errand | None] = []
    for number in range(size):
        if enters:
            spot = shop.x_m, layout.wall_y_m - _DOOR_M
            inside = shop.x_m, layout.wall_y_m + _INSIDE_M
        else:
            back_m = _WINDOW_M + 0.45 * (number % 2)
            spot = shop.x_m + float(beside_m[number]), layout.wall_y_m - back_m
            inside = None
        errands.append(
            Errand(
                door_x_m=shop.x_m,
                spot_m=spot,
                inside_m=inside,
                stay_s=stay_s + 1.5 * number,
            )
        )
    return errands


class Step(IntEnum):
    """How far a visit has got."""

    COMING = 0
    LOOKING = 1
    GOING_IN = 2
    INSIDE = 3
    COMING_OUT = 4
    OVER = 5


class Visit:
    """One errand under way.

    Args:
        errand: What it is.
        tick_s: Length of a step of time.
    """

    def __init__(self, errand: Errand, *, tick_s: float) -> None:
        self.errand = errand
        self.step = Step.COMING
        self._tick_s = tick_s
        self._since_s = 0.0

    @property
    def away(self) -> bool:
        """Whether they are on their way through the door, or behind it."""
        return Step.GOING_IN <= self.step <= Step.COMING_OUT

    @property
    def in_door(self) -> bool:
        """Whether they fill the doorway."""
        return self.step in {Step.GOING_IN, Step.COMING_OUT}

    def advance(
        self,
        place: NDArray[np.float64],
        others: NDArray[np.float64],
        *,
        door_free: bool,
    ) -> float:
        """Let one tick pass.

        Args:
            place: (2,) where they are; moved while they go through the door.
            others: (n, 2), everybody else on the street.
            door_free: Whether nobody fills the doorway.

        Returns:
            0 if they walk, 1 if they stand, 2 if they stand and look at a window.
        """
        self._since_s += self._tick_s
        spot = np.array(self.errand.spot_m)
        if self.step is Step.COMING:
            return self._come(place, spot, door_free=door_free)
        if self.step is Step.LOOKING:
            if self._since_s >= self.errand.stay_s:
                self._begin(Step.OVER)
            return 2.0
        if self.step is Step.INSIDE:
            clear = door_free and not bool(
                (np.linalg.norm(others - spot, axis=1) < _CLEAR_M).any()
            )
            if self._since_s >= self.errand.stay_s and clear:
                self._begin(Step.COMING_OUT)
            return 1.0
        goal = spot if self.step is Step.COMING_OUT else np.array(self.errand.inside_m)
        way = goal - place
        left_m = float(np.linalg.norm(way))
        pace_m = _THROUGH_DOOR_M_S * self._tick_s
        if left_m <= pace_m:
            self._begin(Step.OVER if self.step is Step.COMING_OUT else Step.INSIDE)
        else:
            place += way * (pace_m / left_m)
        return 0.0

    def _come(
        self, place: NDArray[np.float64], spot: NDArray[np.float64], *, door_free: bool
    ) -> float:
        left_m = float(np.linalg.norm(spot - place))
        if self.errand.inside_m is None:
            if left_m < _NEAR_M / 2 or (
                self._since_s > _PATIENCE_S and left_m < 3 * _NEAR_M
            ):
                self._begin(Step.LOOKING)
                return 2.0
        elif left_m < _NEAR_M:
            if door_free:
                self._begin(Step.GOING_IN)
                return 0.0
            return 1.0
        if self._since_s > _PATIENCE_S:
            self._begin(Step.OVER)
        return 0.0

    def _begin(self, step: Step) -> None:
        self.step, self._since_s = step, 0.0
