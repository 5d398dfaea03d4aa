"""One camera and its troubles: each is logged, counted, and recovered from."""

from __future__ import annotations

import logging
from itertools import pairwise

import numpy as np
import pytest
from matcher_doubles import FRAME_NS, h264
from stream_doubles import (
    Stage,
    arrived,
    garbage,
    packets,
    stall,
    stamped_frames,
)

from lfr_errors import BadInputError
from matcher.ingest import CameraDecoder
from matcher.streams.config import StreamConfig, named_stream
from matcher.streams.records import SourceState
from matcher.streams.stamp import CaptureStamp, stamped

UNITS = packets(6)


def times(stage: Stage) -> list[int]:
    """When the frames that came through were captured."""
    return [frame.capture_time_ns for frame in stage.frames]


def is_in_order(stage: Stage) -> bool:
    """No frame repeats a number or a time, and none goes back."""
    return all(
        a.capture_time_ns < b.capture_time_ns and a.index < b.index
        for a, b in pairwise(stage.frames)
    )


def test_stamped_frames_come_through_as_they_were_planned():
    """Number, capture time and packet are the camera's own."""
    stage = Stage([stamped_frames(UNITS)])
    stage.play()
    assert [frame.index for frame in stage.frames] == list(range(6))
    assert times(stage) == [k * FRAME_NS for k in range(6)]
    assert stage.source.counts.n_frames == 6
    assert stage.source.counts.size_px == (160, 120)
    assert stage.source.counts.state is SourceState.OVER


def test_a_stalled_camera_is_connected_anew(caplog):
    """Silence is given up after its time, counted and logged; frames go on."""
    with caplog.at_level(logging.WARNING):
        stage = Stage(
            [
                [*stamped_frames(UNITS[:2]), 2.0, stall()],
                stamped_frames(UNITS, first=30),
            ]
        )
        stage.play()
    counts = stage.source.counts
    assert (counts.n_stalls, counts.n_connections, counts.n_frames) == (1, 2, 8)
    assert stage.pauses_s[0] == 0.2
    assert is_in_order(stage)
    assert "cam1: stalled: nothing came for 2 s" in caplog.text


def test_a_restarted_camera_waits_for_a_key_frame_and_never_repeats_a_number(caplog):
    """It counts from zero again, on a clock of its own; we do not."""
    again = stamped_frames(UNITS[2:4] + UNITS, clock="another machine")
    with caplog.at_level(logging.WARNING):
        stage = Stage([stamped_frames(UNITS), again])
        stage.play()
    counts = stage.source.counts
    assert (counts.n_ends, counts.n_connections, counts.n_before_key) == (2, 2, 2)
    assert counts.n_frames == 12
    assert is_in_order(stage)
    assert "the camera ended its stream" in caplog.text


def test_a_camera_may_change_its_resolution(caplog):
    """The pictures after the change decode at their new size."""
    small, large = (
        h264([np.full((height, width, 3), 60, np.uint8)])
        for height, width in ((120, 160), (240, 320))
    )
    with caplog.at_level(logging.WARNING):
        stage = Stage([stamped_frames([*small, *large, *small])])
        stage.play()
    counts = stage.source.counts
    assert counts.n_size_changes == 2
    assert counts.size_px == (160, 120)
    assert "from 160x120 to 320x240" in caplog.text
    decoder = CameraDecoder()
    shapes = [decoder.decode(frame).image_bgr.shape[:2] for frame in stage.frames]
    assert shapes == [(120, 160), (240, 320), (120, 160)]


def test_garbage_breaks_a_connection_and_nothing_else(caplog):
    """What cannot be read is counted as a failure; the camera is connected anew."""
    with caplog.at_level(logging.WARNING):
        stage = Stage([[garbage()], [garbage()], stamped_frames(UNITS)])
        stage.play()
    counts = stage.source.counts
    assert counts.n_failures == 3  # and the end of the script
    assert (counts.n_connections, counts.n_frames) == (1, 6)
    assert "cam1: broken: Invalid data" in caplog.text


def test_pauses_double_until_frames_come_again():
    """0.2, 0.4, 0.8 s and so on to the longest; a camera that was there begins anew."""
    config = StreamConfig(camera_id="cam1", url="tcp://h:1", longest_backoff_s=1.0)
    broken = [[garbage()] for _ in range(4)]
    stage = Stage([*broken, stamped_frames(UNITS), *broken], config=config)
    stage.play()
    assert stage.pauses_s == [0.2, 0.4, 0.8, 1.0, 0.2, 0.4, 0.8, 1.0, 1.0]


@pytest.mark.parametrize("shift_s", [-60.0, 60.0], ids=["back", "ahead"])
def test_a_camera_whose_clock_jumps_goes_on_in_our_time(shift_s, caplog):
    """Frames after the jump count from when they arrived; time never goes back."""
    before = stamped_frames(UNITS[:3])
    after = stamped_frames(UNITS[3:], first=3, shift_ns=round(shift_s * 1e9))
    with caplog.at_level(logging.WARNING):
        stage = Stage([[*before, *after]])
        # Frames of the script arrive one interval after the one before.
        stage.now_ns = -FRAME_NS
        stage.play()
    assert stage.source.counts.n_clock_jumps == 1
    assert times(stage) == [k * FRAME_NS for k in range(6)]
    assert "its clock jumped by" in caplog.text


def test_container_times_are_mapped_by_the_fastest_frame():
    """A frame that was held up by 3 s was captured when its time stamp says."""
    frames = [arrived(unit, pts_ns=k * FRAME_NS) for k, unit in enumerate(UNITS)]
    stage = Stage([[*frames[:3], 3.0, frames[3]]])
    stage.play()
    assert np.diff(times(stage)).tolist() == [FRAME_NS] * 3


def test_frames_that_are_not_taken_are_dropped_up_to_the_next_key_frame():
    """Without the refused one, those that build on it would show nothing."""
    two = [*UNITS, *UNITS]
    stage = Stage([stamped_frames(two)], takes=lambda frame: frame.index != 2)
    stage.play()
    assert [frame.index for frame in stage.frames] == [0, 1, *range(6, 12)]
    counts = stage.source.counts
    assert (counts.n_refused, counts.n_before_key) == (1, 3)


def test_missing_numbers_are_counted():
    """Of a stamped stream it is known which frames never came."""
    frames = stamped_frames(UNITS)
    stage = Stage([[frames[0], *frames[3:]]])
    stage.play()
    assert stage.source.counts.n_missing == 2


def test_rehearsals_are_answered_and_not_looked_at():
    """They say that a camera is there before its first frame."""
    stamp = CaptureStamp(clock="x", index=0, capture_time_ns=0, is_rehearsal=True)
    stage = Stage([[arrived(stamped(UNITS[0], stamp)), *stamped_frames(UNITS)]])
    stage.play()
    assert stage.rehearsed == ["cam1"]
    assert stage.source.counts.n_frames == 6


def test_a_file_is_shown_in_its_own_time_and_then_over():
    """Frames wait until they are due; the end of a file is no trouble."""
    frames = [arrived(unit, pts_ns=k * 2 * FRAME_NS) for k, unit in enumerate(UNITS)]
    stage = Stage(
        [frames, frames], config=StreamConfig(camera_id="cam1", url="clip.mp4")
    )
    stage.play()
    assert stage.pauses_s == [0.1] * 5
    assert len(stage.frames) == 6
    assert np.diff(times(stage)).tolist() == [2 * FRAME_NS] * 5


def test_a_file_may_be_shown_over_and_over():
    """Time goes on where the file begins again."""
    frames = [arrived(unit, pts_ns=k * FRAME_NS) for k, unit in enumerate(UNITS)]
    config = StreamConfig(camera_id="cam1", url="clip.mp4", repeat=True)
    stage = Stage([frames, frames], config=config)
    stage.play()
    assert len(stage.frames) == 12
    assert is_in_order(stage)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rtsp://host/1", "given as NAME=URL"),
        ("a b=clip.mp4", "camera_id"),
        ("east=", "url"),
    ],
    ids=["no name", "bad name", "no url"],
)
def test_a_camera_on_a_command_line_needs_a_name_and_a_url(text, complaint):
    """What is wrong is said, with an example of what is right."""
    with pytest.raises(BadInputError, match=complaint):
        named_stream(text)
    assert named_stream("east=udp://:5000").format == "mpegts"
