"""More cameras than were rendered, and longer ones: the same clips, shown again.

Owns the cutting of a clip at a key frame, its repetition, and what becomes of its
truth there. Knows nothing of when frames are due.

A camera more shows a rendered clip from another key frame on, so that its crowds are
not dense when the others' are. Whoever walks where the clip is cut is not seen from
end to end: both parts stay in the truth, and neither counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.load.sources import demux, is_keyframe
from synthetic_crowds.records import (
    NO_PASSAGE,
    CameraId,
    Clip,
    FaceTruth,
    Passage,
    PassageId,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Feed", "feed_of", "feed_with", "repeated", "turned", "with_cameras"]

# The golden section spreads any number of starts evenly, whatever was there before.
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
# Between a camera's name and the number of its copy.
_COPY = "~"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Feed:
    """What one camera sends, and what is true of it.

    Attributes:
        clip: Its truth; `path` is the rendered file, whose frames may be elsewhere.
        packets: One per frame of the clip.
        keyframes: (k,) int64, increasing: frames that need none before them.
    """

    clip: Clip
    packets: tuple[bytes, ...]
    keyframes: NDArray[np.int64]


def feed_of(clip: Clip) -> Feed:
    """Read a clip's packets; see `bench.load.sources.demux` for what may go wrong."""
    return feed_with(clip, demux(clip))


def feed_with(clip: Clip, packets: tuple[bytes, ...]) -> Feed:
    """Join a clip with its packets, and find the key frames among them."""
    keyframes = np.flatnonzero([is_keyframe(packet) for packet in packets])
    return Feed(clip=clip, packets=packets, keyframes=keyframes)


def with_cameras(feeds: Sequence[Feed], n_cameras: int) -> tuple[Feed, ...]:
    """Take so many cameras: the first ones, or all and copies of them.

    Copy `j` of a camera is named `name~j` and begins at another key frame.

    Args:
        feeds: Of the cameras that were rendered.
        n_cameras: At least 1.

    Raises:
        BenchError: If a camera's own name looks like that of a copy.
    """
    cameras = list(feeds[:n_cameras])
    for k in range(len(feeds), n_cameras):
        source = feeds[k % len(feeds)]
        if _COPY in source.clip.camera_id:
            message = (
                f"camera ids must hold no '{_COPY}' where load.cameras asks for "
                f"copies, got '{source.clip.camera_id}'; rename the camera"
            )
            raise BenchError(message)
        copy = k // len(feeds)
        starts = source.keyframes
        start = int(starts[int(len(starts) * (copy * _GOLDEN % 1.0))])
        name = CameraId(f"{source.clip.camera_id}{_COPY}{copy}")
        cameras.append(turned(source, start, camera_id=name))
    return tuple(cameras)


def turned(feed: Feed, start: int, *, camera_id: CameraId) -> Feed:
    """Begin a feed at a key frame and end it before that.

    Args:
        feed: As rendered.
        start: The key frame to begin with.
        camera_id: Of the new camera.
    """
    return _spliced(feed, ((start, len(feed.packets)), (0, start)), camera_id=camera_id)


def repeated(feed: Feed, times: int) -> Feed:
    """Show a feed several times without a pause, each time with other passages."""
    if times == 1:
        return feed
    whole = (0, len(feed.packets))
    return _spliced(feed, (whole,) * times, camera_id=feed.clip.camera_id)


def _spliced(
    feed: Feed, parts: tuple[tuple[int, int], ...], *, camera_id: CameraId
) -> Feed:
    """Put stretches of frames `[first, end)` of a feed one after another."""
    clip, faces = feed.clip, feed.clip.faces
    passages: list[Passage] = []
    rows: list[NDArray[np.int64]] = []
    frame_index: list[NDArray[np.int32]] = []
    passage_index: list[NDArray[np.int32]] = []
    packets: list[bytes] = []
    for number, (first, end) in enumerate(parts):
        begins_s, ends_s = first / clip.fps, end / clip.fps
        shift_s = len(packets) / clip.fps - begins_s
        inside = (faces.frame_index >= first) & (faces.frame_index < end)
        own = np.flatnonzero(inside)
        passage = faces.passage_index[own]
        seen = np.unique(passage[passage != NO_PASSAGE])
        place = np.full(len(clip.passages), NO_PASSAGE, dtype=np.int32)
        place[seen] = np.arange(len(passages), len(passages) + len(seen))
        rows.append(own)
        frame_index.append(
            faces.frame_index[own] - np.int32(first) + np.int32(len(packets))
        )
        passage_index.append(np.where(passage == NO_PASSAGE, passage, place[passage]))
        for k in seen:
            old = clip.passages[int(k)]
            is_whole = begins_s <= old.t_in_s and old.t_out_s < ends_s
            passages.append(
                replace(
                    old,
                    passage_id=PassageId(f"{camera_id}-{number}-{old.passage_id}"),
                    camera_id=camera_id,
                    # Cut in two, it was never watched from end to end.
                    t_in_s=old.t_in_s + shift_s if is_whole else -np.inf,
                    t_out_s=old.t_out_s + shift_s,
                )
            )
        packets.extend(feed.packets[first:end])
    taken = np.concatenate(rows)
    truth = FaceTruth(
        frame_index=np.concatenate(frame_index),
        passage_index=np.concatenate(passage_index),
        box_xyxy=faces.box_xyxy[taken],
        landmarks=faces.landmarks[taken],
        yaw_pitch_roll_deg=faces.yaw_pitch_roll_deg[taken],
        face_height_px=faces.face_height_px[taken],
        visibility=faces.visibility[taken],
        body_box_xyxy=faces.body_box_xyxy[taken],
    )
    new = replace(
        clip,
        camera_id=camera_id,
        n_frames=len(packets),
        passages=tuple(passages),
        faces=truth,
    )
    return feed_with(new, tuple(packets))
