"""How long a worker takes over a frame.

Owns the tables of service times and the draws from them. Both the SimPy model and the
kernel call these functions, at the same addresses of the random numbers, so they may
differ in nothing but the queue. Knows nothing of queues.

A stage takes `base + per_unit * units` seconds, and `once + per_face * faces` more if
any face is embedded, times one plus a residual drawn from the measured ones. Units are
bytes for decoding and faces in view for detecting, tracking and aligning. Decoding
pays `once` for a frame that is looked at: the picture of a skipped one is never
converted. Three things stretch a whole frame: how long the detector has been at rest
(its weights leave the caches), how many workers are busy, and the sway of the machine,
which holds for a moment and then changes.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from sim.compiled import compiled
from sim.draws import PARTS, own_key, part, unit, word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sim.looking import LookRules

__all__ = [
    "REST_S",
    "SWAY_S",
    "Column",
    "Gap",
    "ServiceTables",
    "coldness",
    "gap_s",
    "is_lost",
    "quantile",
    "stage_s",
    "sway",
]

# A detector at rest for this long is half as cold as it can get.
REST_S = 0.05
# The machine's sway is drawn anew this often: a quick and a slow one.
SWAY_S = (0.25, 2.0)


class Gap(IntEnum):
    """Times between frames, and where their quantiles stand in `gaps_s`."""

    # Between a frame's end and the next one's start: results are sent, frames stamped.
    TURNAROUND = 0
    # From a frame's arrival at an idle worker until it stirs.
    WAKE = 1
    # From planned capture to an idle worker's hands; to a busy one's, whose receiving
    # thread must first get a core.
    WAY_IDLE = 2
    WAY_BUSY = 3


class Column(IntEnum):
    """Columns of `costs_s`."""

    BASE = 0
    PER_UNIT = 1
    ONCE = 2
    PER_FACE = 3


class ServiceTables(NamedTuple):
    """Service times of one matcher on one machine, for one gallery.

    Attributes:
        costs_s: (7, 4) float64, a row per stage, by `Column`.
        residuals: (7, q) float64, of each stage at q even levels from 0 to 1, as
            shares of the fitted time.
        rest: (7,) float64, what a stage takes longer after a long rest, as a share.
        gaps_s: (4, q) float64, quantiles by `Gap`.
        sway: (2, q) float64, quantiles of the quick and of the slow sway, as shares.
        slowdown: (w + 1,) float64, factor on service with that many workers busy.
        look: When a frame is searched, and a face embedded.
    """

    costs_s: NDArray[np.float64]
    residuals: NDArray[np.float64]
    rest: NDArray[np.float64]
    gaps_s: NDArray[np.float64]
    sway: NDArray[np.float64]
    slowdown: NDArray[np.float64]
    look: LookRules


# Words of a frame's draws. Stages come first, four to a word.
_GAP_WORD = 2
_LOSS = 3
# Sways are drawn for the whole node, by time; no row of frames reaches this item.
_SWAY_ITEM = 1 << 40


@compiled()
def quantile(table: NDArray[np.float64], row: int, level: float) -> float:
    """Read a quantile at a level in (0, 1) off a row of values at even levels."""
    place = level * (table.shape[1] - 1)
    below = int(place)
    left, right = table[row, below], table[row, below + 1]
    return float(left + (place - below) * (right - left))


@compiled()
def stage_s(
    own: np.uint64,
    stage: int,
    units: float,
    faces: int,
    costs_s: NDArray[np.float64],
    residuals: NDArray[np.float64],
) -> float:
    """Draw the time that a stage takes over a frame, seconds.

    Args:
        own: The frame's key.
        stage: A `StageIndex`.
        units: Bytes, or faces in view.
        faces: Faces embedded; for decoding, detecting and tracking, 1 if the frame
            is searched.
        costs_s: As in `ServiceTables`.
        residuals: Likewise.
    """
    fitted_s = costs_s[stage, 0] + costs_s[stage, 1] * units
    if faces > 0:
        fitted_s += costs_s[stage, 2] + costs_s[stage, 3] * faces
    if fitted_s <= 0.0:
        return 0.0
    level = part(word(own, stage // PARTS), stage % PARTS)
    return float(fitted_s * (1.0 + quantile(residuals, stage, level)))


@compiled()
def gap_s(own: np.uint64, gap: int, gaps_s: NDArray[np.float64]) -> float:
    """Draw one of a frame's gaps, seconds."""
    return quantile(gaps_s, gap, part(word(own, _GAP_WORD), gap))


@compiled()
def is_lost(own: np.uint64, loss_share: float) -> bool:
    """Say whether the network loses a frame."""
    return loss_share > 0.0 and unit(own, _LOSS) < loss_share


@compiled()
def coldness(away_s: float) -> float:
    """Say how cold a detector is that has rested so long: from 0 to 1 for ever."""
    return 1.0 - REST_S / (away_s + REST_S)


@compiled()
def sway(key: np.uint64, time_s: float, table: NDArray[np.float64]) -> float:
    """Return the factor by which the machine is slower at a moment than on average.

    Args:
        key: Of the random numbers.
        time_s: When.
        table: `ServiceTables.sway`.
    """
    own = own_key(key, _SWAY_ITEM)
    quick = part(word(own, 2 * int(time_s / SWAY_S[0])), 0)
    slow = part(word(own, 2 * int(time_s / SWAY_S[1]) + 1), 0)
    return 1.0 + quantile(table, 0, quick) + quantile(table, 1, slow)
