"""Who walks past each camera of a replay, and what their faces are like.

Owns the way from what an unhurried look found in a clip to the passages of cameras
that play stretches of it. Knows nothing of loads.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.load.workload import NS_PER_S
from sim.looking import UNSEEN
from sim.records import Passages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.replay import CameraReel, Footage
    from bench.records import ArrivalPlan

__all__ = ["passages_of"]


def passages_of(
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
