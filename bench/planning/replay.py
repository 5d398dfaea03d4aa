"""Clips reused as any number of cameras: the load of a calibration or a validation.

Owns the way from a few rendered clips to the packets, the arrival plan and the
passages of a site that has more cameras than clips: each camera plays one of the
clips, from a key frame of its own, over and over. A load is played in pieces; before
the first, between them and after the last the same few cameras play the same seconds,
so that the machine's speed can be told from what was asked of it. Knows nothing of
service times.
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

__all__ = [
    "GAUGE_S",
    "PIECE_S",
    "CameraReel",
    "Footage",
    "Part",
    "Replay",
    "Scene",
    "cut",
]

# A virtual machine's speed wanders within five to fifteen seconds, so no moment of a
# load may be further than that from a gauge.
PIECE_S = 10.0
# The same work beside every piece: cameras, frames a second, first second of the clips,
# and seed of the clocks. About as busy as the loads, since a machine at work is another
# than one at rest.
GAUGE_S = 4.0
_GAUGE = (5, 10.0, 8)
_GAUGE_SEED = 99


class Part(IntEnum):
    """What a frame belongs to; gauge and load take turns."""

    GAUGE = 0
    LOAD = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One load made of reused clips.

    Attributes:
        n_cameras: Cameras, each playing a clip.
        fps: Frames that each sends a second; the clip is played at this pace.
        duration_s: Length of the load, all pieces together, without the gauges.
        gallery_size: Templates searched.
        first_second: Second of the clips at which the first cameras begin.
        phase: How the cameras' clocks stand to each other.
        seed: Of the arrival plan.
        gauge_s: How long the gauge plays each time; 0 leaves it out.
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

    @property
    def n_pieces(self) -> int:
        """Pieces of equal length, none longer than `PIECE_S`; at least one."""
        return max(math.ceil(self.duration_s / PIECE_S - 1e-9), 1)

    @property
    def piece_s(self) -> float:
        """Length of a piece."""
        return self.duration_s / self.n_pieces

    def begin_s(self, part: Part, turn: int) -> float:
        """Say when a gauge or a piece begins, from the start of the first gauge."""
        n_gauges = turn if part == Part.GAUGE else turn + 1
        return n_gauges * self.gauge_s + turn * self.piece_s


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
        turn: (n,) int16, which gauge, or which piece of the load, from 0.
        worker: (k,) int32, whose each camera is.
    """

    plan: ArrivalPlan
    reels: tuple[CameraReel, ...]
    packets: tuple[tuple[bytes, ...], ...]
    frames: Frames
    passages: Passages
    part: NDArray[np.int8]
    turn: NDArray[np.int16]
    worker: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    camera_id: str
    fps: float
    n_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """One gauge, or one piece of the load; its cameras play nowhere else."""

    part: Part
    turn: int
    begin_s: float
    length_s: float
    n_cameras: int
    fps: float
    first_second: int
    phase: Phase

    @property
    def n_frames(self) -> int:
        """Frames of each camera; one more might belong to the next stretch."""
        return math.floor(self.length_s * self.fps + 1e-9)


def cut(footage: Sequence[Footage], replay: Replay) -> Scene:
    """Deal clips out to cameras, draw the plan, and tell the simulator.

    Cameras take the clips in turn; whoever comes to a clip again begins at another
    key frame of it, as far from the others as there is room.

    Every piece has cameras of its own, so that trackers and cadence begin anew in it,
    in the matcher as in the simulator. They go on at the first key frame after the
    piece before, for a decoder begins at no other. Their clocks are drawn anew: which
    cameras collide is chance, and a load of several pieces rests on several draws of
    it. Those of the gauge are the same each time.

    Args:
        footage: At least one clip.
        replay: The load.
    """
    rng = np.random.default_rng(replay.seed)
    reels: list[CameraReel] = []
    columns: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]] = []
    part_of, turn_of, rates, camera_ids = [], [], [], []
    for stretch in _stretches(replay):
        part = stretch.part
        is_gauge = part is Part.GAUGE
        names = [
            f"{part.name.lower()}-{stretch.turn}-{k}" for k in range(stretch.n_cameras)
        ]
        plan = draw_plan(
            [
                _Stream(camera_id=name, fps=stretch.fps, n_frames=stretch.n_frames)
                for name in names
            ],
            LoadConfig(phase=stretch.phase),
            rng=np.random.default_rng(_GAUGE_SEED) if is_gauge else rng,
        )
        # Jitter carries nobody into the next stretch.
        last_ns = round(stretch.length_s * NS_PER_S) - 1
        columns.append(
            (
                np.minimum(plan.offset_ns, last_ns) + round(stretch.begin_s * NS_PER_S),
                (plan.camera + len(reels)).astype(np.int32),
                plan.frame_index.astype(np.int32),
            )
        )
        part_of.append(np.full(len(plan), part, np.int8))
        turn_of.append(np.full(len(plan), stretch.turn, np.int16))
        reels += _reels(footage, stretch)
        rates += [stretch.fps] * stretch.n_cameras
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
        turn=np.concatenate(turn_of)[order],
        worker=_dealt(plan, replay.n_workers),
    )


def _stretches(replay: Replay) -> list[_Stretch]:
    """Say what follows what: gauge, piece, gauge, piece ... gauge."""
    n_gauge, gauge_fps, gauge_second = _GAUGE
    gauges = [
        _Stretch(
            part=Part.GAUGE,
            turn=turn,
            begin_s=replay.begin_s(Part.GAUGE, turn),
            length_s=replay.gauge_s,
            n_cameras=n_gauge,
            fps=gauge_fps,
            first_second=gauge_second,
            phase=Phase.RANDOM,
        )
        for turn in range(replay.n_pieces + 1)
        if replay.gauge_s > 0.0
    ]
    pieces = [
        _Stretch(
            part=Part.LOAD,
            turn=turn,
            begin_s=replay.begin_s(Part.LOAD, turn),
            length_s=replay.piece_s,
            n_cameras=replay.n_cameras,
            fps=replay.fps,
            first_second=replay.first_second,
            phase=replay.phase,
        )
        for turn in range(replay.n_pieces)
    ]
    return sorted(gauges + pieces, key=lambda stretch: stretch.begin_s)


def _dealt(plan: ArrivalPlan, n_workers: int) -> NDArray[np.int32]:
    """Deal cameras out as the matcher's supervisor does: at each one's first frame."""
    _, first = np.unique(plan.camera, return_index=True)
    worker = np.empty(len(first), np.int32)
    worker[np.argsort(first)] = np.arange(len(first)) % n_workers
    return worker


def _reels(footage: Sequence[Footage], stretch: _Stretch) -> list[CameraReel]:
    """Say what each camera of a gauge, or of a piece, plays."""
    # A gauge begins where every gauge does; a piece after the one before.
    n_before = stretch.turn if stretch.part is Part.LOAD else 0
    reels = []
    for camera in range(stretch.n_cameras):
        which = camera % len(footage)
        clip = footage[which]
        n_keys = -(-len(clip.packets) // clip.key_every)
        rounds = camera // len(footage)
        # Seventeen seconds further each time: prime to the minute that clips last.
        key = stretch.first_second + 17 * rounds
        key += n_before * -(-stretch.n_frames // clip.key_every)
        begin = key % n_keys * clip.key_every
        source = (begin + np.arange(stretch.n_frames)) % len(clip.packets)
        reels.append(CameraReel(footage=which, source=source))
    return reels
