"""What a validation says: figures foretold and measured, load by load.

Owns the records and what counts as met. Knows nothing of how either side comes about.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.planning.replay import Replay  # noqa: TC001 - pydantic reads the records back

__all__ = [
    "FIGURES",
    "Comparison",
    "LoadResult",
    "Objective",
    "Validation",
]

FIGURES = ("mean", "p50", "p95", "p99", "skipped", "utilisation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What a site must keep to.

    Attributes:
        p99_s: Most that the 99th percentile of glass-to-alert may be.
        skipped: Largest share of frames that may be skipped.
    """

    p99_s: float
    skipped: float

    def is_met(self, figures: dict[str, float]) -> bool:
        """Whether figures, by the names of `FIGURES`, keep to it."""
        return figures["p99"] <= self.p99_s and figures["skipped"] <= self.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure, foretold and measured.

    Attributes:
        figure: One of `FIGURES`; seconds, or a share.
        foretold: Median over replications.
        low, high: Their central 95 %.
        measured: What came.
        error: Relative for times; for shares the difference.
        limit: Largest error allowed; None if the figure is not judged here.
    """

    figure: str
    foretold: float
    low: float
    high: float
    measured: float
    error: float
    limit: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the error is within its limit; None without one."""
        return None if self.limit is None else abs(self.error) <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """One held-out load.

    Attributes:
        replay: The load.
        n_frames: Frames counted.
        comparisons: One per figure, at the machine's speed at the time.
        others: Cores that others kept busy meanwhile; None where nobody can say.
        attempts: How often it was driven.
        change: Of the machine's speed in the course of it, as `Driven` has it.
        is_quiet: Whether others kept within their limit, and the machine to its speed,
            in the run that counts.
        speed: Of the machine at the time, against the calibration, by the gauge.
        as_calibrated: The comparisons had the machine been taken to be as fast as in
            the calibration.
        speed_in_load: Of the machine while the load ran, by its own service times.
        diagnosis: The comparisons at that speed. No forecast, since it is known only
            afterwards: it tells the model's error from the machine's drift.
    """

    replay: Replay
    n_frames: int
    comparisons: tuple[Comparison, ...]
    others: float | None
    change: float
    attempts: int
    is_quiet: bool
    speed: float
    as_calibrated: tuple[Comparison, ...]
    speed_in_load: float
    diagnosis: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All held-out loads, and the number of cameras.

    Attributes:
        loads: Each load.
        objective: What "carried" means.
        ladder: Numbers of cameras that were driven.
        foretold_cameras: How many are carried by the model: median over replications.
        foretold_low, foretold_high: Their central 95 %.
        measured_cameras: The largest of the ladder up to which all kept the objective;
            one less than the smallest if none did.
    """

    loads: tuple[LoadResult, ...]
    objective: Objective
    ladder: tuple[int, ...]
    foretold_cameras: int
    foretold_low: int
    foretold_high: int
    measured_cameras: int

    @property
    def judged(self) -> tuple[bool, ...]:
        """Of each judged figure, whether it is within its limit.

        A load that was disturbed is shown and not judged: it measured that too.
        """
        return tuple(
            row.is_met
            for load in self.loads
            for row in load.comparisons
            if load.is_quiet and row.is_met is not None
        )

    @property
    def judged_at_own_speed(self) -> tuple[bool, ...]:
        """Of each figure with a limit, of all loads, whether the diagnosis meets it."""
        return tuple(
            row.is_met
            for load in self.loads
            for row in load.diagnosis
            if row.is_met is not None
        )

    @property
    def n_disturbed(self) -> int:
        """Loads that others disturbed, or a machine that changed its speed."""
        return sum(not load.is_quiet for load in self.loads)

    @property
    def is_met(self) -> bool:
        """Whether every judged figure, and the number of cameras, is within limits."""
        return bool(self.judged) and all(self.judged) and self.cameras_met

    @property
    def cameras_met(self) -> bool:
        """Whether the number of cameras is right to one, or to a tenth."""
        off = abs(self.foretold_cameras - self.measured_cameras)
        return off <= max(1.0, 0.1 * self.measured_cameras)
