"""People as built for one day, and as they stand at one moment.

Owns where head and body stand against each other. Knows nothing of cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.bodies.build import build_body
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.heads.neck import bend_neck
from synthetic_crowds.heads.reflectance import skin_colour
from synthetic_crowds.raster.coarse import Thinning, thinning_of
from synthetic_crowds.raster.pose import body_rotation, gaze_rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.build import Body
    from synthetic_crowds.heads.build import Head
    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.records import MeshPart
    from synthetic_crowds.street.motion import Stance
    from synthetic_crowds.street.shadows import Placed

__all__ = ["Actor", "Posed", "dress", "pose"]

# Coarse enough for a face 30 px high, where they err by some two pixels.
_HEAD_CELL_M, _BODY_CELL_M = 0.012, 0.03
# Parts with so few triangles add nothing to an outline.
_DETAIL = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actor:
    """A person as built for one day: shared by every frame they appear in.

    Attributes:
        head: With full detail.
        coarse_head: The same surfaces with fewer triangles.
        body: Clothed, walking.
        body_thinnings: How to coarsen each part of the body, in any pose.
    """

    head: Head
    coarse_head: tuple[MeshPart, ...]
    body: Body
    body_thinnings: tuple[Thinning, ...]


def dress(person: Person, appearance: Appearance, *, texture_px: int = 256) -> Actor:
    """Build a person's head and body for one day."""
    head = build_head(person, appearance, texture_px=texture_px)
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
    return Actor(
        head=head,
        # Hair stays whole: a coarse cap would let the scalp show through.
        coarse_head=(
            thinning_of(head.parts[0], cell_m=_HEAD_CELL_M).of(head.parts[0]),
            *head.parts[1:],
        ),
        body=body,
        body_thinnings=tuple(
            thinning_of(part, cell_m=_BODY_CELL_M) for part in body.parts(0.0)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posed:
    """An actor at one moment, placed in the world.

    Attributes:
        actor: Who.
        stance: Where, and how they move.
        body_parts, coarse_body: This moment's step of the walk.
        head_parts, coarse_head: With the neck bent as far as the head is turned.
        body_turn, head_turn: (3, 3) float64, local frames to the world.
        feet_m, neck_m: (3,) float64, the local frames' origins in the world.
    """

    actor: Actor
    stance: Stance
    body_parts: tuple[MeshPart, ...]
    coarse_body: tuple[MeshPart, ...]
    head_parts: tuple[MeshPart, ...]
    coarse_head: tuple[MeshPart, ...]
    body_turn: NDArray[np.float64]
    head_turn: NDArray[np.float64]
    feet_m: NDArray[np.float64]
    neck_m: NDArray[np.float64]

    def silhouette(self) -> tuple[Placed, ...]:
        """The coarse double's larger parts, with their rotation to the world and place.

        Eyes and spectacles lie inside the rest's outline.
        """
        placed = (
            *((part, self.body_turn, self.feet_m) for part in self.coarse_body),
            *((part, self.head_turn, self.neck_m) for part in self.coarse_head),
        )
        return tuple(mesh for mesh in placed if len(mesh[0].triangles) > _DETAIL)


def pose(actor: Actor, stance: Stance) -> Posed:
    """Put an actor into a stance."""
    phase = stance.travelled_m / actor.body.stride_m % 1.0
    turn = body_rotation(stance.heading_deg)
    gaze = gaze_rotation(stance.yaw_deg, stance.pitch_deg, stance.roll_deg)
    feet_m = np.array([stance.x_m, stance.y_m, 0.0])
    parts = actor.body.parts(phase)
    return Posed(
        actor=actor,
        stance=stance,
        body_parts=parts,
        coarse_body=tuple(
            thinning.of(part)
            for thinning, part in zip(actor.body_thinnings, parts, strict=True)
        ),
        body_turn=turn,
        head_parts=_bend(actor.head.parts, gaze),
        coarse_head=_bend(actor.coarse_head, gaze),
        head_turn=turn @ gaze,
        feet_m=feet_m,
        neck_m=feet_m + turn @ np.asarray(actor.body.neck(phase), np.float64),
    )


def _bend(
    head: tuple[MeshPart, ...], gaze: NDArray[np.float64]
) -> tuple[MeshPart, ...]:
    """Bend the neck in a head's first part, its skin."""
    return (bend_neck(head[0], gaze), *head[1:])
