"""What can go wrong inside `matcher`, by name.

Owns the exceptions; every one carries the values that it complains of. Knows
nothing of exit codes: `harness.py` maps the two roots.

    LfrError
    ├── BadInputError
    │   ├── UnknownPluginError          no plug-in of that name
    │   ├── ModelFileError              weights absent, altered or of another shape
    │   ├── GalleryError                templates that cannot be enrolled together
    │   ├── CalibrationError            a threshold that the cohort cannot give
    │   └── StreamError                 cameras that cannot be read together
    └── EngineError (RuntimeError)      the worker broke its protocol
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lfr_errors import BadInputError, LfrError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "CalibrationError",
    "EngineError",
    "GalleryError",
    "ModelFileError",
    "StreamError",
    "UnknownPluginError",
]


class UnknownPluginError(BadInputError, LookupError):
    """A name that no plug-in is registered under.

    Attributes:
        name: What was asked for.
        known: What there is, sorted.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.known = tuple(sorted(known))
        nearest = get_close_matches(name, self.known, n=1, cutoff=0.0)
        hint = f"; nearest is {nearest[0]!r}" if nearest else ""
        super().__init__(
            f"{kind} must be one of {', '.join(self.known)}, got {name!r}{hint}"
        )


class ModelFileError(BadInputError):
    """A model file that is absent, altered, or not what the plug-in needs.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, complaint: str) -> None:
        self.path = path
        super().__init__(f"model file {path} {complaint}")


class GalleryError(BadInputError):
    """Templates or subjects that cannot stand in one gallery."""


class CalibrationError(BadInputError):
    """A threshold that this cohort cannot give."""


class StreamError(BadInputError):
    """Cameras that cannot be read together, or not at all."""


class EngineError(LfrError, RuntimeError):
    """A message that the worker's protocol does not allow at this point."""
