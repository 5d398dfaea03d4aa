"""What measuring a matcher taught: service times, and who is embedded.

Owns the record that travels from `bench` to the simulator, its file form, and the
question how far outside of what was measured a load lies. Observed waiting times are
not in it: waiting is for the model to foretell. Knows nothing of how it was fitted.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lfr_errors import BadInputError
from sim.crowd import Stream, Walks
from sim.looking import UNSEEN, LookRules
from sim.records import StageIndex
from sim.service import Gap, ServiceTables

__all__ = [
    "FAR",
    "Calibration",
    "CalibrationError",
    "LookFit",
    "Range",
    "SearchFit",
    "StageFit",
]

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
    """Service time of one stage, as `sim.service` has it, plus a residual."""

    stage: str
    unit: str = Field(description="byte or face.")
    base_s: float
    per_unit_s: float
    once_s: float = Field(
        description="More if any face is embedded; for decoding, if the frame is "
        "looked at."
    )
    per_face_s: float = Field(description="More for every face embedded.")
    rest: float = Field(
        description="Longer by this share after a long rest of the detector."
    )
    units: Range = Field(description="Units per frame in the measurement.")
    n: int = Field(description="Frames behind the fit.")
    mean_s: float = Field(description="Mean over those frames.")
    mean_low_s: float = Field(description="95 % interval of the mean, by batch means.")
    mean_high_s: float


class SearchFit(_Record):
    """Service time of a search at one gallery size."""

    gallery_size: int
    once_s: float
    per_face_s: float
    n: int


class LookFit(_Record):
    """What the matcher searches and embeds; see `sim.looking.LookRules`."""

    young_interval_s: float
    steady_interval_s: float
    astray: float
    confirm_hits: int
    max_gap_s: float
    min_quality: float
    min_gain: float
    interval_s: float
    max_shots: int


class Calibration(_Record):
    """All that the simulator knows of a matcher on a machine."""

    schema_version: Literal[3] = 3
    machine: dict[str, str | int | float]
    system: dict[str, str | int | float]
    stages: tuple[StageFit, ...]
    search: tuple[SearchFit, ...] = Field(description="Ascending by gallery size.")
    residuals: tuple[tuple[float, ...], ...] = Field(
        description="A row per stage: quantiles at even levels of what the fit does "
        "not explain, as shares of the fitted time."
    )
    gaps_us: tuple[tuple[float, ...], ...] = Field(
        description="Rows of `sim.service.Gap`: quantiles, microseconds."
    )
    sway: tuple[tuple[float, ...], ...] = Field(
        description="Quantiles of the machine's quick and slow sway, as shares."
    )
    look: LookFit
    max_pending: int
    n_loads: int = Field(ge=1, description="Loads behind it.")
    n_disturbed: int = Field(
        ge=0,
        description="Of those, during how many others kept the machine busy, or its "
        "speed changed.",
    )
    by_load: tuple[float, ...] = Field(
        description="How much slower the machine was in each load than on average, "
        "by the gauge, the same work beside every load."
    )
    in_load: float = Field(
        gt=0.0,
        description="Time of a load's frames, as a multiple of what that work says.",
    )
    drift: float = Field(
        ge=0.0,
        description="Standard deviation of a load's speed about what that work says.",
    )
    approaches: tuple[tuple[int, ...], ...] = Field(
        description="What an unhurried look found of each passer-by, sample by "
        "sample: quality in thousandths, -1000 too small, -2000 not found."
    )
    approaches_hz: float = Field(gt=0.0, description="Samples a second.")
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
        if stages != expected:
            message = f"a calibration must fit {', '.join(expected)}, got {stages}"
            raise ValueError(message)
        rows = (len(self.residuals), len(self.gaps_us), len(self.sway))
        if rows != (len(StageIndex), len(Gap), 2):
            message = (
                f"a calibration must have quantiles of {len(StageIndex)} stages, "
                f"{len(Gap)} gaps and 2 sways, got {rows}"
            )
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
        costs_s = np.array(
            [[f.base_s, f.per_unit_s, f.once_s, f.per_face_s] for f in self.stages]
        )
        costs_s[StageIndex.SEARCH, 2:] = self._search(gallery_size)
        slowdown = [self.slowdown_at(n) for n in range(n_workers + 1)]
        return ServiceTables(
            costs_s=costs_s / speed,
            residuals=np.array(self.residuals, np.float64),
            rest=np.array([fit.rest for fit in self.stages], np.float64),
            gaps_s=np.array(self.gaps_us, np.float64) * 1e-6 / speed,
            sway=np.array(self.sway, np.float64),
            slowdown=np.array(slowdown, np.float64),
            look=LookRules(**self.look.model_dump()),
        )

    def slowdown_at(self, n_workers: int) -> float:
        """Say how much slower a worker is with so many busy.

        With more than were ever measured, as slow as with the most.
        """
        return self.slowdown[min(n_workers, len(self.slowdown) - 1)]

    def walks(self, *, alert_chance: float = 0.0, alert_shot: int = 1) -> Walks:
        """Lay out how people come and walk.

        Args:
            alert_chance: Of a passage that is looked at.
            alert_shot: The embedding that raises the alert.
        """
        # Behind every approach one more sample, for a moment after its end.
        lengths = np.array([len(each) for each in self.approaches], np.int64)
        series = [
            np.append(np.array(each, np.float32) * 1e-3, UNSEEN)
            for each in self.approaches
        ]
        return Walks(
            first=np.cumsum(np.append(0, lengths[:-1] + 1)).astype(np.int64),
            length=lengths,
            quality=np.concatenate(series).astype(np.float32),
            rate_hz=self.approaches_hz,
            group_stop=self.group_stop,
            alert_chance=alert_chance / max(self.views_per_passage, 1.0),
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
            np.array([fit.once_s for fit in self.search]),
            np.array([fit.per_face_s for fit in self.search]),
        ):
            value = float(np.interp(gallery_size, sizes, values))
            if gallery_size > sizes[-1] and len(sizes) > 1:
                slope = (values[-1] - values[0]) / (sizes[-1] - sizes[0])
                value = float(values[-1] + slope * (gallery_size - sizes[-1]))
            found.append(value)
        return found[0], found[1]
