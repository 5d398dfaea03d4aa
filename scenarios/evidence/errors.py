"""What can be wrong with a file of evidence, one sentence each.

Owns the wording. Knows nothing of how files are read.
"""

from __future__ import annotations

from scenarios.errors import ScenarioError

__all__ = ["EvidenceColumnError", "EvidenceFileError", "EvidenceValueError"]


class EvidenceFileError(ScenarioError):
    """The file cannot be read as what it should be."""

    def __init__(self, *, path: str, reason: str) -> None:
        self.path = path
        super().__init__(
            f"evidence must be a readable file, got {path}: {reason}; name another"
        )


class EvidenceColumnError(ScenarioError):
    """A column is missing or unknown."""

    def __init__(self, *, column: str, path: str, problem: str, remedy: str) -> None:
        self.column = column
        self.path = path
        super().__init__(f"{path}, line 1: column '{column}' {problem}; {remedy}")


class EvidenceValueError(ScenarioError):
    """One cell cannot be what it says."""

    def __init__(
        self, *, path: str, line: int, column: str, required: str, arrived: str
    ) -> None:
        self.path = path
        self.line = line
        self.column = column
        super().__init__(
            f"{path}, line {line}, column '{column}': must be {required}, got "
            f"'{arrived}'; correct the cell"
        )
