"""Settings of what a run is asked to show: `[objectives]`; and those of its load.

Owns ranges, units and which metric each objective limits. Knows nothing of how
load is driven or metrics are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bench.load.settings import LoadConfig

__all__ = ["LoadConfig", "Objective", "ObjectivesConfig"]

Seconds = Annotated[float, Field(gt=0.0, le=3600.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


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
