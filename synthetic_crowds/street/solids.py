"""Plain solids that street furniture is made of: boxes, posts, boards, leaves.

Owns their surfaces. Knows nothing of what they are put together to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

__all__ = ["block", "board", "leaves", "moved", "post"]

Bgr = tuple[int, int, int]

_SIDES = 16
_LEAF_M = 0.05


def block(size_m: tuple[float, float, float], bgr: Bgr) -> MeshPart:
    """A box on its foot: extent along x, y and z."""
    half_x, half_y, tall = size_m[0] / 2, size_m[1] / 2, size_m[2]
    vertices: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    triangles: list[tuple[int, int, int]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            if axis == 2 and sign < 0:
                continue
            normal = np.zeros(3)
            normal[axis] = sign
            others = [other for other in range(3) if other != axis]
            first = len(vertices)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
                corner = np.zeros(3)
                corner[axis], corner[others[0]], corner[others[1]] = sign, a, b
                vertices.append(
                    corner * (half_x, half_y, tall / 2) + (0.0, 0.0, tall / 2)
                )
                normals.append(normal)
            triangles += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    return _part(vertices, normals, triangles, bgr)


def post(radius_m: float, tall_m: float, bgr: Bgr) -> MeshPart:
    """A round post on its foot."""
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    around = np.column_stack((np.cos(angle), np.sin(angle), np.zeros(_SIDES)))
    foot, head = around * radius_m, around * radius_m + (0.0, 0.0, tall_m)
    after = np.roll(np.arange(_SIDES), -1)
    here = np.arange(_SIDES)
    sides = np.concatenate(
        (
            np.column_stack((here, after, after + _SIDES)),
            np.column_stack((here, after + _SIDES, here + _SIDES)),
        )
    )
    lid = np.column_stack(
        (np.full(_SIDES, 3 * _SIDES), here + 2 * _SIDES, after + 2 * _SIDES)
    )
    above = np.tile((0.0, 0.0, 1.0), (_SIDES + 1, 1))
    return _part(
        np.concatenate((foot, head, head, [(0.0, 0.0, tall_m)])),
        np.concatenate((around, around, above)),
        np.concatenate((sides, lid)),
        bgr,
    )


def board(size_m: tuple[float, float], picture_bgr: NDArray[np.uint8]) -> MeshPart:
    """An upright picture on its foot, wide along x, seen from -y.

    Args:
        size_m: Width and height.
        picture_bgr: (h, w, 3) uint8, sRGB.
    """
    half, tall = size_m[0] / 2, size_m[1]
    texture = np.full((*picture_bgr.shape[:2], 4), 255, np.uint8)
    texture[..., :3] = picture_bgr
    return MeshPart(
        vertices=np.array(
            [(-half, 0, 0), (half, 0, 0), (half, 0, tall), (-half, 0, tall)], np.float32
        ),
        normals=np.tile(np.array([0, -1, 0], np.float32), (4, 1)),
        triangles=np.array([(0, 1, 2), (0, 2, 3)], np.int32),
        uv=np.array([(0, 1), (1, 1), (1, 0), (0, 0)], np.float32),
        texture_bgra=texture,
        occlusion=np.array([0.6, 0.6, 1.0, 1.0], np.float32),
    )


def leaves(
    size_m: tuple[float, float, float], count: int, *, rng: Generator
) -> MeshPart:
    """A low bush on its foot: small leaves on a dome, extent along x, y and z."""
    way = rng.normal(size=(count, 3))
    way[:, 2] = np.abs(way[:, 2])
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    deep = rng.uniform(0.55, 1.0, (count, 1))
    middle = way * deep * (size_m[0] / 2, size_m[1] / 2, size_m[2])
    corners = middle[:, None] + rng.normal(size=(count, 3, 3)) * _LEAF_M
    corners[..., 2] = np.maximum(corners[..., 2], 0.0)
    greens = np.array(
        [[(38, 92, 58), (44, 110, 74), (34, 78, 50), (60, 128, 96), (30, 66, 44)]],
        np.uint8,
    )
    texture = np.full((1, 5, 4), 255, np.uint8)
    texture[..., :3] = greens
    shade = (rng.integers(0, 5, count) + 0.5) / 5
    return MeshPart(
        vertices=corners.reshape(-1, 3).astype(np.float32),
        normals=np.repeat(way, 3, axis=0).astype(np.float32),
        triangles=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        uv=np.repeat(np.column_stack((shade, np.full(count, 0.5))), 3, axis=0).astype(
            np.float32
        ),
        texture_bgra=texture,
        occlusion=np.repeat(0.45 + 0.55 * deep[:, 0] ** 2, 3).astype(np.float32),
    )


def moved(
    part: MeshPart, offset_m: tuple[float, float, float], turn_deg: float = 0.0
) -> MeshPart:
    """A part turned about its foot, anticlockwise from above, then moved."""
    turn = np.radians(turn_deg)
    c, s = np.cos(turn), np.sin(turn)
    turned = np.array([(c, s, 0.0), (-s, c, 0.0), (0.0, 0.0, 1.0)])
    return MeshPart(
        vertices=(part.vertices @ turned + offset_m).astype(np.float32),
        normals=(part.normals @ turned).astype(np.float32),
        triangles=part.triangles.copy(),
        uv=part.uv.copy(),
        texture_bgra=part.texture_bgra.copy(),
        occlusion=part.occlusion.copy(),
        specular=part.specular,
    )


def _part(vertices: object, normals: object, triangles: object, bgr: Bgr) -> MeshPart:
    """Wrap plain geometry in one colour, darker towards the ground."""
    points = np.asarray(vertices, np.float32)
    texture = np.full((1, 1, 4), 255, np.uint8)
    texture[..., :3] = bgr
    return MeshPart(
        vertices=points,
        normals=np.asarray(normals, np.float32),
        triangles=np.asarray(triangles, np.int32),
        uv=np.full((len(points), 2), 0.5, np.float32),
        texture_bgra=texture,
        occlusion=np.where(points[:, 2] < 0.05, 0.55, 1.0).astype(np.float32),
        specular=0.1,
    )
