"""Dyeing: clothes, shoes and skin painted into a body's texture atlas.

Owns colours, hems, seams, patterns and folds. Knows nothing of meshes: it paints by
where a texel lies on the average body, in metres, and by its chart's own axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.bodies.body_basis import ATLAS_PX, CHARTS, Chart, body_basis
from synthetic_crowds.people.clothing import (
    Bag,
    Bottom,
    Clothing,
    Neckline,
    Pattern,
    Top,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.tailoring import Cut
    from synthetic_crowds.people.clothing import Bgr

__all__ = ["paint_atlas"]

# Places on the average body, metres: x to the left, y up from the middle of the base
# mesh, z forward; see the landmarks in `basis/BODIES.md`.
_NECK_Z_M, _NECK_HALF_M, _NECK_FROM_M = 0.030, (0.064, 0.062), 0.40
_HIGH_NECK_M = 0.520
_WAIST_M, _BELT_HALF_M = 0.135, 0.014
_SOLE_TOP_M, _SHOE_TOP_M, _SHOE_TONGUE_M = -0.802, -0.748, -0.772
_TRUNK_FRONT_RAD = 1.35
# sRGB values of what is not chosen by lot.
_BELT_BGR, _SOCK_BGR = (22, 26, 34), (70, 68, 66)
_LIGHT_SOLE_BGR, _DARK_SOLE_BGR = (190, 192, 194), (26, 26, 28)
# Alpha slopes over this much around a hole, so that its rim is smooth between texels.
_RIM_SLOPE, _RIM_SLOPE_M = 0.4, 0.03
# How much a crease darkens.
_SEAM, _HEM = 0.80, 0.72


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sheet:
    """One chart's texels: where they are on the body, and their colour so far.

    Attributes:
        across, along: (h, w) float32, the chart's axes, see `ChartBox`.
        x, y, z: (h, w) float32, metres on the average body.
        bgra: (h, w, 4) float32, a view of the atlas.
        cloth: (h, w) bool, a view of where there is cloth rather than skin.
    """

    across: NDArray[np.float32]
    along: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    z: NDArray[np.float32]
    bgra: NDArray[np.float32]
    cloth: NDArray[np.bool_]

    @property
    def in_front(self) -> NDArray[np.bool_]:
        """Texels on the front half."""
        return np.abs(self.across) < _TRUNK_FRONT_RAD

    def dye(self, where: NDArray[np.bool_], colour: Bgr) -> None:
        """Lay cloth of a colour over texels."""
        cover = _soft(where)[..., None]
        self.bgra[..., :3] += cover * (
            np.array(colour, np.float32) - self.bgra[..., :3]
        )
        self.cloth[where] = True

    def shade(self, where: NDArray[np.bool_], factor: float) -> None:
        """Darken or lighten texels."""
        self.bgra[..., :3] *= 1.0 + (factor - 1.0) * _soft(where)[..., None]

    def cut(self, inside: NDArray[np.float32]) -> None:
        """Cut a hole where `inside`, a slope across its rim, exceeds a half."""
        left = 255.0 * (1.0 - np.clip(inside, 0.0, 1.0))
        np.minimum(self.bgra[..., 3], left, out=self.bgra[..., 3])


def _soft(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Blur a mask's rim over a texel, so that hems show no steps."""
    rim = cv2.GaussianBlur(
        mask.astype(np.float32), (3, 3), 0.7, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(rim, np.float32)


def paint_atlas(clothing: Clothing, cut: Cut, skin_bgr: Bgr) -> NDArray[np.uint8]:
    """Paint everything a body wears.

    Args:
        clothing: Colours and kinds of garments.
        cut: Where garments end.
        skin_bgr: sRGB colour of the bare skin.

    Returns:
        (256, 256, 4) uint8 sRGB atlas; transparent above the neckline and below the
        skirt's hem.
    """
    rng = np.random.default_rng(clothing.weave_seed)
    atlas = np.empty((ATLAS_PX, ATLAS_PX, 4), np.float32)
    atlas[:] = (*skin_bgr, 255)
    cloth = np.zeros((ATLAS_PX, ATLAS_PX), bool)
    sheets = {chart: _sheet(atlas, cloth, chart) for chart in CHARTS}
    trunk, arm, leg = sheets[Chart.TRUNK], sheets[Chart.ARM], sheets[Chart.LEG]

    for sheet in (trunk, leg):
        _paint_bottom(sheet, clothing, cut)
        _paint_top(sheet, sheet.y > cut.hem_m, clothing)
        sheet.shade(np.abs(sheet.y - cut.hem_m - 0.004) < 0.006, _HEM)
    leg.shade(np.abs(leg.y - cut.leg_m - 0.006) < 0.008, _HEM)
    sleeve = arm.along < cut.sleeve
    _paint_top(arm, sleeve, clothing)
    arm.shade(sleeve & (arm.along > cut.sleeve - 0.05), 0.84)
    _paint_front(trunk, trunk.y > cut.hem_m, clothing)
    _paint_neckline(trunk, clothing)
    _paint_feet(sheets[Chart.FOOT], clothing)
    _paint_skirt(sheets[Chart.SKIRT], clothing, cut)
    _paint_below_skirt(leg, clothing, cut)
    _paint_strap(trunk, clothing)
    _paint_accessories(sheets[Chart.TRIM], sheets[Chart.BAG], clothing)
    _fold(atlas, cloth, clothing, rng)
    return np.clip(np.rint(atlas), 0, 255).astype(np.uint8)


def _sheet(
    atlas: NDArray[np.float32], cloth: NDArray[np.bool_], chart: Chart
) -> _Sheet:
    box = CHARTS[chart]
    u = (np.arange(box.width, dtype=np.float32) + 0.5) / box.width
    v = (np.arange(box.height, dtype=np.float32) + 0.5) / box.height
    across = box.across[0] + u * (box.across[1] - box.across[0])
    if chart in (Chart.TRUNK, Chart.ARM, Chart.LEG, Chart.SKIRT):
        across = np.where(across > np.pi, across - 2.0 * np.pi, across)
    along = box.along[0] + v * (box.along[1] - box.along[0])
    grid = np.meshgrid(across.astype(np.float32), along.astype(np.float32))
    window = (slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
    x, y, z = np.moveaxis(body_basis().texel_m[window], -1, 0)
    return _Sheet(
        across=grid[0],
        along=grid[1],
        x=x,
        y=y,
        z=z,
        bgra=atlas[window],
        cloth=cloth[window],
    )


def _paint_bottom(sheet: _Sheet, clothing: Clothing, cut: Cut) -> None:
    covered = sheet.y > cut.leg_m
    sheet.dye(covered, clothing.bottom_bgr)
    if clothing.bottom is Bottom.JEANS:
        # Thighs wear pale.
        worn = np.exp(-((sheet.across / 0.7) ** 2) - ((sheet.y + 0.20) / 0.15) ** 2)
        sheet.bgra[..., :3] *= 1.0 + (0.30 * worn * covered)[..., None]
    if clothing.bottom in (Bottom.JEANS, Bottom.TROUSERS):
        sheet.dye(np.abs(sheet.y - _WAIST_M) < _BELT_HALF_M, _BELT_BGR)


def _paint_top(sheet: _Sheet, covered: NDArray[np.bool_], clothing: Clothing) -> None:
    sheet.dye(covered, clothing.top_bgr)
    if clothing.pattern is Pattern.STRIPES:
        if clothing.top is Top.SHIRT:
            lines = np.mod(sheet.across, 0.157) < 0.05
        else:
            lines = np.mod(sheet.y, 0.06) < 0.024
        sheet.dye(covered & lines, clothing.accent_bgr)
    elif clothing.pattern is Pattern.CHECK:
        weft = np.mod(sheet.y, 0.06) < 0.020
        warp = np.mod(sheet.across, 0.3927) < 0.13
        blue, green, red = (
            (a + b) // 2
            for a, b in zip(clothing.top_bgr, clothing.accent_bgr, strict=True)
        )
        sheet.dye(covered & (weft ^ warp), (blue, green, red))
        sheet.dye(covered & weft & warp, clothing.accent_bgr)


def _paint_front(trunk: _Sheet, covered: NDArray[np.bool_], clothing: Clothing) -> None:
    side, y = np.abs(trunk.x), trunk.y
    front = covered & trunk.in_front
    if clothing.is_open:
        # The gap widens from the chest to the hem.
        gap = 0.022 + 0.075 * np.clip((0.40 - y) / 0.45, 0.0, 1.0)
        trunk.dye(front & (side < gap), clothing.inner_bgr)
        trunk.shade(front & (np.abs(side - gap) < 0.006), 0.6)
    elif clothing.top in (Top.JACKET, Top.COAT, Top.SHIRT):
        trunk.shade(front & (side < 0.004), 0.6)
        trunk.shade(front & (np.abs(trunk.x + 0.017) < 0.003), 0.85)
        spacing = 0.07 if clothing.top is Top.SHIRT else 0.10
        button = (np.mod(y, spacing) < 0.010) & (side < 0.007)
        if clothing.top is not Top.JACKET:
            trunk.shade(front & button, 0.5)
    elif clothing.pattern is Pattern.PRINT:
        print_ = (trunk.x / 0.085) ** 2 + ((y - 0.29) / 0.05) ** 2 < 1.0
        trunk.dye(front & print_, clothing.accent_bgr)
    if clothing.top is Top.HOODIE:
        slant = 0.125 - 0.045 * np.clip(y / 0.10, 0.0, 1.0)
        pocket = front & (y > -0.01) & (y < 0.10) & (side < slant)
        inside = (y > 0.0) & (y < 0.092) & (side < slant - 0.008)
        trunk.shade(pocket & ~inside, 0.72)
        cord = front & (np.abs(side - 0.028) < 0.0035) & (y > 0.31)
        trunk.dye(cord, (205, 206, 208))
    if clothing.top in (Top.JACKET, Top.COAT):
        pocket = front & (np.abs(y - 0.02 + 0.4 * (side - 0.10)) < 0.004)
        trunk.shade(pocket & (side > 0.085) & (side < 0.135), 0.6)


def _paint_neckline(trunk: _Sheet, clothing: Clothing) -> None:
    """Cut the neck hole, with a hem around it, and show what is worn below."""
    side, y = np.abs(trunk.x), trunk.y
    half_x, half_z = _NECK_HALF_M
    ring = np.hypot(trunk.x / half_x, (trunk.z - _NECK_Z_M) / half_z)
    above = y > _NECK_FROM_M
    crew = np.where(above, 0.5 + (1.0 - ring) / _RIM_SLOPE, 0.0)
    hem = above & (ring >= 1.0) & (ring < 1.16)
    if clothing.neckline is Neckline.HIGH:
        trunk.cut(0.5 + (y - _HIGH_NECK_M) / _RIM_SLOPE_M)
        trunk.shade((y > _HIGH_NECK_M - 0.012), 0.8)
        trunk.shade(above & (np.abs(ring - 1.0) < 0.08), 0.86)
        return
    if clothing.neckline is Neckline.CREW:
        trunk.shade(hem, 0.78)
        trunk.cut(crew)
        return
    outer = clothing.top in (Top.JACKET, Top.COAT)
    depth, slope = (0.24, 3.4) if outer else (0.375, 1.9)
    line = depth + slope * side
    vee = np.where(trunk.in_front, 0.5 + (y - line) / _RIM_SLOPE_M, 0.0)
    rim = trunk.in_front & (np.abs(y - line) < 0.012 * slope / 1.9) & (y > depth - 0.02)
    trunk.shade(rim & above | rim & (side < 0.07), 0.74)
    if clothing.neckline is Neckline.COLLAR and not outer:
        # The collar's leaves lie on the shirt, in its own colour.
        leaf = trunk.in_front & (y > 0.395) & (y < line) & (y > 0.46 - 0.9 * side)
        trunk.shade(leaf & (ring < 1.9), 1.08)
    if outer or clothing.top is Top.JUMPER:
        trunk.dye(np.maximum(vee, crew) > 0.5, clothing.inner_bgr)
        if outer:
            lapel = trunk.in_front & (y < line) & (y > line - 0.16) & (y > depth)
            trunk.shade(lapel, 0.86)
        trunk.shade(hem & (vee > 0.5), 0.8)
        trunk.cut(crew)
    else:
        trunk.shade(hem & (vee < 0.5), 0.82)
        trunk.cut(np.maximum(vee, crew))


def _paint_feet(foot: _Sheet, clothing: Clothing) -> None:
    top = np.interp(
        foot.across, (-0.06, 0.03, 0.08), (_SHOE_TOP_M, _SHOE_TOP_M, _SHOE_TONGUE_M)
    )
    everywhere = np.ones(foot.y.shape, bool)
    if clothing.bottom not in (Bottom.SHORTS, Bottom.SKIRT):
        foot.dye(everywhere, clothing.bottom_bgr)
        foot.dye(foot.along < top + 0.02, _SOCK_BGR)
    foot.dye(foot.along < top, clothing.shoe_bgr)
    laces = (foot.along < top) & (foot.along > top - 0.018) & (foot.across > 0.04)
    foot.shade(laces & (np.mod(foot.across, 0.016) < 0.006), 1.15)
    trainers = sum(clothing.shoe_bgr) > 240 or clothing.bottom is Bottom.JOGGERS
    foot.dye(foot.along < _SOLE_TOP_M, _LIGHT_SOLE_BGR if trainers else _DARK_SOLE_BGR)


def _paint_skirt(skirt: _Sheet, clothing: Clothing, cut: Cut) -> None:
    everywhere = np.ones(skirt.y.shape, bool)
    if clothing.top is Top.COAT:
        _paint_top(skirt, everywhere, clothing)
        front = np.abs(skirt.across) < _TRUNK_FRONT_RAD
        if clothing.is_open:
            gap = 0.097 + 0.06 * np.clip(-skirt.y / 0.4, 0.0, 1.0)
            skirt.cut(
                np.where(front, 0.5 + (gap - np.abs(skirt.x)) / _RIM_SLOPE_M, 0.0)
            )
        else:
            skirt.shade(front & (np.abs(skirt.x) < 0.004), 0.6)
    else:
        skirt.dye(everywhere, clothing.bottom_bgr)
        skirt.shade(np.mod(skirt.across, 0.3491) < 0.09, 0.9)
    skirt.shade(np.abs(skirt.y - cut.skirt_m - 0.008) < 0.008, _HEM)
    skirt.cut(0.5 + (cut.skirt_m - skirt.y) / _RIM_SLOPE_M)


def _paint_below_skirt(leg: _Sheet, clothing: Clothing, cut: Cut) -> None:
    """Dye legs like the skirt over them: a striding knee may poke through it."""
    if cut.has_skirt:
        hidden = leg.y > cut.skirt_m + 0.03
        if clothing.top is Top.COAT:
            if clothing.is_open:
                hidden &= np.abs(leg.across) > 1.0
            leg.dye(hidden, clothing.top_bgr)
        else:
            leg.dye(hidden & (leg.y < cut.hem_m), clothing.bottom_bgr)


def _paint_strap(trunk: _Sheet, clothing: Clothing) -> None:
    visible = trunk.bgra[..., 3] > 0.0
    if clothing.bag is Bag.BACKPACK:
        strap = np.abs(np.abs(trunk.x) - 0.088) < 0.021
        trunk.dye(visible & strap & trunk.in_front & (trunk.y > 0.15), clothing.bag_bgr)
        trunk.dye(visible & strap & (trunk.y > 0.40), clothing.bag_bgr)
    elif clothing.bag is Bag.SHOULDER:
        # From the right shoulder across to the left hip, before and behind.
        start, end = np.array([-0.10, 0.47]), np.array([0.17, 0.02])
        along = (end - start) / np.linalg.norm(end - start)
        off = (trunk.x - start[0]) * along[1] - (trunk.y - start[1]) * along[0]
        trunk.dye(visible & (np.abs(off) < 0.016) & (trunk.y > 0.0), clothing.bag_bgr)


def _paint_accessories(trim: _Sheet, bag: _Sheet, clothing: Clothing) -> None:
    everywhere = np.ones(trim.along.shape, bool)
    trim.dye(
        everywhere, clothing.accent_bgr if clothing.has_scarf else clothing.top_bgr
    )
    if clothing.has_scarf:
        trim.shade(np.mod(trim.across, 0.25) < 0.08, 0.8)
    bag.dye(everywhere, clothing.bag_bgr)
    # A flap over the main pocket, and a zip.
    bag.shade(np.abs(bag.along - 0.45) < 0.04, 0.6)


def _fold(
    atlas: NDArray[np.float32],
    cloth: NDArray[np.bool_],
    clothing: Clothing,
    rng: np.random.Generator,
) -> None:
    """Add folds where cloth bunches, and the grain of the weave."""
    grain = rng.normal(0.0, 1.0, (ATLAS_PX, ATLAS_PX)).astype(np.float32)
    depth = 0.08 if clothing.pattern is Pattern.MARL else 0.025
    light = 1.0 + depth * grain
    for chart, base, bunches in (
        (Chart.TRUNK, 0.035, ((0.06, 0.07, 0.09), (0.38, 0.10, 0.03))),
        (Chart.ARM, 0.04, ((0.48, 0.16, 0.11), (0.92, 0.10, 0.09), (0.0, 0.12, 0.05))),
        (
            Chart.LEG,
            0.03,
            ((-0.36, 0.09, 0.10), (-0.72, 0.07, 0.13), (0.0, 0.08, 0.08)),
        ),
        (Chart.SKIRT, 0.05, ()),
    ):
        box = CHARTS[chart]
        along = np.linspace(*box.along, box.height, dtype=np.float32)[:, None]
        shape = (max(box.height // 5, 2), max(box.width // 14, 2))
        if chart is Chart.SKIRT:
            # A skirt falls in pleats, not in rings.
            shape = (3, box.width // 5)
        coarse = rng.normal(0.0, 1.0, shape).astype(np.float32)
        wave = cv2.resize(
            coarse, (box.width, box.height), interpolation=cv2.INTER_CUBIC
        )
        strength = np.full_like(along, base)
        for at, width, gain in bunches:
            strength += gain * np.exp(-(((along - at) / width) ** 2))
        light[box.y : box.y + box.height, box.x : box.x + box.width] *= (
            1.0 + wave * strength
        )
    atlas[..., :3] *= np.where(cloth, np.clip(light, 0.6, 1.35), 1.0)[..., None]
