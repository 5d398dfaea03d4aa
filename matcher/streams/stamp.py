"""When a frame was captured, written into the frame itself.

Owns one H.264 message (SEI, user data unregistered) that carries a frame's number and
capture time through any container, and the way back. Knows nothing of containers or of
clocks. A decoder passes such messages over, so a stamped stream plays everywhere.

A container's own time stamps do not serve: MPEG-TS counts 90 kHz from an arbitrary
origin in 33 bits, RTP from a random one in 32, and both lose the frame's number.

Source:
    ITU-T H.264 (08/2021), 7.3.2.3 and D.1.7: an SEI message of payload type 5 is a
    16-byte UUID and bytes of the owner's choosing. Ours are ASCII, so that no byte is
    zero and none can look like a start code (7.4.1.1).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STATED_CLOCK", "CaptureStamp", "first_slice", "read_stamp", "stamped"]

# The name of a clock that is nobody's: times are to be taken as they stand.
STATED_CLOCK = "stated"

# A random UUID (RFC 9562, version 4) without zero bytes.
_UUID = bytes.fromhex("9d3f51c6a7e24b8bb1d47c1e5f26a983")
_USER_DATA_UNREGISTERED = 5
_SEI_HEADER = b"\x00\x00\x00\x01\x06"
_RBSP_STOP = b"\x80"
# Source: ITU-T H.264, table 7-1: NAL unit types 1 to 5 are slices of a picture.
_SLICES = range(1, 6)
_START = b"\x00\x00\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureStamp:
    """What a camera says of one frame.

    Attributes:
        clock: Which clock its times are of: the machine's boot, as
            `matcher.streams.capture_clock.this_boot` says it, or `STATED_CLOCK`.
        index: Of the frame in its stream, from 0.
        capture_time_ns: Nanoseconds of that clock.
        is_rehearsal: Sent only to see whether frames arrive; not to be looked at.
    """

    clock: str
    index: int
    capture_time_ns: int
    is_rehearsal: bool = False


def stamped(access_unit: bytes, stamp: CaptureStamp) -> bytes:
    """Write a stamp into an access unit, before its first slice.

    Args:
        access_unit: Annex B.
        stamp: To write; `clock` is ASCII without spaces.

    Raises:
        ValueError: If there is no slice to write it before.
    """
    at = first_slice(access_unit)
    if at < 0:
        message = (
            f"a stamp must be written before a slice, got {len(access_unit)} bytes "
            "without one; hand over whole access units"
        )
        raise ValueError(message)
    kind = "r" if stamp.is_rehearsal else "f"
    text = f"{kind} {stamp.clock} {stamp.index} {stamp.capture_time_ns}".encode("ascii")
    payload = _UUID + text
    # Source: ITU-T H.264, 7.3.2.3.1: sizes from 255 on are written in steps of 255.
    size = b"\xff" * (len(payload) // 255) + bytes([len(payload) % 255])
    head = _SEI_HEADER + bytes([_USER_DATA_UNREGISTERED]) + size
    message_unit = head + payload + _RBSP_STOP
    return b"".join((access_unit[:at], message_unit, access_unit[at:]))


def read_stamp(access_unit: bytes) -> CaptureStamp | None:
    """Read the stamp of an access unit; None if it bears none that is whole."""
    end = first_slice(access_unit)
    head = access_unit[: end if end >= 0 else len(access_unit)]
    at = head.find(_UUID)
    if at < 0:
        return None
    text = head[at + len(_UUID) :].split(_RBSP_STOP, 1)[0]
    try:
        kind, clock, index, capture_time_ns = text.decode("ascii").split(" ")
        return CaptureStamp(
            clock=clock,
            index=int(index),
            capture_time_ns=int(capture_time_ns),
            is_rehearsal=kind == "r",
        )
    except ValueError:
        # Damaged on its way: as good as none.
        return None


def first_slice(access_unit: bytes) -> int:
    """Find where the first slice begins, its start code included; -1 if none does."""
    at = access_unit.find(_START)
    while 0 <= at < len(access_unit) - 3:
        if access_unit[at + 3] & 0x1F in _SLICES:
            # The fourth byte of a long start code belongs to it.
            return at - 1 if at > 0 and access_unit[at - 1] == 0 else at
        at = access_unit.find(_START, at + 3)
    return -1
