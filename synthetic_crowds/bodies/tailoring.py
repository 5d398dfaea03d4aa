"""Cutting: how far each garment stands off the body, and where it ends.

Owns the cut of every kind of garment. Knows nothing of colours or of walking.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.bodies.body_basis import Chart
from synthetic_crowds.people.clothing import Bottom, Clothing, Top

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.body_basis import BodyBasis

__all__ = ["Cut", "cut_of", "ease_of"]

# Heights on the average body at which the trunk's ease is given: shoulder, chest,
# waist, hip; knots along the arm from shoulder to wrist; and down the leg.
_TRUNK_M = (0.44, 0.28, 0.13, -0.04)
_ARM = (0.0, 0.45, 0.95)
_LEG_M = (-0.02, -0.37, -0.68, -0.76)
# The suit stands a little off the skin; bare limbs go back by that much.
_BARE_M, _BARE_WRIST_M, _BARE_ARM = -0.004, -0.008, (0.75, 1.0)
_SHOE_M = 0.008
# A hem stands off its full ease this far above itself, so that it does not follow
# the mesh's zigzag.
_HEM_M, _ARM_LENGTH_M = 0.035, 0.46
# Share of shirts worn over the trousers.
_UNTUCKED = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How an outfit is cut.

    Attributes:
        trunk_m: Ease of the top at shoulder, chest, waist and hip.
        arm_m: Ease of the sleeve at shoulder, elbow and wrist.
        sleeve: Where the sleeve ends, share from shoulder to wrist; above 1 is long.
        hem_m: Height of the top's hem on the average body.
        legs_m: Ease of the trousers at hip, knee, shin and ankle.
        leg_m: Height of the trousers' hem.
        skirt_m: Height of the hem of the skirt or of a coat's lower half; there is
            none if it lies above the hips.
        skirt_ease_m: How far that stands off the legs.
        drape: How much the cloth bridges hollows, in smoothing steps.
    """

    trunk_m: tuple[float, float, float, float]
    arm_m: tuple[float, float, float]
    sleeve: float
    hem_m: float
    legs_m: tuple[float, float, float, float]
    leg_m: float
    skirt_m: float
    skirt_ease_m: float
    drape: int

    @property
    def has_skirt(self) -> bool:
        """Whether anything hangs below the hips."""
        return self.skirt_m < 0.0


_TOPS: dict[Top, tuple[tuple[float, float, float, float], tuple[float, ...], float]] = {
    Top.T_SHIRT: ((0.002, 0.006, 0.016, 0.014), (0.006, 0.012, 0.0), -0.06),
    Top.SHIRT: ((0.003, 0.007, 0.013, 0.006), (0.006, 0.012, 0.009), 0.11),
    Top.JUMPER: ((0.005, 0.010, 0.018, 0.012), (0.010, 0.014, 0.008), -0.02),
    Top.HOODIE: ((0.009, 0.017, 0.030, 0.016), (0.014, 0.020, 0.010), -0.04),
    Top.JACKET: ((0.012, 0.020, 0.030, 0.026), (0.015, 0.019, 0.014), -0.06),
    Top.COAT: ((0.014, 0.023, 0.032, 0.030), (0.018, 0.021, 0.018), -0.10),
}
_BOTTOMS: dict[Bottom, tuple[tuple[float, float, float, float], float]] = {
    Bottom.JEANS: ((0.004, 0.008, 0.016, 0.018), -0.755),
    Bottom.TROUSERS: ((0.007, 0.015, 0.028, 0.032), -0.765),
    Bottom.JOGGERS: ((0.012, 0.018, 0.026, 0.010), -0.735),
    Bottom.LEGGINGS: ((0.0, 0.001, 0.001, 0.001), -0.72),
    Bottom.SHORTS: ((0.012, 0.030, 0.0, 0.0), -0.34),
    Bottom.SKIRT: ((0.0, 0.0, 0.0, 0.0), 0.05),
}


def cut_of(clothing: Clothing) -> Cut:
    """Look up the cut of an outfit."""
    trunk, arm, hem = _TOPS[clothing.top]
    legs, leg = _BOTTOMS[clothing.bottom]
    # A seeded share, so that one day's skirt is not every skirt.
    fall = (clothing.weave_seed % 997) / 997.0
    if clothing.top is Top.SHIRT and fall < _UNTUCKED:
        hem = -0.05
    skirt, skirt_ease = 9.0, 0.0
    if clothing.bottom is Bottom.SKIRT:
        skirt, skirt_ease = -0.28 - 0.26 * fall, 0.016
    if clothing.top is Top.COAT:
        skirt = min(-0.22 - 0.22 * fall, skirt - 0.02 if skirt < 0.0 else 9.0)
        skirt_ease = 0.022
    return Cut(
        trunk_m=trunk,
        arm_m=(arm[0], arm[1], arm[2]),
        sleeve=0.36 if clothing.top is Top.T_SHIRT else 1.02,
        hem_m=hem,
        legs_m=legs,
        leg_m=leg,
        skirt_m=skirt,
        skirt_ease_m=skirt_ease,
        drape=12 if clothing.top in (Top.JACKET, Top.COAT, Top.HOODIE) else 7,
    )


def ease_of(
    cut: Cut, basis: BodyBasis
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute how far cloth stands off each point, and how cloth-like it is.

    Args:
        cut: The outfit.
        basis: Where the points are.

    Returns:
        Ease (p,) in metres along the normal, negative on bare limbs; and cloth (p,)
        in [0, 1], 1 where the surface may be smoothed.
    """
    height, arm = basis.height_m, basis.arm_share
    top = np.interp(-height, [-h for h in _TRUNK_M], cut.trunk_m)
    legs = np.interp(-height, [-h for h in _LEG_M], cut.legs_m)
    under_top = _step((height - cut.hem_m) / _HEM_M)
    trunk_ease = top * under_top + legs * (1.0 - under_top)
    in_leg = _step((height - cut.leg_m) / _HEM_M)
    leg_ease = (top * under_top + legs * (1.0 - under_top)) * in_leg + _BARE_M * (
        1.0 - in_leg
    )
    in_sleeve = _step((cut.sleeve - arm) / (_HEM_M / _ARM_LENGTH_M))
    bare_arm = np.interp(arm, _BARE_ARM, (_BARE_M, _BARE_WRIST_M))
    arm_ease = np.interp(arm, _ARM, cut.arm_m) * in_sleeve + bare_arm * (
        1.0 - in_sleeve
    )
    share = basis.share
    ease = (
        share[:, Chart.TRUNK] * trunk_ease
        + share[:, Chart.ARM] * arm_ease
        + share[:, Chart.LEG] * leg_ease
        + share[:, Chart.FOOT] * _SHOE_M
    )
    cloth = (
        share[:, Chart.TRUNK]
        + share[:, Chart.ARM] * in_sleeve
        + share[:, Chart.LEG] * in_leg
        + share[:, Chart.FOOT]
    )
    points = np.arange(len(height))
    hands = (points >= basis.n_suit) & (points < basis.n_suit + basis.n_hands)
    ease = np.where(hands, 0.0, ease)
    ease[points >= basis.n_suit + basis.n_hands] = cut.skirt_ease_m
    return ease.astype(np.float32), np.clip(cloth, 0.0, 1.0).astype(np.float32)


def _step(share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    clipped = np.clip(share, 0.0, 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)
