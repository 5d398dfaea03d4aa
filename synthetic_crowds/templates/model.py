"""What the templates of a population look like, as a handful of covariances.

Owns the model's parameters and their file. A template of person p, on day t, taken
under condition q (the enrolment desk, or a face so many pixels high on the street) is

    u = unit( mean_q + gain_q * strength_ptq * (group_g + identity_p + day_pt) + shot )

with identity, day and shot normal with covariances of their own (identity's differs by
group, shot's by condition), group_g the mean of the person's group, and unit scaling to
length one. Poor pictures weaken what tells people apart (a gain below one) and add
noise. Some pictures are much poorer than their size tells, since a face turns away or
is covered, some days are, and some people are hard throughout: the logarithm of the
strength is the sum of a part of the person, one of the day and one of the picture.
People stand in pairs; the second of a pair may be a sibling or a twin of the first,
whose identity resembles the first's. The parameters are measured, from templates of
rendered people; see `training/fit_templates.py`. Knows nothing of how templates are
compared.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.errors import TemplateModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ENROLMENT", "TemplateModel", "load_model", "save_model"]

# Name of the condition under which people are enrolled.
ENROLMENT = "enrolment"
SHIPPED = Path(__file__).with_name("model.npz")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TemplateModel:
    """Measured parameters; d is the templates' length.

    Attributes:
        embedder_sha256: Of the model whose templates were measured.
        groups: (g,) str, names of the groups.
        group_shares: (g,) float64, of the population; sum 1.
        group_means: (g, d) float32, away from the population's mean.
        conditions: (q,) str, `ENROLMENT` first.
        means: (q, d) float32.
        gains: (q,) float64; 1 at the enrolment desk.
        identity: (g, d, d) float32, square roots L of covariances L L^T.
        day: (d, d) float32, likewise.
        shot: (q, d, d) float32, likewise.
        strength_sd: (2,) float64, of the person's and the day's part of the logarithm
            of the strength, both normal.
        strength_shot: (q, r) float64, quantiles of the picture's part at r evenly
            spaced probabilities from 0 to 1; all 0 at the enrolment desk.
        kin_shares: (2,) float64, of pairs that are siblings, and twins.
        kin_resemblance: (2,) float64, correlation of their identities.
    """

    embedder_sha256: str
    groups: NDArray[np.str_]
    group_shares: NDArray[np.float64]
    group_means: NDArray[np.float32]
    conditions: NDArray[np.str_]
    means: NDArray[np.float32]
    gains: NDArray[np.float64]
    identity: NDArray[np.float32]
    day: NDArray[np.float32]
    shot: NDArray[np.float32]
    strength_sd: NDArray[np.float64]
    strength_shot: NDArray[np.float64]
    kin_shares: NDArray[np.float64]
    kin_resemblance: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            TemplateModelError: If they do not fit together.
        """
        g, q, d = len(self.groups), len(self.conditions), self.dimension
        wanted = {
            "group_shares": (g,),
            "group_means": (g, d),
            "means": (q, d),
            "gains": (q,),
            "identity": (g, d, d),
            "day": (d, d),
            "shot": (q, d, d),
            "strength_sd": (2,),
            "strength_shot": (q, self.strength_shot.shape[-1]),
            "kin_shares": (2,),
            "kin_resemblance": (2,),
        }
        for name, shape in wanted.items():
            found = getattr(self, name).shape
            if found != shape:
                raise TemplateModelError(detail=f"{name} must be {shape}, is {found}")

    @property
    def dimension(self) -> int:
        """Length d of a template."""
        return int(self.day.shape[0])

    def condition(self, name: str) -> int:
        """Return the place of a condition.

        Raises:
            TemplateModelError: If it was not measured.
        """
        places = np.flatnonzero(self.conditions == name)
        if len(places) == 0:
            known = ", ".join(self.conditions.tolist())
            detail = f"conditions are {known}, asked for '{name}'"
            raise TemplateModelError(detail=detail)
        return int(places[0])


def save_model(model: TemplateModel, path: Path) -> None:
    """Write a model to an npz file."""
    arrays = {
        field.name: np.asarray(getattr(model, field.name)) for field in fields(model)
    }
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the stubs expect bool


def load_model(path: Path = SHIPPED) -> TemplateModel:
    """Read a model, by default the one that comes with the package.

    Raises:
        TemplateModelError: If the file is absent or holds no model.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {field.name: held[field.name] for field in fields(TemplateModel)}
    except (OSError, ValueError, KeyError) as error:
        raise TemplateModelError(detail=f"{path} cannot be read ({error})") from error
    sha256 = str(arrays.pop("embedder_sha256"))
    return TemplateModel(embedder_sha256=sha256, **arrays)
