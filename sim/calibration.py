"""What measuring a matcher taught: service times, and who is embedded.

Owns the record that travels from `bench` to the simulator, its file form, and the
question how far outside of what was measured a load lies. Observed waiting times are
not in it: waiting is for the model to foretell. Knows nothing of how it was fitted.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lfr_errors import BadInputError
from sim.crowd import Stream, Walks
from sim.records import StageIndex
from sim.service import HEIGHT_EDGES_PX, N_STATES, ServiceTables

__all__ = ["FAR", "Calibration", "CalibrationError", "Range", "SearchFit", "StageFit"]

# How far beyond the measured range a figure is still extrapolated.
FAR = 10.0


class CalibrationError(BadInputError):
    """A calibration that cannot answer what it is asked."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Range(_Record):
    """From where to where something was measured."""

    low: float
    high: float

    def outside(self, value: float) -> float:
        """Return by what factor a value lies outside, 1 if it does not."""
        if value < self.low:
            return self.low / value if value > 0.0 else np.inf
        return max(value / self.high, 1.0) if self.high > 0.0 else np.inf


class StageFit(_Record):
    """Service time of one stage: `base_s + per_unit_s * units`, plus a residual."""

    stage: str
    unit: str = Field(description="byte or face.")
    base_s: float
    per_unit_s: float
    idle_s: float = Field(description="With no face to work on.")
    units: Range = Field(description="Units per frame in the measurement.")
    n: int = Field(description="Frames behind the fit.")
    mean_s: float = Field(description="Mean over those frames.")
    mean_low_s: float = Field(description="95 % interval of the mean, by batch means.")
    mean_high_s: float
    by_run_s: tuple[float, ...] = Field(
        description="Mean residual of each run, seconds: what the fit does not explain."
    )


class SearchFit(_Record):
    """Service time of a search at one gallery size."""

    gallery_size: int
    base_s: float
    per_unit_s: float
    n: int


class Calibration(_Record):
    """All that the simulator knows of a matcher on a machine."""

    schema_version: int = 1
    machine: dict[str, str | int | float]
    system: dict[str, str | int | float]
    stages: tuple[StageFit, ...]
    search: tuple[SearchFit, ...] = Field(description="Ascending by gallery size.")
    residuals_us: tuple[tuple[int, ...], ...] = Field(
        description="Rows of `sim.service.Residual`: quantiles at even levels, in "
        "microseconds."
    )
    hazards: tuple[tuple[float, ...], ...] = Field(
        description="Chance of an embedding by state of the track and height."
    )
    hazard_n: tuple[tuple[int, ...], ...] = Field(description="Sightings behind each.")
    stray: float
    interval_s: float
    max_shots: int
    max_pending: int
    n_loads: int = Field(ge=1, description="Loads behind it.")
    n_disturbed: int = Field(
        ge=0, description="Of those, during how many others kept the machine busy."
    )
    pace_s: float = Field(
        gt=0.0, description="What a fixed piece of work took beside the runs, mean."
    )
    drift: float = Field(
        ge=0.0,
        description="Standard deviation of the machine's speed from one run to the "
        "next, as a share.",
    )
    approaches: tuple[tuple[float, float, float], ...] = Field(
        description="Views of passers-by in the clips: seconds in view, inverse height "
        "at entry (1/px), its rate (1/(px s))."
    )
    views_hz: float = Field(description="Views that began a second and camera.")
    views_per_passage: float = Field(
        description="Views of one passage: people are hidden and seen again."
    )
    group_stop: float = Field(description="Chance that a group ends with a member.")
    packets: tuple[float, float, float] = Field(
        description="Mean bytes of key frames and of others; their spread as a share."
    )
    cores: int
    slowdown: tuple[float, ...] = Field(
        description="Factor on service with 0, 1, 2 ... workers busy, as measured."
    )
    generator_cores: float = Field(description="Processor time of driving, cores.")
    faces_per_frame: Range
    gallery_sizes: Range
    fps: Range
    pixels: Range
    utilisation: Range
    validated: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        stages = tuple(fit.stage for fit in self.stages)
        expected = tuple(stage.name.lower() for stage in StageIndex)
        shapes = {len(row) for row in self.hazards}
        if stages != expected or len(self.hazards) != N_STATES:
            message = f"a calibration must fit {', '.join(expected)}, got {stages}"
            raise ValueError(message)
        if shapes != {len(HEIGHT_EDGES_PX)}:
            message = f"hazards must have {len(HEIGHT_EDGES_PX)} heights, got {shapes}"
            raise ValueError(message)
        return self

    def tables(
        self, *, gallery_size: int, speed: float = 1.0, n_workers: int = 1
    ) -> ServiceTables:
        """Lay out the tables of a gallery size on a machine of some speed.

        Args:
            gallery_size: Templates, N.
            speed: Of one core against the measured one; times are divided by it.
            n_workers: Up to how many may be busy at once.

        Raises:
            CalibrationError: If the gallery is far larger than any measured.
        """
        fits = self.stages
        costs_s = np.array([[f.base_s, f.per_unit_s, f.idle_s] for f in fits])
        costs_s[StageIndex.SEARCH, :2] = self._search(gallery_size)
        slowdown = list(self.slowdown)
        # Busier than was ever measured: as slow as the busiest measurement.
        slowdown += [slowdown[-1]] * (n_workers + 1 - len(slowdown))
        residuals_s = np.array(self.residuals_us, np.float64) * 1e-6
        return ServiceTables(
            costs_s=costs_s / speed,
            residuals_s=residuals_s / speed,
            hazards=np.array(self.hazards, np.float64),
            stray=self.stray,
            interval_s=self.interval_s,
            max_shots=self.max_shots,
            slowdown=np.array(slowdown, np.float64),
        )

    def walks(self, *, alert_chance: float = 0.0, alert_shot: int = 1) -> Walks:
        """Lay out how people come and walk."""
        return Walks(
            approaches=np.array(self.approaches, np.float64),
            group_stop=self.group_stop,
            alert_chance=alert_chance,
            alert_shot=alert_shot,
        )

    def stream(self, *, fps: float, jitter_s: float, pixels: float) -> Stream:
        """Lay out what a camera sends; packets grow with the picture."""
        scale = pixels / self.pixels.high
        key_bytes, other_bytes, spread = self.packets
        return Stream(
            fps=fps,
            jitter_s=jitter_s,
            key_every=max(round(fps), 1),
            key_bytes=key_bytes * scale,
            other_bytes=other_bytes * scale,
            spread=spread,
        )

    def _search(self, gallery_size: int) -> tuple[float, float]:
        """Interpolate between the measured gallery sizes; beyond, follow the line."""
        sizes = np.array([fit.gallery_size for fit in self.search], np.float64)
        if gallery_size > FAR * sizes[-1]:
            message = (
                f"gallery_size must be at most {FAR:g} times the largest that was "
                f"measured, {sizes[-1]:,.0f}, got {gallery_size:,}; calibrate with a "
                "larger gallery"
            )
            raise CalibrationError(message)
        found = []
        for values in (
            np.array([fit.base_s for fit in self.search]),
            np.array([fit.per_unit_s for fit in self.search]),
        ):
            value = float(np.interp(gallery_size, sizes, values))
            if gallery_size > sizes[-1] and len(sizes) > 1:
                slope = (values[-1] - values[0]) / (sizes[-1] - sizes[0])
                value = float(values[-1] + slope * (gallery_size - sizes[-1]))
            found.append(value)
        return found[0], found[1]
