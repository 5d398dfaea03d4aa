"""People as built for one day, and as they stand at one moment.

Owns where head and body stand against each other. Knows nothing of cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.bodies.build import build_body
from synthetic_crowds.bodies.skeleton import Bone, applied, chained
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.heads.reflectance import skin_colour
from synthetic_crowds.picture.doubles import Double, double_up, outline_of
from synthetic_crowds.raster.pose import body_rotation, gaze_rotation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.bodies.build import Body
    from synthetic_crowds.bodies.skeleton import Pose
    from synthetic_crowds.heads.build import Head
    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.street.motion import Stance
    from synthetic_crowds.street.shadows import Outline

__all__ = ["Actor", "Posed", "dress", "pose"]

# What carries the head.
_CHEST = int(Bone.CHEST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actor:
    """A person as built for one day: shared by every frame they appear in.

    Attributes:
        head: With full detail.
        body: Clothed, walking.
        doubles: Both together, in less and less detail.
        outline: What casts their shadow.
    """

    head: Head
    body: Body
    doubles: tuple[Double, ...]
    outline: Outline


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
        body=body,
        doubles=double_up(head, body),
        outline=outline_of(head, body),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posed:
    """An actor at one moment, placed in the world.

    Attributes:
        actor: Who.
        stance: Where, and how they move.
        bones: This moment's step of the walk.
        gaze: (3, 3) float64, the head's frame to the body's.
        body_turn, head_turn: (3, 3) float64, local frames to the world.
        feet_m, neck_m: (3,) float64, the local frames' origins in the world.
    """

    actor: Actor
    stance: Stance
    bones: Pose
    gaze: NDArray[np.float64]
    body_turn: NDArray[np.float64]
    head_turn: NDArray[np.float64]
    feet_m: NDArray[np.float64]
    neck_m: NDArray[np.float64]

    def outline_bones(self) -> NDArray[np.float64]:
        """Where the bones of the actor's outline are, (22, 3, 4), rest to world."""
        return _place(
            self.bones.rotations,
            self.bones.offsets_m,
            self.body_turn,
            self.head_turn,
            self.feet_m,
            self.neck_m,
        )


@njit(cache=True, nogil=True)
def _place(
    rotations: NDArray[np.float64],
    offsets_m: NDArray[np.float64],
    body_turn: NDArray[np.float64],
    head_turn: NDArray[np.float64],
    feet_m: NDArray[np.float64],
    neck_m: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Place the body's bones, the head, and a neck that keeps to the body."""
    n = len(rotations)
    placed = np.zeros((n + 2, 3, 4))
    for bone in range(n):
        for i in range(3):
            placed[bone, i, 3] = feet_m[i]
            for k in range(3):
                placed[bone, i, 3] += body_turn[i, k] * offsets_m[bone, k]
                for j in range(3):
                    placed[bone, i, j] += body_turn[i, k] * rotations[bone, k, j]
    placed[n, :, :3], placed[n, :, 3] = head_turn, neck_m
    placed[n + 1, :, :3], placed[n + 1, :, 3] = body_turn, neck_m
    return placed


def pose(actor: Actor, stance: Stance) -> Posed:
    """Put an actor into a stance."""
    walker = actor.body.walker
    if stance.running >= 0.5:
        walker = walker.running()
    if stance.standing >= 0.5:
        bones = walker.standing().pose(0.0)
    else:
        bones = walker.pose(stance.travelled_m / walker.stride_m % 1.0)
    gaze, body_turn, head_turn, feet_m, neck_m = _stand(
        stance.x_m,
        stance.y_m,
        stance.heading_deg,
        (stance.yaw_deg, stance.pitch_deg, stance.roll_deg),
        bones.rotations,
        bones.offsets_m,
        actor.body.head_joint_m,
    )
    return Posed(
        actor=actor,
        stance=stance,
        bones=bones,
        gaze=gaze,
        body_turn=body_turn,
        head_turn=head_turn,
        feet_m=feet_m,
        neck_m=neck_m,
    )


@njit(cache=True, nogil=True)
def _stand(
    x_m: float,
    y_m: float,
    heading_deg: float,
    gaze_deg: tuple[float, float, float],
    rotations: NDArray[np.float64],
    offsets_m: NDArray[np.float64],
    head_joint_m: NDArray[np.float64],
) -> tuple[NDArray[np.float64], ...]:
    """Compute `gaze`, `body_turn`, `head_turn`, `feet_m` and `neck_m` of `Posed`."""
    gaze = gaze_rotation(*gaze_deg)
    turn = body_rotation(heading_deg)
    feet_m = np.array([x_m, y_m, 0.0])
    neck = applied(rotations[_CHEST], head_joint_m) + offsets_m[_CHEST]
    return gaze, turn, chained(turn, gaze), feet_m, feet_m + applied(turn, neck)
