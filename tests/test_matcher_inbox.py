"""Claims about the order of frames and the drop policy."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matcher_doubles import encoded

from matcher.config import EngineConfig
from matcher.inbox import Closed, Inbox, Waiting
from matcher.messages import Flush, Stop
from matcher.records import CameraId

LATEST = EngineConfig(drop_policy="latest_wins", max_pending=1)
EVERY = EngineConfig(drop_policy="none")


def _put(inbox: Inbox, *frames: tuple[str, int]) -> None:
    for camera, index in frames:
        inbox.put(encoded(index, camera_id=CameraId(camera)), received_ns=index)


def _take_all(inbox: Inbox) -> list[tuple[str, int, int]]:
    taken = []
    while not inbox.is_empty:
        item = inbox.take()
        assert isinstance(item, Waiting)
        taken.append((item.frame.camera_id, item.frame.index, item.overtaken_by))
    return taken


def test_full_queue_marks_the_older_frames_as_overtaken() -> None:
    """They are still taken, since a decoder needs every packet."""
    inbox = Inbox(LATEST)
    _put(inbox, ("a", 0), ("a", 1), ("a", 2))

    assert _take_all(inbox) == [("a", 0, 2), ("a", 1, 1), ("a", 2, 0)]


def test_cameras_take_turns_by_capture_time() -> None:
    """A busy camera does not starve another."""
    inbox = Inbox(LATEST)
    _put(inbox, ("b", 1), ("a", 0), ("a", 2), ("b", 3))

    assert [t[:2] for t in _take_all(inbox)] == [("a", 0), ("b", 1), ("a", 2), ("b", 3)]


def test_deeper_queue_spares_frames() -> None:
    """`max_pending` of one camera may wait, itself included."""
    inbox = Inbox(EngineConfig(max_pending=2))
    _put(inbox, ("a", 0), ("a", 1), ("a", 2))

    assert [overtaken for *_, overtaken in _take_all(inbox)] == [2, 0, 0]


def test_unhurried_inbox_keeps_the_order_of_arrival_and_every_frame() -> None:
    """Whatever the capture times say."""
    inbox = Inbox(EVERY)
    frames = [("b", 5), ("a", 0), ("b", 6), ("b", 7)]
    _put(inbox, *frames)

    assert _take_all(inbox) == [(*f, 0) for f in frames]


@pytest.mark.parametrize("config", [LATEST, EVERY], ids=["latest_wins", "none"])
def test_requests_wait_until_no_frame_does(config: EngineConfig) -> None:
    """So that a flush promises what it says; requests keep their order."""
    inbox = Inbox(config)
    inbox.request(Flush(token=7))
    inbox.request(Stop())
    _put(inbox, ("a", 0))

    assert isinstance(inbox.take(), Waiting)
    assert inbox.take() == Flush(token=7)
    assert inbox.take() == Stop()


def test_closed_inbox_says_so_before_anything_else() -> None:
    """Nobody waits for the frames any more."""
    inbox = Inbox(LATEST)
    _put(inbox, ("a", 0))
    inbox.close(None)

    assert inbox.take() == Closed(error=None)


def test_take_waits_for_a_frame_of_another_thread() -> None:
    """The worker sleeps until the receiver puts something in."""
    inbox = Inbox(LATEST)
    sender = threading.Thread(target=_put, args=(inbox, ("a", 0)))
    sender.start()
    item = inbox.take()
    sender.join()

    assert isinstance(item, Waiting)
    assert inbox.n_arrived == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4))
def test_every_frame_is_taken_once_and_each_cameras_newest_are_processed(
    cameras: list[str], max_pending: int
) -> None:
    """Arrivals = processed + overtaken; each camera keeps its order."""
    inbox = Inbox(EngineConfig(max_pending=max_pending))
    _put(inbox, *[(camera, index) for index, camera in enumerate(cameras)])
    taken = _take_all(inbox)

    assert sorted((i, c) for c, i, _ in taken) == list(enumerate(cameras))
    for camera in set(cameras):
        own = [(i, overtaken) for c, i, overtaken in taken if c == camera]
        assert own == sorted(own)
        assert sum(overtaken == 0 for _, overtaken in own) == min(len(own), max_pending)
