"""What people put on for a day: how often, as a setting.

Owns the rates. Who owns spectacles or ever wears a hat is a matter of the person;
these settings say how often they do so on the day that is pictured. Knows nothing of
meshes.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Habits"]

_Factor = Annotated[float, Field(ge=0.0, le=50.0)]


class Habits(BaseModel):
    """Rates of what is worn; the defaults are a mild day in a British city.

    No survey stands behind the defaults. Factors multiply each person's own habit, so
    0 means nobody and a large number everybody who ever does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    face_mask_share: float = Field(
        default=0.01, ge=0.0, le=1.0, description="Share of people in a face mask."
    )
    sunglasses_share: float = Field(
        default=0.01, ge=0.0, le=1.0, description="Share of people in sunglasses."
    )
    hat_factor: _Factor = Field(
        default=1.0, description="How many times as many hats as by habit."
    )
    scarf_factor: _Factor = Field(
        default=1.0, description="How many times as many scarves as on a mild day."
    )
    glasses_factor: _Factor = Field(
        default=1.0, description="How often owners wear spectacles, against habit."
    )
    make_up_factor: _Factor = Field(
        default=1.0, description="How often women wear make-up, against habit."
    )
