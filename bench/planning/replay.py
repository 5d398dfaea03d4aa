"""Clips reused as any number of cameras: the load of a calibration or a validation.

Owns the way from a few rendered clips to the packets, the arrival plan and the
passages of a site that has more cameras than clips: each camera plays one of the
clips, from a key frame of its own, over and over. Knows nothing of service times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from bench.errors import BenchError
from bench.load.sources import demux
from bench.load.workload import NS_PER_S, draw_plan
from bench.objectives import LoadConfig
from sim.arrivals import Phase
from sim.records import Frames, Passages
from sim.service import HEIGHT_EDGES_PX
from synthetic_crowds.records import NO_PASSAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.records import ArrivalPlan
    from synthetic_crowds.records import Clip

__all__ = ["CameraReel", "Footage", "Replay", "Scene", "cut", "load_footage"]

# A face with less than a fifth of it in view is found by nobody
# (`bench.accuracy.association`).
_MIN_VISIBILITY = 0.2
# A face covered for longer than this has left, as far as a tracker is concerned.
_MAX_GAP_S = 1.0


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
    """

    n_cameras: int
    fps: float
    duration_s: float
    gallery_size: int
    first_second: int = 0
    phase: Phase = Phase.RANDOM
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footage:
    """A clip held in memory with its truth.

    Attributes:
        packets: One H.264 access unit per frame.
        key_every: Frames from one key frame to the next.
        fps: At which it was rendered.
        pixels: Of a frame.
        frame, passage: (m,) int64, of each visible face of the truth.
        height_px: (m,) float64, its height.
        box_xyxy: (m, 4) float32.
    """

    packets: tuple[bytes, ...]
    key_every: int
    fps: float
    pixels: int
    frame: NDArray[np.int64]
    passage: NDArray[np.int64]
    height_px: NDArray[np.float64]
    box_xyxy: NDArray[np.float32]


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
        shown: (p,) int64, the clip's passage behind each of `passages`.
    """

    plan: ArrivalPlan
    reels: tuple[CameraReel, ...]
    packets: tuple[tuple[bytes, ...], ...]
    frames: Frames
    passages: Passages
    shown: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    camera_id: str
    fps: float
    n_frames: int


def load_footage(clip: Clip) -> Footage:
    """Read a clip and the truth of its visible faces.

    Raises:
        BenchError: If the clip has fewer than two key frames.
    """
    packets = demux(clip)
    keys = [index for index, packet in enumerate(packets) if _is_key(packet)]
    if len(keys) < 2 or len(set(np.diff(keys))) != 1:
        message = (
            f"a clip must have key frames at even steps to be reused from the middle, "
            f"got {len(keys)} in {clip.path}; render it again"
        )
        raise BenchError(message)
    truth = clip.faces
    # Passers-by beside the zone have no identity in the truth, and are few.
    seen = (
        (truth.passage_index != NO_PASSAGE)
        & (truth.visibility >= _MIN_VISIBILITY)
        & (truth.face_height_px >= HEIGHT_EDGES_PX[0])
    )
    return Footage(
        packets=packets,
        key_every=keys[1] - keys[0],
        fps=clip.fps,
        pixels=clip.width_px * clip.height_px,
        frame=truth.frame_index[seen].astype(np.int64),
        passage=truth.passage_index[seen].astype(np.int64),
        height_px=truth.face_height_px[seen].astype(np.float64),
        box_xyxy=truth.box_xyxy[seen],
    )


def cut(footage: Sequence[Footage], replay: Replay) -> Scene:
    """Deal clips out to cameras, draw the plan, and tell the simulator.

    Cameras take the clips in turn; whoever comes to a clip again begins at another
    key frame of it, as far from the others as there is room.

    Args:
        footage: At least one clip.
        replay: The load.
    """
    n_frames = math.ceil(replay.duration_s * replay.fps - 1e-9)
    reels = []
    for camera in range(replay.n_cameras):
        which = camera % len(footage)
        clip = footage[which]
        n_keys = -(-len(clip.packets) // clip.key_every)
        turns = camera // len(footage)
        # Seventeen seconds further each time: prime to the minute that clips last.
        key = (replay.first_second + 17 * turns) % n_keys
        source = (key * clip.key_every + np.arange(n_frames)) % len(clip.packets)
        reels.append(CameraReel(footage=which, source=source))
    plan = draw_plan(
        [
            _Stream(camera_id=f"camera-{k}", fps=replay.fps, n_frames=n_frames)
            for k in range(replay.n_cameras)
        ],
        LoadConfig(phase=replay.phase),
        rng=np.random.default_rng(replay.seed),
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
    passages, shown = _passages(footage, reels, plan)
    return Scene(
        plan=plan,
        reels=tuple(reels),
        packets=packets,
        frames=Frames(
            camera=plan.camera.copy(),
            capture_s=plan.offset_ns / NS_PER_S,
            packet_bytes=np.array(sizes, np.float64),
        ),
        passages=passages,
        shown=shown,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Approach:
    """One uninterrupted view of one person."""

    passage: int
    t_in_s: float
    t_out_s: float
    inverse_height: float
    inverse_rate: float

    @classmethod
    def fitted(
        cls, passage: int, times_s: NDArray[np.float64], height_px: NDArray[np.float64]
    ) -> Self:
        """Fit a steady walk: the inverse of the height is a line in time."""
        since_s = times_s - times_s[0]
        inverse = 1.0 / height_px
        rate = 0.0
        if len(times_s) > 1 and since_s[-1] > 0.0:
            rate, start = np.polyfit(since_s, inverse, 1)
        else:
            start = inverse[0]
        return cls(
            passage=passage,
            t_in_s=float(times_s[0]) - 1e-6,
            t_out_s=float(times_s[-1]) + 1e-6,
            inverse_height=float(start),
            inverse_rate=float(rate),
        )


def _passages(
    footage: Sequence[Footage], reels: Sequence[CameraReel], plan: ArrivalPlan
) -> tuple[Passages, NDArray[np.int64]]:
    """Tell the simulator who walks, and whom of the clip that is."""
    found: list[_Approach] = []
    start = [0]
    for camera, reel in enumerate(reels):
        clip = footage[reel.footage]
        mine = plan.camera == camera
        times_s = np.empty(len(reel.source))
        times_s[plan.frame_index[mine]] = plan.offset_ns[mine] / NS_PER_S
        found += sorted(_approaches(clip, reel, times_s), key=lambda view: view.t_in_s)
        start.append(len(found))
    passages = Passages(
        start=np.array(start, np.int64),
        t_in_s=np.array([view.t_in_s for view in found]),
        t_out_s=np.array([view.t_out_s for view in found]),
        inverse_height=np.array([view.inverse_height for view in found]),
        inverse_rate=np.array([view.inverse_rate for view in found]),
        alert_shot=np.zeros(len(found), np.int32),
    )
    return passages, np.array([view.passage for view in found], np.int64)


def _approaches(
    clip: Footage, reel: CameraReel, times_s: NDArray[np.float64]
) -> list[_Approach]:
    """Cut each passage of the clip into the views that this camera has of it."""
    rows_of = np.argsort(clip.frame, kind="stable")
    first = np.searchsorted(clip.frame[rows_of], np.arange(len(clip.packets) + 1))
    seen: dict[int, list[tuple[float, float]]] = {}
    views: list[_Approach] = []

    def close(passage: int) -> None:
        path = np.array(seen.pop(passage))
        views.append(_Approach.fitted(passage, path[:, 0], path[:, 1]))

    for index, source in enumerate(reel.source.tolist()):
        if index > 0 and source == 0:
            # The clip begins again: nobody walks from its end into its beginning.
            for passage in tuple(seen):
                close(passage)
        for row in rows_of[first[source] : first[source + 1]].tolist():
            passage = int(clip.passage[row])
            time_s = float(times_s[index])
            if passage in seen and time_s - seen[passage][-1][0] > _MAX_GAP_S:
                close(passage)
            seen.setdefault(passage, []).append((time_s, float(clip.height_px[row])))
    for passage in tuple(seen):
        close(passage)
    return views


def _is_key(packet: bytes) -> bool:
    """Whether an Annex B access unit holds an IDR slice.

    Source:
        ITU-T H.264 (08/2021), table 7-1: NAL unit type 5.
    """
    at = packet.find(b"\x00\x00\x01")
    while at >= 0 and at + 3 < len(packet):
        kind = packet[at + 3] & 0x1F
        if kind in {1, 5}:
            return kind == 5
        at = packet.find(b"\x00\x00\x01", at + 3)
    return False
