"""What is searched right now: one watchlist, its index and its threshold.

Owns the making of it. A watch never changes but for who is enrolled and withdrawn
while it is searched; another threshold or another watchlist is another watch, and
swapping it is one assignment. Knows nothing of storage or of requests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from matcher.assembly import AlertThreshold, alert_threshold, prepare_search

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from matcher.live_gallery import LiveGallery
    from matcher.records import SubjectId

__all__ = [
    "CurrentWatch",
    "Watch",
    "make_watch",
    "with_enrolled",
    "with_threshold",
    "without",
]

# Those enrolled since the index was made are searched one by one.
_MOST_BESIDE, _SHARE_BESIDE = 1000, 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """A watchlist in operation.

    Attributes:
        name, version: Of the watchlist.
        live: Who is on it, indexed.
        index: Registered name.
        threshold: Least score of an alert.
        config: Settings by which it was made, its own threshold's included.
        n_indexed: Enrolled when the index was made.
    """

    name: str
    version: int
    live: LiveGallery
    index: str
    threshold: AlertThreshold
    config: MatcherConfig
    n_indexed: int

    @property
    def is_overgrown(self) -> bool:
        """Whether so many have come beside the index that it should be made again."""
        n_beside = len(self.live.subject_ids) - self.n_indexed
        return n_beside > max(_MOST_BESIDE, _SHARE_BESIDE * self.n_indexed)


class CurrentWatch:
    """The one reference that a swap changes.

    Attributes:
        watch: What is searched; None while no watchlist is active.
    """

    def __init__(self) -> None:
        self.watch: Watch | None = None


def with_threshold(
    config: MatcherConfig, *, threshold: float | None, target_fpir: float | None
) -> MatcherConfig:
    """Return the settings with what was said of one watchlist's threshold."""
    changes: dict[str, object] = {}
    if threshold is not None:
        changes = {"threshold": threshold, "threshold_llr": None}
    elif target_fpir is not None:
        changes = {
            "threshold": None,
            "threshold_llr": None,
            "target_fpir": target_fpir,
        }
    decision = config.decision.model_copy(update=changes)
    return config.model_copy(update={"decision": decision})


def make_watch(
    gallery: Gallery, config: MatcherConfig, *, name: str, version: int
) -> Watch:
    """Index a gallery and find its threshold.

    Raises:
        BadInputError: If the gallery was made by another embedder, or no threshold
            can be calibrated.
    """
    search = prepare_search(config, gallery)
    return Watch(
        name=name,
        version=version,
        live=search.gallery,
        index=search.name,
        threshold=search.threshold,
        config=config,
        n_indexed=len(gallery),
    )


def with_enrolled(
    watch: Watch,
    subject_ids: Sequence[SubjectId],
    templates: NDArray[np.float32],
    *,
    version: int,
) -> Watch:
    """Enrol in the running search; return the watch with the threshold for it."""
    watch.live.enrol(subject_ids, templates)
    return _renewed(watch, version)


def without(watch: Watch, subject_ids: Sequence[SubjectId], *, version: int) -> Watch:
    """Withdraw from the running search; return the watch with its threshold."""
    watch.live.withdraw(subject_ids)
    return _renewed(watch, version)


def _renewed(watch: Watch, version: int) -> Watch:
    return replace(
        watch,
        version=version,
        threshold=alert_threshold(watch.config, watch.live.index),
    )
