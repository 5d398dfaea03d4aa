"""The matcher's settings of processes and queues: `[matcher.engine]` of a scenario.

Owns names, units, ranges and defaults. Knows nothing of how a setting acts;
`matcher.engine` does.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from matcher.settings import Settings

__all__ = ["EngineConfig"]


class EngineConfig(Settings):
    """How frames are spread over processes, and which are skipped (`matcher.engine`).

    See `unhurried` for the settings under which nothing depends on time.
    """

    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Worker processes; each carries its own cameras on one core.",
    )
    pin_workers: bool = Field(
        default=False,
        description="Bind each worker to one core, where the system allows it.",
    )
    max_restarts: int = Field(
        default=3,
        ge=0,
        le=1000,
        description="Deaths of one worker within a minute after which the matcher "
        "gives up instead of starting it again.",
    )
    batch_frames: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Frames of different cameras that are embedded and searched "
        "together; more pay only where a large gallery is searched exhaustively.",
    )
    batch_wait_s: float = Field(
        default=0.0,
        ge=0.0,
        le=0.5,
        description="Longest wait for a batch to fill; 0 takes only what is there.",
    )
    drop_policy: Literal["latest_wins", "none"] = Field(
        default="latest_wins",
        description="latest_wins skips a frame once newer ones of its camera wait; "
        "none processes every frame in order of arrival.",
    )
    max_pending: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="Frames of one camera that may wait before the oldest is skipped; "
        "with 1, a core that carries nine cameras skips 2 % of their frames for "
        "waits below 0.1 s.",
    )
    results_interval_s: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Results travel back in batches this far apart; alerts at once.",
    )

    def unhurried(self) -> EngineConfig:
        """Return these settings without anything that depends on when frames come."""
        return self.model_copy(
            update={"drop_policy": "none", "batch_frames": 1, "batch_wait_s": 0.0}
        )
