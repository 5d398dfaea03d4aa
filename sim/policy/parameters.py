"""The uncertain quantities of a deployment that no record of counts tells.

Owns each one's distribution, the fact it comes from, and its draws. A quantity
without a published figure is marked as an assumption and kept wide. Knows nothing of
how the quantities act.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.special import ndtri

from sim.policy.records import freeze

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "Draws",
    "MedianConfig",
    "ParametersConfig",
    "ShareConfig",
    "draw_parameters",
    "linger_median_s",
]


class MedianConfig(BaseModel):
    """A positive quantity whose median over cases is itself uncertain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    median: float = Field(gt=0.0, le=1e6, description="Best guess, in the unit named.")
    log_sd: float = Field(
        gt=0.0, le=2.0, description="Uncertainty of that guess, on the log scale."
    )
    fact: str = Field(description="The fact or assumption it comes from.")


class ShareConfig(BaseModel):
    """A probability known from a count: Beta with Jeffreys' prior."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: float = Field(ge=0.0, le=1e7, description="Cases that had it.")
    of: float = Field(gt=0.0, le=1e7, description="Cases in all.")
    fact: str = Field(description="The fact or assumption it comes from.")

    @model_validator(mode="after")
    def _check_count(self) -> Self:
        if self.count > self.of:
            message = (
                f"count must be at most of, {self.of:g}, got {self.count:g}: a share "
                "above 1 is no probability; change one of them"
            )
            raise ValueError(message)
        return self

    def draw(self, n: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return (n,) draws of the probability."""
        return rng.beta(self.count + 0.5, self.of - self.count + 0.5, n)


class ParametersConfig(BaseModel):
    """Every quantity, with the fact behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recognition: tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...] = Field(
        default=(0.5, 0.70, 0.76, 0.89),
        min_length=1,
        description="True recognition rate at the recorded threshold: a lever, since "
        "the record holds no missed passers-by. Each replication takes one "
        "(facts trr_cambridge_2026, trr_met_2020, trr_south_wales_2018, "
        "trr_npl_2023).",
    )
    review_s: MedianConfig = MedianConfig(
        median=20.0, log_sd=0.4, fact="review_time_median_s"
    )
    response_s: MedianConfig = MedianConfig(
        median=45.0, log_sd=0.4, fact="response_time_median_s"
    )
    engagement_false_min: MedianConfig = MedianConfig(
        median=3.0, log_sd=0.2, fact="engagement_false_median_min"
    )
    engagement_true_min: MedianConfig = MedianConfig(
        median=12.0, log_sd=0.4, fact="engagement_true_median_min"
    )
    engagement_arrest_min: MedianConfig = MedianConfig(
        median=40.0, log_sd=0.4, fact="arrest_handover_min"
    )
    case_log_sd: float = Field(
        default=0.5,
        gt=0.0,
        le=2.0,
        description="Spread of times between cases, on the log scale; assumption.",
    )
    true_dismissed: ShareConfig = ShareConfig(
        count=1.0, of=50.0, fact="true_alert_dismissed"
    )
    false_accepted: ShareConfig = ShareConfig(
        count=6.0, of=10.0, fact="false_alerts_engaged"
    )
    not_reached: ShareConfig = ShareConfig(
        count=17.0, of=1259.0, fact="true_alerts_not_confirmed_2024"
    )
    charged: ShareConfig = ShareConfig(
        count=773.0, of=1000.0, fact="charged_or_cautioned"
    )
    other_outcome: ShareConfig = ShareConfig(
        count=79.0, of=288.0, fact="other_outcome_2025"
    )
    arrest_officer_hours: MedianConfig = MedianConfig(
        median=4.0, log_sd=0.3, fact="arrest_officer_hours"
    )
    officer_hour_gbp: MedianConfig = MedianConfig(
        median=60.0, log_sd=0.2, fact="officer_hour_gbp"
    )
    deployment_gbp: MedianConfig = MedianConfig(
        median=1500.0, log_sd=0.5, fact="deployment_fixed_gbp"
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """One draw of every quantity per replication; all (n,) float64.

    Attributes:
        recognition: True recognition rate at the recorded threshold.
        review_s, response_s: Medians over cases, seconds.
        engagement_false_s, engagement_true_s, engagement_arrest_s: Medians, seconds.
        true_dismissed: Chance that a fresh reviewer dismisses a true alert.
        false_accepted: Chance that a fresh reviewer lets a false alert pass.
        not_reached: Chance to lose a person at the recorded staffing.
        charged: Chance of charge or caution after arrest.
        other_outcome: Chance of another disposal when not arrested.
        arrest_officer_hours: Officer hours per arrest away from the zone.
        officer_hour_gbp, deployment_gbp: Costs.
    """

    recognition: NDArray[np.float64]
    review_s: NDArray[np.float64]
    response_s: NDArray[np.float64]
    engagement_false_s: NDArray[np.float64]
    engagement_true_s: NDArray[np.float64]
    engagement_arrest_s: NDArray[np.float64]
    true_dismissed: NDArray[np.float64]
    false_accepted: NDArray[np.float64]
    not_reached: NDArray[np.float64]
    charged: NDArray[np.float64]
    other_outcome: NDArray[np.float64]
    arrest_officer_hours: NDArray[np.float64]
    officer_hour_gbp: NDArray[np.float64]
    deployment_gbp: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check that the columns agree; freeze them."""
        freeze(self, length=len(self.recognition))

    def named(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Yield each quantity with its name."""
        for column in fields(self):
            yield column.name, getattr(self, column.name)


def draw_parameters(config: ParametersConfig, n: int, *, seed: int) -> Draws:
    """Draw every quantity, each from a stream of its own.

    A stream per quantity keeps the others in step when one distribution changes.

    Args:
        config: The distributions.
        n: Replications.
        seed: Of this concern.
    """
    children = iter(np.random.SeedSequence(seed).spawn(len(fields(Draws))))

    def stream() -> np.random.Generator:
        return np.random.default_rng(next(children))

    def median(quantity: MedianConfig, unit: float = 1.0) -> NDArray[np.float64]:
        spread = np.exp(quantity.log_sd * stream().standard_normal(n))
        values: NDArray[np.float64] = quantity.median * unit * spread
        return values

    return Draws(
        recognition=stream().choice(np.array(config.recognition), n),
        review_s=median(config.review_s),
        response_s=median(config.response_s),
        engagement_false_s=median(config.engagement_false_min, 60.0),
        engagement_true_s=median(config.engagement_true_min, 60.0),
        engagement_arrest_s=median(config.engagement_arrest_min, 60.0),
        true_dismissed=config.true_dismissed.draw(n, rng=stream()),
        false_accepted=config.false_accepted.draw(n, rng=stream()),
        not_reached=config.not_reached.draw(n, rng=stream()),
        charged=config.charged.draw(n, rng=stream()),
        other_outcome=config.other_outcome.draw(n, rng=stream()),
        arrest_officer_hours=median(config.arrest_officer_hours),
        officer_hour_gbp=median(config.officer_hour_gbp),
        deployment_gbp=median(config.deployment_gbp),
    )


def linger_median_s(draws: Draws, *, case_log_sd: float) -> NDArray[np.float64]:
    """Return how long a person stays in reach, so that the recorded share is lost.

    One review and one response, each log-normal, are taken together as log-normal
    with the same mean and variance; the median stay then makes the chance that they
    last longer than the stay equal to `not_reached`, with a team always free.

    Args:
        draws: Of the quantities.
        case_log_sd: Spread of all three times between cases.

    Source:
        Fenton, The sum of log-normal probability distributions, IRE Transactions on
        Communications Systems 8(1), 1960 (moment matching).
    """
    variance = case_log_sd**2
    medians = np.stack([draws.review_s, draws.response_s])
    mean = (medians * np.exp(variance / 2.0)).sum(axis=0)
    spread = (medians**2 * np.exp(variance) * np.expm1(variance)).sum(axis=0)
    sum_variance = np.log1p(spread / mean**2)
    sum_median = mean * np.exp(-sum_variance / 2.0)
    distance = ndtri(1.0 - draws.not_reached) * np.sqrt(sum_variance + variance)
    median: NDArray[np.float64] = sum_median * np.exp(distance)
    return median
