"""Who walks past which camera when, and who is sought: decided before any pixel.

Owns the casting of people into walks and on to the watchlist. Every decision draws
from a stream of its own, so that one more camera, or a longer watchlist, leaves the
earlier cameras' people as they were. Knows nothing of looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import (
    DuplicateCameraError,
    EmptyCrowdError,
    NoCamerasError,
    PopulationTooSmallError,
    StreetError,
)
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.motion import Walk, walk_past
from synthetic_crowds.street.settings import before
from synthetic_crowds.street.trajectories import walk_along

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.config import CrowdConfig, WatchlistConfig
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.street.settings import TrajectoriesConfig
    from synthetic_crowds.street.trajectories import Trajectories

__all__ = ["CameraPlan", "Concern", "CrowdPlan", "plan_crowd", "stream"]

_NO_RECORDINGS: Mapping[str, Trajectories] = MappingProxyType({})
# On foot from one camera to the next takes at least this long.
_BETWEEN_CAMERAS_S = 5.0


class Concern(IntEnum):
    """Independent streams of one seed; new names go last, so old crowds survive."""

    WALKS = 0
    CASTING = 1
    APPEARANCE = 2
    LIGHT = 3
    SCENE = 4
    SENSOR = 5
    WATCHLIST = 6
    PORTRAIT = 7
    IMAGES = 8
    RAIN = 9


def stream(
    seed: int, domain: IdentityDomain, concern: Concern, *index: int
) -> Generator:
    """The random numbers of one concern.

    Args:
        seed: The scenario's.
        domain: What its identities may be used for.
        concern: What the numbers decide.
        index: Which camera, person or frame, where each has its own.
    """
    # People's own streams have keys of two numbers, these have three or more.
    key = (int(domain), 1 + int(concern), len(index), *index)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraPlan:
    """Who walks past one camera.

    Attributes:
        number: Of the camera, from 0.
        camera: Its settings.
        walks: By time of start.
        people: Index in the city of each walk's walker.
    """

    number: int
    camera: CameraConfig
    walks: tuple[Walk, ...]
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrowdPlan:
    """Everything decided before pixels.

    Attributes:
        cameras: In order.
        walkers: Indices of everybody who walks towards or away from a camera.
        sought: Indices of the watchlist's subjects, in order of enrolment.
        mated: Those of them who walk through a zone during its clip.
    """

    cameras: tuple[CameraPlan, ...]
    walkers: tuple[int, ...]
    sought: tuple[int, ...]
    mated: frozenset[int]


def plan_crowd(
    crowd: CrowdConfig,
    cameras: Sequence[CameraConfig],
    watchlist: WatchlistConfig,
    *,
    seed: int,
    domain: IdentityDomain,
    recordings: Mapping[str, Trajectories] = _NO_RECORDINGS,
) -> CrowdPlan:
    """Decide who walks where and who is sought.

    Args:
        crowd: The street and who walks there.
        cameras: At least one, with different ids.
        watchlist: Who is sought.
        seed: The scenario's.
        domain: What the identities may be used for.
        recordings: The files that `crowd.trajectories` names.

    Raises:
        NoCamerasError: If there are none.
        DuplicateCameraError: If two share an id.
        EmptyCrowdError: If nobody walks through a zone.
        PopulationTooSmallError: If the city has too few people.
        StreetError: If there is no room for an obstacle or a shop.
    """
    _check_cameras(cameras)
    city = stream(seed, domain, Concern.CASTING).permutation(crowd.population_size)
    plans: list[CameraPlan] = []
    newcomers = 0
    cast: dict[tuple[str, int], int] = {}
    for number, camera in enumerate(cameras):
        rng = stream(seed, domain, Concern.WALKS, number)
        placed = _placed(crowd, camera.camera_id)
        if placed is None:
            walks = walk_past(
                crowd, lay_out(camera), camera_id=camera.camera_id, rng=rng
            )
            people, newcomers = _cast(
                crowd,
                city,
                walks,
                plans,
                newcomers,
                rng=stream(seed, domain, Concern.CASTING, number),
            )
        else:
            recorded = recordings[placed.file]
            walks, names = walk_along(
                recorded,
                placed,
                crowd,
                lay_out(camera),
                camera_id=camera.camera_id,
                rng=rng,
            )
            roles = [(recorded.sha256, name) for name in names]
            people, newcomers = _cast_recorded(crowd, city, roles, cast, newcomers)
        plans.append(
            CameraPlan(number=number, camera=camera, walks=walks, people=people)
        )
    passing = sorted(
        {
            person
            for plan in plans
            for person, walk in zip(plan.people, plan.walks, strict=True)
            if _passes(walk, plan.camera, crowd.duration_s)
        }
    )
    if not passing:
        raise EmptyCrowdError(
            duration_s=crowd.duration_s, footfall_per_min=crowd.footfall_per_min
        )
    sought, mated = _choose_sought(
        watchlist,
        crowd,
        city,
        passing,
        newcomers,
        rng=stream(seed, domain, Concern.WATCHLIST),
    )
    return CrowdPlan(
        cameras=tuple(plans),
        walkers=tuple(sorted({person for plan in plans for person in plan.people})),
        sought=sought,
        mated=mated,
    )


def _placed(crowd: CrowdConfig, camera_id: str) -> TrajectoriesConfig | None:
    """The recording that people walk before one camera, if there is one.

    Raises:
        StreetError: If there are several.
    """
    found = before(crowd.trajectories, camera_id)
    if len(found) > 1:
        raise StreetError(
            camera_id=camera_id,
            required="one recording may be walked",
            arrived=", ".join(each.file for each in found),
            remedy="name cameras in crowd.trajectories",
        )
    return found[0] if found else None


def _check_cameras(cameras: Sequence[CameraConfig]) -> None:
    if not cameras:
        raise NoCamerasError
    names = [camera.camera_id for camera in cameras]
    for name in names:
        if names.count(name) > 1:
            raise DuplicateCameraError(camera_id=name)


def _passes(walk: Walk, camera: CameraConfig, duration_s: float) -> bool:
    """Whether a walk leads through the zone while the clip runs."""
    span = walk.span_in(lay_out(camera))
    return span is not None and span[0] < duration_s and span[1] >= 0.0


def _cast(
    crowd: CrowdConfig,
    city: NDArray[np.int64],
    walks: tuple[Walk, ...],
    earlier: list[CameraPlan],
    newcomers: int,
    *,
    rng: Generator,
) -> tuple[tuple[int, ...], int]:
    """Give each walk a walker: somebody new, or somebody from an earlier camera.

    Returns:
        Indices in the city, and how many newcomers have been cast so far.
    """
    seen = [
        (walk.end_s, person)
        for plan in earlier
        for walk, person in zip(plan.walks, plan.people, strict=True)
        if walk.towards
    ]
    back: set[int] = set()
    people: list[int] = []
    own: list[tuple[float, int]] = []
    for walk in walks:
        again = _come_again(crowd, walk, own, rng=rng)
        if again is not None:
            people.append(again)
            own = [pair for pair in own if pair[1] != again]
            own.append((walk.end_s, again))
            continue
        returns = walk.towards and rng.random() < crowd.return_share
        candidates = [
            person
            for end_s, person in seen
            if end_s + _BETWEEN_CAMERAS_S <= walk.start_s and person not in back
        ]
        if returns and candidates:
            person = candidates[int(rng.integers(len(candidates)))]
            back.add(person)
        else:
            if newcomers >= len(city):
                raise PopulationTooSmallError(
                    population_size=crowd.population_size,
                    n_walkers=newcomers + 1,
                    n_others=0,
                )
            person = int(city[newcomers])
            newcomers += 1
        people.append(person)
        if walk.towards:
            own.append((walk.end_s, person))
    return tuple(people), newcomers


def _cast_recorded(
    crowd: CrowdConfig,
    city: NDArray[np.int64],
    roles: Sequence[tuple[str, int]],
    cast: dict[tuple[str, int], int],
    newcomers: int,
) -> tuple[tuple[int, ...], int]:
    """Give each recorded walk a walker: the same for all of one person's.

    Args:
        crowd: How many people there are to draw from.
        city: Everybody, in order of being cast.
        roles: Of each walk, the recording's digest and who of it walks.
        cast: Walkers of earlier cameras, by role; added to.
        newcomers: How many have been cast so far.

    Returns:
        Indices in the city, and how many newcomers have been cast so far.
    """
    for role in roles:
        if role in cast:
            continue
        if newcomers >= len(city):
            raise PopulationTooSmallError(
                population_size=crowd.population_size,
                n_walkers=newcomers + 1,
                n_others=0,
            )
        cast[role] = int(city[newcomers])
        newcomers += 1
    return tuple(cast[role] for role in roles), newcomers


def _come_again(
    crowd: CrowdConfig, walk: Walk, own: list[tuple[float, int]], *, rng: Generator
) -> int | None:
    """Choose somebody who passed this camera before, or nobody.

    A rate of 0 draws nothing, so that it leaves every other choice as it was.
    """
    if crowd.revisit_share == 0.0 or not walk.towards:
        return None
    if rng.random() >= crowd.revisit_share:
        return None
    gone = [who for end_s, who in own if end_s + _BETWEEN_CAMERAS_S <= walk.start_s]
    return gone[int(rng.integers(len(gone)))] if gone else None


def _choose_sought(
    watchlist: WatchlistConfig,
    crowd: CrowdConfig,
    city: NDArray[np.int64],
    passing: list[int],
    n_walkers: int,
    *,
    rng: Generator,
) -> tuple[tuple[int, ...], frozenset[int]]:
    """Choose the watchlist: some who pass, the rest from the far end of the city.

    Returns:
        Everybody sought, shuffled so that place tells nothing, and who of them passes.
    """
    n_mated = min(round(watchlist.mated_share * len(passing)), watchlist.size)
    n_others = watchlist.size - n_mated
    if n_walkers + n_others > len(city):
        raise PopulationTooSmallError(
            population_size=crowd.population_size,
            n_walkers=n_walkers,
            n_others=n_others,
        )
    mated = rng.permutation(passing)[:n_mated]
    others = city[len(city) - n_others :]
    sought = rng.permutation(np.concatenate((mated, others)))
    return tuple(int(i) for i in sought), frozenset(int(i) for i in mated)
