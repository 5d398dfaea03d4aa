"""Workers of honest stand-ins, made where a Ray replica runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from matcher_workers import SYSTEM, colour_pipeline

from matcher.config import BestShotConfig, EngineConfig, MatcherConfig, QualityConfig
from matcher.worker import Worker

if TYPE_CHECKING:
    from matcher.messages import SystemDescription


def make_colours() -> tuple[Worker, SystemDescription]:
    """A worker that knows a blue and a red subject."""
    config = MatcherConfig(
        quality=QualityConfig(min_quality=0.0),
        best_shot=BestShotConfig(interval_s=0.3, min_gain=1.0, max_shots=3),
        engine=EngineConfig(drop_policy="none"),
    )
    return Worker(colour_pipeline(config), clock=time.perf_counter_ns), SYSTEM
