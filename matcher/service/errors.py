"""What keeps a service from starting, or from going on, by name.

LfrError
├── BadInputError
│   ├── TokenFileError      a token file that says nothing clear, or too openly
│   ├── BindError           an address that may not, or cannot, be listened on
│   ├── DataFolderError     a folder that another service uses, or is not ours
│   └── AuditLogError       an audit log that was altered or cut
└── AuditUnavailableError   the log cannot be written: nothing may go unrecorded
"""

from __future__ import annotations

from lfr_errors import BadInputError, LfrError

__all__ = [
    "AuditLogError",
    "AuditUnavailableError",
    "BindError",
    "DataFolderError",
    "TokenFileError",
]


class TokenFileError(BadInputError):
    """A token file that cannot be relied on."""


class BindError(BadInputError):
    """An address that may not, or cannot, be listened on."""


class DataFolderError(BadInputError):
    """A data folder that cannot be used."""


class AuditLogError(BadInputError):
    """An audit log that was altered or cut."""


class AuditUnavailableError(LfrError, RuntimeError):
    """The audit log cannot be written."""
