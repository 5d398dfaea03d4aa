"""One deployment of a calendar: from the world's rates to inputs, and to costs.

Owns the draws of a slot, made at the address of its week and place, so that the
fourth deployment of week nine is the same street on the same day under every policy.
Knows nothing of other slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.calendar import staff
from sim.policy.calibration import THRESHOLD_STEP, month_of
from sim.policy.columns import Input, Outcome
from sim.policy.deployment import simulate
from sim.policy.draws import stream_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.policy.calendar import Slot
    from sim.policy.error_rates import OperatingPoints
    from sim.policy.world import World

__all__ = ["SlotRun", "run_slot"]

# Addresses of a slot's streams, after the world's own.
_SLOT, _KERNEL, _RATES = 10, 11, 12

# Beta-binomial over-dispersion as a normal deviation of the log odds: the Beta's
# variance over the slope of the logistic, squared (delta method).
_LARGEST_DEVIATION = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlotRun:
    """One deployment in every replication, and where the first one was.

    Attributes:
        outcomes: (replications, len(Outcome)).
        first_site: Place in the first replication.
        first_hours: Duration in the first replication, hours.
    """

    outcomes: NDArray[np.float64]
    first_site: str
    first_hours: float


def run_slot(world: World, slot: Slot, points: OperatingPoints | None) -> SlotRun:
    """Run one deployment of a calendar in every replication.

    Args:
        world: Its rates, draws and addresses.
        slot: When, and under which policy.
        points: Tested error rates; None takes those of the record.

    Raises:
        UntestedPointError: If the policy leaves the range of the tests.
    """
    address = np.random.SeedSequence(
        world.seed, spawn_key=(_SLOT, slot.week, slot.place)
    )
    rng = np.random.default_rng(address)
    n = world.n
    # All draws of a slot are made in one order whatever the policy, or two policies
    # would slide out of step.
    row = rng.integers(len(world.recent_site), size=n)
    is_new = rng.random(n) < world.new_site_share
    new_site = world.n_recorded + rng.integers(
        len(world.sites) - world.n_recorded, size=n
    )
    chosen = rng.random(n)
    true_factor = rng.standard_gamma(world.true_alerts.shape) / world.true_alerts.shape
    false_factor = (
        rng.standard_gamma(world.false_alerts.shape) / world.false_alerts.shape
    )
    deviation = rng.standard_normal(n)
    under_18 = rng.random(n)

    site = _sites(world, slot, row=row, is_new=is_new, new_site=new_site, chosen=chosen)
    hours = (
        np.full(n, slot.phase.fixed_hours) if slot.is_fixed else world.recent_hours[row]
    )
    ratio = slot.phase.fixed_rate_ratio if slot.is_fixed else 1.0
    faces = world.recent_faces_h[row] * hours * ratio
    month = int(month_of(np.array([slot.date]))[0])

    inputs = np.empty((n, len(Input)))
    inputs[:, Input.DURATION_S] = hours * 3600.0
    true_count = (
        ratio
        * true_factor
        * np.exp(
            world.true_alerts.predictor(
                site=site,
                month=month,
                duration_h=hours,
                watchlist_size=slot.watchlist_size,
                threshold=world.threshold,
            )
        )
    )
    anchor = world.draws.recognition
    inputs[:, Input.MATED_RATE_HZ] = true_count / anchor / (hours * 3600.0)
    false_count = false_factor * _false_mean(
        world,
        slot,
        points,
        hours=hours,
        month=month,
        site=site,
        faces=faces,
        ratio=ratio,
    )
    inputs[:, Input.FALSE_RATE_HZ] = false_count / (hours * 3600.0)
    inputs[:, Input.RECOGNITION] = _recognition(world, slot, points)
    _fill_arrests(inputs, world, site=site, month=month, deviation=deviation)
    _fill_people(inputs, world)

    result = simulate(
        stream_key(world.seed, _KERNEL, slot.week, slot.place),
        inputs,
        operators=slot.phase.operators,
        officers=slot.phase.officers,
    )
    _fill_costs(result, world, slot, hours=hours, faces=faces, under_18=under_18)
    return SlotRun(
        outcomes=result,
        first_site=world.sites[site[0]],
        first_hours=float(hours[0]),
    )


def _sites(
    world: World,
    slot: Slot,
    *,
    row: NDArray[np.int64],
    is_new: NDArray[np.bool_],
    new_site: NDArray[np.int64],
    chosen: NDArray[np.float64],
) -> NDArray[np.int64]:
    names = slot.phase.sites
    if not names:
        return np.where(is_new, new_site, world.recent_site[row])
    column = np.array(
        [world.sites.index(name) if name in world.sites else -1 for name in names]
    )
    picked = column[(chosen * len(names)).astype(np.int64)]
    return np.where(picked >= 0, picked, new_site)


def _false_mean(
    world: World,
    slot: Slot,
    points: OperatingPoints | None,
    *,
    hours: NDArray[np.float64],
    month: int,
    site: NDArray[np.int64],
    faces: NDArray[np.float64],
    ratio: float,
) -> NDArray[np.float64]:
    """Return the expected false alerts of a slot, (n,)."""
    phase = slot.phase
    if points is None:
        predictor = world.false_alerts.predictor(
            site=site,
            month=month,
            duration_h=hours,
            watchlist_size=slot.watchlist_size,
            threshold=phase.threshold,
        )
        by_record: NDArray[np.float64] = ratio * np.exp(predictor)
        return by_record
    # One stream for all slots: what was tested is one fact, drawn once a replication.
    address = np.random.SeedSequence(world.seed, spawn_key=(_RATES, 0))
    rate = points.fpir(
        threshold=phase.threshold,
        watchlist_size=slot.watchlist_size,
        n=world.n,
        rng=np.random.default_rng(address),
    )
    return faces * rate


def _recognition(
    world: World, slot: Slot, points: OperatingPoints | None
) -> NDArray[np.float64]:
    """Return the chance that a mated passage raises an alert, (n,)."""
    phase = slot.phase
    if points is not None and points.knows_recognition:
        address = np.random.SeedSequence(world.seed, spawn_key=(_RATES, 1))
        return points.tpir(
            threshold=phase.threshold,
            watchlist_size=slot.watchlist_size,
            n=world.n,
            rng=np.random.default_rng(address),
        )
    steps = (phase.threshold - world.threshold) / THRESHOLD_STEP
    moved = world.draws.recognition * np.exp(world.true_alerts.threshold * steps)
    return np.minimum(moved, 1.0)


def _fill_arrests(
    inputs: NDArray[np.float64],
    world: World,
    *,
    site: NDArray[np.int64],
    month: int,
    deviation: NDArray[np.float64],
) -> None:
    logit = world.arrests.predictor(
        site=site,
        month=month,
        duration_h=1.0,
        watchlist_size=1.0,
        threshold=0.0,
    )
    share = 1.0 / (1.0 + np.exp(-logit))
    spread = 1.0 / np.sqrt(share * (1.0 - share) * (world.arrests.shape + 1.0))
    inputs[:, Input.ARREST_LOGIT] = logit
    inputs[:, Input.ARREST_SATURATION] = world.arrests.saturation
    inputs[:, Input.ARREST_DEVIATION] = deviation * np.minimum(
        spread, _LARGEST_DEVIATION
    )


def _fill_people(inputs: NDArray[np.float64], world: World) -> None:
    draws = world.draws
    engaged = (1.0 - draws.true_dismissed) * (1.0 - draws.not_reached)
    for column, values in (
        (Input.ENGAGED_SHARE, engaged),
        (Input.TRUE_DISMISSED, draws.true_dismissed),
        (Input.FALSE_ACCEPTED, draws.false_accepted),
        (Input.REVIEW_MEDIAN_S, draws.review_s),
        (Input.REVIEW_LOG_SD, world.case_log_sd),
        (Input.RESPONSE_MEDIAN_S, draws.response_s),
        (Input.RESPONSE_LOG_SD, world.case_log_sd),
        (Input.LINGER_MEDIAN_S, world.linger_median_s),
        (Input.LINGER_LOG_SD, world.case_log_sd),
        (Input.ENGAGEMENT_FALSE_S, draws.engagement_false_s),
        (Input.ENGAGEMENT_TRUE_S, draws.engagement_true_s),
        (Input.ENGAGEMENT_ARREST_S, draws.engagement_arrest_s),
        (Input.ENGAGEMENT_LOG_SD, world.case_log_sd),
        (Input.CHARGED, draws.charged),
        (Input.OTHER_OUTCOME, draws.other_outcome),
    ):
        inputs[:, column] = values


def _fill_costs(
    result: NDArray[np.float64],
    world: World,
    slot: Slot,
    *,
    hours: NDArray[np.float64],
    faces: NDArray[np.float64],
    under_18: NDArray[np.float64],
) -> None:
    draws = world.draws
    officer_hours = (
        staff(slot) * hours + draws.arrest_officer_hours * result[:, Outcome.ARRESTS]
    )
    alerts = result[:, Outcome.TRUE_ALERTS] + result[:, Outcome.FALSE_ALERTS]
    share = slot.phase.under_18 / slot.watchlist_size
    result[:, Outcome.DEPLOYMENTS] = 1.0
    result[:, Outcome.FACES] = np.rint(faces)
    result[:, Outcome.OFFICER_HOURS] = officer_hours
    result[:, Outcome.COST_GBP] = (
        officer_hours * draws.officer_hour_gbp + draws.deployment_gbp
    )
    # Rounding by a uniform number keeps the mean, and the draw in step.
    result[:, Outcome.UNDER_18_ALERTS] = np.floor(alerts * share + under_18)
