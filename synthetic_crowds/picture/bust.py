"""Collar and shoulders, so that a portrait's head does not float.

Owns a plain solid of revolution around the neck, which costs nothing, and the upper
end of a real, dressed body, which costs as much as the head. Knows nothing of pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.basis.head_basis import smooth_normals
from synthetic_crowds.bodies.build import build_body
from synthetic_crowds.heads.reflectance import skin_colour
from synthetic_crowds.records import MeshPart

if TYPE_CHECKING:
    from synthetic_crowds.heads.build import Head
    from synthetic_crowds.people.person import Appearance, Person

__all__ = ["build_bust", "dressed_shoulders"]

_AROUND = 40
# Rings from the collar's edge down: height over the root of the neck, half width,
# half depth, forward shift; metres, for a neck of radius 0.06.
_RINGS = (
    (0.004, 0.070, 0.072, 0.002),
    (-0.022, 0.084, 0.080, 0.002),
    (-0.036, 0.108, 0.084, 0.000),
    (-0.050, 0.150, 0.092, -0.006),
    (-0.072, 0.185, 0.100, -0.010),
    (-0.110, 0.205, 0.106, -0.010),
    (-0.190, 0.212, 0.115, -0.004),
    (-0.320, 0.210, 0.118, 0.000),
)


def dressed_shoulders(person: Person, appearance: Appearance) -> tuple[MeshPart, ...]:
    """Dress a body for the day and move it under an upright head.

    Args:
        person: Whose body.
        appearance: The clothes, the same that the street shows that day.

    Returns:
        The whole body in the frame of its head; most of it below any portrait.
    """
    tone = person.skin.tone + appearance.tan
    blue, green, red = np.rint(skin_colour(tone, person.skin.undertone)).tolist()
    body = build_body(
        sex=person.sex,
        age_years=person.age_years,
        height_m=person.height_m,
        body_mass_index=person.body_mass_index,
        skin_bgr=(int(blue), int(green), int(red)),
        clothing=appearance.clothing,
    )
    head_joint = body.neck(0.0).astype(np.float32)
    return tuple(
        replace(part, vertices=part.vertices - head_joint) for part in body.parts(0.0)
    )


def build_bust(
    person: Person, appearance: Appearance, head: Head
) -> tuple[MeshPart, ...]:
    """Make a plain collar and shoulders in the frame of an upright head.

    Args:
        person: Sets the breadth.
        appearance: Sets the colour.
        head: Sets the collar's width.

    Returns:
        One part.
    """
    rings = np.array(_RINGS)
    wide = 0.90 + 0.16 * person.masculinity
    wide *= float(np.clip(person.height_m / 1.70, 0.6, 1.15))
    scale = np.linspace(head.neck_radius_m / 0.055, wide, 4)
    scale = np.concatenate([scale, np.full(len(rings) - 4, wide)])[:, None]
    angle = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    x = rings[:, 1:2] * scale * np.sin(angle)
    z = rings[:, 2:3] * scale * np.cos(angle) + rings[:, 3:4] + head.neck_root_m[2]
    y = np.broadcast_to(rings[:, :1] + head.neck_root_m[1], x.shape)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    index = np.arange(len(vertices)).reshape(len(rings), _AROUND)
    ahead = np.roll(index, -1, axis=1)
    a, b, c, d = (g.ravel() for g in (index[:-1], ahead[:-1], index[1:], ahead[1:]))
    triangles = np.concatenate(
        [np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)]
    ).astype(np.int32)
    texture = np.empty((2, 2, 4), np.uint8)
    texture[..., :3] = np.clip(np.array(appearance.collar_bgr), 0, 255).astype(np.uint8)
    texture[..., 3] = 255
    return (
        MeshPart(
            vertices=vertices,
            normals=smooth_normals(
                vertices, triangles, np.arange(len(vertices), dtype=np.int32)
            ),
            triangles=triangles,
            uv=np.full((len(vertices), 2), 0.5, np.float32),
            texture_bgra=texture,
            occlusion=np.ones(len(vertices), np.float32),
        ),
    )
