"""One camera's clip, in pieces: frames composed, encoded, their truth beside them.

Owns who is in view when, so that people are built when they come and let go when
they have left, and how pieces become a clip. A piece depends on settings and seed
alone, so that any process may make it, in any order, again. Knows nothing of other
cameras or of the cache.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from synthetic_crowds.film.cache import PIECES, put
from synthetic_crowds.film.stamp import Stamp
from synthetic_crowds.film.truth import (
    gather,
    read_seen,
    sum_up,
    write_seen,
    write_truth,
)
from synthetic_crowds.film.video import encode, join
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.focus import blur_by_depth
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.photo_scene import photo_scene
from synthetic_crowds.street.plan import Concern, stream
from synthetic_crowds.street.scene import build_scene
from synthetic_crowds.street.settings import before
from synthetic_crowds.street.wetness import wet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.config import CrowdConfig, Setting, Weather
    from synthetic_crowds.film.photographs import Site
    from synthetic_crowds.people.person import Appearance, Person
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.picture.actors import Actor
    from synthetic_crowds.picture.composer import FrameFaces
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.records import PersonId
    from synthetic_crowds.street.motion import Stance
    from synthetic_crowds.street.plan import CameraPlan
    from synthetic_crowds.street.scene import Scene
    from synthetic_crowds.street.settings import ObstacleConfig, ShopConfig

__all__ = [
    "VIDEO_FILE",
    "ClipTask",
    "first_frame",
    "is_rendered",
    "join_clip",
    "n_frames",
    "render_piece",
    "split",
    "walker_on_the_day",
]

VIDEO_FILE = "clip.mp4"
# Long enough that building again who is in view at its start costs a tenth, short
# enough that every core has work and a crash costs little. Whole seconds, since
# every second begins with a key frame.
_PIECE_S = 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipTask:
    """All that a worker needs to render a piece of a clip.

    Attributes:
        crowd: Settings of the street.
        plan: Who walks meanwhile.
        numbers: Of those walks, among all past the camera.
        seed: The scenario's.
        domain: Of the walkers' identities.
        first: The piece's first frame.
        end: The frame after its last.
        site: The photograph that is the street; `None` if it is painted.
    """

    crowd: CrowdConfig
    plan: CameraPlan
    numbers: tuple[int, ...]
    seed: int
    domain: IdentityDomain
    first: int
    end: int
    site: Site | None = None


def n_frames(crowd: CrowdConfig, camera: CameraConfig) -> int:
    """How many frames a camera's clip has."""
    return max(round(crowd.duration_s * camera.fps), 1)


def split(
    crowd: CrowdConfig,
    plan: CameraPlan,
    *,
    seed: int,
    domain: IdentityDomain,
    site: Site | None = None,
) -> tuple[ClipTask, ...]:
    """Deal a clip out in pieces of half a minute."""
    count = n_frames(crowd, plan.camera)
    step = _PIECE_S * max(round(plan.camera.fps), 1)
    pieces = []
    for first in range(0, count, step):
        end = min(first + step, count)
        numbers = _under_way(plan, first, end)
        meanwhile = replace(
            plan,
            walks=tuple(plan.walks[number] for number in numbers),
            people=tuple(plan.people[number] for number in numbers),
        )
        pieces.append(
            ClipTask(
                crowd=crowd,
                plan=meanwhile,
                numbers=numbers,
                seed=seed,
                domain=domain,
                first=first,
                end=end,
                site=site,
            )
        )
    return tuple(pieces)


def _under_way(plan: CameraPlan, first: int, end: int) -> tuple[int, ...]:
    """Numbers of the walks that touch a piece's time."""
    fps = plan.camera.fps
    return tuple(
        number
        for number, walk in enumerate(plan.walks)
        if walk.start_s <= end / fps and walk.end_s >= first / fps
    )


def is_rendered(task: ClipTask, draft: Path) -> bool:
    """Whether a draft holds the piece already."""
    return _seen_path(task, draft).exists()


def render_piece(task: ClipTask, draft: Path, *, tick: Callable[[], None]) -> None:
    """Render a piece and its truth into a draft.

    Args:
        task: What to render.
        draft: From `cache.making`.
        tick: Called after every frame.
    """
    shown: list[tuple[list[int], FrameFaces]] = []
    put(
        _video_path(task, draft),
        lambda path: encode(
            _frames(task, shown, tick),
            task.plan.camera,
            path,
            stamp=_stamp(task),
        ),
    )
    # Last, for it says that the piece is whole.
    put(
        _seen_path(task, draft),
        lambda path: write_seen(gather(shown, first_frame=task.first), path),
    )


def join_clip(plan: CameraPlan, tasks: Sequence[ClipTask], draft: Path) -> None:
    """Make a clip and its truth of all its pieces.

    Args:
        plan: Of the camera, with all walks.
        tasks: From `split`, each of them rendered.
        draft: Where.
    """
    join(
        [_video_path(task, draft) for task in tasks],
        plan.camera,
        draft / VIDEO_FILE,
        stamp=_stamp(tasks[0]),
    )
    seen = read_seen([_seen_path(task, draft) for task in tasks])
    write_truth(sum_up(plan, _names(tasks[0], plan), seen), draft)


def _stamp(task: ClipTask) -> Stamp:
    behind = None if task.site is None else task.site.source.sha256
    return Stamp.of(task.seed, background_sha256=behind)


def _video_path(task: ClipTask, draft: Path) -> Path:
    return draft / PIECES / f"{task.first:07d}.mp4"


def _seen_path(task: ClipTask, draft: Path) -> Path:
    return draft / PIECES / f"{task.first:07d}.npz"


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
    camera, optics, scene = _set_up(
        task.crowd.setting,
        task.crowd.weather,
        task.crowd.rain_mm_per_h,
        before(task.crowd.obstacles, config.camera_id),
        before(task.crowd.shops, config.camera_id),
        config,
        number,
        task.seed,
        task.domain,
        task.site,
    )
    actors: dict[int, Actor] = {}
    for index in range(task.first, task.end):
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
            rng=stream(task.seed, task.domain, Concern.SENSOR, number, index),
            renderer=task.crowd.renderer,
        )
        shown.append(([task.numbers[walk] for walk in present], frame.faces))
        tick()
        yield frame.image_bgr


# A worker does one camera's pieces one after the other, mostly.
@lru_cache(maxsize=1)
def _set_up(
    setting: Setting,
    weather: Weather,
    rain_mm_per_h: float,
    obstacles: tuple[ObstacleConfig, ...],
    shops: tuple[ShopConfig, ...],
    config: CameraConfig,
    number: int,
    seed: int,
    domain: IdentityDomain,
    site: Site | None,
) -> tuple[Camera, Optics, Scene]:
    """Hang up the camera and build the street before it, or take the photograph's."""

    def draws(concern: Concern) -> np.random.Generator:
        return stream(seed, domain, concern, number)

    camera = mount(config)
    optics = build_optics(
        config, rng=draws(Concern.SENSOR), rain_mm_per_h=rain_mm_per_h
    )
    light = draw_light(weather, rng=draws(Concern.LIGHT))
    if site is not None:
        # The picture has its own focus and wetness.
        scene = photo_scene(
            site.photo_bgr,
            light,
            camera,
            obstacles=obstacles,
            rng=draws(Concern.SCENE),
        )
        return camera, optics, scene
    scene = build_scene(
        setting,
        light,
        camera,
        lay_out(config),
        optics,
        obstacles=obstacles,
        shops=shops,
        rng=draws(Concern.SCENE),
    )
    street = wet(scene, rain_mm_per_h, rng=draws(Concern.RAIN))
    scene = replace(scene, background_bgr=blur_by_depth(street, scene.depth_m, optics))
    return camera, optics, scene


def _present(task: ClipTask, time_s: float) -> dict[int, Stance]:
    """Walks under way at a moment, and where they have led."""
    stances = ((i, walk.at(time_s)) for i, walk in enumerate(task.plan.walks))
    return {i: stance for i, stance in stances if stance is not None}


def walker_on_the_day(
    index: int, crowd: CrowdConfig, *, seed: int, domain: IdentityDomain
) -> tuple[Person, Appearance]:
    """Draw a walker and how they look on the day, the same past every camera.

    Args:
        index: Of the person in the city.
        crowd: Who lives there, and what is worn.
        seed: The crowd's.
        domain: Of the people.
    """
    person = draw_person(crowd.demographics, seed=seed, domain=domain, index=index)
    rng = stream(seed, domain, Concern.APPEARANCE, index)
    return person, draw_appearance(person, rng=rng, habits=crowd.habits)


def _build(task: ClipTask, walk: int) -> Actor:
    index = task.plan.people[walk]
    return dress(
        *walker_on_the_day(index, task.crowd, seed=task.seed, domain=task.domain)
    )


def _names(task: ClipTask, plan: CameraPlan) -> list[PersonId]:
    return [
        draw_person(
            task.crowd.demographics, seed=task.seed, domain=task.domain, index=index
        ).person_id
        for index in plan.people
    ]
