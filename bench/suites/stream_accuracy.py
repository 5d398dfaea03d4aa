"""Who is found, by the engine and by the plain loop, on the same clips.

Both see every frame, whatever it takes. A passage's score is the best that any search
of it reached: with the right subject if the person is enrolled, with anybody if not.
The threshold of each system is set on these very non-mated passages, so that both are
read at the same false positive identification rate and only the order of scores counts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bench.suites.straightforward import StraightforwardLoop
from matcher.assembly import assemble
from matcher.records import CameraId, EncodedFrame
from matcher.worker import Worker, unhurried
from training.streams import PassageJoin

__all__ = ["Found", "Scores", "compare", "engine_scores", "found", "loop_scores"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """What a system made of the passages of all clips, in one order for all systems.

    Attributes:
        mated: (m,) best score with the right subject; -1 where none was searched.
        non_mated: (n,) best score with anybody; -1 likewise.
        nobody: Scores of searches that belong to no passage: false detections, and
            people who never entered the zone.
        embedded: Faces embedded a frame.
        cpu_s: Processor time a frame, of the thread that did it.
    """

    mated: np.ndarray
    non_mated: np.ndarray
    nobody: np.ndarray
    embedded: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Passages found at a threshold of the system's own.

    Attributes:
        threshold: The lowest at which no more than `n_false` alert.
        n_found, n_mated: Mated passages that alert with the right subject; all.
        n_false, n_non_mated: Non-mated passages that alert; all.
        hit: (n_mated,) bool, which were found.
    """

    threshold: float
    n_found: int
    n_mated: int
    n_false: int
    n_non_mated: int
    hit: np.ndarray


def engine_scores(streams, config, gallery):
    """Run every clip through the matcher."""
    clock = time.perf_counter_ns
    return _scores(
        streams,
        gallery,
        lambda: Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock),
    )


def loop_scores(streams, config, gallery):
    """Run every clip through the plain loop."""
    return _scores(streams, gallery, lambda: StraightforwardLoop(config, gallery))


def found(scores, *, n_false):
    """Read scores at the lowest threshold at which `n_false` non-mated passages alert.

    A candidate alerts at or above the threshold, so it stands just above the next one.
    """
    ranked = np.sort(scores.non_mated)[::-1]
    threshold = float(np.nextafter(ranked[n_false], np.inf))
    hit = scores.mated >= threshold
    return Found(
        threshold=threshold,
        n_found=int(hit.sum()),
        n_mated=len(hit),
        n_false=int((scores.non_mated >= threshold).sum()),
        n_non_mated=len(ranked),
        hit=hit,
    )


def compare(ours, theirs):
    """Tell how many passages we found and they did not, and the other way round."""
    return int((ours.hit & ~theirs.hit).sum()), int((theirs.hit & ~ours.hit).sum())


def _scores(streams, gallery, make_handler):
    enrolled = set(gallery.subject_ids)
    best = {True: [], False: []}
    nobody, n_probes, n_frames, cpu_s = [], 0, 0, 0.0
    for clip, packets in zip(streams.crowd.clips, streams.packets, strict=True):
        handler, join = make_handler(), PassageJoin(clip)
        people = [passage.person_id for passage in clip.passages]
        scores = np.full(len(people), -1.0)
        frames = [
            EncodedFrame(
                camera_id=CameraId(clip.camera_id),
                index=index,
                capture_time_ns=round(index * 1e9 / clip.fps),
                packet=packet,
            )
            for index, packet in enumerate(packets)
        ]
        n_frames += len(frames)
        results = unhurried(frames, handler, clock=time.perf_counter_ns)
        while True:
            begun_s = time.thread_time()
            result = next(results, None)
            cpu_s += time.thread_time() - begun_s
            if result is None:
                break
            boxes = [probe.box_xyxy for probe in result.probes]
            owners = join.passages(result.outcome.frame_index, boxes)
            n_probes += len(boxes)
            for probe, owner in zip(result.probes, owners, strict=True):
                if owner is None:
                    nobody.append(probe.comparison_score)
                elif people[owner] not in enrolled or probe.subject_id == people[owner]:
                    scores[owner] = max(scores[owner], probe.comparison_score)
        for person, score in zip(people, scores, strict=True):
            best[person in enrolled].append(score)
    return Scores(
        mated=np.array(best[True]),
        non_mated=np.array(best[False]),
        nobody=np.array(nobody),
        embedded=n_probes / n_frames,
        cpu_s=cpu_s / n_frames,
    )
