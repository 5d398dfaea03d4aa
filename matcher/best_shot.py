"""Which faces of a track are embedded, and which are kept.

Owns the rule. Pure: a track's shots before give its shots after. Knows nothing of how
quality is measured.

The first good face is embedded at once, for an early alert; then a clearly better one;
then one at every interval, unless enough better ones are kept already.

Where two people cross, a tracker may go on with the wrong one. Boxes cannot tell, but
templates can: a face unlike all that is kept begins the track anew, lest it be searched
under its predecessor's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from matcher.fusion import fuse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import BestShotConfig

__all__ = ["Shots", "is_somebody_else", "is_worth_embedding", "no_shots", "with_shot"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shots:
    """What is kept of one track.

    Attributes:
        templates: (m, d) float32, unit length.
        qualities: (m,) float64 in [0, 1], one each.
        embedded_ns: Capture time of the face embedded last; 0 before the first.
    """

    templates: NDArray[np.float32]
    qualities: NDArray[np.float64]
    embedded_ns: int

    def __len__(self) -> int:
        return len(self.qualities)


def no_shots(dimension: int) -> Shots:
    """Begin: a track of which nothing is embedded."""
    return Shots(
        templates=np.empty((0, dimension), np.float32),
        qualities=np.empty(0),
        embedded_ns=0,
    )


def is_worth_embedding(
    shots: Shots, *, quality: float, time_ns: int, config: BestShotConfig
) -> bool:
    """Say whether a face, good enough in itself, adds to what is kept."""
    if len(shots) == 0:
        return True
    if quality >= (1.0 + config.min_gain) * shots.qualities.max():
        return True
    due = time_ns - shots.embedded_ns >= config.interval_s * 1e9
    full = len(shots) >= config.max_shots
    return due and not (full and quality <= shots.qualities.min())


def is_somebody_else(
    shots: Shots, template: NDArray[np.float32], *, config: BestShotConfig
) -> bool:
    """Say whether a new template is too unlike what is kept to be the same person's.

    Args:
        shots: What is kept so far.
        template: (d,) float32, unit length.
        config: Settings.
    """
    if len(shots) == 0:
        return False
    fused = fuse(shots.templates, shots.qualities, emphasis=config.emphasis)
    return float(fused @ template) < config.min_agreement


def with_shot(
    shots: Shots,
    *,
    template: NDArray[np.float32],
    quality: float,
    time_ns: int,
    config: BestShotConfig,
) -> Shots:
    """Keep a newly embedded face; beyond `max_shots` the worst one goes.

    Args:
        shots: What is kept so far.
        template: (d,) float32, unit length.
        quality: Of the new face.
        time_ns: Capture time of the new face.
        config: Settings.
    """
    templates = np.concatenate([shots.templates, template[None]])
    qualities = np.append(shots.qualities, quality)
    if len(qualities) > config.max_shots:
        worst = int(qualities.argmin())
        templates = np.delete(templates, worst, axis=0)
        qualities = np.delete(qualities, worst)
    return Shots(templates=templates, qualities=qualities, embedded_ns=time_ns)
