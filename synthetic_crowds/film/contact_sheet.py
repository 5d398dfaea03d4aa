"""Contact sheets: many people at a glance, to look at with one's own eyes.

Owns their layout. Returns a picture; whoever asks writes it down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.portraits import render_portrait

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.people.demographics import Demographics

__all__ = ["contact_sheet"]

_SIZE_PX = (216, 180)
_FACE_HEIGHT_PX = 112.0
_WALL_BGR = (168.0, 172.0, 176.0)


def contact_sheet(
    demographics: Demographics,
    *,
    seed: int,
    domain: IdentityDomain,
    first: int,
    rows: int,
    columns: int,
    yaws_deg: tuple[float, ...] = (0.0,),
) -> NDArray[np.uint8]:
    """Picture people side by side.

    Args:
        demographics: Shares to draw from.
        seed: The scenario's.
        domain: Of the identities.
        first: Index of the first person.
        rows: Of pictures.
        columns: Of people; each takes as many pictures as there are yaws.
        yaws_deg: Views of each person.

    Returns:
        (rows * 216, columns * len(yaws_deg) * 180, 3) uint8.
    """
    lines = []
    for row in range(rows):
        tiles = []
        for index in range(first + row * columns, first + (row + 1) * columns):
            person = draw_person(demographics, seed=seed, domain=domain, index=index)
            rng = np.random.default_rng((seed, int(domain), index))
            appearance = draw_appearance(person, rng=rng)
            tiles += [
                render_portrait(
                    person,
                    appearance,
                    yaw_deg=yaw_deg,
                    pitch_deg=0.0,
                    roll_deg=0.0,
                    face_height_px=_FACE_HEIGHT_PX,
                    size_px=_SIZE_PX,
                    light=None,
                    background_bgr=_WALL_BGR,
                    rng=rng,
                ).image_bgr
                for yaw_deg in yaws_deg
            ]
        lines.append(np.concatenate(tiles, axis=1))
    return np.concatenate(lines, axis=0)
