"""What a frame says of itself: when it was captured, and which one it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matcher_doubles import encoded
from stream_doubles import packets

from matcher.ingest import CameraDecoder, is_key_frame
from matcher.streams.capture_clock import CaptureClock, this_boot
from matcher.streams.stamp import (
    STATED_CLOCK,
    CaptureStamp,
    first_slice,
    read_stamp,
    stamped,
)

UNITS = packets(3)
MS = 1_000_000


def stamp(time_ns: int, *, clock: str = "ours") -> CaptureStamp:
    """Frame 7 at a time."""
    return CaptureStamp(clock=clock, index=7, capture_time_ns=time_ns)


@given(
    index=st.integers(0, 2**63),
    capture_time_ns=st.integers(-(2**63), 2**63),
    is_rehearsal=st.booleans(),
)
def test_a_stamp_comes_back_as_it_was_written(index, capture_time_ns, is_rehearsal):
    """Whatever the numbers, and no byte of it can be taken for a start code."""
    written = CaptureStamp(
        clock=this_boot(),
        index=index,
        capture_time_ns=capture_time_ns,
        is_rehearsal=is_rehearsal,
    )
    unit = stamped(UNITS[1], written)
    assert read_stamp(unit) == written
    added = len(unit) - len(UNITS[1])
    at = first_slice(unit) - added
    assert 0 not in unit[at + 4 : at + added]


def test_a_decoder_passes_stamps_over():
    """The pictures of a stamped stream are those of the stream, key frames too."""
    plain, marked = CameraDecoder(), CameraDecoder()
    for k, unit in enumerate(UNITS):
        with_stamp = stamped(unit, stamp(k))
        assert is_key_frame(with_stamp) == is_key_frame(unit)
        assert np.array_equal(
            plain.decode(encoded(k, unit)).image_bgr,
            marked.decode(encoded(k, with_stamp)).image_bgr,
        )


def test_a_frame_without_a_stamp_or_with_a_damaged_one_has_none():
    """Other cameras' frames, and what a lossy wire has left of ours."""
    assert read_stamp(UNITS[0]) is None
    unit = stamped(UNITS[0], stamp(5))
    assert read_stamp(unit.replace(b" 7 5", b" 7x5")) is None


def test_only_a_whole_frame_can_be_stamped():
    """The message says what is missing."""
    with pytest.raises(ValueError, match="before a slice"):
        stamped(b"\x00\x00\x01\x09\xf0", stamp(0))


def test_our_own_clock_needs_no_mapping():
    """However late a frame arrives, it was captured when its stamp says."""
    clock = CaptureClock(boot="ours", jump_s=2.0)
    for late_ms, time_ms in ((5, 100), (900, 200), (1, 300)):
        mapped = clock.map(
            received_ns=(time_ms + late_ms) * MS,
            pts_ns=None,
            stamp=stamp(time_ms * MS),
        )
        assert mapped.capture_time_ns == time_ms * MS


def test_stated_times_are_taken_as_they_stand():
    """An unhurried run's plan begins at zero, whenever it is carried out."""
    clock = CaptureClock(boot="ours", jump_s=2.0)
    for k in range(3):
        mapped = clock.map(
            received_ns=10**15 + k,
            pts_ns=None,
            stamp=stamp(k * 100 * MS, clock=STATED_CLOCK),
        )
        assert mapped.capture_time_ns == k * 100 * MS


def test_another_clock_that_drifts_is_followed():
    """200 ppm are 60 ms in five minutes; no frame is off by more than a few."""
    clock = CaptureClock(boot="ours", jump_s=2.0)
    rng = np.random.default_rng(4)
    for k in range(3000):
        captured_ns = k * 100 * MS
        late_ns = 2 * MS + int(rng.exponential(10 * MS))
        mapped = clock.map(
            received_ns=captured_ns + late_ns,
            pts_ns=round(captured_ns * 0.9998) + 77_000 * MS,
            stamp=None,
        )
        error_ms = (mapped.capture_time_ns - captured_ns) / MS
        if k >= 50:
            # Twenty seconds are looked back on: 4 ms of drift.
            assert -4.0 < error_ms < 10.0


def test_frames_without_any_time_were_captured_when_they_came():
    """And no two at the same moment."""
    clock = CaptureClock(boot="ours", jump_s=2.0)
    came = [clock.map(received_ns=5, pts_ns=None, stamp=None) for _ in range(2)]
    assert [each.capture_time_ns for each in came] == [5, 6]
