"""The world in which policies are compared: one crowd, one record, one set of draws.

Owns everything that a policy cannot change: the calibrated rates of places and
months, the recorded hours and footfall, and one draw per replication of each
uncertain quantity. Two policies in one world share it all. Knows nothing of policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lfr_errors import BadInputError
from sim.policy.calibration import calibrate, month_of
from sim.policy.forecast import project
from sim.policy.parameters import draw_parameters, linger_median_s

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.calibration import Calibration, CalibrationConfig
    from sim.policy.config import ProgrammeConfig
    from sim.policy.forecast import Effects
    from sim.policy.parameters import Draws, ParametersConfig
    from sim.policy.records import Deployments

__all__ = ["NEW_SITE", "NoRecentDeploymentsError", "World", "build_world"]

# How scenarios name a place that the record does not hold.
NEW_SITE = "new"
# So many different unrecorded places can turn up in one replication.
_N_NEW = 12

# Streams of the world; each a concern of its own.
_CALIBRATION, _EFFECTS, _PARAMETERS = 0, 1, 2


class NoRecentDeploymentsError(BadInputError):
    """No recorded deployment tells places, hours and footfall."""

    def __init__(self, *, months: int, until: str) -> None:
        self.months = months
        super().__init__(
            f"a programme needs recorded deployments in the {months} months before "
            f"{until}, got none; raise recent_months or change known_until"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """What every policy meets.

    Attributes:
        calibration: What the record says.
        sites: Of the columns of `place`; unrecorded ones last.
        n_recorded: How many of them are recorded.
        true_alerts, false_alerts, arrests: Effects by place and month.
        recent_site: (rows,) column of each recent deployment.
        recent_hours: (rows,) its duration, hours.
        recent_faces_h: (rows,) its faces per hour.
        new_site_share: Share of recent deployments at places new to the record.
        threshold: Of the last recorded deployment, where recognition is anchored.
        draws: One of each uncertain quantity per replication.
        linger_median_s: (n,) how long a person stays in reach.
        case_log_sd: Spread of times between cases.
        seed: Of all addresses.
    """

    calibration: Calibration
    sites: tuple[str, ...]
    n_recorded: int
    true_alerts: Effects
    false_alerts: Effects
    arrests: Effects
    recent_site: NDArray[np.int64]
    recent_hours: NDArray[np.float64]
    recent_faces_h: NDArray[np.float64]
    new_site_share: float
    threshold: float
    draws: Draws
    linger_median_s: NDArray[np.float64]
    case_log_sd: float
    seed: int

    @property
    def n(self) -> int:
        """Replications."""
        return len(self.linger_median_s)


def build_world(
    record: Deployments,
    *,
    calibration: CalibrationConfig,
    programme: ProgrammeConfig,
    parameters: ParametersConfig,
) -> World:
    """Learn from the record up to `known_until`, and draw what stays uncertain.

    Args:
        record: All deployments; later ones than `known_until` are not looked at.
        calibration: Priors.
        programme: Length, seed and replications.
        parameters: Of the uncertain quantities.

    Raises:
        NoRecentDeploymentsError: If no recent row has a printed duration.
        TooFewDeploymentsError: If the record is too short.
    """
    until = np.datetime64(programme.known_until)
    known = record.between(None, until)
    usable = known.where(~np.isnan(known.duration_h) & ~np.isnan(known.threshold))
    start = (
        until.astype("datetime64[M]") - np.timedelta64(programme.recent_months, "M")
    ).astype("datetime64[D]")
    recent = usable.between(start, None)
    recent = recent.where(~np.isnan(recent.faces_seen))
    if len(recent) == 0:
        raise NoRecentDeploymentsError(
            months=programme.recent_months, until=programme.known_until
        )
    n, seed = programme.replications, programme.seed

    def stream(concern: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(concern,)))

    learnt = calibrate(known, calibration, n_draws=n, rng=stream(_CALIBRATION))
    # Every usable site, so that a scenario may name places not visited of late.
    recorded = tuple(sorted(set(usable.site)))
    new = tuple(f"{NEW_SITE} {number + 1}" for number in range(_N_NEW))
    boroughs = tuple(usable.borough[usable.site.index(site)] for site in recorded)
    first_month, last_month = _months(programme)
    rng = stream(_EFFECTS)
    true, false, arrests = (
        project(
            outcome,
            sites=recorded + new,
            boroughs=boroughs + new,
            first_month=first_month,
            last_month=last_month,
            rng=rng,
        )
        for outcome in (learnt.true_alerts, learnt.false_alerts, learnt.arrests)
    )
    draws = draw_parameters(
        parameters,
        n,
        seed=int(stream(_PARAMETERS).integers(2**63)),
    )
    before = set(usable.between(None, start).site)
    return World(
        calibration=learnt,
        sites=recorded + new,
        n_recorded=len(recorded),
        true_alerts=true,
        false_alerts=false,
        arrests=arrests,
        recent_site=np.array([recorded.index(s) for s in recent.site], dtype=np.int64),
        recent_hours=recent.duration_h,
        recent_faces_h=recent.faces_seen / recent.duration_h,
        new_site_share=float(np.mean([site not in before for site in recent.site])),
        threshold=float(recent.threshold[-1]),
        draws=draws,
        linger_median_s=linger_median_s(draws, case_log_sd=parameters.case_log_sd),
        case_log_sd=parameters.case_log_sd,
        seed=seed,
    )


def _months(programme: ProgrammeConfig) -> tuple[int, int]:
    first = np.datetime64(programme.first_date)
    last = first + np.timedelta64(7 * programme.weeks - 1, "D")
    months = month_of(np.array([first, last]))
    return int(months[0]), int(months[1])
