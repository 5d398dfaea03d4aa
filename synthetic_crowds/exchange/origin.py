"""Where exported files come from; every one of them says so.

Owns the words. Knows nothing of formats.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What made an exported file.

    Attributes:
        scenario: Name of the scenario.
        seed: Its seed.
        version: Of the harness.
    """

    scenario: str
    seed: int
    version: str

    @property
    def sentence(self) -> str:
        """Say it to a person who finds the file."""
        return (
            "Synthetic people only: no person in this file exists. Made by LFR "
            f"Harness {self.version} from scenario {self.scenario}, seed {self.seed}."
        )

    @property
    def fields(self) -> dict[str, str]:
        """Say it to a program, as text by name."""
        return {
            "synthetic": "true",
            "scenario": self.scenario,
            "seed": str(self.seed),
            "version": self.version,
        }
