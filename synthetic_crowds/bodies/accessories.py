"""What is worn over clothes: collars, hoods, scarves and bags.

Owns small rigid surfaces that sit on a dressed body. Knows nothing of walking: each
piece names the bone that carries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.bodies.body_basis import ATLAS_PX, CHARTS, BodyBasis, Chart
from synthetic_crowds.bodies.skeleton import Bone
from synthetic_crowds.people.clothing import Bag, Clothing, Neckline, Top
from synthetic_crowds.raster.surface import normals_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Accessory", "accessories_of"]

_AROUND, _ALONG = 25, 9
# The root of the neck on the average body: its axis, and a band around it.
_NECK_Z_M, _NECK_RADIUS_M, _NECK_BAND_M, _NECK_FROM_M = 0.030, 0.068, 0.014, 0.43
# Sections of rings around the neck: (outwards, upwards) in metres from its root.
_SHIRT_COLLAR_M = ((0.000, -0.012), (0.002, 0.022), (0.007, 0.024), (0.020, -0.010))
_COAT_COLLAR_M = ((0.002, -0.012), (0.006, 0.030), (0.012, 0.032), (0.034, -0.014))
_TUBE = tuple(
    (-np.cos(a), np.sin(a)) for a in np.linspace(-0.6 * np.pi, 1.25 * np.pi, _ALONG)
)
# Where a tube's middle lies, in radii outwards and upwards from the root of the neck.
_TUBE_SEAT = (0.35, 0.30)
# Half sides of bags, metres, across, up and deep.
_BACKPACK_M, _SHOULDER_BAG_M = (0.145, 0.205, 0.075), (0.140, 0.100, 0.050)
# Bags are rounded boxes: superquadrics of this exponent.
# Source: Barr, IEEE Computer Graphics and Applications 1(1) (1981) 11.
_ROUNDNESS = 0.45


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accessory:
    """One rigid piece at rest.

    Attributes:
        bone: What carries it.
        vertices: (v, 3) float32, metres.
        normals: (v, 3) float32.
        triangles: (t, 3) int32.
        uv: (v, 2) float32 in the body's atlas.
    """

    bone: Bone
    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]


def accessories_of(
    clothing: Clothing, basis: BodyBasis, dressed_m: NDArray[np.float32]
) -> tuple[Accessory, ...]:
    """Make everything an outfit has over its cloth.

    Args:
        clothing: The outfit.
        basis: Where the points are on the average body.
        dressed_m: (p, 3) points of this body, dressed, at rest.

    Returns:
        The pieces, perhaps none.
    """
    pieces = []
    outer = clothing.top in (Top.JACKET, Top.COAT)
    if clothing.has_scarf:
        pieces.append(_ring(basis, dressed_m, _tube(0.029, 0.033), Chart.TRIM, gap=0.0))
    elif clothing.top is Top.HOODIE:
        pieces.append(_ring(basis, dressed_m, _tube(0.012, 0.036), Chart.TRIM, gap=0.5))
    elif clothing.neckline is Neckline.COLLAR:
        section = np.array(_COAT_COLLAR_M if outer else _SHIRT_COLLAR_M)
        sections = np.repeat(section[None], _AROUND, axis=0)
        gap = 0.55 if outer else 0.30
        pieces.append(_ring(basis, dressed_m, sections, Chart.TRIM, gap=gap))
    if clothing.bag is Bag.BACKPACK:
        back = (np.abs(basis.mean_m[: len(dressed_m), 0]) < 0.10) & (
            np.abs(basis.height_m - 0.27) < 0.12
        )
        behind = dressed_m[back & basis.is_suit]
        centre = behind.mean(axis=0)
        centre[[0, 2]] = 0.0, behind[:, 2].min() - 0.75 * _BACKPACK_M[2]
        pieces.append(_box(_BACKPACK_M, centre, Bone.CHEST))
    elif clothing.bag is Bag.SHOULDER:
        hip = basis.is_suit & (np.abs(basis.height_m + 0.01) < 0.05)
        beside = dressed_m[hip & (basis.share[:, Chart.ARM] < 0.1)]
        centre = beside.mean(axis=0)
        centre[0] = beside[:, 0].max() + 0.3 * _SHOULDER_BAG_M[2]
        centre[2] -= 0.05
        sides = (_SHOULDER_BAG_M[2], _SHOULDER_BAG_M[1], _SHOULDER_BAG_M[0])
        pieces.append(_box(sides, centre, Bone.PELVIS))
    return tuple(pieces)


def _tube(front_m: float, back_m: float) -> NDArray[np.float64]:
    """Make a tube's sections: (around, along, 2), thicker at the back."""
    angle = np.linspace(-np.pi, np.pi, _AROUND)
    radius = front_m + (back_m - front_m) * (0.5 + 0.5 * np.cos(angle))
    tube: NDArray[np.float64] = radius[:, None, None] * (np.array(_TUBE) + _TUBE_SEAT)
    return tube


def _ring(
    basis: BodyBasis,
    dressed_m: NDArray[np.float32],
    sections: NDArray[np.float64],
    chart: Chart,
    *,
    gap: float,
) -> Accessory:
    """Sweep sections around the root of the neck.

    Args:
        basis: Finds the root.
        dressed_m: (p, 3) points of this body.
        sections: (around, along, 2), outwards and upwards, metres.
        chart: Gives the colour.
        gap: Half the opening at the throat, radians.

    Returns:
        A surface on the chest, seen from both sides.
    """
    mean = basis.mean_m[: len(dressed_m)]
    from_axis = np.hypot(mean[:, 0], mean[:, 2] - _NECK_Z_M)
    root = basis.is_suit & (mean[:, 1] > _NECK_FROM_M)
    root &= np.abs(from_axis - _NECK_RADIUS_M) < _NECK_BAND_M
    points = dressed_m[root].astype(np.float64)
    centre = np.array([0.0, 0.0, (points[:, 2].min() + points[:, 2].max()) / 2.0])
    offset = points - centre
    # Height and radius around the neck, each as a short Fourier series.
    angle = np.arctan2(offset[:, 0], offset[:, 2])
    harmonics = np.arange(3)
    series = np.cos(np.outer(angle, harmonics))
    radius = np.hypot(offset[:, 0], offset[:, 2])
    fitted = np.linalg.lstsq(series, np.stack((radius, points[:, 1]), axis=1))[0]
    # From the throat around the subject's left, the nape and the right.
    sweep = np.linspace(gap, 2.0 * np.pi - gap, len(sections))
    base = np.cos(np.outer(sweep, harmonics)) @ fitted
    r = base[:, :1] + sections[..., 0] - 0.004
    vertices = np.stack(
        (
            r * np.sin(sweep)[:, None],
            base[:, 1:] + sections[..., 1],
            centre[2] + r * np.cos(sweep)[:, None],
        ),
        axis=-1,
    ).astype(np.float32)
    return _grid(vertices, Bone.CHEST, chart)


def _box(
    half_m: tuple[float, float, float], centre_m: NDArray[np.float32], bone: Bone
) -> Accessory:
    """Make a rounded box."""
    latitude = np.linspace(-np.pi / 2.0, np.pi / 2.0, 13)[:, None]
    longitude = np.linspace(-np.pi, np.pi, 21)[None, :]

    def eased(value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sign(value) * np.abs(value) ** _ROUNDNESS

    x = eased(np.cos(latitude)) * eased(np.sin(longitude))
    y = eased(np.sin(latitude)) * np.ones_like(longitude)
    z = eased(np.cos(latitude)) * eased(np.cos(longitude))
    vertices = np.stack((x, y, z), axis=-1) * half_m + centre_m
    return _grid(vertices.astype(np.float32)[::-1], bone, Chart.BAG)


def _grid(vertices: NDArray[np.float32], bone: Bone, chart: Chart) -> Accessory:
    """Join a grid of points (rows, columns, 3) into a surface."""
    rows, columns = vertices.shape[:2]
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    triangles = np.concatenate((np.stack((a, b, c), 1), np.stack((a, c, d), 1)))
    flat = vertices.reshape(-1, 3)
    box = CHARTS[chart]
    u, v = np.meshgrid(np.linspace(0.1, 0.9, columns), np.linspace(0.1, 0.9, rows))
    uv = np.stack(
        (box.x + u.ravel() * box.width, box.y + v.ravel() * box.height), axis=1
    )
    return Accessory(
        bone=bone,
        vertices=flat,
        normals=normals_of(flat, triangles),
        triangles=triangles,
        uv=(uv / ATLAS_PX).astype(np.float32),
    )
