"""Settings of the load and of the objectives: `[load]` and `[objectives]`.

Owns ranges, units and which metric each objective limits. Knows nothing of how
load is driven or metrics are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sim.arrivals import Phase

__all__ = ["LoadConfig", "Objective", "ObjectivesConfig"]

Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class LoadConfig(BaseModel):
    """How frames arrive at the matcher.

    Real-time or unhurried is no property of a scenario: the command line says it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["camera_stream"] = Field(
        default="camera_stream",
        description="Every camera sends its clip once, at its own frame rate.",
    )
    duration_s: Seconds | None = Field(
        default=None,
        description="Seconds of every clip to send; the whole clip if left out.",
    )
    phase: Phase = Field(
        default=Phase.RANDOM,
        description=(
            "How the cameras' clocks stand to each other: aligned is the worst case, "
            "staggered the best."
        ),
    )
    jitter_s: float = Field(
        default=0.005,
        ge=0.0,
        le=1.0,
        description=(
            "Largest lateness of a frame on its way, drawn per frame; below one frame "
            "interval."
        ),
    )
    warm_up_s: float = Field(
        default=3.0,
        ge=0.0,
        le=600.0,
        description="Seconds at the start of the run that no figure counts.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A limit on one metric.

    Attributes:
        metric: Name in the metrics map of a run.
        limit: What is allowed, in the metric's unit.
        at_most: The value must not exceed the limit; else not fall below it.
    """

    metric: str
    limit: float
    at_most: bool


class ObjectivesConfig(BaseModel):
    """What the run is asked to show; an objective left out is not judged."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    glass_to_alert_p50_s: Seconds | None = Field(
        default=None, description="At most: median glass-to-alert latency."
    )
    glass_to_alert_p90_s: Seconds | None = Field(
        default=None, description="At most: its 90th percentile."
    )
    glass_to_alert_p95_s: Seconds | None = Field(
        default=None, description="At most: its 95th percentile."
    )
    glass_to_alert_p99_s: Seconds | None = Field(
        default=None, description="At most: its 99th percentile."
    )
    skipped_share: Share | None = Field(
        default=None, description="At most: frames skipped, of those offered."
    )
    failed_share: Share | None = Field(
        default=None, description="At most: frames failed, of those offered."
    )
    fpir: Share | None = Field(
        default=None,
        description="At most: non-mated passages that raised an alert.",
    )
    fnir: Share | None = Field(
        default=None, description="At most: mated passages without a true alert."
    )
    tpir: Share | None = Field(
        default=None, description="At least: mated passages with a true alert."
    )
    tpir_face_60px: Share | None = Field(
        default=None,
        description=(
            "At least: the same among passages whose largest face is 60 px high or "
            "more and not occluded."
        ),
    )
    fta: Share | None = Field(
        default=None, description="At most: passages of which no search was made."
    )

    def stated(self) -> tuple[Objective, ...]:
        """List the objectives that were stated, in order of declaration."""
        limits = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple(
            Objective(metric=_METRICS[name][0], limit=limit, at_most=_METRICS[name][1])
            for name, limit in limits
            if limit is not None
        )


# Of each objective: the metric it limits, and whether it limits it from above.
_METRICS: dict[str, tuple[str, bool]] = {
    "glass_to_alert_p50_s": ("glass_to_alert_s.p50", True),
    "glass_to_alert_p90_s": ("glass_to_alert_s.p90", True),
    "glass_to_alert_p95_s": ("glass_to_alert_s.p95", True),
    "glass_to_alert_p99_s": ("glass_to_alert_s.p99", True),
    "skipped_share": ("frames.skipped_share", True),
    "failed_share": ("frames.failed_share", True),
    "fpir": ("fpir", True),
    "fnir": ("fnir", True),
    "tpir": ("tpir", False),
    "tpir_face_60px": ("tpir.face_60px", False),
    "fta": ("fta", True),
}
