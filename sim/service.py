"""How long a worker takes over a frame, and whose faces it embeds.

Owns the tables of service times, the draws from them, and the chance that a face in
view is embedded. Both the SimPy model and the kernel call these functions, at the
same addresses of the random numbers, so they may differ in nothing but the queue.
Knows nothing of queues.

A stage takes `base + per_unit * units` seconds plus a residual drawn from the measured
ones; its unit is a packet's byte for decoding and a face for all that work on faces.
A stage of faces that has none takes `idle`.
"""

# ruff: noqa: FBT001 - numba binds compiled arguments by position

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from sim.records import StageIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.records import Passages

__all__ = [
    "HEIGHT_EDGES_PX",
    "N_STATES",
    "Memory",
    "Residual",
    "ServiceTables",
    "fresh_memory",
    "height_bin",
    "in_view",
    "look",
    "look_at",
    "mix",
    "own_key",
    "residual_s",
    "stage_s",
    "track_state",
    "uniform",
    "unit",
]

# Faces below the first edge are seen by nobody; each further edge opens a bin.
HEIGHT_EDGES_PX = (20.0, 25.0, 30.0, 36.0, 43.0, 52.0, 62.0, 75.0)
N_STATES = 8
# Sightings after which a face that was never embedded is thought a hopeless one.
_HOPELESS_AFTER = 4

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_N_STAGES = len(StageIndex)


class Residual(IntEnum):
    """What is drawn beside the stages' own residuals, and where it stands."""

    # Between a frame's end and the next one's start: results are sent, frames stamped.
    TURNAROUND = 7
    # From a frame's arrival at an idle worker until it stirs.
    WAKE = 8
    # From planned capture to an idle worker's hands; to a busy one's, whose receiving
    # thread must first get a core.
    WAY_IDLE = 9
    WAY_BUSY = 10
    # No residuals, but purposes of their own: faces found where nobody walks, frames
    # that the network loses.
    STRAY = 11
    LOSS = 12


_STRAY = int(Residual.STRAY)
# Purposes from here on are faces.
_FACES = 64


class ServiceTables(NamedTuple):
    """Service times of one matcher on one machine, for one gallery.

    Attributes:
        costs_s: (7, 3) float64, of each stage: base, per unit, and without any unit.
        residuals_s: (11, q) float64, quantiles at q even levels from 0 to 1: of each
            stage, then of `Residual`.
        hazards: (8, h) float64, chance that a face is embedded in a processed frame,
            by the state of its track (`track_state`) and bin of its height.
        stray: Faces embedded per processed frame that belong to no passage.
        interval_s: A track's face is due again after this long.
        max_shots: Embeddings after which only better faces are embedded.
        slowdown: (w + 1,) float64, factor on service with that many workers busy.
    """

    costs_s: NDArray[np.float64]
    residuals_s: NDArray[np.float64]
    hazards: NDArray[np.float64]
    stray: float
    interval_s: float
    max_shots: int
    slowdown: NDArray[np.float64]


class Memory(NamedTuple):
    """What is remembered of each passage and camera while frames go by.

    Attributes:
        last_s: (p,) float64, capture time of the last embedding.
        n_shots, n_seen: (p,) int32, embeddings and sightings so far.
        n_refused: (p,) int32, sightings since it was due and not embedded.
        low, high: (k,) int64, the window of rows that may be in view.
    """

    last_s: NDArray[np.float64]
    n_shots: NDArray[np.int32]
    n_seen: NDArray[np.int32]
    n_refused: NDArray[np.int32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]


def fresh_memory(passages: Passages) -> Memory:
    """Begin: nobody was seen."""
    p = len(passages.t_in_s)
    return Memory(
        last_s=np.full(p, -np.inf),
        n_shots=np.zeros(p, np.int32),
        n_seen=np.zeros(p, np.int32),
        n_refused=np.zeros(p, np.int32),
        low=passages.start[:-1].copy(),
        high=passages.start[:-1].copy(),
    )


@njit(cache=True, nogil=True)
def mix(value: np.uint64) -> np.uint64:
    """Scramble 64 bits.

    Source:
        Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA
        2014 (the finaliser of SplitMix64).
    """
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@njit(cache=True, nogil=True)
def own_key(key: np.uint64, item: int) -> np.uint64:
    """Return the key of one item's own draws."""
    return mix(key + _GOLDEN * np.uint64(item + 1))


@njit(cache=True, nogil=True)
def unit(own: np.uint64, purpose: int) -> float:
    """Return an item's number in (0, 1) for one purpose, always the same."""
    state = mix(own + _GOLDEN * np.uint64(purpose + 1))
    # 53 bits, shifted by half a step: never 0, never 1.
    return (float(state >> _S11) + 0.5) * 2.0**-53


@njit(cache=True, nogil=True)
def uniform(key: np.uint64, item: int, purpose: int) -> float:
    """Return a number in (0, 1), always the same at one address."""
    return unit(own_key(key, item), purpose)


@njit(inline="always")
def residual_s(own: np.uint64, kind: int, residuals_s: NDArray[np.float64]) -> float:
    """Draw from the measured residuals of one kind, seconds.

    Args:
        own: The frame's key.
        kind: A `StageIndex` or a `Residual`.
        residuals_s: As in `ServiceTables`.
    """
    place = unit(own, kind) * (residuals_s.shape[1] - 1)
    below = int(place)
    left, right = residuals_s[kind, below], residuals_s[kind, below + 1]
    return float(left + (place - below) * (right - left))


@njit(inline="always")
def stage_s(
    own: np.uint64,
    stage: int,
    units: float,
    costs_s: NDArray[np.float64],
    residuals_s: NDArray[np.float64],
) -> float:
    """Draw the time that a stage takes over a frame, seconds.

    Args:
        own: The frame's key.
        stage: A `StageIndex`.
        units: Bytes or faces.
        costs_s: As in `ServiceTables`.
        residuals_s: Likewise.
    """
    if units <= 0.0 and stage >= StageIndex.ALIGN:
        return float(costs_s[stage, 2])
    fitted_s = costs_s[stage, 0] + costs_s[stage, 1] * units
    drawn_s = fitted_s + residual_s(own, stage, residuals_s)
    # A residual measured on a long service must not make a short one negative.
    return float(max(drawn_s, 0.2 * fitted_s))


@njit(cache=True, nogil=True)
def height_bin(inverse_height: float) -> int:
    """Place a face in its bin by the inverse of its height; -1 is too small."""
    found = -1
    for edge in HEIGHT_EDGES_PX:
        if inverse_height * edge > 1.0:
            break
        found += 1
    return found


def in_view(
    camera: int, capture_s: float, passages: Passages
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List who is in view of a camera at a moment, and the bin of each one's height.

    The plain form of what `look` does, for those who only want to know.
    """
    rows = np.arange(passages.start[camera], passages.start[camera + 1])
    here = (passages.t_in_s[rows] <= capture_s) & (capture_s <= passages.t_out_s[rows])
    rows = rows[here]
    inverse = passages.inverse_height[rows] + passages.inverse_rate[rows] * (
        capture_s - passages.t_in_s[rows]
    )
    edges = np.array(HEIGHT_EDGES_PX)
    places = (inverse[:, None] * edges[None, :] <= 1.0).sum(axis=1) - 1
    return rows[places >= 0], places[places >= 0]


@njit(cache=True, nogil=True)
def track_state(
    n_seen: int, n_shots: int, n_refused: int, is_due: bool, max_shots: int
) -> int:
    """Say where a track stands before this frame.

    Whether a face that is due was refused before makes all the difference: those that
    turn away keep turning away, and those that do not are embedded together, again
    and again, at one interval.

    Returns:
        0 first sighting; 1 seen a few times, 2 many times, never embedded; 3 embedded
        a moment ago; 4 due, 5 due and refused before; 6 and 7 the same with all of its
        places taken.
    """
    if n_seen == 0:
        return 0
    if n_shots == 0:
        return 1 if n_seen < _HOPELESS_AFTER else 2
    if not is_due:
        return 3
    refused = 1 if n_refused > 0 else 0
    return (4 if n_shots < max_shots else 6) + refused


def look(
    own: np.uint64,
    camera: int,
    capture_s: float,
    passages: Passages,
    memory: Memory,
    tables: ServiceTables,
    alerted: NDArray[np.int64],
) -> tuple[int, int, int]:
    """See who is in view of a frame, and embed some of them.

    Args:
        own: The frame's key.
        camera: Of the frame.
        capture_s: Of the frame, later than that of any frame of the camera before.
        passages: Who walks.
        memory: Of the frames before; changed.
        tables: Service times and chances.
        alerted: (p,) written: the passages that alert in this frame.

    Returns:
        Faces in view, faces embedded, passages that alert.
    """
    return look_at(
        own, camera, capture_s, passages.start, passages.t_in_s, passages.t_out_s,
        passages.inverse_height, passages.inverse_rate, passages.alert_shot,
        memory.last_s, memory.n_shots, memory.n_seen, memory.n_refused, memory.low,
        memory.high, tables.hazards, tables.stray, tables.interval_s, tables.max_shots,
        alerted,
    )  # fmt: skip


@njit(inline="always")
def look_at(  # noqa: PLR0913, PLR0917 - `look`, with its tuples taken apart
    own: np.uint64,
    camera: int,
    capture_s: float,
    start: NDArray[np.int64],
    t_in_s: NDArray[np.float64],
    t_out_s: NDArray[np.float64],
    inverse_height: NDArray[np.float64],
    inverse_rate: NDArray[np.float64],
    alert_shot: NDArray[np.int32],
    last_s: NDArray[np.float64],
    n_shots: NDArray[np.int32],
    n_seen: NDArray[np.int32],
    n_refused: NDArray[np.int32],
    low_of: NDArray[np.int64],
    high_of: NDArray[np.int64],
    hazards: NDArray[np.float64],
    stray: float,
    interval_s: float,
    max_shots: int,
    alerted: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Do what `look` says: numba counts references of arrays found in tuples."""
    end, high = start[camera + 1], high_of[camera]
    while high < end and t_in_s[high] <= capture_s:
        high += 1
    high_of[camera] = high
    low = low_of[camera]
    while low < high and t_out_s[low] < capture_s:
        low += 1
    low_of[camera] = low
    n_faces = n_embedded = n_alerted = 0
    for p in range(low, high):
        if t_out_s[p] < capture_s:
            continue
        seen_for_s = capture_s - t_in_s[p]
        place = height_bin(inverse_height[p] + inverse_rate[p] * seen_for_s)
        if place < 0:
            continue
        n_faces += 1
        is_due = capture_s - last_s[p] >= interval_s
        state = track_state(n_seen[p], n_shots[p], n_refused[p], is_due, max_shots)
        n_seen[p] += 1
        if unit(own, _FACES + p) < hazards[state, place]:
            n_embedded += 1
            n_shots[p] += 1
            n_refused[p] = 0
            last_s[p] = capture_s
            if n_shots[p] == alert_shot[p]:
                alerted[n_alerted] = p
                n_alerted += 1
        elif is_due:
            n_refused[p] += 1
    whole = int(stray)
    n_embedded += whole
    if unit(own, _STRAY) < stray - whole:
        n_embedded += 1
    return n_faces, n_embedded, n_alerted
