"""What travels over HTTP, both ways, as JSON: the contract of `docs/service.md`.

Its modules own names, shapes and limits of every body, and the way from a `FrameResult`
to the wire and back without loss. Knows nothing of HTTP, of storage or of matching.
Clients written in Python import this package and nothing else of the service.

All times that end in `_ns` are nanoseconds of the service's monotonic clock
(`GET /v1/clock`), except `unix_ns`, which counts from 1970.
"""

from __future__ import annotations

from matcher.service.wire.alerts import (
    DecisionRequest,
    StoredAlertsWire,
    StoredAlertWire,
)
from matcher.service.wire.base import (
    CAMERA_PATTERN,
    SUBJECT_PATTERN,
    WATCHLIST_PATTERN,
    CameraName,
    Problem,
    SubjectName,
    WatchlistName,
)
from matcher.service.wire.frames import (
    AlertWire,
    DetectionWire,
    FrameResultWire,
    OutcomeWire,
    ProbeWire,
    StageEventWire,
    from_wire,
    to_wire,
)
from matcher.service.wire.pictures import (
    CandidateWire,
    IdentificationWire,
)
from matcher.service.wire.system import (
    ClockWire,
    SystemWire,
)
from matcher.service.wire.watchlists import (
    ActiveWatchlistWire,
    EnrolmentRequest,
    EnrolmentWire,
    FailureWire,
    SubjectEnrolment,
    SubjectsWire,
    SwapRequest,
    WatchlistRequest,
    WatchlistsWire,
    WatchlistWire,
    WithdrawalRequest,
    WithdrawalWire,
)

__all__ = [
    "CAMERA_PATTERN",
    "SUBJECT_PATTERN",
    "WATCHLIST_PATTERN",
    "ActiveWatchlistWire",
    "AlertWire",
    "CameraName",
    "CandidateWire",
    "ClockWire",
    "DecisionRequest",
    "DetectionWire",
    "EnrolmentRequest",
    "EnrolmentWire",
    "FailureWire",
    "FrameResultWire",
    "IdentificationWire",
    "OutcomeWire",
    "ProbeWire",
    "Problem",
    "StageEventWire",
    "StoredAlertWire",
    "StoredAlertsWire",
    "SubjectEnrolment",
    "SubjectName",
    "SubjectsWire",
    "SwapRequest",
    "SystemWire",
    "WatchlistName",
    "WatchlistRequest",
    "WatchlistWire",
    "WatchlistsWire",
    "WithdrawalRequest",
    "WithdrawalWire",
    "from_wire",
    "to_wire",
]
