"""What the service counts, for Prometheus.

Owns names and units. No label comes from a request's own words, so that nobody can
grow the page without bound, and no subject or camera stands on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from matcher.records import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matcher.records import FrameResult

__all__ = ["Metrics"]

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """One service's counters."""

    def __init__(self) -> None:
        # When a counter was made is of no use, and would double the page.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "lfr_requests_total",
            "Requests answered, by route and status.",
            ("route", "status"),
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "lfr_request_seconds",
            "From a request's head to the end of its answer, by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "lfr_refusals_total",
            "Requests refused, by the word in their problem.",
            ("code",),
            registry=self.registry,
        )
        self.frames = Counter(
            "lfr_frames_total",
            "Frames let in, by what became of them; too_old ones were not processed.",
            ("outcome",),
            registry=self.registry,
        )
        self.frame_seconds = Histogram(
            "lfr_frame_age_seconds",
            "From a processed frame's capture to its decision.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        stage_seconds = Counter(
            "lfr_stage_seconds_total",
            "Service time of each stage.",
            ("stage",),
            registry=self.registry,
        )
        self._stage_seconds = {stage: stage_seconds.labels(stage) for stage in Stage}
        self.faces = Counter(
            "lfr_faces_total", "Faces detected.", registry=self.registry
        )
        self.alerts = Counter(
            "lfr_alerts_total", "Alerts raised.", registry=self.registry
        )
        self.alerts_deleted = Counter(
            "lfr_alerts_deleted_total",
            "Alerts deleted at the end of their time.",
            registry=self.registry,
        )
        self.identifications = Counter(
            "lfr_identifications_total",
            "Pictures searched for, by whether a candidate was at the threshold.",
            ("above_threshold",),
            registry=self.registry,
        )
        self.photo_batch = Histogram(
            "lfr_photo_batch_pictures",
            "Pictures embedded and searched together.",
            buckets=(1, 2, 3, 4, 5, 6, 7, 8, 16, 32),
            registry=self.registry,
        )
        self.camera_restarts = Counter(
            "lfr_camera_restarts_total",
            "Cameras whose clock went back.",
            registry=self.registry,
        )
        self.internal_errors = Counter(
            "lfr_internal_errors_total",
            "Faults of the service's own.",
            registry=self.registry,
        )

    def watch_gauges(
        self, gauges: Mapping[str, tuple[str, Callable[[], float]]]
    ) -> None:
        """Let values be read when they are asked for: name → words, reading."""
        for name, (words, reading) in gauges.items():
            gauge = Gauge(name, words, registry=self.registry)
            gauge.set_function(reading)

    def frame_ended(self, result: FrameResult, *, is_too_old: bool) -> None:
        """Count a frame that was let in."""
        outcome = "too_old" if is_too_old else str(result.outcome.outcome)
        self.frames.labels(outcome).inc()
        for event in result.events:
            took_ns = event.ended_ns - event.started_ns
            self._stage_seconds[event.stage].inc(took_ns / 1e9)
        self.faces.inc(result.outcome.n_faces)
        self.alerts.inc(len(result.alerts))

    def page(self) -> bytes:
        """Return what Prometheus reads."""
        return generate_latest(self.registry)
