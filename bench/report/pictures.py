"""Pictures of a run: what each camera saw, and the faces behind each alert.

Owns which frames are shown and writes them with their index into the run folder.
Part of the shell: it decodes clips and writes files. Knows nothing of the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from bench.report.album import (
    FOLDER,
    Album,
    AlertPicture,
    CameraPicture,
    PersonNote,
    write_album,
)
from bench.report.overlay import Kind, Mark, annotate, crop_face
from matcher.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from bench.records import AlertOutcome, RunRecord
    from matcher.records import FrameResult
    from synthetic_crowds.records import Clip, Crowd

__all__ = ["MAX_ALERT_PICTURES", "write_pictures"]

MAX_ALERT_PICTURES = 24
FACE_HEIGHT_PX = 280
# A face counts as in view, and is drawn, from this share of it that nothing covers.
MIN_VISIBILITY = 0.5
# An alert on a frame is worth this many bystanders when a frame is chosen.
_ALERT_WORTH = 4.0
_JPEG_QUALITY = 88


def write_pictures(run_folder: Path, crowd: Crowd, record: RunRecord) -> Album:
    """Write one frame per camera and the faces of up to 24 alerts, with their index.

    Args:
        run_folder: Exists; pictures go into `pictures/` below it.
        crowd: Clips, truth and watchlist, as rendered.
        record: The run; cameras that showed a clip again are not pictured.

    Returns:
        What was written, as read back by `read_album`.
    """
    (run_folder / FOLDER).mkdir(exist_ok=True)
    fps = {str(clip.camera_id): clip.fps for clip in crowd.clips}
    chosen = choose_alerts([a for a in record.alerts if a.camera_id in fps])
    cameras: list[CameraPicture] = []
    probes: dict[int, str] = {}
    for clip in crowd.clips:
        camera_id = str(clip.camera_id)
        own = [r for r in record.results if r.outcome.camera_id == camera_id]
        raised = [a for a in record.alerts if a.camera_id == camera_id]
        pictured = [a for a in chosen if a.camera_id == camera_id]
        shown = choose_frame(clip, own, raised)
        wanted = {alert.frame_index for alert in pictured}
        frames = read_frames(clip.path, wanted if shown is None else wanted | {shown})
        if shown is not None and shown in frames:
            cameras.append(
                _camera_picture(run_folder, clip, own, raised, shown, frames[shown])
            )
        for alert in pictured:
            if alert.frame_index in frames:
                image_bgr = frames[alert.frame_index]
                probes[alert.alert_index] = _probe(run_folder, alert, image_bgr)
    album = Album(
        cameras=tuple(cameras),
        alerts=tuple(
            AlertPicture(
                alert_index=alert.alert_index,
                time_s=alert.frame_index / fps[alert.camera_id],
                probe_file=probes.get(alert.alert_index),
                reference_file=_reference(run_folder, crowd, alert.subject_id),
                named=_note(crowd, alert.subject_id),
                seen=None if alert.person_id is None else _note(crowd, alert.person_id),
            )
            for alert in chosen
        ),
    )
    write_album(run_folder, album)
    return album


def choose_alerts(alerts: Sequence[AlertOutcome]) -> tuple[AlertOutcome, ...]:
    """Take the alerts to picture: all false ones first, then true ones, 24 at most."""
    ordered = sorted(alerts, key=lambda a: (a.correct, a.alert_index))
    return tuple(ordered[:MAX_ALERT_PICTURES])


def choose_frame(
    clip: Clip, results: Sequence[FrameResult], alerts: Sequence[AlertOutcome]
) -> int | None:
    """Choose the processed frame with most to see: alerts first, then faces.

    Args:
        clip: Of one camera.
        results: Of that camera.
        alerts: Of that camera.

    Returns:
        Its index; None if no frame was processed. Ties go to the earlier frame.
    """
    in_view = clip.faces.visibility >= MIN_VISIBILITY
    n_faces = np.bincount(clip.faces.frame_index[in_view], minlength=clip.n_frames)
    alerted = _alerted_tracks(alerts)
    best, best_worth = None, -1.0
    for result in sorted(results, key=lambda r: r.outcome.frame_index):
        index = result.outcome.frame_index
        if result.outcome.outcome is not Outcome.PROCESSED or index >= clip.n_frames:
            continue
        tracks = {track_id for track_id, *_ in result.boxes}
        lit = sum(t in tracks and alerted[t].frame_index <= index for t in alerted)
        worth = float(n_faces[index]) + _ALERT_WORTH * lit
        if worth > best_worth:
            best, best_worth = index, worth
    return best


def read_frames(path: Path, indices: set[int]) -> dict[int, NDArray[np.uint8]]:
    """Decode some frames of a clip; those beyond its end are left out.

    Every frame up to the last one wanted is decoded, but only wanted ones are
    converted: seeking would have to decode from the last key frame anyway.
    """
    frames: dict[int, NDArray[np.uint8]] = {}
    if not indices:
        return frames
    last = max(indices)
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in indices:
                image_bgr = frame.to_ndarray(format="bgr24")
                frames[index] = np.asarray(image_bgr, dtype=np.uint8)
            if index >= last:
                break
    return frames


def _alerted_tracks(alerts: Sequence[AlertOutcome]) -> dict[int, AlertOutcome]:
    return {alert.track_id: alert for alert in alerts}


def _camera_picture(
    run_folder: Path,
    clip: Clip,
    results: Sequence[FrameResult],
    alerts: Sequence[AlertOutcome],
    index: int,
    image_bgr: NDArray[np.uint8],
) -> CameraPicture:
    boxes = next(r.boxes for r in results if r.outcome.frame_index == index)
    rows = np.flatnonzero(
        (clip.faces.frame_index == index) & (clip.faces.visibility >= MIN_VISIBILITY)
    )
    marks = [
        Mark(kind=Kind.TRUTH, box_xyxy=(x1, y1, x2, y2))
        for x1, y1, x2, y2 in clip.faces.box_xyxy[rows].tolist()
    ]
    alerted = {
        track_id: alert
        for track_id, alert in _alerted_tracks(alerts).items()
        if alert.frame_index <= index
    }
    tracks = [_track_mark(box, alerted.get(box[0])) for box in boxes]
    # Alerts are drawn last, over everything else.
    marks += sorted(tracks, key=lambda m: m.kind is not Kind.TRACK)
    time_s = index / clip.fps
    title = f"{clip.camera_id}  {time_s:.1f} s  synthetic people"
    picture = annotate(image_bgr, tuple(marks), title=title)
    file = f"{clip.camera_id}.jpg"
    _write(run_folder, file, picture)
    return CameraPicture(
        camera_id=clip.camera_id,
        file=file,
        frame_index=index,
        time_s=time_s,
        n_faces=len(rows),
        n_tracks=len(boxes),
        n_alerts=sum(box[0] in alerted for box in boxes),
        width_px=picture.shape[1],
        height_px=picture.shape[0],
    )


def _track_mark(
    box: tuple[int, float, float, float, float], alert: AlertOutcome | None
) -> Mark:
    track_id, *corners = box
    x1, y1, x2, y2 = corners
    if alert is None:
        return Mark(kind=Kind.TRACK, box_xyxy=(x1, y1, x2, y2), label=str(track_id))
    kind, word = (
        (Kind.TRUE_ALERT, "TRUE") if alert.correct else (Kind.FALSE_ALERT, "FALSE")
    )
    label = f"{word} ALERT {alert.comparison_score:.2f}"
    return Mark(kind=kind, box_xyxy=(x1, y1, x2, y2), label=label)


def _probe(run_folder: Path, alert: AlertOutcome, image_bgr: NDArray[np.uint8]) -> str:
    file = f"alert-{alert.alert_index:04d}-probe.jpg"
    face = crop_face(image_bgr, alert.box_xyxy, height_px=FACE_HEIGHT_PX)
    _write(run_folder, file, face)
    return file


def _reference(run_folder: Path, crowd: Crowd, subject_id: str) -> str | None:
    for subject, path in zip(
        crowd.watchlist.subjects, crowd.watchlist.image_paths, strict=True
    ):
        if subject.person_id == subject_id:
            image = cv2.imread(str(path))
            if image is None:
                return None
            file = f"watchlist-{subject_id}.jpg"
            _write(run_folder, file, np.asarray(image, dtype=np.uint8))
            return file
    return None


def _note(crowd: Crowd, person_id: str) -> PersonNote | None:
    enrolled = {str(s.person_id): s for s in crowd.watchlist.subjects}
    walking = {str(s.person_id): s for s in crowd.subjects.values()}
    subject = (enrolled | walking).get(person_id)
    if subject is None:
        return None
    return PersonNote(
        person_id=person_id,
        sex=subject.sex.value,
        age_years=subject.age_years,
        ancestry=subject.ancestry.value,
        monk_tone=subject.monk_tone,
        on_watchlist=person_id in enrolled,
    )


def _write(run_folder: Path, file: str, image_bgr: NDArray[np.uint8]) -> None:
    ok, encoded = cv2.imencode(
        ".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not ok:
        message = f"a picture must encode as JPEG, got {image_bgr.shape} for {file}"
        raise ValueError(message)
    (run_folder / FOLDER / file).write_bytes(encoded.tobytes())
