"""Which detections of successive frames are one face.

Owns motion and association. Pure: the tracks before and a frame's detections give the
tracks after; nothing is remembered elsewhere. Knows nothing of pixels or identities.

Motion is a constant velocity between capture times, so that skipped frames stretch
the prediction instead of breaking it. Association is in two rounds, strong detections
first, then the weak ones for the tracks left over.

Source:
    Zhang et al., ByteTrack, ECCV 2022 (the two rounds); Zheng et al., Distance-IoU
    loss, AAAI 2020 (the measure of overlap); Benedict and Bordner, Synthesis of an
    optimal set of radar track-while-scan smoothing equations, IRE Trans. Automatic
    Control AC-7, 1962 (the velocity gain of an alpha-beta filter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import TrackerConfig
    from matcher.records import Detections

__all__ = ["NO_TRACK", "Tracks", "distance_iou", "no_tracks", "predict", "track"]

NO_TRACK = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracks:
    """The live tracks of one camera, m rows, oldest first.

    Attributes:
        ids: (m,) int64, ascending, never used again.
        boxes: (m, 4) float64, smoothed: centre x, y, width, height, pixels.
        velocities: (m, 4) float64, of `boxes`, per second.
        seen_ns: (m,) int64, capture time of the newest detection.
        hits: (m,) int64, detections so far.
        next_id: Of the next track to be born.
    """

    ids: NDArray[np.int64]
    boxes: NDArray[np.float64]
    velocities: NDArray[np.float64]
    seen_ns: NDArray[np.int64]
    hits: NDArray[np.int64]
    next_id: int

    def __len__(self) -> int:
        return len(self.ids)


def no_tracks() -> Tracks:
    """Begin: a camera that has seen nothing."""
    return Tracks(
        ids=np.empty(0, np.int64),
        boxes=np.empty((0, 4)),
        velocities=np.empty((0, 4)),
        seen_ns=np.empty(0, np.int64),
        hits=np.empty(0, np.int64),
        next_id=0,
    )


def track(
    before: Tracks, detections: Detections, *, time_ns: int, config: TrackerConfig
) -> tuple[Tracks, NDArray[np.int64]]:
    """Continue the tracks of a camera with one frame.

    Args:
        before: The tracks after the previous frame.
        detections: Of this frame, n rows.
        time_ns: Its capture time, later than the previous one.
        config: Settings.

    Returns:
        The tracks after this frame, those too long unseen left out, and the row of
        each detection's track in them, (n,) int64, `NO_TRACK` where it has none.
    """
    elapsed_s = (time_ns - before.seen_ns) / 1e9
    alive = np.flatnonzero(elapsed_s <= config.max_gap_s)
    elapsed_s = np.maximum(elapsed_s[alive], 1e-6)[:, None]
    predicted = before.boxes[alive] + before.velocities[alive] * elapsed_s
    np.maximum(predicted[:, 2:], 0.0, out=predicted[:, 2:])

    measured = _centred(detections.boxes_xyxy)
    strong = detections.scores >= config.birth_score
    rows = _associate(predicted, measured, strong=strong, least=config.min_overlap)

    boxes, velocities = before.boxes[alive], before.velocities[alive]
    seen_ns, hits = before.seen_ns[alive], before.hits[alive]
    matched = np.flatnonzero(rows != NO_TRACK)
    of = rows[matched]
    # The second detection sets the velocity outright: there is none to smooth with.
    second = (hits[of] == 1)[:, None]
    gain = np.where(second, 1.0, config.position_gain)
    surprise = measured[matched] - predicted[of]
    boxes[of] = predicted[of] + gain * surprise
    velocities[of] += gain**2 / (2.0 - gain) * surprise / elapsed_s[of]
    seen_ns[of] = time_ns
    hits[of] += 1

    born = np.flatnonzero((rows == NO_TRACK) & strong)
    rows[born] = len(alive) + np.arange(len(born))
    after = Tracks(
        ids=np.concatenate(
            [before.ids[alive], before.next_id + np.arange(len(born), dtype=np.int64)]
        ),
        boxes=np.concatenate([boxes, measured[born]]),
        velocities=np.concatenate([velocities, np.zeros((len(born), 4))]),
        seen_ns=np.concatenate([seen_ns, np.full(len(born), time_ns, np.int64)]),
        hits=np.concatenate([hits, np.ones(len(born), np.int64)]),
        next_id=before.next_id + len(born),
    )
    return after, rows


def predict(tracks: Tracks, *, time_ns: int) -> NDArray[np.float64]:
    """Say where tracks are at a time: (m, 4) centre x, y, width, height, pixels."""
    elapsed_s = (time_ns - tracks.seen_ns)[:, None] / 1e9
    predicted: NDArray[np.float64] = tracks.boxes + tracks.velocities * elapsed_s
    np.maximum(predicted[:, 2:], 0.0, out=predicted[:, 2:])
    return predicted


def distance_iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure overlap, less the squared distance of centres over that of corners.

    Unlike plain overlap it still orders boxes that do not touch.

    Args:
        a: (m, 4) centre x, y, width, height.
        b: (n, 4) likewise.

    Returns:
        (m, n) in (-1, 1]; 1 for equal boxes.
    """
    a, b = a[:, None], b[None]
    a_low, a_high = a[..., :2] - a[..., 2:] / 2, a[..., :2] + a[..., 2:] / 2
    b_low, b_high = b[..., :2] - b[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2
    shared = np.prod(
        np.maximum(np.minimum(a_high, b_high) - np.maximum(a_low, b_low), 0.0), axis=2
    )
    both = np.prod(a[..., 2:], axis=2) + np.prod(b[..., 2:], axis=2) - shared
    apart = ((a[..., :2] - b[..., :2]) ** 2).sum(axis=2)
    around = ((np.maximum(a_high, b_high) - np.minimum(a_low, b_low)) ** 2).sum(axis=2)
    tiny = np.finfo(float).tiny
    overlap: NDArray[np.float64] = shared / np.maximum(both, tiny)
    overlap -= apart / np.maximum(around, tiny)
    return overlap


def _centred(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    low, high = boxes_xyxy[:, :2].astype(np.float64), boxes_xyxy[:, 2:]
    # A box turned inside out is a network's slip; it has no size, not a negative one.
    return np.concatenate([(low + high) / 2, np.maximum(high - low, 0.0)], axis=1)


def _associate(
    predicted: NDArray[np.float64],
    measured: NDArray[np.float64],
    *,
    strong: NDArray[np.bool_],
    least: float,
) -> NDArray[np.int64]:
    """Give each detection the row of its track, or `NO_TRACK`."""
    rows = np.full(len(measured), NO_TRACK, np.int64)
    overlap = distance_iou(predicted, measured)
    free = np.ones(len(predicted), bool)
    for some in (np.flatnonzero(strong), np.flatnonzero(~strong)):
        tracks = np.flatnonzero(free)
        gain = overlap[np.ix_(tracks, some)]
        # Pairs beyond the gate are worth nothing, so no good pair is given up for one.
        worth = np.maximum(gain - least, 0.0)
        i, j = optimize.linear_sum_assignment(worth, maximize=True)
        good = gain[i, j] >= least
        rows[some[j[good]]] = tracks[i[good]]
        free[tracks[i[good]]] = False
    return rows
