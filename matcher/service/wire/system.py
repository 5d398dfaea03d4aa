"""The service itself on the wire: what a result must name, and its clocks.

Owns names and shapes.
"""

from __future__ import annotations

from pydantic import Field

from matcher.messages import SystemDescription
from matcher.service.wire.base import AnswerBody, shown

__all__ = ["ClockWire", "SystemWire"]


class ClockWire(AnswerBody):
    """Answer to `GET /v1/clock`."""

    model_config = shown(
        {"monotonic_ns": 81_237_000_000, "unix_ns": 1_800_000_000_000_000_000}
    )

    monotonic_ns: int = Field(description="What every stamp of the service is of.")
    unix_ns: int


class SystemWire(AnswerBody):
    """Answer to `GET /v1/system`: what a result must name to be repeated."""

    name: str
    detector: str
    embedder: str
    index: str
    gallery_size: int = Field(description="0 while no watchlist is active.")
    threshold: float
    threshold_origin: str
    threads: dict[str, int]
    versions: dict[str, str]
    n_cohort: int | None
    embedder_sha256: str
    template_dimension: int
    settings: dict[str, object] = Field(description="The matcher's, resolved.")
    hostname: str
    boot_id: str = Field(description="Equal to ours: the same machine and clock.")
    pid: int
    measuring: bool = Field(description="Whether `detail=full` is answered.")

    def description(self) -> SystemDescription:
        """Return it as the record that a run keeps."""
        return SystemDescription(
            name=self.name,
            detector=self.detector,
            embedder=self.embedder,
            index=self.index,
            gallery_size=self.gallery_size,
            threshold=self.threshold,
            threshold_origin=self.threshold_origin,
            threads=tuple(self.threads.items()),
            versions=tuple(self.versions.items()),
            n_cohort=self.n_cohort,
        )
