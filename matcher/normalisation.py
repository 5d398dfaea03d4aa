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

from matcher.records import CandidateLists

if TYPE_CHECKING:
    from matcher.config import DecisionConfig
    from matcher.protocols import GalleryIndex
    from matcher.records import Embeddings

__all__ = ["NormalisedIndex", "normalised"]

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
            above = others.mean(axis=1, keepdims=True) - _USUAL
            scores = scores - self._weight * above
        return CandidateLists(rows=found.rows[:, :k], scores=scores)


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
