"""Who lives in the city: shares by sex, age and ethnic group, and what they imply.

Owns the census figures and the assumptions that turn a group into ancestry axes,
skin tone and colours. Knows nothing of single people.

The census counts groups that people choose for themselves. It says nothing of skin
or bone: every number in `GROUP_TRAITS` is an assumption of this project, wide on
purpose, and no statement about any group.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthetic_crowds.records import Sex  # noqa: TC001 - pydantic reads it

__all__ = ["GROUP_TRAITS", "Cell", "Demographics", "GroupTraits", "Preset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTraits:
    """What this project assumes of a census group.

    Attributes:
        ancestry: Mean shares of the African, Asian and European targets.
        concentration: Of the Dirichlet distribution around them.
        tone_mean, tone_sd: Of the continuous Monk tone.
        dark_hair: Probability of black or near black hair.
        light_eyes: Probability of eyes other than brown.
        tight_curl: Probability of tightly curled hair.
    """

    ancestry: tuple[float, float, float]
    concentration: float
    tone_mean: float
    tone_sd: float
    dark_hair: float
    light_eyes: float
    tight_curl: float


GROUP_TRAITS: dict[str, GroupTraits] = {
    "white_british_irish": GroupTraits(
        ancestry=(0.02, 0.03, 0.95),
        concentration=18.0,
        tone_mean=2.2,
        tone_sd=0.7,
        dark_hair=0.10,
        light_eyes=0.70,
        tight_curl=0.02,
    ),
    "white_other": GroupTraits(
        ancestry=(0.04, 0.06, 0.90),
        concentration=14.0,
        tone_mean=2.9,
        tone_sd=0.9,
        dark_hair=0.30,
        light_eyes=0.45,
        tight_curl=0.03,
    ),
    "south_asian": GroupTraits(
        ancestry=(0.12, 0.20, 0.68),
        concentration=12.0,
        tone_mean=5.7,
        tone_sd=1.0,
        dark_hair=0.96,
        light_eyes=0.02,
        tight_curl=0.03,
    ),
    "east_asian": GroupTraits(
        ancestry=(0.03, 0.92, 0.05),
        concentration=18.0,
        tone_mean=3.6,
        tone_sd=0.8,
        dark_hair=0.97,
        light_eyes=0.01,
        tight_curl=0.0,
    ),
    "black": GroupTraits(
        ancestry=(0.90, 0.03, 0.07),
        concentration=14.0,
        tone_mean=8.2,
        tone_sd=0.9,
        dark_hair=0.99,
        light_eyes=0.0,
        tight_curl=0.95,
    ),
    "mixed": GroupTraits(
        ancestry=(0.40, 0.15, 0.45),
        concentration=5.0,
        tone_mean=5.4,
        tone_sd=1.3,
        dark_hair=0.70,
        light_eyes=0.15,
        tight_curl=0.50,
    ),
    "other": GroupTraits(
        ancestry=(0.12, 0.18, 0.70),
        concentration=8.0,
        tone_mean=4.6,
        tone_sd=1.1,
        dark_hair=0.85,
        light_eyes=0.10,
        tight_curl=0.10,
    ),
}


class Preset(StrEnum):
    """Whole sets of shares by name."""

    LONDON = "london"
    BALANCED = "balanced"


class Cell(NamedTuple):
    """One cell of a joint distribution.

    Attributes:
        sex: Recorded sex.
        from_years, to_years: Ages are uniform in between.
        group: A key of `GROUP_TRAITS`.
        weight: Against the other cells.
    """

    sex: Sex
    from_years: float
    to_years: float
    group: str
    weight: float


# For work on fairness: every sex, every age band of the reports and every largest
# ancestry equally often, so that each group's error rate rests on as many people.
_BALANCED: dict[str, Any] = {
    "female_share": 0.5,
    "age_bands": (
        (5.0, 18.0, 0.2),
        (18.0, 30.0, 0.2),
        (30.0, 45.0, 0.2),
        (45.0, 65.0, 0.2),
        (65.0, 90.0, 0.2),
    ),
    "group_shares": {
        "black": 3.0,
        "east_asian": 3.0,
        "white_british_irish": 1.0,
        "white_other": 1.0,
        "south_asian": 1.0,
    },
}


class Demographics(BaseModel):
    """Shares from which people are drawn; the defaults are London's.

    Sex, age and group are drawn independently of each other, unless `joint` says how
    they go together.

    Source:
        Office for National Statistics, Census 2021, London region: sex (TS008), age
        (TS007), ethnic group (TS021), rounded to whole or half per cent; Indian,
        Pakistani, Bangladeshi and half of Other Asian are `south_asian`, Chinese and
        the other half `east_asian`. Identical twins: 3.5 to 4 in 1,000 births, the
        same in all peoples (Bulmer, The Biology of Twinning in Man, 1970), so some 8
        people in 1,000; that 5 % have a sibling in the same town is an assumption.
        Children below 5 are left out: they are carried
        or wheeled. How the four bands share the 15 to 64 year olds is interpolated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset = Field(
        default=Preset.LONDON,
        description="Where shares that are not given come from: the census of London, "
        "or as many people of each sex, age band and ancestry.",
    )
    female_share: float = Field(
        default=0.515, ge=0.0, le=1.0, description="Share of women and girls."
    )
    age_bands: tuple[tuple[float, float, float], ...] = Field(
        default=(
            (5.0, 15.0, 0.121),
            (15.0, 18.0, 0.035),
            (18.0, 30.0, 0.180),
            (30.0, 45.0, 0.250),
            (45.0, 65.0, 0.235),
            (65.0, 90.0, 0.119),
        ),
        description="(from, to, weight) in years; ages are uniform within a band.",
    )
    group_shares: dict[str, float] = Field(
        default={
            "white_british_irish": 0.39,
            "white_other": 0.15,
            "south_asian": 0.17,
            "east_asian": 0.04,
            "black": 0.135,
            "mixed": 0.055,
            "other": 0.06,
        },
        description=f"Weights of {', '.join(GROUP_TRAITS)}.",
    )

    joint: tuple[Cell, ...] = Field(
        default=(),
        description="(sex, from, to, group, weight) cells; where given, they take the "
        "place of female_share, age_bands and group_shares.",
    )
    siblings_share: float = Field(
        default=0.05,
        ge=0.0,
        le=1.0,
        description="Share of people who have a brother or sister in the city.",
    )
    twins_share: float = Field(
        default=0.008,
        ge=0.0,
        le=1.0,
        description="Share of people who have an identical twin in the city.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, said: Any) -> Any:  # noqa: ANN401 - whatever a file says
        if isinstance(said, dict) and said.get("preset") == Preset.BALANCED:
            return {**_BALANCED, **said}
        return said

    @model_validator(mode="after")
    def _check_joint(self) -> Self:
        for cell in self.joint:
            if (
                cell.group not in GROUP_TRAITS
                or not 0.0 < cell.from_years < cell.to_years <= 100.0
                or cell.weight < 0.0
            ):
                message = (
                    "joint cells must be (sex, from, to, group, weight) with 0 < from "
                    f"< to <= 100, weight >= 0 and a group of {', '.join(GROUP_TRAITS)}"
                    f"; got {tuple(cell)}; mend that cell"
                )
                raise ValueError(message)
        if self.joint and sum(cell.weight for cell in self.joint) <= 0.0:
            message = "joint needs one weight above 0, got none; raise one"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_shares(self) -> Self:
        unknown = sorted(set(self.group_shares) - set(GROUP_TRAITS))
        if unknown:
            message = (
                f"group_shares knows {', '.join(GROUP_TRAITS)}, got "
                f"'{unknown[0]}'; use one of those"
            )
            raise ValueError(message)
        if self.siblings_share + self.twins_share > 1.0:
            message = (
                "siblings_share and twins_share must not exceed 1 together, got "
                f"{self.siblings_share:g} and {self.twins_share:g}; lower one of them"
            )
            raise ValueError(message)
        weights = list(self.group_shares.values())
        if min(weights, default=0.0) < 0.0 or sum(weights) <= 0.0:
            message = (
                "group_shares must be at least 0 and not all 0, got "
                f"{self.group_shares}; raise one of them"
            )
            raise ValueError(message)
        for start, end, weight in self.age_bands:
            if not (0.0 < start < end <= 100.0) or weight < 0.0:
                message = (
                    "age_bands must be (from, to, weight) with 0 < from < to <= 100 "
                    f"and weight >= 0, got {(start, end, weight)}; mend that band"
                )
                raise ValueError(message)
        if sum(weight for _, _, weight in self.age_bands) <= 0.0:
            message = (
                f"age_bands need one weight above 0, got {self.age_bands}; raise one"
            )
            raise ValueError(message)
        return self
