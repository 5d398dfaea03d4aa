"""How people come past the cameras of some clips, and what the cameras send.

Owns the fit of the small crowd model to an unhurried look at clips. Knows nothing of
loads or service times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.looking import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.planning.replay import Footage

__all__ = ["CrowdFit", "fit_crowd"]

# Arrivals are counted in windows about as long as a group takes to come.
_WINDOW_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrowdFit:
    """What the small crowd model is told.

    Attributes:
        approaches: Of each view, samples in thousandths.
        approaches_hz: Samples a second.
        views_hz: Views begun a second and camera.
        views_per_passage: Views of one passage.
        group_stop: Chance that a group ends with a member.
        packets: Mean bytes of key frames, of others, and their spread as a share.
    """

    approaches: tuple[tuple[int, ...], ...]
    approaches_hz: float
    views_hz: float
    views_per_passage: float
    group_stop: float
    packets: tuple[float, float, float]


def fit_crowd(footage: Sequence[Footage]) -> CrowdFit:
    """Fit the small crowd model; clips have one frame rate."""
    approaches, counts, seconds = [], [], 0.0
    key_bytes: list[int] = []
    other_bytes: list[int] = []
    for clip in footage:
        begins_s = []
        for track in np.unique(clip.track):
            mine = clip.track == track
            frames = clip.frame[mine]
            samples = np.full(int(frames[-1] - frames[0]) + 1, UNSEEN)
            samples[frames - frames[0]] = clip.quality[mine]
            approaches.append(tuple(np.rint(1e3 * samples).astype(int).tolist()))
            begins_s.append(float(frames[0]) / clip.fps)
        counts.append(np.bincount((np.array(begins_s) / _WINDOW_S).astype(int))[1:-1])
        seconds += len(clip.packets) / clip.fps
        sizes = [len(packet) for packet in clip.packets]
        key_bytes += sizes[:: clip.key_every]
        other_bytes += [n for k, n in enumerate(sizes) if k % clip.key_every]
    # Geometric groups of mean m make counts m-fold over-dispersed: 2 m - 1.
    pooled = np.concatenate(counts)
    dispersion = max(float(pooled.var(ddof=1) / pooled.mean()), 1.0)
    n_passages = sum(clip.n_passages for clip in footage)
    return CrowdFit(
        approaches=tuple(approaches),
        approaches_hz=footage[0].fps,
        views_hz=len(approaches) / seconds,
        views_per_passage=len(approaches) / max(n_passages, 1),
        group_stop=2.0 / (dispersion + 1.0),
        packets=(
            float(np.mean(key_bytes)),
            float(np.mean(other_bytes)),
            float(np.std(other_bytes) / np.mean(other_bytes)),
        ),
    )
