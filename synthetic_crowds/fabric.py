"""Dyeing: clothes, shoes and skin painted into a body's texture atlas.

Owns colours, hems, seams, patterns and folds. Knows nothing of meshes: it paints in
chart coordinates, heights on the average body and angles around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.body_basis import ATLAS_PX, CHARTS, Chart
from synthetic_crowds.clothing import Bag, Bottom, Clothing, Neckline, Pattern, Top
from synthetic_crowds.tailoring import Cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.clothing import Bgr

__all__ = ["paint_atlas"]

# Heights on the average body, metres; see the landmarks in `basis/BODIES.md`.
NECK_BACK_M, NECK_SIDE_M, NECK_FRONT_M = 0.505, 0.490, 0.440
WAIST_M = 0.135
SOLE_TOP_M, SHOE_TOP_M, SOCK_TOP_M = -0.800, -0.750, -0.70


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sheet:
    """One chart's texels: where they are on the body, and their colour so far."""

    across: NDArray[np.float32]
    along: NDArray[np.float32]
    bgra: NDArray[np.float32]

    def dye(self, where: NDArray[np.bool_] | float, colour: Bgr) -> None:
        """Colour texels by mask, or all of them."""
        if isinstance(where, float):
            self.bgra[..., :3] = colour
        else:
            self.bgra[where, :3] = colour

    def shade(self, where: NDArray[np.bool_], factor: float) -> None:
        """Darken or lighten texels."""
        self.bgra[where, :3] *= factor


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
    atlas = np.zeros((ATLAS_PX, ATLAS_PX, 4), np.float32)
    atlas[..., 3] = 255.0
    sheets = {chart: _sheet(atlas, chart) for chart in CHARTS}
    for sheet in sheets.values():
        sheet.dye(1.0, skin_bgr)

    trunk, arm, leg = sheets[Chart.TRUNK], sheets[Chart.ARM], sheets[Chart.LEG]
    bottom = clothing.bottom_bgr
    trunk.dye(1.0, bottom)
    for sheet in (trunk, leg):
        _paint_bottom(sheet, clothing, cut)
    top_on_trunk = trunk.along > cut.hem_m
    _paint_top(trunk, top_on_trunk, clothing)
    _paint_top(leg, leg.along > cut.hem_m, clothing)
    _paint_top(arm, arm.along < cut.sleeve, clothing)
    _paint_front(trunk, top_on_trunk, clothing)
    for sheet, edge, width in (
        (trunk, cut.hem_m, 0.012),
        (leg, cut.hem_m, 0.012),
        (leg, cut.leg_m, 0.014),
    ):
        sheet.shade(np.abs(sheet.along - edge) < width / 2.0, 0.72)
    cuff = np.abs(arm.along - cut.sleeve + 0.03) < 0.025
    arm.shade(cuff & (arm.along < cut.sleeve), 0.82)
    _paint_neckline(trunk, clothing)
    _paint_feet(sheets[Chart.FOOT], clothing, skin_bgr)
    _paint_skirt(sheets[Chart.SKIRT], clothing, cut)
    _fold(atlas, sheets, clothing, rng)
    if clothing.bag is not Bag.NONE:
        _paint_straps(trunk, clothing)
    return np.clip(np.rint(atlas), 0, 255).astype(np.uint8)


def _sheet(atlas: NDArray[np.float32], chart: Chart) -> _Sheet:
    box = CHARTS[chart]
    u = (np.arange(box.width, dtype=np.float32) + 0.5) / box.width
    v = (np.arange(box.height, dtype=np.float32) + 0.5) / box.height
    across = box.across[0] + u * (box.across[1] - box.across[0])
    if chart not in (Chart.FOOT, Chart.SKIN):
        across = np.where(across > np.pi, across - 2.0 * np.pi, across)
    along = box.along[0] + v * (box.along[1] - box.along[0])
    grid = np.meshgrid(across.astype(np.float32), along.astype(np.float32))
    view = atlas[box.y : box.y + box.height, box.x : box.x + box.width]
    return _Sheet(across=grid[0], along=grid[1], bgra=view)


def _paint_bottom(sheet: _Sheet, clothing: Clothing, cut: Cut) -> None:
    covered = sheet.along > cut.leg_m
    sheet.dye(covered, clothing.bottom_bgr)
    if clothing.bottom is Bottom.JEANS:
        # Worn thighs and seams.
        worn = np.exp(-((sheet.across / 0.6) ** 2)) * np.exp(
            -(((sheet.along + 0.22) / 0.14) ** 2)
        )
        sheet.bgra[..., :3] *= 1.0 + (0.28 * worn * covered)[..., None]
    if clothing.bottom in (Bottom.JEANS, Bottom.TROUSERS):
        belt = np.abs(sheet.along - WAIST_M) < 0.014
        sheet.dye(belt, (22, 26, 34))
    seam = np.abs(np.abs(sheet.across) - np.pi / 2.0) < 0.04
    sheet.shade(seam & covered, 0.8)


def _paint_top(sheet: _Sheet, covered: NDArray[np.bool_], clothing: Clothing) -> None:
    sheet.dye(covered, clothing.top_bgr)
    if clothing.pattern is Pattern.STRIPES:
        if clothing.top is Top.SHIRT:
            lines = np.mod(sheet.across, 0.16) < 0.05
        else:
            lines = np.mod(sheet.along, 0.05) < 0.02
        sheet.dye(covered & lines, clothing.accent_bgr)
    elif clothing.pattern is Pattern.CHECK:
        one = np.mod(sheet.along, 0.06) < 0.018
        other = np.mod(sheet.across, 0.40) < 0.12
        mixed = 0.5 * (np.array(clothing.top_bgr) + np.array(clothing.accent_bgr))
        sheet.dye(covered & (one ^ other), tuple(mixed))
        sheet.dye(covered & one & other, clothing.accent_bgr)


def _paint_front(
    trunk: _Sheet, covered: NDArray[np.bool_], clothing: Clothing
) -> None:
    angle, height = np.abs(trunk.across), trunk.along
    if clothing.is_open:
        # The gap widens from the chest to the hem.
        gap = 0.20 + 0.35 * np.clip((0.44 - height) / 0.5, 0.0, 1.0)
        trunk.dye(covered & (angle < gap), clothing.inner_bgr)
        trunk.shade(covered & (np.abs(angle - gap) < 0.05), 0.65)
        lapel = covered & (angle >= gap) & (angle < gap + 0.22) & (height > 0.26)
        trunk.shade(lapel, 0.86)
    elif clothing.top in (Top.JACKET, Top.COAT, Top.SHIRT):
        trunk.shade(covered & (angle < 0.025), 0.62)
        spacing = 0.075 if clothing.top is Top.SHIRT else 0.11
        button = (np.mod(height, spacing) < 0.010) & (angle < 0.05)
        if clothing.top is not Top.JACKET:
            trunk.shade(covered & button, 0.55)
    elif clothing.pattern is Pattern.PRINT:
        print_ = ((trunk.across / 0.42) ** 2 + ((height - 0.30) / 0.055) ** 2) < 1.0
        trunk.dye(covered & print_, clothing.accent_bgr)
    if clothing.top is Top.HOODIE:
        pocket = (height < 0.10) & (height > 0.0) & (angle < 0.75 - 0.2 * height / 0.1)
        rim = pocket & ~((height < 0.09) & (height > 0.008) & (angle < 0.50))
        trunk.shade(covered & rim, 0.8)


def _paint_neckline(trunk: _Sheet, clothing: Clothing) -> None:
    """Cut the neck hole, with a hem around it."""
    angle, height = np.abs(trunk.across), trunk.along
    around = np.array([0.0, 0.8, 1.6, 2.4, np.pi])
    edge = np.interp(
        angle,
        around,
        [NECK_FRONT_M, 0.462, NECK_SIDE_M, 0.503, NECK_BACK_M],
    )
    if clothing.neckline is Neckline.HIGH:
        edge = np.interp(angle, around, [0.535, 0.54, 0.545, 0.55, 0.55])
    inner_edge = edge.copy()
    if clothing.neckline in (Neckline.VEE, Neckline.COLLAR):
        depth = 0.30 if clothing.top in (Top.JACKET, Top.COAT) else 0.375
        vee = depth + (NECK_SIDE_M - depth) * np.clip(angle / 0.95, 0.0, 1.0)
        edge = np.minimum(edge, vee)
    layered = clothing.top in (Top.JACKET, Top.COAT, Top.JUMPER)
    if layered:
        trunk.dye(height > edge, clothing.inner_bgr)
        hole = height > inner_edge
    else:
        hole = height > edge
    trunk.shade((np.abs(height - edge + 0.008) < 0.007), 0.74)
    trunk.bgra[hole, 3] = 0.0


def _paint_feet(foot: _Sheet, clothing: Clothing, skin_bgr: Bgr) -> None:
    top = np.interp(foot.across, (-0.06, 0.03, 0.10), (SHOE_TOP_M, SHOE_TOP_M, -0.775))
    bare = clothing.bottom in (Bottom.SHORTS, Bottom.SKIRT)
    foot.dye(1.0, skin_bgr if bare else clothing.bottom_bgr)
    foot.dye(foot.along < top + 0.012, (70, 68, 66))
    foot.dye(foot.along < top, clothing.shoe_bgr)
    laces = (foot.along < top) & (foot.along > top - 0.02) & (foot.across > 0.02)
    foot.shade(laces & (np.mod(foot.across, 0.016) < 0.006), 1.35)
    light_soled = sum(clothing.shoe_bgr) > 240 or clothing.bottom is Bottom.JOGGERS
    foot.dye(foot.along < SOLE_TOP_M, (196, 198, 200) if light_soled else (24, 24, 26))


def _paint_skirt(skirt: _Sheet, clothing: Clothing, cut: Cut) -> None:
    coat = clothing.top is Top.COAT
    if coat:
        _paint_top(skirt, skirt.along > -9.0, clothing)
        angle = np.abs(skirt.across)
        if clothing.is_open:
            skirt.bgra[angle < 0.55, 3] = 0.0
        else:
            skirt.shade(angle < 0.03, 0.62)
    else:
        skirt.dye(1.0, clothing.bottom_bgr)
        skirt.shade(np.mod(skirt.across, 0.35) < 0.09, 0.88)
    skirt.shade(np.abs(skirt.along - cut.skirt_m - 0.012) < 0.008, 0.8)
    skirt.bgra[skirt.along < cut.skirt_m, 3] = 0.0


def _paint_straps(trunk: _Sheet, clothing: Clothing) -> None:
    angle, height = trunk.across, trunk.along
    if clothing.bag is Bag.BACKPACK:
        strap = (np.abs(np.abs(angle) - 0.62) < 0.10) & (height > 0.16) & (height < 0.50)
        strap &= np.abs(angle) < 1.4
    else:
        # From the right shoulder across to the left hip.
        line = 0.45 - 0.36 * (angle + 0.75) / 1.9
        strap = (np.abs(height - line) < 0.016) & (angle > -0.9) & (angle < 1.5)
    trunk.dye(strap & (trunk.bgra[..., 3] > 0), clothing.bag_bgr)


def _fold(
    atlas: NDArray[np.float32],
    sheets: dict[Chart, _Sheet],
    clothing: Clothing,
    rng: np.random.Generator,
) -> None:
    """Add folds where cloth bunches, and the grain of the weave."""
    grain = rng.normal(0.0, 1.0, (ATLAS_PX, ATLAS_PX)).astype(np.float32)
    depth = 0.085 if clothing.pattern is Pattern.MARL else 0.03
    light = 1.0 + depth * grain
    for chart, bunches in (
        (Chart.TRUNK, ((0.10, 0.10, 1.0), (0.36, 0.10, 0.5))),
        (Chart.ARM, ((0.48, 0.16, 1.0), (0.92, 0.10, 0.9), (0.0, 0.12, 0.7))),
        (Chart.LEG, ((-0.36, 0.10, 1.0), (-0.72, 0.07, 1.2), (0.0, 0.08, 0.9))),
        (Chart.SKIRT, ((-0.3, 0.5, 0.4),)),
    ):
        sheet = sheets[chart]
        rows, columns = sheet.along.shape
        coarse = rng.normal(0.0, 1.0, (max(rows // 5, 2), max(columns // 14, 2)))
        wave = cv2.resize(
            coarse.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC
        )
        strength = sum(
            gain * np.exp(-(((sheet.along - at) / width) ** 2))
            for at, width, gain in bunches
        )
        box = CHARTS[chart]
        light[box.y : box.y + rows, box.x : box.x + columns] *= 1.0 + wave * (
            0.05 + 0.11 * strength
        )
    skin = CHARTS[Chart.SKIN]
    light[skin.y : skin.y + skin.height, skin.x : skin.x + skin.width] = 1.0
    atlas[..., :3] *= np.clip(light, 0.55, 1.4)[..., None]
