"""Comparison scores, read against those of the runners-up.

Owns the correction. Knows nothing of how candidates are found or what a score decides.

Some probes resemble everybody: a face in bad light, a child's, one of a group that the
embedder knows little of. Their best score is high without telling much, and their
runners-up show it, since they are strangers' almost always. So half of what the
runners-up score above the usual is taken off all of a probe's scores. It moves no
candidate past another; it makes one threshold serve all probes.

Source:
    Auckenthaler et al., Score normalization for text-independent speaker verification
    systems, Digital Signal Processing 10, 2000 (T-norm); Tulyakov and Govindaraju, Use
    of identification trial statistics for the combination of biometric matchers, IEEE
    TIFS 3(4), 2008 (the second best score). The weight is ours, chosen on streets of
    the calibration domain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matcher.records import CandidateLists

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from matcher.config import DecisionConfig
    from matcher.protocols import GalleryIndex
    from matcher.records import Embeddings

__all__ = ["NormalisedIndex", "allowing_for", "normalised"]

# What a stranger's runners-up score against ten thousand: there a score stays what it
# is, so that thresholds stay in the range that people know.
_USUAL = 0.5


class NormalisedIndex:
    """An index whose scores allow for the runners-up.

    Args:
        index: What is searched.
        runners_up: How many of those after the first are looked at.
        weight: Share of their mean that is taken off.
    """

    def __init__(self, index: GalleryIndex, *, runners_up: int, weight: float) -> None:
        self._index = index
        self._runners_up = runners_up
        self._weight = weight

    def search(self, probes: Embeddings, *, k: int) -> CandidateLists:
        """Return the k best of the gallery for each probe, best first.

        A gallery of one has no runners-up: its scores stay cosines.
        """
        found = self._index.search(probes, k=max(k, 1 + self._runners_up))
        others = found.scores[:, 1 : 1 + self._runners_up]
        scores = found.scores[:, :k]
        if others.shape[1] > 0:
            scores = allowing_for(others, scores, weight=self._weight)
        return CandidateLists(rows=found.rows[:, :k], scores=scores)


def allowing_for(
    runners_up: NDArray[np.float32], scores: NDArray[np.float32], *, weight: float
) -> NDArray[np.float32]:
    """Take off what the runners-up score above the usual.

    Args:
        runners_up: (n, r) cosines of each probe's runners-up, r at least 1.
        scores: (n, k) cosines of its candidates.
        weight: Share of the runners-up's mean that is taken off.

    Returns:
        (n, k) comparison scores.
    """
    above = runners_up.mean(axis=1, keepdims=True) - np.float32(_USUAL)
    allowed: NDArray[np.float32] = scores - np.float32(weight) * above
    return allowed


def normalised(index: GalleryIndex, config: DecisionConfig) -> GalleryIndex:
    """Let an index give the scores that the settings ask for.

    A log-likelihood ratio speaks of two templates alone: with `threshold_llr` scores
    stay cosines.
    """
    if config.runners_up == 0 or config.threshold_llr is not None:
        return index
    return NormalisedIndex(
        index, runners_up=config.runners_up, weight=config.runner_up_weight
    )
