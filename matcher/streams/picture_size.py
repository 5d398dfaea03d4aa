"""How large a camera's pictures are, seen from its key frames alone.

Owns the noticing of a change. Knows nothing of what follows from it.
"""

from __future__ import annotations

import av

from matcher.streams.stamp import first_slice

__all__ = ["SizeWatch"]


class SizeWatch:
    """Looks at the key frames of one camera, decoding only where they may differ.

    Attributes:
        size_px: Width and height; 0 until the first key frame that decodes.
    """

    def __init__(self) -> None:
        self.size_px = (0, 0)
        self._header = b""

    def see(self, key_frame: bytes) -> bool:
        """Look at a key frame; say whether its size is another than before."""
        header = _parameter_sets(key_frame)
        if header == self._header:
            return False
        self._header = header
        before, self.size_px = self.size_px, _size_of(key_frame) or self.size_px
        return before not in {(0, 0), self.size_px}


def _parameter_sets(key_frame: bytes) -> bytes:
    """Return the sequence and picture parameter sets: equal ones, equal sizes."""
    head = key_frame[: max(first_slice(key_frame), 0)]
    # Source: ITU-T H.264, table 7-1: 7 and 8; a SEI would differ from frame to frame.
    units = head.split(b"\x00\x00\x01")[1:]
    return b"".join(unit for unit in units if unit[:1] and unit[0] & 0x1F in {7, 8})


def _size_of(key_frame: bytes) -> tuple[int, int] | None:
    decoder = av.CodecContext.create("h264", "r")
    try:
        pictures = [*decoder.decode(av.Packet(key_frame)), *decoder.decode(None)]
    except av.FFmpegError:
        return None
    return (pictures[-1].width, pictures[-1].height) if pictures else None
