"""How well faces are followed: HOTA, MOTA and IDF1 on clips whose truth is known.

    make tracking

The measures are TrackEval's, the reference implementation; here are only the clips, and
which faces count. It asks for OpenCV with windows, which would overwrite ours, so it is
installed without its dependencies and used without its command line.

Source:
    Luiten et al., HOTA: a higher order metric for evaluating multi-object tracking,
    IJCV 129, 2021; Bernardin and Stiefelhagen, Evaluating multiple object tracking
    performance, JIVP 2008 (MOTA); Ristani et al., Performance measures and a data set
    for multi-target, multi-camera tracking, ECCV workshops 2016 (IDF1).
"""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy import optimize

from bench.load.sources import demux
from bench.suites.five_in_view import five_in_view, gallery_of
from matcher.assembly import assemble
from matcher.config import CadenceConfig, MatcherConfig
from matcher.records import CameraId, EncodedFrame
from matcher.tracking import NO_TRACK
from matcher.worker import Worker, unhurried

__all__ = ["Followed", "follow", "judge"]

# What a tracker must follow: faces that a template could be made of. A box on any
# other true face is neither right nor wrong, as in MOTChallenge's distractors.
_LEAST_HEIGHT_PX = 24.0
_LEAST_VISIBILITY = 0.5
_LEAST_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What TrackEval says of one clip.

    Attributes:
        hota, mota, idf1: Shares; 1 is perfect, MOTA may be negative.
        switches: Identity switches.
        fragments: Tracks broken off and taken up again.
        faces, people: True boxes that count, and whose they are.
    """

    hota: float
    mota: float
    idf1: float
    switches: int
    fragments: int
    faces: int
    people: int


def follow(clip, config, gallery):
    """Run a clip through the matcher; return each frame's tracks and boxes."""
    clock = time.perf_counter_ns
    worker = Worker(assemble(config, gallery, clock=clock).pipeline, clock=clock)
    frames = (
        EncodedFrame(
            camera_id=CameraId(clip.camera_id),
            index=index,
            capture_time_ns=round(index * 1e9 / clip.fps),
            packet=packet,
        )
        for index, packet in enumerate(demux(clip))
    )
    found = []
    for result in unhurried(frames, worker, clock=clock):
        rows = [box for box in result.boxes if box[0] != NO_TRACK]
        boxes = np.array([box[1:] for box in rows], np.float64).reshape(-1, 4)
        found.append((np.array([box[0] for box in rows], np.int64), boxes))
    return found


def judge(clip, found):
    """Compare tracks with the truth of their clip."""
    # Importing it says on standard output what it lacks for other benchmarks.
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: PLC0415 — an extra

    truth = clip.faces
    true_ids, track_ids, overlaps = [], [], []
    for index, (ids, boxes) in enumerate(found):
        rows = np.flatnonzero(truth.frame_index == index)
        counts = (truth.face_height_px[rows] >= _LEAST_HEIGHT_PX) & (
            truth.visibility[rows] >= _LEAST_VISIBILITY
        )
        shared = _iou(truth.box_xyxy[rows].astype(np.float64), boxes)
        matched = shared * (shared >= _LEAST_OVERLAP)
        a, b = optimize.linear_sum_assignment(matched, maximize=True)
        spare = b[(matched[a, b] > 0) & ~counts[a]]
        keep = np.setdiff1d(np.arange(len(ids)), spare)
        true_ids.append(truth.passage_index[rows[counts]].astype(int))
        track_ids.append(ids[keep])
        overlaps.append(shared[np.ix_(counts, keep)])
    data = {
        "gt_ids": _renumbered(true_ids),
        "tracker_ids": _renumbered(track_ids),
        "similarity_scores": overlaps,
        "num_timesteps": len(found),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, track_ids)),
        "num_gt_ids": len(set(np.concatenate(true_ids))),
        "num_tracker_ids": len(set(np.concatenate(track_ids))),
    }
    with contextlib.redirect_stdout(io.StringIO()):
        clear = CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
        identity = Identity({"PRINT_CONFIG": False}).eval_sequence(data)
        hota = HOTA().eval_sequence(data)
    return Followed(
        hota=float(np.mean(hota["HOTA"])),
        mota=float(clear["MOTA"]),
        idf1=float(identity["IDF1"]),
        switches=int(clear["IDSW"]),
        fragments=int(clear["Frag"]),
        faces=data["num_gt_dets"],
        people=data["num_gt_ids"],
    )


def _renumbered(ids):
    """Count identities from 0 without gaps, as TrackEval wants them."""
    _, numbers = np.unique(np.concatenate(ids), return_inverse=True)
    return np.split(numbers, np.cumsum([len(some) for some in ids])[:-1])


def _iou(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)


def main():
    """Follow the clips of five people in view at several cadences."""
    cv2.setNumThreads(1)
    clips = five_in_view()
    gallery = gallery_of(clips, MatcherConfig())
    table = Table(
        "clip", "searched for faces", "HOTA", "MOTA", "IDF1", "switches", "fragments"
    )
    for clip in clips.crowd.clips:
        for interval_s in (0.0, 0.15, 0.25):
            cadence = CadenceConfig(steady_interval_s=interval_s)
            config = MatcherConfig(cadence=cadence)
            said = judge(clip, follow(clip, config, gallery))
            table.add_row(
                f"{clip.camera_id}: {said.faces} faces of {said.people}",
                f"every {max(1, round(interval_s * clip.fps + 0.5))}. frame if steady",
                f"{said.hota:.3f}",
                f"{said.mota:.3f}",
                f"{said.idf1:.3f}",
                str(said.switches),
                str(said.fragments),
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
