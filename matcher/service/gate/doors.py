"""Which request may bring what, needs whom, and waits where.

Owns one table. A request that no row fits needs a token like any other and may bring
little; the app answers it. Knows nothing of how any of it is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from matcher.service.gate.tokens import Role

__all__ = ["DOORS", "Body", "Door", "Queue", "door_of"]


class Body(StrEnum):
    """What a request's body may be."""

    FRAME = "frame"
    PICTURE = "picture"
    BULK = "bulk"
    SMALL = "small"


class Queue(StrEnum):
    """Where a request waits for its turn."""

    FRAMES = "frames"
    PHOTOS = "photos"
    BULK = "bulk"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One row.

    Attributes:
        name: For metrics.
        methods: Of HTTP; any if empty.
        path: Which paths it is for, from beginning to end.
        role: Who may; None if any token will do.
        is_open: Whether not even a token is needed.
        body: What it may bring.
        queue: Where it waits.
    """

    name: str
    methods: frozenset[str]
    path: re.Pattern[str]
    role: Role | None = None
    is_open: bool = False
    body: Body = Body.SMALL
    queue: Queue = Queue.NONE


def _door(
    name: str,
    methods: str,
    path: str,
    *,
    role: Role | None = None,
    is_open: bool = False,
    body: Body = Body.SMALL,
    queue: Queue = Queue.NONE,
) -> Door:
    return Door(
        name=name,
        methods=frozenset(methods.split()),
        path=re.compile(path),
        role=role,
        is_open=is_open,
        body=body,
        queue=queue,
    )


_LIST = r"/v1/watchlists/[^/]*"
_ANY = _door("other", "", r".*")
# The first row that fits counts.
DOORS = (
    _door(
        "frames",
        "POST",
        r"/v1/frames",
        role=Role.OPERATOR,
        body=Body.FRAME,
        queue=Queue.FRAMES,
    ),
    _door(
        "identify",
        "POST",
        r"/v1/identify",
        role=Role.OPERATOR,
        body=Body.PICTURE,
        queue=Queue.PHOTOS,
    ),
    _door(
        "enrol_picture",
        "PUT",
        rf"{_LIST}/subjects/[^/]*",
        role=Role.CURATOR,
        body=Body.PICTURE,
        queue=Queue.PHOTOS,
    ),
    _door(
        "enrol",
        "POST",
        rf"{_LIST}/subjects",
        role=Role.CURATOR,
        body=Body.BULK,
        queue=Queue.BULK,
    ),
    _door(
        "withdraw",
        "POST",
        rf"{_LIST}/withdrawals",
        role=Role.CURATOR,
        body=Body.BULK,
        queue=Queue.BULK,
    ),
    _door("watchlists", "", r"/v1/watchlists(/.*)?", role=Role.CURATOR),
    _door("swap", "PUT", r"/v1/active-watchlist", role=Role.CURATOR),
    _door("cameras", "", r"/v1/cameras(/.*)?", role=Role.OPERATOR),
    _door("alert_stream", "GET", r"/v1/alerts/stream", role=Role.OPERATOR),
    _door("alerts", "", r"/v1/alerts(/.*)?", role=Role.OPERATOR),
    _door("health", "GET HEAD", r"/(healthz|readyz)", is_open=True),
    _door("metrics", "GET", r"/metrics"),
    _ANY,
)


def door_of(method: str, path: str) -> Door:
    """Find the row for a request."""
    for door in DOORS:
        if (not door.methods or method in door.methods) and door.path.fullmatch(path):
            return door
    return _ANY
