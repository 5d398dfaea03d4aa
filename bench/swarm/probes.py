"""Probes for identify users: faces cut from the clips, with whom they show.

Owns which faces: of each passage the largest clear one in the zone. Knows nothing of
when they are posted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.load.settings import LoadConfig, LoadKind
from bench.load.workload import draw_plan
from bench.records import ArrivalPlan
from matcher.ingest import CameraDecoder
from matcher.records import CameraId, EncodedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from synthetic_crowds.records import Clip

__all__ = ["ProbePicture", "cut_probes", "draw_probe_plan"]

# More faces would only make the preparation longer: they are posted in turn.
_MOST = 64
# A face takes half of its picture's width: as a badge photo does.
_MARGIN = 0.5
_QUALITY = 95
# Nine tenths of it in view.
_CLEAR = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePicture:
    """One probe.

    Attributes:
        person_id: Whom it shows.
        content: A JPEG.
    """

    person_id: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Poster:
    """An identify user, in the eyes of the arrival plan."""

    camera_id: str
    fps: float
    n_frames: int


def draw_probe_plan(
    load: LoadConfig,
    *,
    rate_hz: float,
    duration_s: float,
    n_users: int,
    rng: np.random.Generator,
) -> ArrivalPlan:
    """Draw when probes are posted: at random, by the shape of the load.

    Args:
        load: Its shape and low share.
        rate_hz: Probes a second when all of the load is on; 0 for none.
        duration_s: Of the load.
        n_users: Who post them.
        rng: The stream of the arrivals.
    """
    if rate_hz <= 0.0:
        nothing = np.empty(0, dtype=np.int32)
        return ArrivalPlan(
            camera_ids=(),
            offset_ns=nothing.astype(np.int64),
            camera=nothing,
            frame_index=nothing.copy(),
        )
    by_chance = LoadConfig(
        kind=LoadKind.SERVER,
        shape=load.shape,
        low_share=load.low_share,
        rate_hz=rate_hz,
        duration_s=duration_s,
        warm_up_s=load.warm_up_s,
    )
    # Never short of probes: ten times what is expected, and a hundred.
    most = round(10 * rate_hz * duration_s) + 100
    posters = [
        _Poster(camera_id=f"identify-{k}", fps=most / duration_s, n_frames=most)
        for k in range(n_users)
    ]
    return draw_plan(posters, by_chance, rng=rng)


def cut_probes(
    clips: Sequence[Clip],
    packets: Sequence[Sequence[bytes]],
    *,
    progress: Callable[[str, int, int], None],
) -> tuple[ProbePicture, ...]:
    """Cut one face of every passage, until there are enough.

    Args:
        clips: With their truth.
        packets: Of each, in order.
        progress: Told how many frames were looked at.
    """
    found: list[ProbePicture] = []
    total = sum(len(series) for series in packets)
    done = 0
    for clip, series in zip(clips, packets, strict=True):
        wanted = _best_faces(clip)
        decoder = CameraDecoder()
        for index, packet in enumerate(series):
            if len(found) >= _MOST or not any(frame >= index for frame in wanted):
                break
            frame = EncodedFrame(
                camera_id=CameraId(str(clip.camera_id)),
                index=index,
                capture_time_ns=0,
                packet=packet,
            )
            picture = decoder.advance(frame)
            for person_id, box in wanted.get(index, ()):
                image_bgr = decoder.convert(frame, picture).image_bgr
                found.append(
                    ProbePicture(person_id=person_id, content=_cut(image_bgr, box))
                )
            done += 1
            progress("cut probes", done, total)
    progress("cut probes", total, total)
    return tuple(found)


def _best_faces(clip: Clip) -> dict[int, list[tuple[str, NDArray[np.float32]]]]:
    """Find each passage's largest clear face, by frame."""
    faces = clip.faces
    clear = np.flatnonzero(faces.visibility >= _CLEAR)
    best: dict[int, list[tuple[str, NDArray[np.float32]]]] = {}
    for number, passage in enumerate(clip.passages):
        own = clear[faces.passage_index[clear] == number]
        if len(own) == 0:
            continue
        row = int(own[faces.face_height_px[own].argmax()])
        index = int(faces.frame_index[row])
        best.setdefault(index, []).append((str(passage.person_id), faces.box_xyxy[row]))
    return best


def _cut(image_bgr: NDArray[np.uint8], box_xyxy: NDArray[np.float32]) -> bytes:
    height, width = image_bgr.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in box_xyxy)
    dx, dy = _MARGIN * (x2 - x1), _MARGIN * (y2 - y1)
    left, right = max(0, int(x1 - dx)), min(width, int(x2 + dx) + 1)
    top, bottom = max(0, int(y1 - dy)), min(height, int(y2 + dy) + 1)
    cut = np.ascontiguousarray(image_bgr[top:bottom, left:right])
    _, encoded = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()
