"""Eyeballs: their texture and how it is laid on them.

Owns iris, pupil and sclera, and the gaze. Knows nothing of lids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import load_head_basis
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["build_eyes"]

_TEXTURE_PX = 64
_RADIUS_M = 0.0145
# Visible iris, 11.8 mm across; the texture spans the eyeball.
_IRIS_M, _PUPIL_M = 0.0066, 0.0026
_GAZE_REACH_M = 0.0045


def build_eyes(
    vertices: NDArray[np.float32],
    normals: NDArray[np.float32],
    person: Person,
    appearance: Appearance,
) -> MeshPart:
    """Make both eyeballs of a head.

    Args:
        vertices: (e, 3) of both eyes, local frame.
        normals: (e, 3).
        person: Whose iris.
        appearance: Where it looks.

    Returns:
        One part.
    """
    basis = load_head_basis()
    template = basis.template_m[basis.n_skin :]
    half = len(template) // 2
    centres = np.stack([template[:half].mean(axis=0), template[half:].mean(axis=0)])
    offset = template - np.repeat(centres, half, axis=0)
    shift = np.array(appearance.gaze) * _GAZE_REACH_M
    uv = np.empty((len(template), 2), np.float32)
    uv[:, 0] = 0.5 + (offset[:, 0] - shift[0]) / (2.0 * _RADIUS_M)
    uv[:, 1] = 0.5 - (offset[:, 1] - shift[1]) / (2.0 * _RADIUS_M)
    # Lids shade the ball, the upper one most.
    above = np.clip(offset[:, 1] / 0.006, -1.0, 1.0)
    occlusion = (
        0.80 - 0.28 * np.clip(above, 0.0, 1.0) - 0.08 * np.clip(-above, 0.0, 1.0)
    )
    return MeshPart(
        vertices=vertices,
        normals=normals,
        triangles=basis.eye_triangles - basis.n_skin,
        uv=np.clip(uv, 0.0, 1.0),
        texture_bgra=_paint(person),
        occlusion=occlusion.astype(np.float32),
        specular=0.6,
    )


def _paint(person: Person) -> NDArray[np.uint8]:
    grid = (np.arange(_TEXTURE_PX) + 0.5) / _TEXTURE_PX * 2.0 - 1.0
    x, y = np.meshgrid(grid * _RADIUS_M, -grid * _RADIUS_M)
    r = np.hypot(x, y)
    texel = 2.0 * _RADIUS_M / _TEXTURE_PX
    old = float(np.clip((person.age_years - 40.0) / 50.0, 0.0, 1.0))
    white = np.array([214.0, 220.0, 226.0]) - old * np.array([22.0, 12.0, 4.0])
    image = np.broadcast_to(white, (*r.shape, 3)).copy()
    # Towards the corners the white is pinker and darker.
    image *= 1.0 - np.clip((r - 0.007) / 0.010, 0.0, 1.0)[..., None] * np.array(
        [0.30, 0.30, 0.18]
    )
    iris = np.array(person.iris_bgr)
    spokes = 1.0 + 0.12 * np.sin(np.arctan2(y, x) * 19.0 + person.skin.undertone * 7.0)
    depth = np.clip(r / _IRIS_M, 0.0, 1.0)
    ring = np.where(depth > 0.82, 1.0 - 2.6 * (depth - 0.82), 1.0)
    coloured = iris * (spokes * ring * (1.12 - 0.15 * depth))[..., None]
    inside = np.clip((_IRIS_M - r) / texel + 0.5, 0.0, 1.0)[..., None]
    image = image * (1.0 - inside) + coloured * inside
    pupil = np.clip((_PUPIL_M - r) / texel + 0.5, 0.0, 1.0)[..., None]
    image = image * (1.0 - pupil) + 10.0 * pupil
    # A window's reflection, up and to one side: eyes without one look dead.
    glint = np.exp(-(((x + 0.0022) / 0.0011) ** 2) - ((y - 0.0024) / 0.0011) ** 2)
    image += 170.0 * glint[..., None]
    bgra = np.full((*r.shape, 4), 255, np.uint8)
    bgra[..., :3] = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return bgra
