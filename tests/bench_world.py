"""A tiny world whose truth was written by hand.

Two cameras at 10 frames a second; everyone's face stands still in a place of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.records import ArrivalPlan, SentFrames
from matcher.records import (
    Alert,
    CameraId,
    FrameOutcome,
    FrameResult,
    Outcome,
    Probe,
    Stage,
    StageEvent,
    SubjectId,
    TrackId,
)
from synthetic_crowds.records import (
    Ancestry,
    CaptureQuality,
    Clip,
    Crowd,
    EnrolmentImage,
    FaceTruth,
    Passage,
    PassageId,
    PersonId,
    Sex,
    Subject,
    Watchlist,
)
from synthetic_crowds.records import CameraId as ClipCameraId

FPS = 10.0
MS = 1_000_000
START_NS = 7_000_000_000
THRESHOLD = 0.5

# Of each passage: camera, person, first and last frame in the zone, x of the face.
WALKS = (
    ("cam1", "ann", 20, 50, 100.0),
    ("cam1", "bob", 30, 60, 300.0),
    ("cam1", "eve", 0, 30, 500.0),  # there before the warm-up ends: does not count
    ("cam2", "bob", 25, 55, 100.0),
    ("cam2", "cat", 40, 99, 300.0),  # there when the clip ends: does not count
)
PEOPLE = {
    "ann": (Sex.FEMALE, 25.0, 2, Ancestry.EUROPEAN),
    "bob": (Sex.MALE, 50.0, 8, Ancestry.AFRICAN),
    "cat": (Sex.FEMALE, 70.0, 5, Ancestry.ASIAN),
    "eve": (Sex.FEMALE, 30.0, 5, Ancestry.ASIAN),
}
N_FRAMES = 100


def face_box(x: float) -> tuple[float, float, float, float]:
    """Return a face 60 px wide and 80 high."""
    return (x, 100.0, x + 60.0, 180.0)


def make_clip(camera_id: str) -> Clip:
    """Make one camera's clip without a file behind it."""
    walks = [walk for walk in WALKS if walk[0] == camera_id]
    rows = sorted(
        (frame, k, x)
        for k, (_, _, first, last, x) in enumerate(walks)
        for frame in range(first, last + 1)
    )
    n = len(rows)
    boxes = np.array([face_box(x) for _, _, x in rows], dtype=np.float32)
    faces = FaceTruth(
        frame_index=np.array([frame for frame, _, _ in rows], dtype=np.int32),
        passage_index=np.array([k for _, k, _ in rows], dtype=np.int32),
        box_xyxy=boxes,
        landmarks=np.zeros((n, 5, 2), dtype=np.float32),
        yaw_pitch_roll_deg=np.zeros((n, 3), dtype=np.float32),
        face_height_px=np.full(n, 80.0, dtype=np.float32),
        visibility=np.ones(n, dtype=np.float32),
        body_box_xyxy=boxes,
    )
    passages = tuple(
        Passage(
            passage_id=PassageId(f"{camera_id}-{k:04d}"),
            person_id=PersonId(person),
            camera_id=ClipCameraId(camera_id),
            t_in_s=first / FPS,
            t_out_s=last / FPS,
            n_frames=last - first + 1,
            max_face_height_px=80.0,
            max_visibility=1.0,
            unoccluded_frames=last - first + 1,
        )
        for k, (_, person, first, last, _) in enumerate(walks)
    )
    return Clip(
        camera_id=ClipCameraId(camera_id),
        path=Path("absent.mp4"),
        sha256="0" * 64,
        fps=FPS,
        width_px=640,
        height_px=360,
        n_frames=N_FRAMES,
        passages=passages,
        faces=faces,
    )


def make_crowd() -> Crowd:
    """Make the crowd; `ann` and `cat` are sought, and `zoe`, who never comes."""
    subjects = {
        PersonId(name): Subject(
            person_id=PersonId(name),
            sex=sex,
            age_years=age,
            ancestry=ancestry,
            monk_tone=tone,
        )
        for name, (sex, age, tone, ancestry) in PEOPLE.items()
    }
    zoe = Subject(
        person_id=PersonId("zoe"),
        sex=Sex.FEMALE,
        age_years=40.0,
        ancestry=Ancestry.EUROPEAN,
        monk_tone=3,
    )
    sought = (subjects[PersonId("ann")], subjects[PersonId("cat")], zoe)
    return Crowd(
        subjects=subjects,
        clips=(make_clip("cam1"), make_clip("cam2")),
        watchlist=Watchlist(
            folder=Path("absent"),
            subjects=sought,
            images=tuple(
                EnrolmentImage(
                    person_id=s.person_id,
                    path=Path(f"{s.person_id}.png"),
                    quality=CaptureQuality.CUSTODY,
                    image_age_years=0.0,
                )
                for s in sought
            ),
            mated=frozenset({PersonId("ann"), PersonId("cat")}),
            sha256="1" * 64,
        ),
        truth_sha256="2" * 64,
        clips_sha256="3" * 64,
    )


def make_plan() -> ArrivalPlan:
    """Plan both clips, the second camera 50 ms after the first."""
    frame, camera = np.divmod(np.arange(2 * N_FRAMES), 2)
    return ArrivalPlan(
        camera_ids=("cam1", "cam2"),
        offset_ns=(100 * frame + 50 * camera).astype(np.int64) * MS,
        camera=camera.astype(np.int32),
        frame_index=frame.astype(np.int32),
    )


def send_all(plan: ArrivalPlan, *, late_ms: float = 0.1) -> SentFrames:
    """Send every frame, each by so much too late."""
    planned_ns = plan.offset_ns + START_NS
    return SentFrames(planned_ns=planned_ns, sent_ns=planned_ns + round(late_ms * MS))


def frame_result(
    camera_id: str,
    index: int,
    capture_ns: int,
    *,
    outcome: Outcome = Outcome.PROCESSED,
    stages: tuple[Stage, ...] = tuple(Stage),
    faces: tuple[tuple[str, float], ...] = (),
    alert_on: str | None = None,
    named: str = "ann",
    score: float = 0.8,
) -> FrameResult:
    """Say that a frame was done 20 ms after its capture, 2 ms of service a stage.

    `faces` are names of tracks, by their last letter's code, with x of the box; the
    one named by `alert_on` is searched, and alerts as `named` with that score.
    """
    processed = outcome is Outcome.PROCESSED
    camera = CameraId(camera_id)
    tracks = [(TrackId(ord(name[-1])), name, face_box(x)) for name, x in faces]
    probes = tuple(
        Probe(
            camera_id=camera,
            track_id=track,
            frame_index=index,
            capture_time_ns=capture_ns,
            box_xyxy=box,
            quality=0.9,
            n_shots=1,
            subject_id=SubjectId(named),
            comparison_score=score,
            decided_ns=capture_ns + 19 * MS,
        )
        for track, name, box in tracks
        if name == alert_on
    )
    alerts = tuple(
        Alert(
            camera_id=camera,
            track_id=probe.track_id,
            frame_index=index,
            subject_id=probe.subject_id,
            comparison_score=probe.comparison_score,
            threshold=THRESHOLD,
            box_xyxy=probe.box_xyxy,
            capture_time_ns=capture_ns,
            alert_time_ns=capture_ns + 19 * MS,
        )
        for probe in probes
        if probe.comparison_score >= THRESHOLD
    )
    return FrameResult(
        outcome=FrameOutcome(
            camera_id=camera,
            frame_index=index,
            capture_time_ns=capture_ns,
            received_ns=capture_ns + MS,
            done_ns=capture_ns + 20 * MS,
            outcome=outcome,
            cause="" if processed else "over budget",
            n_faces=len(tracks),
        ),
        events=tuple(
            StageEvent(
                camera_id=camera,
                frame_index=index,
                stage=stage,
                n_faces=len(tracks),
                enqueued_ns=capture_ns + (2 * k + 1) * MS,
                started_ns=capture_ns + (2 * k + 2) * MS,
                ended_ns=capture_ns + (2 * k + 4) * MS,
            )
            for k, stage in enumerate(stages if processed else ())
        ),
        boxes=tuple((track, *box) for track, _, box in tracks),
        probes=probes,
        alerts=alerts,
    )


def perfect_results(plan: ArrivalPlan) -> tuple[FrameResult, ...]:
    """See every face; search and alert once, on ann at frame 35 of camera 1."""
    results = []
    for row in range(len(plan)):
        camera_id = plan.camera_ids[plan.camera[row]]
        index = int(plan.frame_index[row])
        faces = tuple(
            (person, x)
            for camera, person, first, last, x in WALKS
            if camera == camera_id and first <= index <= last
        )
        alert_on = "ann" if (camera_id, index) == ("cam1", 35) else None
        capture_ns = START_NS + int(plan.offset_ns[row])
        results.append(
            frame_result(camera_id, index, capture_ns, faces=faces, alert_on=alert_on)
        )
    return tuple(results)
