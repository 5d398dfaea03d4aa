"""Claims about what a worker owes and what its successor must know."""

import pytest
from matcher_doubles import encoded, h264, painted

from matcher.config import DecisionConfig
from matcher.decision import Decider
from matcher.ingest import is_key_frame
from matcher.ledger import Ledger
from matcher.messages import CameraMemory, Parcel, Routed
from matcher.records import CameraId, Outcome, Probe, SubjectId, TrackId

CAMERA = CameraId("cam1")
KEY, OTHER = b"\0\0\0\1\x67sps\0\0\1\x65idr", b"\0\0\0\1\x41p"


def _routed(index: int, packet: bytes = OTHER) -> Routed:
    return Routed(frame=encoded(index, packet), received_ns=5)


def _parcel(*indices: int, next_track_id: int = 3) -> Parcel:
    memory = CameraMemory(
        camera_id=CAMERA, next_track_id=next_track_id, alerted=((SubjectId("s"), 7),)
    )
    return Parcel(
        ended=tuple((CAMERA, index) for index in indices),
        memories=(memory,),
        payload=b"",
    )


def _ledger(*packets: bytes) -> Ledger:
    ledger = Ledger()
    ledger.take_on(CAMERA)
    for index, packet in enumerate(packets):
        ledger.sent(_routed(index, packet))
    return ledger


def test_frames_that_have_not_ended_are_lost_once() -> None:
    """Each has failed, with the cause; what has ended is not written off."""
    ledger = _ledger(KEY, OTHER, OTHER)
    ledger.heard(_parcel(0))
    lost = ledger.lose(cause="lost: it died", now_ns=9)

    assert [r.outcome.frame_index for r in lost] == [1, 2]
    assert {r.outcome.outcome for r in lost} == {Outcome.FAILED}
    assert {(r.outcome.cause, r.outcome.received_ns, r.outcome.done_ns) for r in lost}
    assert lost[0].outcome.cause == "lost: it died"
    assert ledger.owed == frozenset()
    assert ledger.lose(cause="again", now_ns=10) == ()


def test_successor_is_given_the_frames_since_the_last_key_frame() -> None:
    """Without them its decoder would show nothing until the next."""
    ledger = _ledger(OTHER, KEY, OTHER, KEY, OTHER, OTHER)
    ledger.heard(_parcel(0, 1, 2, 3))
    memories, frames = ledger.legacy()

    assert [frame.index for frame in frames] == [3, 4, 5]
    assert memories[0].next_track_id == 3
    assert memories[0].alerted == ((SubjectId("s"), 7),)


def test_stream_without_key_frames_is_not_kept_for_ever() -> None:
    """Memory is bounded; the successor then waits for the camera's next key frame."""
    megabyte = OTHER + bytes(1024 * 1024)
    ledger = _ledger(KEY, *[megabyte] * 17)

    assert ledger.legacy()[1] == ()


@pytest.mark.parametrize(
    ("packet", "expected"),
    [(KEY, True), (OTHER, False), (b"", False), (b"\0\0\1", False), (b"hello", False)],
    ids=["key", "other", "empty", "cut short", "no video"],
)
def test_key_frame_is_told_by_its_first_slice(packet: bytes, expected: bool) -> None:
    """Parameter sets before it do not matter, damage is no error."""
    assert is_key_frame(packet) is expected


def test_encoder_begins_with_a_key_frame() -> None:
    """The reading agrees with a real encoder's stream."""
    packets = h264(painted((10 + k, 30, 60 + k, 80)) for k in range(4))

    assert [is_key_frame(packet) for packet in packets] == [True, False, False, False]


def test_successor_does_not_alert_again_on_somebody_still_in_view() -> None:
    """The subject counts from the last frame, not from an alert long ago."""

    def probe(track_id: int, time_s: float) -> Probe:
        return Probe(
            camera_id=CAMERA,
            track_id=TrackId(track_id),
            frame_index=0,
            capture_time_ns=round(time_s * 1e9),
            box_xyxy=(0.0, 0.0, 1.0, 1.0),
            quality=0.5,
            n_shots=1,
            subject_id=SubjectId("s"),
            comparison_score=0.9,
            decided_ns=0,
        )

    config = DecisionConfig(dedup_window_s=10.0)
    first, second = Decider(0.5, config), Decider(0.5, config)
    assert first.decide(probe(0, 1.0))
    second.recall(CAMERA, first.alerted(CAMERA, now_ns=round(15e9)))

    assert not second.decide(probe(1, 16.0))
    first.forget(CAMERA, TrackId(0))
    assert first.alerted(CAMERA, now_ns=round(15e9)) == ()
