"""Settings of a camera's stream: where it is and how long to be patient with it.

Owns ranges, units and defaults, and what follows from a URL alone. Knows nothing of
sockets.
"""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator

from matcher.errors import StreamError
from matcher.settings import Settings

__all__ = ["StreamConfig", "named_stream"]

# Nothing in such a URL says what is sent; cameras that use them send MPEG-TS.
_BARE = frozenset({"tcp", "udp", "srt"})
_LIVE = _BARE | {"rtsp", "rtsps", "rtmp", "rtp", "http", "https"}


class StreamConfig(Settings):
    """One camera's stream (`matcher.streams`)."""

    camera_id: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$", description="Which camera."
    )
    url: str = Field(
        min_length=1,
        max_length=2048,
        description="Anything PyAV opens: a file, tcp://host:port, udp://:port, "
        "rtsp://….",
    )
    container: str | None = Field(
        default=None,
        description="FFmpeg's name of the container; absent, MPEG-TS where the URL is "
        "tcp, udp or srt, else found out.",
    )
    open_s: float = Field(
        default=5.0, gt=0.0, le=300.0, description="Longest wait for a connection."
    )
    stall_s: float = Field(
        default=2.0,
        gt=0.0,
        le=300.0,
        description="A camera silent for so long has stalled: it is connected anew.",
    )
    first_backoff_s: float = Field(
        default=0.2,
        gt=0.0,
        le=60.0,
        description="Wait before connecting anew; each failure doubles it.",
    )
    longest_backoff_s: float = Field(
        default=10.0, gt=0.0, le=3600.0, description="Where that doubling ends."
    )
    jump_s: float = Field(
        default=2.0,
        gt=0.0,
        le=3600.0,
        description="A camera whose clock runs ahead by more than this between two "
        "frames has lost its time; one that goes back has in any case.",
    )
    repeat: bool = Field(
        default=False, description="Show a file again when it ends, for ever."
    )

    @property
    def scheme(self) -> str:
        """How it is reached; empty for a file."""
        scheme = urlsplit(self.url).scheme.lower()
        return "" if scheme == "file" else scheme

    @property
    def is_live(self) -> bool:
        """Whether frames come at their own time; those of a file are held back."""
        return self.scheme in _LIVE

    @property
    def format(self) -> str | None:
        """FFmpeg's name of the container, where it must be told."""
        if self.container is None and self.scheme in _BARE:
            return "mpegts"
        return self.container

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.longest_backoff_s < self.first_backoff_s:
            message = (
                "longest_backoff_s must not be shorter than first_backoff_s, got "
                f"{self.longest_backoff_s:g} after {self.first_backoff_s:g}; swap them"
            )
            raise ValueError(message)
        if self.repeat and self.is_live:
            message = (
                f"repeat must go with a file, got {self.url}; leave it out: a live "
                "camera that ends is connected anew"
            )
            raise ValueError(message)
        return self


def named_stream(text: str) -> StreamConfig:
    """Read `NAME=URL`, as a command line has it.

    Raises:
        StreamError: If it is not of that form, or the name or URL is refused.
    """
    camera_id, equals, url = text.partition("=")
    if not equals:
        message = (
            f"a camera must be given as NAME=URL, got '{text}'; write for instance "
            "east=rtsp://192.0.2.7/stream1 or east=clip.mp4"
        )
        raise StreamError(message)
    try:
        return StreamConfig(camera_id=camera_id, url=url)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = (
            f"a camera must be given as NAME=URL, got '{text}' ({where}: "
            f"{first['msg']}); names hold letters, digits, '.', '_', '~' and '-'"
        )
        raise StreamError(message) from error
