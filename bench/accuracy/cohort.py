"""A calibration cohort of a site: what people on no list would search for there.

Owns the recording of clips with truth, each in a process, and where recordings are
kept until all are there. The cohort's format and its use are `matcher.calibration`'s.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from bench.accuracy.association import TruthJoin
from bench.load.sources import demux
from matcher.assembly import embedder_sha256
from matcher.calibration import joined, load_cohort, save_cohort, settings_of
from matcher.recording import record_cohort
from matcher.records import CameraId, EncodedFrame
from synthetic_crowds.film.processes import in_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from matcher.calibration import Cohort
    from matcher.config import MatcherConfig
    from matcher.records import Probe
    from synthetic_crowds.records import Clip

__all__ = ["record_clip", "record_clips"]

_TITLE = "record searches"


def record_clip(
    clip: Clip, matcher: MatcherConfig, *, tick: Callable[[], None] = lambda: None
) -> Cohort:
    """Run a clip of people on no watchlist through the matcher; keep every search.

    Args:
        clip: With its truth.
        matcher: Settings; every frame is processed, however long that takes.
        tick: Called at every frame.

    Raises:
        BadInputError: If a plug-in is unknown, or a file is not what it should be.
    """
    truth = TruthJoin([clip], [])
    number = {p.passage_id: k for k, p in enumerate(clip.passages)}

    def frames() -> Iterator[EncodedFrame]:
        for index, packet in enumerate(demux(clip)):
            yield EncodedFrame(
                camera_id=CameraId(clip.camera_id),
                index=index,
                capture_time_ns=round(index / clip.fps * 1e9),
                packet=packet,
            )
            tick()

    def passage_of(probe: Probe) -> int | None:
        passage = truth.passage(probe)
        return None if passage is None else number[passage.passage_id]

    return record_cohort(
        frames(),
        config=matcher,
        passage_of=passage_of,
        n_passages=len(clip.passages),
        clock=time.perf_counter_ns,
    )


def record_clips(
    clips: Sequence[Clip],
    matcher: MatcherConfig,
    *,
    cache: Path,
    workers: int,
    progress: Callable[[str, int, int], None],
) -> Cohort:
    """Record each clip of a site, and make one cohort of all.

    Args:
        clips: At least one; nobody in them may be on the watchlist in use.
        matcher: Settings.
        cache: Keeps the recording of each clip, so that an interrupted call goes on.
        workers: Processes, from 1.
        progress: Told of frames.

    Raises:
        BadInputError: If a plug-in is unknown, or a file is not what it should be.
    """
    folder = cache / "cohorts"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{_name(clip, matcher)}.npz" for clip in clips]
    lacking = [number for number, path in enumerate(paths) if not path.exists()]
    n_frames = sum(clip.n_frames for clip in clips)
    begun = n_frames - sum(clips[number].n_frames for number in lacking)
    if lacking:
        in_processes(
            _record,
            [_Task(clips[number], matcher, paths[number]) for number in lacking],
            [0] * len(lacking),
            workers=workers,
            report=lambda counts: progress(_TITLE, begun + sum(counts), n_frames),
        )
    return joined([load_cohort(path.read_bytes()) for path in paths])


class _Task(NamedTuple):
    clip: Clip
    matcher: MatcherConfig
    path: Path


def _record(task: _Task, tick: Callable[[], None]) -> None:
    save_cohort(record_clip(task.clip, task.matcher, tick=tick), task.path)


def _name(clip: Clip, matcher: MatcherConfig) -> str:
    """Name a recording by all that it depends on."""
    parts = (clip.sha256, settings_of(matcher), embedder_sha256(matcher.embedder))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
