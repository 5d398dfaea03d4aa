"""What the matcher finds in a clip when nothing hurries it.

Owns the look at a clip that a calibration and a validation begin with: every frame is
searched, every face that can be embedded is, and the quality of each one is written
down. What becomes of a face under load follows from that by the matcher's own rule.
Part of the shell: looks are kept in the crowd's cache. Knows nothing of time.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.load.sources import demux
from bench.planning.replay import Footage
from bench.planning.synthetic_gallery import gallery_of
from matcher.config import CadenceConfig
from matcher.ingest import is_key_frame
from matcher.records import CameraId, EncodedFrame
from matcher.worker import run_unhurried
from sim.looking import TOO_SMALL
from synthetic_crowds.film.processes import leave_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.gallery import Gallery
    from synthetic_crowds.records import Clip

__all__ = ["load_footage", "look_closely"]

_NS_PER_S = 1e9
# The fewest templates that make an index.
_GALLERY = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A clip to be looked at."""

    packets: tuple[bytes, ...]
    fps: float
    matcher: MatcherConfig
    gallery: Gallery
    clock: Callable[[], int]


def load_footage(
    clips: Sequence[Clip],
    gallery: Gallery,
    *,
    matcher: MatcherConfig,
    cache: Path,
    workers: int,
    clock: Callable[[], int],
    progress: Callable[[str, int, int], None],
) -> tuple[Footage, ...]:
    """Hold clips in memory, and look at each of them unhurriedly, once for all.

    Args:
        clips: Rendered.
        gallery: The enrolled; a few of them are searched.
        matcher: Settings of the matcher.
        cache: Where looks are kept.
        workers: Clips looked at in parallel.
        clock: Nanoseconds.
        progress: Told of clips looked at.

    Raises:
        BenchError: If a clip has fewer than two key frames, or at uneven steps.
    """
    closely = look_closely(matcher)
    few = gallery_of(gallery, min(_GALLERY, len(gallery)))
    held = [demux(clip) for clip in clips]
    steps = [
        _key_every(packets, clip) for packets, clip in zip(held, clips, strict=True)
    ]
    tasks = [
        _Task(packets=packets, fps=clip.fps, matcher=closely, gallery=few, clock=clock)
        for packets, clip in zip(held, clips, strict=True)
    ]
    paths = [cache / "looks" / f"{_name(task)}.npz" for task in tasks]
    lacking = [k for k, path in enumerate(paths) if not path.exists()]
    progress("look at every face", len(tasks) - len(lacking), len(tasks))
    if lacking:
        with ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=leave_with_parent
        ) as pool:
            looks = pool.map(_look, [tasks[k] for k in lacking])
            for done, (k, look) in enumerate(zip(lacking, looks, strict=True), 1):
                paths[k].parent.mkdir(parents=True, exist_ok=True)
                part = paths[k].with_suffix(".part.npz")
                np.savez(part, found=look)
                part.replace(paths[k])
                so_far = len(tasks) - len(lacking) + done
                progress("look at every face", so_far, len(tasks))
    footage = []
    for clip, packets, path, step in zip(clips, held, paths, steps, strict=True):
        found = np.load(path)["found"]
        footage.append(
            Footage(
                packets=packets,
                key_every=step,
                fps=clip.fps,
                pixels=clip.width_px * clip.height_px,
                n_passages=len(clip.passages),
                frame=found[:, 0].astype(np.int64),
                track=found[:, 1].astype(np.int64),
                quality=found[:, 2].astype(np.float32),
            )
        )
    return tuple(footage)


def look_closely(matcher: MatcherConfig) -> MatcherConfig:
    """Let a matcher search every frame, and embed all it can from the first on."""
    shots = matcher.best_shot.model_copy(
        update={"interval_s": 1e-3, "max_shots": 100, "min_gain": 0.0}
    )
    return matcher.model_copy(
        update={
            "cadence": CadenceConfig(young_interval_s=0.0, steady_interval_s=0.0),
            "quality": matcher.quality.model_copy(update={"min_quality": 0.0}),
            "best_shot": shots,
            "tracker": matcher.tracker.model_copy(update={"confirm_hits": 1}),
            "decision": matcher.decision.model_copy(update={"min_shots": 1}),
        }
    )


def _look(task: _Task) -> NDArray[np.float64]:
    """Look at every frame; (m, 3) float64: frame, track, quality of each face."""
    frames = [
        EncodedFrame(
            camera_id=CameraId("clip"),
            index=index,
            capture_time_ns=round((1.0 + index / task.fps) * _NS_PER_S),
            packet=packet,
        )
        for index, packet in enumerate(task.packets)
    ]
    found = []
    for result in run_unhurried(
        frames, config=task.matcher, gallery=task.gallery, clock=task.clock
    ):
        quality = {int(probe.track_id): probe.quality for probe in result.probes}
        found += [
            (result.outcome.frame_index, box[0], quality.get(int(box[0]), TOO_SMALL))
            for box in result.boxes
            if box[0] >= 0
        ]
    return np.array(found, np.float64).reshape(-1, 3)


def _name(task: _Task) -> str:
    """Name a look by all that it depends on."""
    told = hashlib.sha256(task.matcher.model_dump_json().encode())
    told.update(task.gallery.embedder_sha256.encode())
    for packet in task.packets:
        told.update(packet)
    return told.hexdigest()[:24]


def _key_every(packets: Sequence[bytes], clip: Clip) -> int:
    keys = [index for index, packet in enumerate(packets) if is_key_frame(packet)]
    if len(keys) < 2 or len(set(np.diff(keys).tolist())) != 1:
        message = (
            f"a clip must have key frames at even steps to be reused from the middle, "
            f"got {len(keys)} in {clip.path}; render it again"
        )
        raise BenchError(message)
    return keys[1] - keys[0]
