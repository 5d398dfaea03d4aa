"""Clips reused as any number of cameras: the load of a calibration or a validation.

Owns the way from a few rendered clips to the packets, the arrival plan and the
passages of a site that has more cameras than clips: each camera plays one of the
clips, from a key frame of its own, over and over. Before and after every load the same
few cameras play the same seconds, so that the machine's speed can be told from what
was asked of it. Knows nothing of service times.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from bench.load.workload import NS_PER_S, draw_plan
from bench.objectives import LoadConfig
from bench.records import ArrivalPlan
from sim.arrivals import Phase
from sim.looking import UNSEEN
from sim.records import Frames, Passages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["GAUGE_S", "CameraReel", "Footage", "Part", "Replay", "Scene", "cut"]

# The same work before and after every load: cameras, frames a second, first second of
# the clips, and seed of the clocks. About as busy as the loads, since a machine at work
# is another than one at rest.
GAUGE_S = 6.0
_GAUGE = (5, 10.0, 8, 99)


class Part(IntEnum):
    """Which part of a sitting a frame belongs to."""

    BEFORE = 0
    LOAD = 1
    AFTER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One load made of reused clips.

    Attributes:
        n_cameras: Cameras, each playing a clip.
        fps: Frames that each sends a second; the clip is played at this pace.
        duration_s: Length of the load, without the gauge.
        gallery_size: Templates searched.
        first_second: Second of the clips at which the first cameras begin.
        phase: How the cameras' clocks stand to each other.
        seed: Of the arrival plan.
        gauge_s: How long the gauge plays before, and again after; 0 leaves it out.
        n_workers: Of the matcher.
    """

    n_cameras: int
    fps: float
    duration_s: float
    gallery_size: int
    first_second: int = 0
    phase: Phase = Phase.RANDOM
    seed: int = 1
    gauge_s: float = GAUGE_S
    n_workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footage:
    """A clip held in memory, with what an unhurried matcher found in it.

    Attributes:
        packets: One H.264 access unit per frame.
        key_every: Frames from one key frame to the next.
        fps: At which it was rendered.
        pixels: Of a frame.
        n_passages: Passages of its truth.
        frame, track: (m,) int64, of each face found, in order of frames.
        quality: (m,) float32, as in `sim.records.Passages`.
    """

    packets: tuple[bytes, ...]
    key_every: int
    fps: float
    pixels: int
    n_passages: int
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    quality: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraReel:
    """What one camera plays.

    Attributes:
        footage: Which clip, by position.
        source: (f,) int64, the clip's frame behind each frame of the camera.
    """

    footage: int
    source: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A load in both worlds: what the driver sends, and what the simulator is told.

    Attributes:
        plan: When each frame is captured.
        reels: What each camera plays.
        packets: Of each camera, the packet of each frame.
        frames, passages: The same for the simulator.
        part: (n,) int8, a `Part`, of each frame.
        worker: (k,) int32, whose each camera is.
    """

    plan: ArrivalPlan
    reels: tuple[CameraReel, ...]
    packets: tuple[tuple[bytes, ...], ...]
    frames: Frames
    passages: Passages
    part: NDArray[np.int8]
    worker: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    camera_id: str
    fps: float
    n_frames: int


def cut(footage: Sequence[Footage], replay: Replay) -> Scene:
    """Deal clips out to cameras, draw the plan, and tell the simulator.

    Cameras take the clips in turn; whoever comes to a clip again begins at another
    key frame of it, as far from the others as there is room.

    Args:
        footage: At least one clip.
        replay: The load.
    """
    n_gauge, gauge_fps, gauge_second, gauge_seed = _GAUGE
    parts = [
        (Part.LOAD, replay.n_cameras, replay.fps, replay.duration_s, replay.gauge_s,
         replay.first_second, replay.phase, replay.seed),
    ]  # fmt: skip
    if replay.gauge_s > 0.0:
        for part, begin_s in (
            (Part.BEFORE, 0.0),
            (Part.AFTER, replay.gauge_s + replay.duration_s),
        ):
            parts.append(
                (part, n_gauge, gauge_fps, replay.gauge_s, begin_s, gauge_second,
                 Phase.RANDOM, gauge_seed)
            )  # fmt: skip
    reels: list[CameraReel] = []
    columns: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
    part_of, rates, camera_ids = [], [], []
    for part, n_cameras, fps, length_s, begin_s, second, phase, seed in parts:
        n_frames = math.ceil(length_s * fps - 1e-9)
        names = [f"{part.name.lower()}-{k}" for k in range(n_cameras)]
        plan = draw_plan(
            [_Stream(camera_id=name, fps=fps, n_frames=n_frames) for name in names],
            LoadConfig(phase=phase),
            rng=np.random.default_rng(seed),
        )
        columns.append(
            (
                plan.offset_ns + round(begin_s * NS_PER_S),
                (plan.camera + len(reels)).astype(np.int32),
                plan.frame_index.astype(np.int32),
            )
        )
        part_of.append(np.full(len(plan), part, np.int8))
        reels += _reels(footage, n_cameras, n_frames, second)
        rates += [fps] * n_cameras
        camera_ids += names
    offset_ns, camera, index = (
        np.concatenate(each) for each in zip(*columns, strict=True)
    )
    order = np.lexsort((camera, offset_ns))
    plan = ArrivalPlan(
        camera_ids=tuple(camera_ids),
        offset_ns=offset_ns[order],
        camera=camera[order],
        frame_index=index[order],
    )
    packets = tuple(
        tuple(footage[reel.footage].packets[index] for index in reel.source)
        for reel in reels
    )
    sizes = [
        len(packets[camera][index])
        for camera, index in zip(
            plan.camera.tolist(), plan.frame_index.tolist(), strict=True
        )
    ]
    return Scene(
        plan=plan,
        reels=tuple(reels),
        packets=packets,
        frames=Frames(
            camera=plan.camera.copy(),
            capture_s=plan.offset_ns / NS_PER_S,
            packet_bytes=np.array(sizes, np.float64),
        ),
        passages=_passages(footage, reels, plan, rates),
        part=np.concatenate(part_of)[order],
        worker=_dealt(plan, replay.n_workers),
    )


def _dealt(plan: ArrivalPlan, n_workers: int) -> NDArray[np.int32]:
    """Deal cameras out as the matcher's supervisor does: at each one's first frame."""
    _, first = np.unique(plan.camera, return_index=True)
    worker = np.empty(len(first), np.int32)
    worker[np.argsort(first)] = np.arange(len(first)) % n_workers
    return worker


def _reels(
    footage: Sequence[Footage], n_cameras: int, n_frames: int, first_second: int
) -> list[CameraReel]:
    """Say what each of some cameras plays."""
    reels = []
    for camera in range(n_cameras):
        which = camera % len(footage)
        clip = footage[which]
        n_keys = -(-len(clip.packets) // clip.key_every)
        turns = camera // len(footage)
        # Seventeen seconds further each time: prime to the minute that clips last.
        key = (first_second + 17 * turns) % n_keys
        source = (key * clip.key_every + np.arange(n_frames)) % len(clip.packets)
        reels.append(CameraReel(footage=which, source=source))
    return reels


def _passages(
    footage: Sequence[Footage],
    reels: Sequence[CameraReel],
    plan: ArrivalPlan,
    rates: Sequence[float],
) -> Passages:
    """Tell the simulator who walks past each camera, and what their faces are like."""
    libraries = [_Library.of(clip) for clip in footage]
    bases = np.cumsum([0, *(len(each.quality) for each in libraries)])
    rows: list[tuple[float, float, int, float]] = []
    start = [0]
    for camera, reel in enumerate(reels):
        times_s = np.empty(len(reel.source))
        mine = plan.camera == camera
        times_s[plan.frame_index[mine]] = plan.offset_ns[mine] / NS_PER_S
        half_s = 0.5 / rates[camera]
        views = sorted(libraries[reel.footage].views(reel.source))
        for begin, end, sample in views:
            at = int(bases[reel.footage]) + sample
            rows.append((times_s[begin] - half_s, times_s[end] + half_s, at,
                         rates[camera]))  # fmt: skip
        start.append(len(rows))
    t_in_s, t_out_s, first, rate_hz = np.array(rows, np.float64).reshape(-1, 4).T
    return Passages(
        start=np.array(start, np.int64),
        t_in_s=t_in_s.copy(),
        t_out_s=t_out_s.copy(),
        first=first.astype(np.int64),
        rate_hz=rate_hz.copy(),
        alert_shot=np.zeros(len(rows), np.int32),
        quality=np.concatenate([each.quality for each in libraries]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Library:
    """The tracks of one clip as series of samples, one a frame.

    Attributes:
        begin, length: (t,) int64, first frame of each track, and its samples.
        first: (t,) int64, where its samples stand.
        quality: (s,) float32; behind each track one more, for a moment after its end.
    """

    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    first: NDArray[np.int64]
    quality: NDArray[np.float32]

    @classmethod
    def of(cls, clip: Footage) -> _Library:
        """Lay out the tracks of a clip."""
        tracks = np.unique(clip.track)
        begin, length, first, series = [], [], [], []
        at = 0
        for track in tracks:
            mine = clip.track == track
            frames = clip.frame[mine]
            samples = np.full(int(frames[-1] - frames[0]) + 2, UNSEEN, np.float32)
            samples[frames - frames[0]] = clip.quality[mine]
            begin.append(int(frames[0]))
            length.append(len(samples) - 1)
            first.append(at)
            series.append(samples)
            at += len(samples)
        series.append(np.full(1, UNSEEN, np.float32))
        return cls(
            begin=np.array(begin, np.int64),
            length=np.array(length, np.int64),
            first=np.array(first, np.int64),
            quality=np.concatenate(series),
        )

    def views(self, source: NDArray[np.int64]) -> list[tuple[int, int, int]]:
        """Cut tracks into what a camera shows of them.

        Args:
            source: (f,) int64, the clip's frame behind each frame of the camera.

        Returns:
            First and last frame of the camera, and the first sample. Where the clip
            begins again, nobody walks from its end into its beginning.
        """
        seams = [0, *(np.flatnonzero(np.diff(source) != 1) + 1).tolist(), len(source)]
        found = []
        for left, right in itertools.pairwise(seams):
            low, high = int(source[left]), int(source[right - 1])
            for begin, length, first in zip(
                self.begin.tolist(), self.length.tolist(), self.first.tolist(),
                strict=True,
            ):  # fmt: skip
                enter, leave = max(begin, low), min(begin + length - 1, high)
                if enter <= leave:
                    found.append(
                        (left + enter - low, left + leave - low, first + enter - begin)
                    )
        return found
