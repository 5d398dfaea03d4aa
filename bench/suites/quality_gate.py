"""What quality is worth: comparison scores of mated faces, decile by decile.

    python -m bench.suites.quality_gate [SCENARIO]

Every trusted face of every frame is embedded by itself and compared with the portrait
of the person it truly is. The gate belongs where a face no longer helps: where scores
are those of strangers. The table is the evidence for `quality.min_quality`.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.load.sources import demux
from bench.suites.five_in_view import SCENARIO, five_in_view, gallery_of
from matcher.assembly import assemble
from matcher.config import BestShotConfig, CadenceConfig, MatcherConfig, QualityConfig
from matcher.records import CameraId, EncodedFrame
from matcher.worker import Worker, unhurried
from training.streams import PassageJoin

__all__ = ["faces_of", "grade"]

_EVERY_FACE = MatcherConfig(
    cadence=CadenceConfig(steady_interval_s=0.0),
    quality=QualityConfig(min_quality=0.0, min_face_height_px=12.0),
    # One shot a search, and a search for every face.
    best_shot=BestShotConfig(max_shots=1, min_gain=0.0, interval_s=1e-6),
)


def faces_of(crowd, gallery, *, config=_EVERY_FACE):
    """Search every face of a crowd's clips by itself.

    Returns:
        Quality, score of the first candidate, and whether that is the right subject;
        and whether the person is enrolled at all: (n, 4).
    """
    clock = time.perf_counter_ns
    rows = []
    enrolled = set(gallery.subject_ids)
    for clip in crowd.clips:
        worker = Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock)
        join = PassageJoin(clip)
        frames = (
            EncodedFrame(
                camera_id=CameraId(clip.camera_id),
                index=index,
                capture_time_ns=round(index * 1e9 / clip.fps),
                packet=packet,
            )
            for index, packet in enumerate(demux(clip))
        )
        for result in unhurried(frames, worker, clock=clock):
            boxes = [probe.box_xyxy for probe in result.probes]
            owners = join.passages(result.outcome.frame_index, boxes)
            for probe, owner in zip(result.probes, owners, strict=True):
                if owner is not None:
                    person = clip.passages[owner].person_id
                    rows.append(
                        (
                            probe.quality,
                            probe.comparison_score,
                            probe.subject_id == person,
                            person in enrolled,
                        )
                    )
    return np.array(rows, np.float64)


def grade(faces, *, edges):
    """Yield, for each band of quality, how its faces fare.

    Args:
        faces: As `faces_of` returns them.
        edges: Ascending qualities that bound the bands.
    """
    quality, score, right, mated = faces.T
    for low, high in pairwise(edges):
        band = (quality >= low) & (quality < high)
        known, strangers = band & (mated == 1), band & (mated == 0)
        yield {
            "low": low,
            "high": high,
            "mated": int(known.sum()),
            "rank_one": float(right[known].mean()) if known.any() else float("nan"),
            "mated_score": _median(score[known & (right == 1)]),
            "stranger_score": _median(score[strangers]),
        }


def _median(values):
    return float(np.median(values)) if len(values) else float("nan")


def main(scenario):
    """Print the table for a scenario's clips."""
    cv2.setNumThreads(1)
    clips = five_in_view(scenario)
    gallery = gallery_of(clips, _EVERY_FACE)
    faces = faces_of(clips.crowd, gallery)
    table = Table("quality", "mated faces", "right at rank 1", "score", "strangers'")
    edges = np.append(np.quantile(faces[:, 0], np.linspace(0, 0.9, 10)), np.inf)
    for band in grade(faces, edges=edges):
        table.add_row(
            f"{band['low']:.2f} to {band['high']:.2f}",
            str(band["mated"]),
            f"{band['rank_one']:.1%}",
            f"{band['mated_score']:.3f}",
            f"{band['stranger_score']:.3f}",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else SCENARIO)
