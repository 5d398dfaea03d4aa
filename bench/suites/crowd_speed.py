"""How fast crowds are made: frames and heads a second on one core, memory, the slope.

    make crowd-speed

Frames are composed as clips are, from walks past one camera, and encoded; people are
built before the clock starts, and what building costs is told apart. "In view" counts
people of whom the frame shows at least their box. One thread, one process; the figure
is the median over frames, with the quartiles beside it. Where there is a graphics card,
it draws the same people. Heads are drawn by panda3d's software renderer, too, in turn
with ours.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.config import CrowdConfig, WatchlistConfig
from synthetic_crowds.errors import GraphicsError
from synthetic_crowds.film.stamp import Stamp
from synthetic_crowds.film.video import encode
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.demographics import Demographics
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.picture.actors import dress
from synthetic_crowds.picture.composer import compose
from synthetic_crowds.picture.portraits import (
    draw_studio_light,
    frame_head,
    render_head,
    seat,
)
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.raster.gl_canvas import GlCanvas
from synthetic_crowds.raster.optics import build_optics
from synthetic_crowds.raster.pose import gaze_rotation
from synthetic_crowds.records import Renderer
from synthetic_crowds.street.layout import lay_out
from synthetic_crowds.street.lighting import draw_light
from synthetic_crowds.street.plan import plan_crowd
from synthetic_crowds.street.scene import build_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from bench.suites.general_renderer import GeneralRenderer
    from synthetic_crowds.picture.actors import Actor
    from synthetic_crowds.picture.portraits import Sitter
    from synthetic_crowds.raster.rasteriser import Light
    from synthetic_crowds.street.motion import Stance

    # Seats somebody; what it returns takes their picture, turned so (3, 3).
    Camera = Callable[[Sitter, Light], Callable[[NDArray[np.float64]], object]]

__all__ = ["Timed", "time_frames", "time_heads"]

_SEED = 20250730
_COUNTS = (10, 20, 30, 40)
_FRAMES_EACH, _FRAMES_ENCODED = 12, 30
_HEAD_PX, _FACE_PX = 128, 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What frames with so many people cost.

    Attributes:
        in_view: People of whom the frame shows something.
        compose_ms, encode_ms: Medians.
        low_ms, high_ms: Quartiles of both together.
        frames: How many were composed.
        build_ms: Median to build one person.
    """

    in_view: int
    compose_ms: float
    encode_ms: float
    low_ms: float
    high_ms: float
    frames: int
    build_ms: float

    @property
    def fps(self) -> float:
        """Frames a second, composed and encoded."""
        return 1000.0 / (self.compose_ms + self.encode_ms)


def time_frames(
    width_px: int, height_px: int, count: int, *, renderer: Renderer = Renderer.CPU
) -> Timed:
    """Time frames of one camera with so many people in view."""
    config = CameraConfig(width_px=width_px, height_px=height_px)
    crowd = CrowdConfig(
        duration_s=120.0,
        footfall_per_min=min(3.2 * count, 300.0),
        population_size=5_000,
    )
    plan = plan_crowd(
        crowd,
        (config,),
        WatchlistConfig(size=1),
        seed=_SEED,
        domain=IdentityDomain.SCENARIO,
    ).cameras[0]
    rng = np.random.default_rng(_SEED)
    camera, optics = mount(config), build_optics(config, rng=rng)
    light = draw_light(crowd.weather, rng=rng)
    scene = build_scene(crowd.setting, light, camera, lay_out(config), optics, rng=rng)

    def seen(stance: Stance) -> bool:
        at = np.array([[stance.x_m, stance.y_m, z] for z in (0.1, 1.6)])
        spots = camera.to_camera(at)
        if spots[:, 2].min() < 1.0:
            return False
        x, y = camera.to_image(spots).T
        return bool(0 <= x[1] < width_px and y[1] < height_px and y[0] > 0)

    def people_at(number: int) -> dict[int, Stance]:
        walks = ((i, w.at(number / config.fps)) for i, w in enumerate(plan.walks))
        return {i: s for i, s in walks if s is not None and seen(s)}

    numbers = range(int(15.0 * config.fps), int(112.0 * config.fps))
    full = [number for number in numbers if len(people_at(number)) == count]
    moments = [people_at(n) for n in full[:: max(len(full) // _FRAMES_EACH, 1)]]
    moments = moments[:_FRAMES_EACH]
    # As in a clip, what is encoded follows upon each other: encoders live on that.
    first = full[len(full) // 2]
    stretch = [people_at(n) for n in range(first, first + _FRAMES_ENCODED)]
    actors: dict[int, Actor] = {}
    build_s: list[float] = []
    for walk in {walk for people in moments + stretch for walk in people}:
        person = draw_person(
            crowd.demographics,
            seed=_SEED,
            domain=IdentityDomain.SCENARIO,
            index=plan.people[walk],
        )
        start = time.perf_counter()
        actors[walk] = dress(person, draw_appearance(person, rng=rng))
        build_s.append(time.perf_counter() - start)
    compose_s: list[float] = []
    images: list[NDArray[np.uint8]] = []
    for people in stretch + moments:
        cast = [(actors[walk], stance) for walk, stance in people.items()]
        start = time.perf_counter()
        frame = compose(scene, cast, camera, optics, rng=rng, renderer=renderer)
        compose_s.append(time.perf_counter() - start)
        images.append(frame.image_bgr)
    compose_s, images = compose_s[len(stretch) :], images[: len(stretch)]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        encode(images, config, Path(folder) / "a.mp4", stamp=Stamp.of(_SEED))
        encode_ms = (time.perf_counter() - start) / len(images) * 1e3
    low, middle, high = statistics.quantiles(compose_s, n=4)
    return Timed(
        in_view=count,
        compose_ms=middle * 1e3,
        encode_ms=encode_ms,
        low_ms=low * 1e3 + encode_ms,
        high_ms=high * 1e3 + encode_ms,
        frames=len(compose_s),
        build_ms=statistics.median(build_s) * 1e3,
    )


def _heads(people: int) -> Iterator[tuple[Sitter, Light, Generator]]:
    """Build so many heads, each with its light and what draws its turns."""
    for index in range(people):
        person = draw_person(
            Demographics(), seed=_SEED, domain=IdentityDomain.REALISM, index=index
        )
        rng = np.random.default_rng(index)
        appearance = draw_appearance(person, rng=rng)
        head = build_head(person, appearance)
        light = draw_studio_light(rng=rng)
        yield seat(person, appearance, head), light, rng


def time_heads(
    cameras: Sequence[Camera], *, rounds: int = 5, people: int = 12, views: int = 6
) -> NDArray[np.float64]:
    """Time views of built heads, 128 x 128, four samples a pixel.

    Every head goes before one camera after the other, in turned order every other
    round; the first view of each is not timed, for it compiles loops or loads textures.

    Returns:
        (rounds, cameras, people * views), seconds each.
    """
    spent_s = np.empty((rounds, len(cameras), people, views))
    for person, (sitter, light, rng) in enumerate(_heads(people)):
        for number in range(rounds):
            turns = [
                gaze_rotation(yaw_deg, 0.0, 0.0)
                for yaw_deg in rng.normal(0.0, 20.0, views).tolist()
            ]
            order = list(enumerate(cameras))
            for which, camera in order[:: -1 if number % 2 else 1]:
                take = camera(sitter, light)
                take(turns[0])
                for view, rotation in enumerate(turns):
                    start = time.perf_counter()
                    take(rotation)
                    spent_s[number, which, person, view] = time.perf_counter() - start
    return spent_s.reshape(rounds, len(cameras), -1)


def _ours(sitter: Sitter, light: Light) -> Callable[[NDArray[np.float64]], object]:
    return lambda rotation: render_head(
        sitter,
        rotation=rotation,
        face_height_px=_FACE_PX,
        size_px=(_HEAD_PX, _HEAD_PX),
        light=light,
        background_bgr=(90.0, 120.0, 140.0),
    )


def _general(renderer: GeneralRenderer) -> Camera:
    """The same views by panda3d's software renderer, under its own light."""

    def camera(sitter: Sitter, _: Light) -> Callable[[NDArray[np.float64]], object]:
        renderer.seat(sitter)

        def take(rotation: NDArray[np.float64]) -> object:
            turned, translation_m, lens = frame_head(
                sitter.head,
                rotation,
                face_height_px=_FACE_PX,
                size_px=(_HEAD_PX, _HEAD_PX),
            )
            return renderer.render(turned, translation_m, focal_px=lens.fx_px)

        return take

    return camera


def _report_heads(console: Console) -> None:
    cameras: dict[str, Camera] = {"ours": _ours}
    try:
        # An extra that only this comparison needs.
        from bench.suites.general_renderer import GeneralRenderer  # noqa: PLC0415

        cameras["panda3d's software renderer"] = _general(GeneralRenderer(_HEAD_PX))
    except ModuleNotFoundError as error:
        if error.name != "panda3d":
            raise
    spent_s = time_heads(list(cameras.values()))
    for name, timed_s in zip(cameras, np.swapaxes(spent_s, 0, 1), strict=True):
        low, middle, high = statistics.quantiles(timed_s.ravel().tolist(), n=4)
        console.print(
            f"Heads of {_HEAD_PX} px, four samples a pixel, {name}: {1 / middle:.0f} a "
            f"second (quartiles {1 / high:.0f} to {1 / low:.0f}, n = {timed_s.size})."
        )
    if len(cameras) == 1:
        console.print(
            "panda3d is absent, so no general renderer was timed beside ours; "
            "`pip install '.[general-renderer]'` adds it.",
            markup=False,
        )
        return
    medians_s = np.median(spent_s, axis=2)
    ratios = medians_s[:, 1] / medians_s[:, 0]
    console.print(
        f"Ours draws {np.median(ratios):.2f} times as many heads a second as panda3d's "
        f"(median of {len(ratios)} rounds, {ratios.min():.2f} to {ratios.max():.2f})."
    )


def _report_card(console: Console) -> None:
    """The same frames with people drawn by a graphics card, where there is one."""
    try:
        canvas = GlCanvas(8, 8, rim_px=0)
    except GraphicsError as error:
        console.print(f"No graphics card was timed: {error}.", markup=False)
        return
    card = canvas.card
    canvas.release()
    for width, height in ((1280, 720), (1920, 1080)):
        one = time_frames(width, height, 30, renderer=Renderer.GL)
        console.print(
            f"{width}x{height} with 30 in view, drawn by {card}: {one.fps:.1f} frames "
            f"a second, {one.compose_ms:.1f} ms to compose and {one.encode_ms:.1f} to "
            "encode (medians).",
            markup=False,
        )


def _report() -> None:
    console = Console()
    cv2.setNumThreads(1)
    table = Table(
        "frame", "in view", "frames/s", "ms (quartiles)", "encoding ms", "n",
        title="Composed and encoded, one core",
    )  # fmt: skip
    timed = {}
    for width, height, counts in (
        (1280, 720, _COUNTS),
        (1920, 1080, (30,)),
    ):
        for count in counts:
            one = time_frames(width, height, count)
            timed[width, count] = one
            table.add_row(
                f"{width}x{height}",
                str(count),
                f"{one.fps:.1f}",
                f"{one.compose_ms + one.encode_ms:.1f} ({one.low_ms:.1f} to "
                f"{one.high_ms:.1f})",
                f"{one.encode_ms:.1f}",
                str(one.frames),
            )
    console.print(table)
    x = np.array(_COUNTS, float)
    y = np.array([timed[1280, count].compose_ms for count in _COUNTS])
    slope, start = np.polyfit(x, y, 1)
    spread = float(np.abs(y - (start + slope * x)).max())
    console.print(
        f"Cost of a frame: {start:.1f} ms + {slope:.2f} ms a person in view; the "
        f"farthest count lies {spread:.1f} ms off the line."
    )
    for count, cost in zip(_COUNTS, y, strict=True):
        console.print(f"  {count:3d} {'#' * round(cost)} {cost:.1f} ms")
    build_ms = timed[1280, 30].build_ms
    console.print(f"Building a person, once each: {build_ms:.0f} ms (median).")
    _report_card(console)
    _report_heads(console)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    console.print(f"Peak memory of this process: {peak:.2f} GB.")


if __name__ == "__main__":
    _report()
