"""The stamp of origin inside every clip and every portrait.

Owns how a file says that it is synthetic, from which seed and by which version, and
how that is read back: in a PNG's text chunks, in an MP4's comment. A stamp keeps
people from feeding real pictures by habit; it is no seal, and who wants to forge one
can. Knows nothing of crowds.

Source:
    ISO/IEC 15948:2004 (PNG), 5.3 and 11.3.4.3: chunks and textual data.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Stamp", "read_stamp", "stamp_png"]

MAKER = "LFR Harness"
_KEYWORD = b"Comment"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Length, name, 13 bytes and checksum of the header chunk.
_HEADER_BYTES = 8 + 13 + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where a picture comes from.

    Attributes:
        maker: The program.
        synthetic: Always true; a picture of anybody real bears no stamp.
        seed: Of the crowd.
        version: Of the program.
        background_sha256: Of the photograph of an empty site behind the people; ""
            where everything is painted.
    """

    maker: str = MAKER
    synthetic: bool = True
    seed: int
    version: str
    background_sha256: str = ""

    @staticmethod
    def of(seed: int, *, background_sha256: str | None = None) -> Stamp:
        """The stamp of this version."""
        behind = "" if background_sha256 is None else background_sha256
        return Stamp(
            seed=seed, version=version("lfr-harness"), background_sha256=behind
        )

    @property
    def text(self) -> str:
        """As it stands in a file: JSON on one line."""
        said = asdict(self)
        if not self.background_sha256:
            del said["background_sha256"]
        return json.dumps(said, sort_keys=True)


def _parse(text: str) -> Stamp | None:
    """Read a stamp's text; anything else is none."""
    try:
        said = json.loads(text)
        stamp = Stamp(**said)
    except (ValueError, TypeError):
        return None
    return stamp if stamp.maker == MAKER and stamp.synthetic is True else None


def stamp_png(png: bytes, stamp: Stamp) -> bytes:
    """Put a stamp behind a PNG's header; its pixels stay as they are."""
    body = b"tEXt" + _KEYWORD + b"\0" + stamp.text.encode("latin-1")
    chunk = (
        struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    )
    head = len(_SIGNATURE) + _HEADER_BYTES
    return png[:head] + chunk + png[head:]


def read_stamp(path: Path) -> Stamp | None:
    """Read a picture's or clip's stamp.

    Args:
        path: A PNG, or anything that PyAV opens.

    Returns:
        `None` if it bears none, or is no such file.
    """
    with path.open("rb") as file:
        if file.read(len(_SIGNATURE)) == _SIGNATURE:
            return _read_png(file.read(_HEADER_BYTES + 1024))
    try:
        with av.open(str(path)) as container:
            return _parse(container.metadata.get("comment", ""))
    except (av.FFmpegError, OSError):
        return None


def _read_png(start: bytes) -> Stamp | None:
    """Look for the stamp in the chunk that follows the header."""
    chunk = start[_HEADER_BYTES:]
    if len(chunk) < 8 or chunk[4:8] != b"tEXt":
        return None
    length = struct.unpack(">I", chunk[:4])[0]
    keyword, _, text = chunk[8 : 8 + length].partition(b"\0")
    return _parse(text.decode("latin-1")) if keyword == _KEYWORD else None
