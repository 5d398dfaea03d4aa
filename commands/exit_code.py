"""How a command ends, for scripts."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a shell sees in `$?`."""

    GOOD = 0
    INTERNAL_ERROR = 1
    BAD_INPUT = 2
    NOT_VALID = 3
    OBJECTIVE_MISSED = 4
