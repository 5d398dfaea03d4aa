"""The thread that turns pictures into templates and, if asked, searches for them.

Owns the queue and the batches: pictures of different requests that wait together are
embedded together and searched together. A picture and its template are dropped once
its request has its answer. Knows nothing of HTTP.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from matcher.photos import NoTemplate, PhotoTemplate
from matcher.records import Embeddings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matcher.photos import PhotoReader
    from matcher.records import CandidateLists, SubjectId
    from matcher.service.config import PhotosConfig
    from matcher.service.lanes.watch import Watch

__all__ = ["Found", "PhotoJob", "PhotoLane", "PhotoOutcome"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """A picture that was searched for.

    Attributes:
        photo: Its face.
        subject_ids, scores: Candidates, best first.
        watch: What was searched.
    """

    photo: PhotoTemplate
    subject_ids: tuple[SubjectId, ...]
    scores: tuple[float, ...]
    watch: Watch


PhotoOutcome: TypeAlias = Found | PhotoTemplate | NoTemplate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhotoJob:
    """One picture.

    Attributes:
        content: A JPEG or PNG file.
        search: What to search and how deep; None if the template is all that is
            wanted.
        ended: Called with what became of it, on the lane's thread.
    """

    content: bytes
    search: tuple[Watch, int] | None
    ended: Callable[[PhotoOutcome | Exception], None]


class PhotoLane:
    """A thread with its queue.

    Args:
        reader: Makes templates.
        config: How large batches are, and what they wait for.
        took: Told how long a picture took, seconds.
        batched: Told how many pictures were done together.
    """

    def __init__(
        self,
        reader: PhotoReader,
        config: PhotosConfig,
        *,
        took: Callable[[float], None],
        batched: Callable[[int], None],
    ) -> None:
        self._reader = reader
        self._config = config
        self._took = took
        self._batched = batched
        self._news = threading.Condition()
        self._jobs: deque[PhotoJob] = deque()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="photos", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, job: PhotoJob) -> None:
        """Add a picture."""
        with self._news:
            self._jobs.append(job)
            self._news.notify()

    def stop(self) -> None:
        """End what is here, then leave."""
        with self._news:
            self._is_stopping = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            began_s = time.perf_counter()
            ends = self._work(batch)
            self._took((time.perf_counter() - began_s) / len(batch))
            self._batched(len(batch))
            for job, end in zip(batch, ends, strict=True):
                job.ended(end)

    def _take(self) -> list[PhotoJob]:
        """Take a batch; wait for it. An empty one says that there will be no more."""
        with self._news:
            self._news.wait_for(lambda: self._jobs or self._is_stopping)
            ends_s = time.monotonic() + self._config.batch_wait_s
            while len(self._jobs) < self._config.max_batch and not self._is_stopping:
                left_s = ends_s - time.monotonic()
                if left_s <= 0.0 or not self._news.wait(left_s):
                    break
            n = min(len(self._jobs), self._config.max_batch)
            return [self._jobs.popleft() for _ in range(n)]

    def _work(self, batch: Sequence[PhotoJob]) -> list[PhotoOutcome] | list[Exception]:
        try:
            read = self._reader.read([job.content for job in batch])
            return _search(batch, read)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            # One request's misfortune must not end the lane; each is told.
            _LOG.exception("a batch of %d pictures failed", len(batch))
            return [error] * len(batch)


def _search(
    batch: Sequence[PhotoJob], read: Sequence[PhotoTemplate | NoTemplate]
) -> list[PhotoOutcome]:
    """Search for those that want it, all who search the same together."""
    ends: list[PhotoOutcome] = list(read)
    wanted: dict[int, list[int]] = {}
    for row, (job, photo) in enumerate(zip(batch, read, strict=True)):
        if job.search is not None and isinstance(photo, PhotoTemplate):
            wanted.setdefault(id(job.search[0]), []).append(row)
    for rows in wanted.values():
        searches = [(batch[row].search, read[row]) for row in rows]
        asked = [(s, p) for s, p in searches if s and isinstance(p, PhotoTemplate)]
        watch = asked[0][0][0]
        vectors = np.stack([photo.template for _, photo in asked])
        deepest = max(k for (_, k), _ in asked)
        found = watch.live.index.search(Embeddings(vectors=vectors), k=deepest)
        for at, (row, ((_, k), photo)) in enumerate(zip(rows, asked, strict=True)):
            ends[row] = _found(watch, photo, found, at=at, k=k)
    return ends


def _found(
    watch: Watch, photo: PhotoTemplate, found: CandidateLists, *, at: int, k: int
) -> Found:
    return Found(
        photo=photo,
        subject_ids=tuple(watch.live.subject_ids[row] for row in found.rows[at, :k]),
        scores=tuple(float(score) for score in found.scores[at, :k]),
        watch=watch,
    )
