"""Root of the exception tree; every package hangs its own errors below it.

Owns the one base class, so that `harness.py` can turn any expected failure into
one sentence and an exit code. Knows nothing of what can go wrong.

    LfrError
    ├── BadInputError (ValueError)       the user can mend it: exit code 2
    │   ├── scenarios.errors.*           scenario files and command lines
    │   ├── synthetic_crowds.errors.*    populations, cameras, clips
    │   ├── matcher.errors.*             weights, galleries, frames
    │   └── bench.errors.*               load plans, run folders
    ├── CutShortError                    Ctrl-C: exit code 3
    └── (internal failures)              exit code 1
"""

from __future__ import annotations

__all__ = ["BadInputError", "CutShortError", "LfrError"]


class LfrError(Exception):
    """Any failure that this project foresees and names."""


class BadInputError(LfrError, ValueError):
    """Input that the user can mend.

    The message is one sentence in four parts: what was required, what arrived,
    where, and the remedy.
    """


class CutShortError(LfrError):
    """Somebody pressed Ctrl-C; the message says what is kept and how to go on."""
