"""Builds spectacles as thin strips in front of the eyes.

Owns rims, bridge and temples. Clear lenses are left out: glass shows nothing at these
sizes; those of sunglasses are dark. Knows nothing of faces but where to avoid them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.person import Frames
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Glasses

__all__ = ["build_glasses"]

_AROUND = 24
# Exponent of the superellipse that outlines a lens.
_SQUARENESS = {
    Frames.ROUND: 2.0,
    Frames.RECTANGULAR: 5.0,
    Frames.PILOT: 2.6,
    Frames.BROWLINE: 3.2,
}
_VERTEX_DISTANCE_M = 0.012
_DARK_BGR = (30, 27, 26)


def build_glasses(
    glasses: Glasses,
    *,
    eyes_m: NDArray[np.float32],
    front_m: float,
    ears_m: NDArray[np.float32],
    dark_lenses: bool,
) -> tuple[MeshPart, ...]:
    """Make a pair of spectacles.

    Args:
        glasses: Their shape.
        eyes_m: (2, 3) centres of the right and left eye, local frame.
        front_m: How far brows and cheeks come forward around the eyes.
        ears_m: (2, 3) where the right and left temple rest.
        dark_lenses: Whether they are sunglasses.

    Returns:
        The frame, and dark lenses if it holds any.
    """
    front_z = max(float(eyes_m[:, 2].max()) + _VERTEX_DISTANCE_M, front_m + 0.002)
    spread = float(eyes_m[1, 0] - eyes_m[0, 0])
    # Lenses leave room for the bridge, whatever the eyes' distance.
    half_width = min(glasses.width_m, spread - 0.008) / 2.0
    strips, lenses = [], []
    for eye, ear, side in zip(eyes_m, ears_m, (-1.0, 1.0), strict=True):
        centre = np.array([eye[0] + side * 0.003, eye[1] - 0.003, front_z])
        rim = _rim(glasses, centre, half_width, side)
        strips.append(rim)
        lenses.append(rim[0][:, 1])
        hinge = centre + np.array([side * half_width, 0.006, -0.003])
        rest = np.array([ear[0] + side * 0.003, ear[1] + 0.004, ear[2]])
        strips.append(_bar(hinge, rest, np.array([0.0, glasses.rim_m + 0.001, 0.0])))
    inner = spread / 2.0 + 0.003 - half_width
    y = float(eyes_m[:, 1].mean()) + 0.001
    strips.append(
        _bar(
            np.array([-inner - 0.001, y, front_z]),
            np.array([inner + 0.001, y, front_z]),
            np.array([0.0, glasses.rim_m, 0.0]),
        )
    )
    frame = _join(strips, np.array(glasses.colour_bgr))
    return (frame, _glaze(lenses)) if dark_lenses else (frame,)


def _glaze(edges: list[NDArray[np.float64]]) -> MeshPart:
    """Fill the rims' inner edges (n, 3) with dark glass."""
    rim = np.arange(_AROUND)
    fan = np.stack([rim, np.roll(rim, -1), np.full(_AROUND, _AROUND)], axis=1)
    triangles = [fan + place * (_AROUND + 1) for place in range(len(edges))]
    vertices = [np.vstack([edge, edge.mean(axis=0)]) for edge in edges]
    count = len(edges) * (_AROUND + 1)
    texture = np.full((2, 2, 4), 255, np.uint8)
    texture[..., :3] = _DARK_BGR
    return MeshPart(
        vertices=np.concatenate(vertices).astype(np.float32),
        normals=np.tile(np.array([0.0, 0.0, 1.0], np.float32), (count, 1)),
        triangles=np.concatenate(triangles).astype(np.int32),
        uv=np.full((count, 2), 0.5, np.float32),
        texture_bgra=texture,
        occlusion=np.ones(count, np.float32),
        specular=0.5,
    )


def _rim(
    glasses: Glasses, centre: NDArray[np.float64], half_width: float, side: float
) -> tuple[NDArray[np.float64], bool]:
    """Outer and inner edge of one rim, (n, 2, 3), closed."""
    angle = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    power = 2.0 / _SQUARENESS[glasses.frames]
    cos, sin = np.cos(angle), np.sin(angle)
    x = np.sign(cos) * np.abs(cos) ** power
    y = np.sign(sin) * np.abs(sin) ** power
    half_height = glasses.height_m / 2.0
    if glasses.frames is Frames.ROUND:
        half_height = half_width = min(half_width, max(half_height, 0.019))
    if glasses.frames is Frames.PILOT:
        x = x * (1.0 + 0.16 * y) - side * 0.12 * np.clip(-y, 0.0, 1.0)
    rim = np.full(_AROUND, glasses.rim_m)
    if glasses.frames is Frames.BROWLINE:
        rim = glasses.rim_m * np.where(y > 0.2, 1.7, 0.45)
    inner = np.stack([x * half_width, y * half_height, np.zeros(_AROUND)], axis=1)
    outer = np.stack(
        [x * (half_width + rim), y * (half_height + rim), np.zeros(_AROUND)], axis=1
    )
    # Frames wrap a little around the face.
    for edge in (inner, outer):
        edge[:, 2] = -0.10 * np.clip(side * edge[:, 0], 0.0, None)
    return np.stack([outer + centre, inner + centre], axis=1), True


def _bar(
    start: NDArray[np.float64], end: NDArray[np.float64], height: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """A straight strip, (2, 2, 3), open."""
    line = np.stack([start, end])
    return np.stack([line + height / 2.0, line - height / 2.0], axis=1), False


def _join(
    strips: list[tuple[NDArray[np.float64], bool]], colour_bgr: NDArray[np.float64]
) -> MeshPart:
    vertices, triangles, normals, n = [], [], [], 0
    for edges, closed in strips:
        count = len(edges)
        ahead = np.roll(np.arange(count), -1) if closed else np.arange(1, count)
        here = np.arange(len(ahead))
        a, b = n + 2 * here, n + 2 * here + 1
        c, d = n + 2 * ahead, n + 2 * ahead + 1
        triangles += [np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)]
        vertices.append(edges.reshape(-1, 3))
        # Rims face forward and round off outwards; temples face sideways.
        side = np.sign(edges[:, 0, 0].mean()) if not closed and count == 2 else 0.0
        span = np.ptp(edges[:, 0, 2]) > 0.03
        normal = np.array([side if span else 0.0, 0.25, 0.0 if span else 1.0])
        normals.append(np.tile(normal / np.linalg.norm(normal), (2 * count, 1)))
        n += 2 * count
    texture = np.empty((2, 2, 4), np.uint8)
    texture[..., :3] = np.clip(colour_bgr, 0, 255).astype(np.uint8)
    texture[..., 3] = 255
    return MeshPart(
        vertices=np.concatenate(vertices).astype(np.float32),
        normals=np.concatenate(normals).astype(np.float32),
        triangles=np.concatenate(triangles).astype(np.int32),
        uv=np.full((n, 2), 0.5, np.float32),
        texture_bgra=texture,
        occlusion=np.ones(n, np.float32),
        specular=0.3,
    )
