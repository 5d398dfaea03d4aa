"""Clips reused as any number of cameras: the load of a calibration or a validation.

Owns the way from a few rendered clips to the packets, the arrival plan and the
passages of a site that has more cameras than clips: each camera plays one of the
clips, from a key frame of its own, over and over. Beside every load a gauge plays
along: cameras that are the same in all loads, so that the machine's speed can be told
from what was asked of it. Knows nothing of service times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from bench.load.workload import NS_PER_S, draw_plan
from bench.objectives import LoadConfig
from bench.planning.replay_passages import passages_of
from bench.records import ArrivalPlan
from sim.arrivals import Phase
from sim.records import Frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sim.records import Passages

__all__ = ["GAUGE_FPS", "CameraReel", "Footage", "Part", "Replay", "Scene", "cut"]

# The gauge: frames a second, of one camera a worker, so slow that each of its frames is
# searched; first second of the clips; and seed of its clocks.
GAUGE_FPS = 5.0
_GAUGE_SECOND, _GAUGE_SEED = 8, 99


class Part(IntEnum):
    """What a frame belongs to."""

    GAUGE = 0
    LOAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One load made of reused clips.

    Attributes:
        n_cameras: Cameras, each playing a clip.
        fps: Frames that each sends a second; the clip is played at this pace.
        duration_s: Length of the load.
        gallery_size: Templates searched.
        first_second: Second of the clips at which the first cameras begin.
        phase: How the cameras' clocks stand to each other.
        seed: Of the arrival plan.
        gauge_fps: Frames a second of the gauge's cameras, of which there is one a
            worker; 0 leaves it out.
        n_workers: Of the matcher.
    """

    n_cameras: int
    fps: float
    duration_s: float
    gallery_size: int
    first_second: int = 0
    phase: Phase = Phase.RANDOM
    seed: int = 1
    gauge_fps: float = GAUGE_FPS
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
    parts = [
        (Part.LOAD, replay.n_cameras, replay.fps, replay.first_second, replay.phase,
         replay.seed),
    ]  # fmt: skip
    if replay.gauge_fps > 0.0:
        parts.append(
            (Part.GAUGE, replay.n_workers, replay.gauge_fps, _GAUGE_SECOND,
             Phase.RANDOM, _GAUGE_SEED)
        )  # fmt: skip
    reels: list[CameraReel] = []
    columns: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
    part_of, rates, camera_ids = [], [], []
    for part, n_cameras, fps, second, phase, seed in parts:
        n_frames = math.ceil(replay.duration_s * fps - 1e-9)
        names = [f"{part.name.lower()}-{k}" for k in range(n_cameras)]
        plan = draw_plan(
            [_Stream(camera_id=name, fps=fps, n_frames=n_frames) for name in names],
            LoadConfig(phase=phase),
            rng=np.random.default_rng(seed),
        )
        columns.append(
            (
                plan.offset_ns,
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
        passages=passages_of(footage, reels, plan, rates),
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
