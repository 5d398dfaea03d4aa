"""Painted sheets: flat, textured surfaces of a street before anybody looks at them.

Owns the drawing board (rectangles, words, noise, in metres) and the way a sheet is
looked up from afar without flicker. Knows nothing of what a sheet depicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.raster.colour import srgb_to_linear

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["Sheet", "blank_sheet", "fractal_noise", "look_up"]

_RIP_LEVELS = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sheet:
    """A drawing board over a rectangle of a plane; its arrays are drawn upon.

    Attributes:
        albedo_bgr: (h, w, 3) uint8, sRGB; u runs right, v runs up.
        glow: (h, w) uint8, share of full glow that each place gives off itself.
        u0_m, v0_m: Lower left corner.
        px_per_m: Resolution.
    """

    albedo_bgr: NDArray[np.uint8]
    glow: NDArray[np.uint8]
    u0_m: float
    v0_m: float
    px_per_m: float

    def px(self, u_m: float, v_m: float) -> tuple[int, int]:
        """Column and row of a place."""
        return (
            round((u_m - self.u0_m) * self.px_per_m),
            self.albedo_bgr.shape[0] - round((v_m - self.v0_m) * self.px_per_m),
        )

    def fill(
        self,
        u_m: tuple[float, float],
        v_m: tuple[float, float],
        bgr: Sequence[float] | NDArray[np.float64],
        *,
        glow: float = 0.0,
    ) -> None:
        """Paint a rectangle in an sRGB colour."""
        (left, bottom), (right, top) = self.px(u_m[0], v_m[0]), self.px(u_m[1], v_m[1])
        rows = slice(max(top, 0), max(bottom, 0))
        columns = slice(max(left, 0), max(right, 0))
        self.albedo_bgr[rows, columns] = np.clip(bgr, 0, 255).astype(np.uint8)
        self.glow[rows, columns] = round(255 * glow)

    def lattice(
        self,
        u_m: tuple[float, float],
        v_m: tuple[float, float],
        cell_m: tuple[float, float],
        *,
        tone_sd: float,
        joint_tone: float,
        stagger: float = 0.0,
        rng: Generator,
    ) -> None:
        """Lay slabs, bricks or tiles over what is painted: tones and joints.

        Args:
            u_m: Extent along u.
            v_m: Extent along v.
            cell_m: Size of a slab along u and v.
            tone_sd: Standard deviation of the slabs' brightness, as a factor.
            joint_tone: Brightness of joints, as a factor.
            stagger: Shift of every other row, as a share of a slab.
            rng: Consumed.
        """
        (left, bottom), (right, top) = self.px(u_m[0], v_m[0]), self.px(u_m[1], v_m[1])
        left, top = max(left, 0), max(top, 0)
        right = min(right, self.albedo_bgr.shape[1])
        bottom = min(bottom, self.albedo_bgr.shape[0])
        if right <= left or bottom <= top:
            return
        v = (np.arange(bottom - top, 0, -1) - 0.5) / self.px_per_m / cell_m[1]
        row = np.floor(v).astype(np.intp)
        u = (np.arange(right - left) + 0.5) / self.px_per_m / cell_m[0]
        shifted = u[None] + (row % 2 * stagger)[:, None]
        column = np.floor(shifted).astype(np.intp)
        tones = rng.normal(1.0, tone_sd, (row.max() + 1, column.max() + 1))
        tone = tones[row[:, None], column].astype(np.float32)
        joint_u = 1.2 / self.px_per_m / cell_m[0]
        joint_v = 1.2 / self.px_per_m / cell_m[1]
        joint = (shifted - column < joint_u) | (v - row < joint_v)[:, None]
        tone[joint] *= joint_tone
        patch = self.albedo_bgr[top:bottom, left:right]
        patch[:] = np.clip(patch * tone[..., None], 0, 255).astype(np.uint8)

    def roughen(self, *, amount: float, coarse_m: float, rng: Generator) -> None:
        """Vary the brightness of everything painted so far: wear, stains, grain."""
        noise = fractal_noise(self.glow.shape, coarse_m * self.px_per_m, rng=rng)
        tone = (1.0 + amount * noise)[..., None]
        self.albedo_bgr[:] = np.clip(self.albedo_bgr * tone, 0, 255).astype(np.uint8)

    def word(
        self,
        text: str,
        u_m: float,
        v_m: float,
        height_m: float,
        bgr: tuple[float, float, float],
        *,
        glow: float = 0.0,
        narrow: float = 1.0,
    ) -> None:
        """Write a word whose lower left corner stands at a place.

        Args:
            text: The word.
            u_m: Place along u.
            v_m: Place along v.
            height_m: Of its capitals.
            bgr: Colour, sRGB.
            glow: Of the letters.
            narrow: Width as a share of the font's own.
        """
        font, native_px = cv2.FONT_HERSHEY_DUPLEX, 22
        thickness = 2
        (width, height), base = cv2.getTextSize(text, font, 1.0, thickness)
        stamp = np.zeros((height + base + 4, width + 4), np.uint8)
        cv2.putText(
            stamp, text, (2, height + 2), font, 1.0, 255, thickness, cv2.LINE_AA
        )
        scale = height_m * self.px_per_m / native_px
        size = (
            max(round(stamp.shape[1] * scale * narrow), 1),
            max(round(stamp.shape[0] * scale), 1),
        )
        stamp = np.asarray(
            cv2.resize(stamp, size, interpolation=cv2.INTER_AREA), np.uint8
        )
        left, bottom = self.px(u_m, v_m)
        top = bottom - round(size[1] * (height + 2) / (height + base + 4))
        if left < 0 or top < 0:
            return
        patch = self.albedo_bgr[top : top + size[1], left : left + size[0]]
        stamp = stamp[: patch.shape[0], : patch.shape[1]]
        share = stamp[..., None] / 255.0
        patch[:] = (patch * (1 - share) + np.asarray(bgr) * share).astype(np.uint8)
        if glow:
            lit = self.glow[top : top + size[1], left : left + size[0]]
            np.maximum(lit, (stamp * glow).astype(np.uint8), out=lit)


def blank_sheet(
    u_m: tuple[float, float],
    v_m: tuple[float, float],
    px_per_m: float,
    bgr: tuple[float, float, float],
) -> Sheet:
    """Stretch an empty sheet of one colour over a rectangle."""
    shape = (
        max(round((v_m[1] - v_m[0]) * px_per_m), 1),
        max(round((u_m[1] - u_m[0]) * px_per_m), 1),
    )
    albedo = np.empty((*shape, 3), np.uint8)
    albedo[:] = np.asarray(bgr, np.uint8)
    return Sheet(
        albedo_bgr=albedo,
        glow=np.zeros(shape, np.uint8),
        u0_m=u_m[0],
        v0_m=v_m[0],
        px_per_m=px_per_m,
    )


def fractal_noise(
    shape: tuple[int, int], coarse_px: float, *, rng: Generator
) -> NDArray[np.float32]:
    """Sum octaves of smooth noise down to the pixel.

    Returns:
        `shape` float32, mean about 0, standard deviation 1.
    """
    total = np.zeros(shape, np.float32)
    size_px, weight = max(coarse_px, 1.0), 1.0
    while True:
        grid = (
            max(round(shape[0] / size_px), 1) + 1,
            max(round(shape[1] / size_px), 1) + 1,
        )
        octave = rng.standard_normal(grid, dtype=np.float32)
        total += weight * cv2.resize(
            octave, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC
        )
        if size_px <= 1.0:
            break
        size_px, weight = max(size_px / 3.0, 1.0), weight * 0.75
    return total / max(float(total.std()), 1e-6)


def look_up(
    sheet: Sheet,
    u_m: NDArray[np.float32],
    v_m: NDArray[np.float32],
    footprint_m: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """See a sheet from where each pixel's footprint along u is this long.

    A street is seen at a grazing angle, so pixels stretch along u alone: levels of
    the sheet shrink in that direction only.

    Args:
        sheet: Looked at.
        u_m: (h, w) places.
        v_m: (h, w) places.
        footprint_m: (h, w), length along u that one pixel covers.

    Returns:
        Linear albedo (h, w, 3) and glow (h, w) in [0, 1].
    """
    rows, columns = sheet.glow.shape
    stack = np.dstack((sheet.albedo_bgr, sheet.glow))
    level = np.clip(
        np.log2(np.maximum(footprint_m * sheet.px_per_m, 1.0)), 0, _RIP_LEVELS - 1
    )
    level = np.rint(level).astype(np.int8)
    x = (u_m - sheet.u0_m) * np.float32(sheet.px_per_m) - np.float32(0.5)
    y = rows - (v_m - sheet.v0_m) * np.float32(sheet.px_per_m) - np.float32(0.5)
    seen = np.empty((*u_m.shape, 4), np.uint8)
    for step in range(int(level.max()) + 1):
        if step:
            width = max(columns >> step, 1)
            narrower = cv2.resize(stack, (width, rows), interpolation=cv2.INTER_AREA)
            stack = np.asarray(narrower, np.uint8)
        shrink = np.float32(stack.shape[1] / columns)
        picked = cv2.remap(
            stack,
            (x + np.float32(0.5)) * shrink - np.float32(0.5),
            y,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.copyto(seen, picked, where=(level == step)[..., None])
    return srgb_to_linear(seen[..., :3]), seen[..., 3].astype(np.float32) / 255.0
