"""Which frame is searched, who is in view of it, and whose face is embedded.

Owns the matcher's rules of cadence and of the best shots, told over what an unhurried
look at each passer-by has found: the quality of the face, frame by frame. The rules
are the matcher's own, so what load does to them comes out by itself: a skipped frame's
face is not embedded, the next one may be. Knows nothing of time spent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.compiled import compiled
from sim.draws import own_key, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.records import Passages

__all__ = [
    "TOO_SMALL",
    "UNSEEN",
    "LookRules",
    "Memory",
    "fresh_memory",
    "is_due",
    "look_at",
]

# In place of a quality: found, but too small to be embedded; not found at all.
TOO_SMALL, UNSEEN = -1.0, -2.0
# Less than this many samples is no sample passed over.
_WHOLE = 0.5
# A prediction errs the more the longer it reaches: measured over one to four samples.
_STRAYING = 1.5
# Purpose of a face's draw.
_ASTRAY = 0


class LookRules(NamedTuple):
    """When a frame is searched for faces, and when a face is embedded.

    Attributes:
        young_interval_s: From one search to the next while a face in view has no
            trusted track.
        steady_interval_s: While all have, or nobody is in view.
        astray: Chance that a face is found astray of its track after the camera has
            passed over one of the look's samples; over n, n^1.5 times as great. A
            track of its own begins, is young, and comes to nothing.
        confirm_hits: Sightings before a track is trusted.
        max_gap_s: A track unseen for longer is over; the face begins another.
        min_quality: Least quality of a face that is embedded.
        min_gain: Relative gain over the best so far that is embedded at once.
        interval_s: A track's face is due again after this long.
        max_shots: Faces kept; a full track embeds only what beats its worst.
    """

    young_interval_s: float
    steady_interval_s: float
    astray: float
    confirm_hits: int
    max_gap_s: float
    min_quality: float
    min_gain: float
    interval_s: float
    max_shots: int


class Memory(NamedTuple):
    """What is remembered of each passage and camera while frames go by.

    Attributes:
        seen_s, shot_s: (p,) float64, capture time of the last sighting and embedding.
        n_hits: (p,) int32, sightings of the track.
        n_kept: (p,) int32, faces kept.
        n_shots: (p,) int32, faces embedded, of all tracks of the passage.
        kept: (p, m) float32, qualities of the faces kept; the best is first.
        searched_s: (k,) float64, capture time of the frame last searched.
        is_young: (k,) bool, whether a face in view of it had no trusted track.
        low, high: (k,) int64, the window of rows that may be in view.
        alerted: (p,) int64, room for the passages that alert in one turn.
    """

    seen_s: NDArray[np.float64]
    shot_s: NDArray[np.float64]
    n_hits: NDArray[np.int32]
    n_kept: NDArray[np.int32]
    n_shots: NDArray[np.int32]
    kept: NDArray[np.float32]
    searched_s: NDArray[np.float64]
    is_young: NDArray[np.bool_]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    alerted: NDArray[np.int64]


def fresh_memory(passages: Passages, rules: LookRules) -> Memory:
    """Begin: nobody was seen."""
    p, k = len(passages.t_in_s), len(passages.start) - 1
    return Memory(
        seen_s=np.full(p, -np.inf),
        shot_s=np.full(p, -np.inf),
        n_hits=np.zeros(p, np.int32),
        n_kept=np.zeros(p, np.int32),
        n_shots=np.zeros(p, np.int32),
        kept=np.zeros((p, rules.max_shots), np.float32),
        searched_s=np.full(k, -np.inf),
        is_young=np.zeros(k, np.bool_),
        low=passages.start[:-1].copy(),
        high=passages.start[:-1].copy(),
        alerted=np.empty(p, np.int64),
    )


@compiled()
def is_due(camera: int, capture_s: float, memory: Memory, rules: LookRules) -> bool:
    """Say whether a frame is to be searched; if not, tracks are only predicted."""
    interval_s = rules.steady_interval_s
    if memory.is_young[camera]:
        interval_s = rules.young_interval_s
    return bool(capture_s - memory.searched_s[camera] >= interval_s)


@compiled()
def look_at(
    own: np.uint64,
    camera: int,
    capture_s: float,
    passages: Passages,
    memory: Memory,
    rules: LookRules,
    n_alerted: int,
) -> tuple[int, int, int]:
    """See who is in view of a frame that is searched, and embed some of them.

    Args:
        own: The frame's key.
        camera: Of the frame.
        capture_s: Of the frame, later than that of any frame of the camera before.
        passages: Who walks.
        memory: Of the frames before; changed.
        rules: When a face is trusted, and embedded.
        n_alerted: Passages in `memory.alerted` already; those of this frame follow.

    Returns:
        Faces found, faces embedded, passages in `memory.alerted` now.
    """
    low, high = _window(camera, capture_s, passages, memory)
    n_faces = n_embedded = 0
    is_young = False
    for row in range(low, high):
        if passages.t_out_s[row] < capture_s:
            continue
        sample = int((capture_s - passages.t_in_s[row]) * passages.rate_hz[row])
        found = passages.quality[passages.first[row] + sample]
        if found <= UNSEEN:
            continue
        n_faces += 1
        is_young |= _is_astray(
            own, row, capture_s, passages.rate_hz[row], memory, rules
        )
        is_embedded = _is_embedded(row, found, capture_s, memory, rules)
        is_young |= memory.n_hits[row] < rules.confirm_hits
        if is_embedded:
            n_embedded += 1
            memory.n_shots[row] += 1
            if memory.n_shots[row] == passages.alert_shot[row]:
                memory.alerted[n_alerted] = row
                n_alerted += 1
    memory.searched_s[camera], memory.is_young[camera] = capture_s, is_young
    return n_faces, n_embedded, n_alerted


@compiled()
def _window(
    camera: int, capture_s: float, passages: Passages, memory: Memory
) -> tuple[int, int]:
    """Move a camera's window of rows on to a moment."""
    end, high = passages.start[camera + 1], memory.high[camera]
    while high < end and passages.t_in_s[high] <= capture_s:
        high += 1
    memory.high[camera] = high
    low = memory.low[camera]
    while low < high and passages.t_out_s[low] < capture_s:
        low += 1
    memory.low[camera] = low
    return low, high


@compiled()
def _is_astray(
    own: np.uint64,
    row: int,
    capture_s: float,
    rate_hz: float,
    memory: Memory,
    rules: LookRules,
) -> bool:
    """Say whether a face that is found does not at once continue its track."""
    gap_s = capture_s - memory.seen_s[row]
    passed_over = gap_s * rate_hz - 1.0
    # Rates and times are rounded.
    if gap_s > rules.max_gap_s or passed_over < _WHOLE:
        return False
    chance = rules.astray * passed_over**_STRAYING
    return bool(chance > 0.0 and unit(own_key(own, row), _ASTRAY) < chance)


@compiled()
def _is_embedded(
    row: int, found: float, capture_s: float, memory: Memory, rules: LookRules
) -> bool:
    """Take note of a sighting; say whether the face is embedded."""
    if capture_s - memory.seen_s[row] > rules.max_gap_s:
        memory.n_hits[row] = memory.n_kept[row] = 0
    memory.seen_s[row] = capture_s
    memory.n_hits[row] += 1
    if found < rules.min_quality or memory.n_hits[row] < rules.confirm_hits:
        return False
    n_kept, best = memory.n_kept[row], memory.kept[row, 0]
    worst = _worst(row, n_kept, memory)
    if n_kept > 0 and found < (1.0 + rules.min_gain) * best:
        is_due = capture_s - memory.shot_s[row] >= rules.interval_s
        is_full = n_kept == rules.max_shots
        if not is_due or (is_full and found <= memory.kept[row, worst]):
            return False
    memory.shot_s[row] = capture_s
    place = n_kept
    if n_kept == rules.max_shots:
        place = worst
    else:
        memory.n_kept[row] = n_kept + 1
    memory.kept[row, place] = found
    if found > best and place > 0:
        memory.kept[row, 0], memory.kept[row, place] = found, best
    return True


@compiled()
def _worst(row: int, n_kept: int, memory: Memory) -> int:
    """Find the place of a track's worst face."""
    place = 0
    for other in range(1, n_kept):
        if memory.kept[row, other] < memory.kept[row, place]:
            place = other
    return place
