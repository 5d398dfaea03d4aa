"""A stand-in crowd for report tests: plain clips with ovals where faces would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from synthetic_crowds.records import (
    Ancestry,
    CameraId,
    CaptureQuality,
    Clip,
    Crowd,
    EnrolmentImage,
    FaceTruth,
    PersonId,
    Sex,
    Subject,
    Watchlist,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bench.records import RunRecord

SIZE_PX = (640, 360)


def _draw(index: int) -> np.ndarray:
    image = np.full((SIZE_PX[1], SIZE_PX[0], 3), 150, dtype=np.uint8)
    cv2.rectangle(image, (0, 240), SIZE_PX, (110, 115, 118), -1)
    for k in range(4):
        centre = (130 + 130 * k + index % 20, 99)
        cv2.ellipse(
            image, centre, (28, 38), 0, 0, 360, (140, 160, 190), -1, cv2.LINE_AA
        )
    return image


def _write_clip(path: Path, *, n_frames: int, fps: float) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=round(fps))
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "bf": "0"}
        for index in range(n_frames):
            frame = av.VideoFrame.from_ndarray(_draw(index), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _truth(n_frames: int) -> FaceTruth:
    frame = np.repeat(np.arange(n_frames, dtype=np.int32), 4)
    x = 130 + 130 * np.tile(np.arange(4), n_frames) + frame % 20
    boxes = np.stack((x - 28, np.full_like(x, 61), x + 28, np.full_like(x, 137)), 1)
    n = len(frame)
    return FaceTruth(
        frame_index=frame,
        passage_index=np.zeros(n, np.int32),
        box_xyxy=boxes.astype(np.float32),
        landmarks=np.zeros((n, 5, 2), np.float32),
        yaw_pitch_roll_deg=np.zeros((n, 3), np.float32),
        face_height_px=np.full(n, 76, np.float32),
        visibility=np.tile(np.float32([1, 1, 1, 0.2]), n_frames),
        body_box_xyxy=boxes.astype(np.float32),
    )


def make_crowd(folder: Path, record: RunRecord, *, n_frames: int = 40) -> Crowd:
    """Write clips and portraits that fit a stand-in run; truth has no passages."""
    clips = []
    for camera_id in record.plan.camera_ids:
        path = folder / f"{camera_id}.mp4"
        _write_clip(path, n_frames=n_frames, fps=10.0)
        clips.append(
            Clip(
                camera_id=CameraId(camera_id),
                path=path,
                sha256="0" * 64,
                fps=10.0,
                width_px=SIZE_PX[0],
                height_px=SIZE_PX[1],
                n_frames=n_frames,
                passages=(),
                faces=_truth(n_frames),
            )
        )
    walkers = {
        PersonId(p.person_id): Subject(
            person_id=PersonId(p.person_id),
            sex=Sex(p.sex),
            age_years=34.0,
            ancestry=Ancestry(p.ancestry),
            monk_tone=p.monk_tone,
        )
        for p in record.passages
    }
    mated = [walkers[PersonId(p.person_id)] for p in record.passages if p.mated]
    absent = Subject(
        person_id=PersonId("person-90001"),
        sex=Sex.FEMALE,
        age_years=51.0,
        ancestry=Ancestry.EUROPEAN,
        monk_tone=2,
    )
    images = []
    for subject in (*mated, absent):
        path = folder / f"{subject.person_id}.png"
        cv2.imwrite(str(path), np.full((256, 200, 3), 190, dtype=np.uint8))
        images.append(
            EnrolmentImage(
                person_id=subject.person_id,
                path=path,
                quality=CaptureQuality.CUSTODY,
                image_age_years=0.0,
            )
        )
    return Crowd(
        subjects=walkers,
        clips=tuple(clips),
        watchlist=Watchlist(
            folder=folder,
            subjects=(*mated, absent),
            images=tuple(images),
            mated=frozenset(s.person_id for s in mated),
            sha256="0" * 64,
        ),
        truth_sha256="0" * 64,
        clips_sha256="0" * 64,
    )
