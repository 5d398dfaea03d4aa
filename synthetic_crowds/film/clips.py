"""One camera's clip: every frame composed, encoded, and its truth written beside it.

Owns who is in view when, so that people are built when they come and let go when
they have left. Knows nothing of other cameras or of the cache.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synthetic_crowds.film.stamp import Stamp
from synthetic_crowds.film.truth import sum_up, write_truth
from synthetic_crowds.film.video import encode
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.focus import blur_by_depth
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.plan import Concern, stream
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.wetness import wet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from synthetic_crowds.config import CameraConfig, CrowdConfig
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.picture.actors import Actor
    from synthetic_crowds.picture.composer import FrameFaces
    from synthetic_crowds.records import PersonId
    from synthetic_crowds.street.motion import Stance
    from synthetic_crowds.street.plan import CameraPlan

__all__ = ["VIDEO_FILE", "ClipTask", "first_frame", "n_frames", "render_clip"]

VIDEO_FILE = "clip.mp4"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipTask:
    """All that a worker needs to render a clip.

    Attributes:
        crowd: Settings of the street.
        plan: Who walks.
        seed: The scenario's.
        domain: Of the walkers' identities.
    """

    crowd: CrowdConfig
    plan: CameraPlan
    seed: int
    domain: IdentityDomain


def n_frames(crowd: CrowdConfig, camera: CameraConfig) -> int:
    """How many frames a camera's clip has."""
    return max(round(crowd.duration_s * camera.fps), 1)


def render_clip(task: ClipTask, folder: Path, *, tick: Callable[[], None]) -> None:
    """Render a clip and its truth into an empty folder.

    Args:
        task: What to render.
        folder: Receives the video and the tables.
        tick: Called after every frame.
    """
    shown: list[tuple[list[int], FrameFaces]] = []
    encode(
        _frames(task, shown, tick),
        task.plan.camera,
        folder / VIDEO_FILE,
        stamp=Stamp.of(task.seed),
    )
    write_truth(sum_up(task.plan, _names(task), shown), folder)


def first_frame(task: ClipTask) -> NDArray[np.uint8]:
    """Render the first frame of a clip, (h, w, 3), as it goes to the encoder."""
    return next(_frames(task, [], lambda: None))


def _frames(
    task: ClipTask,
    shown: list[tuple[list[int], FrameFaces]],
    tick: Callable[[], None],
) -> Iterator[NDArray[np.uint8]]:
    """Compose frame after frame; append what each shows to `shown`."""
    config, number = task.plan.camera, task.plan.number

    def draws(concern: Concern, *index: int) -> np.random.Generator:
        return stream(task.seed, task.domain, concern, number, *index)

    camera = mount(config)
    optics = build_optics(
        config,
        rng=draws(Concern.SENSOR),
        rain_mm_per_h=task.crowd.rain_mm_per_h,
    )
    scene = build_scene(
        task.crowd.setting,
        draw_light(task.crowd.weather, rng=draws(Concern.LIGHT)),
        camera,
        lay_out(config),
        optics,
        rng=draws(Concern.SCENE),
    )
    street = wet(scene, task.crowd.rain_mm_per_h, rng=draws(Concern.RAIN))
    scene = replace(scene, background_bgr=blur_by_depth(street, scene.depth_m, optics))
    actors: dict[int, Actor] = {}
    for index in range(n_frames(task.crowd, config)):
        present = _present(task, index / config.fps)
        # Whoever has left the street takes their textures along.
        actors = {walk: actor for walk, actor in actors.items() if walk in present}
        for walk in present.keys() - actors.keys():
            actors[walk] = _build(task, walk)
        frame = compose(
            scene,
            [(actors[walk], stance) for walk, stance in present.items()],
            camera,
            optics,
            rng=draws(Concern.SENSOR, index),
        )
        shown.append((list(present), frame.faces))
        tick()
        yield frame.image_bgr


def _present(task: ClipTask, time_s: float) -> dict[int, Stance]:
    """Walks under way at a moment, and where they have led."""
    stances = ((i, walk.at(time_s)) for i, walk in enumerate(task.plan.walks))
    return {i: stance for i, stance in stances if stance is not None}


def _build(task: ClipTask, walk: int) -> Actor:
    """Build a walk's walker as they look on the day, the same past every camera."""
    index = task.plan.people[walk]
    person = draw_person(
        task.crowd.demographics, seed=task.seed, domain=task.domain, index=index
    )
    rng = stream(task.seed, task.domain, Concern.APPEARANCE, index)
    return dress(person, draw_appearance(person, rng=rng, habits=task.crowd.habits))


def _names(task: ClipTask) -> list[PersonId]:
    return [
        draw_person(
            task.crowd.demographics, seed=task.seed, domain=task.domain, index=index
        ).person_id
        for index in task.plan.people
    ]
