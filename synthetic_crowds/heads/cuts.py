"""The cuts of hair: how thick, which way it flows, how ragged it ends.

Owns one row of measures for each style that has any hair to speak of. Knows nothing
of meshes.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthetic_crowds.people.person import HairStyle

__all__ = ["CUTS", "Cut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One style's shape.

    Attributes:
        top_m, side_m, back_m: Thickness.
        rise_m: Distance from the hairline over which thickness grows.
        flow: Lattice cells per metre along x, y, z: slow along the strands.
        lumps: Share of thickness that varies from place to place.
        ragged_m: How far the hairline's edge wanders.
        hangs: Whether a curtain hangs from the sides.
    """

    top_m: float
    side_m: float
    back_m: float
    rise_m: float
    flow: tuple[float, float, float]
    lumps: float
    ragged_m: float
    hangs: bool = False


CUTS = {
    HairStyle.CROP: Cut(
        top_m=0.013,
        side_m=0.005,
        back_m=0.007,
        rise_m=0.020,
        flow=(420.0, 420.0, 160.0),
        lumps=0.30,
        ragged_m=0.006,
    ),
    HairStyle.SIDE_PART: Cut(
        top_m=0.024,
        side_m=0.008,
        back_m=0.010,
        rise_m=0.026,
        flow=(60.0, 90.0, 520.0),
        lumps=0.22,
        ragged_m=0.004,
    ),
    HairStyle.SWEPT_BACK: Cut(
        top_m=0.026,
        side_m=0.006,
        back_m=0.012,
        rise_m=0.020,
        flow=(520.0, 360.0, 50.0),
        lumps=0.20,
        ragged_m=0.004,
    ),
    HairStyle.CURLY: Cut(
        top_m=0.034,
        side_m=0.020,
        back_m=0.024,
        rise_m=0.028,
        flow=(170.0, 170.0, 170.0),
        lumps=0.34,
        ragged_m=0.007,
    ),
    HairStyle.AFRO: Cut(
        top_m=0.050,
        side_m=0.042,
        back_m=0.045,
        rise_m=0.034,
        flow=(330.0, 330.0, 330.0),
        lumps=0.16,
        ragged_m=0.005,
    ),
    HairStyle.TIED_BACK: Cut(
        top_m=0.010,
        side_m=0.006,
        back_m=0.010,
        rise_m=0.016,
        flow=(460.0, 420.0, 45.0),
        lumps=0.12,
        ragged_m=0.004,
    ),
    HairStyle.BOB: Cut(
        top_m=0.018,
        side_m=0.016,
        back_m=0.022,
        rise_m=0.022,
        flow=(240.0, 45.0, 430.0),
        lumps=0.18,
        ragged_m=0.004,
        hangs=True,
    ),
    HairStyle.LONG: Cut(
        top_m=0.016,
        side_m=0.014,
        back_m=0.018,
        rise_m=0.022,
        flow=(240.0, 45.0, 430.0),
        lumps=0.18,
        ragged_m=0.004,
        hangs=True,
    ),
}
