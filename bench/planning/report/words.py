"""What is said of a plan in words: its standing, its warnings, its verdict.

Owns sentences. Knows nothing of pages or terminals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.host.machine import this_machine

if TYPE_CHECKING:
    from bench.planning.plan import CapacityPlan
    from bench.planning.replay import Replay
    from bench.planning.validation_records import Comparison, Validation
    from sim.calibration import Calibration

__all__ = [
    "carried_text",
    "error_text",
    "figure_text",
    "standing",
    "warnings",
    "workers_text",
]


def standing(calibration: Calibration, validation: Validation | None) -> str:
    """Say in one line whether the model was put to the proof on this machine."""
    is_ours = calibration.machine == this_machine()
    if validation is None or not is_ours:
        whose = "this machine" if is_ours else "another machine"
        return (
            f"NOT VALIDATED on this machine: service times are those of {whose}, and "
            "no held-out load was driven; run `harness calibrate` and `harness plan "
            "--validate`."
        )
    noisy = validation.n_disturbed
    verdict = "VALIDATION MISSED ITS TARGETS"
    if validation.is_met:
        verdict = "VALIDATION INCOMPLETE" if noisy else "VALIDATED"
    disturbed = (
        f"; {noisy} more loads were disturbed and are not judged" if noisy else ""
    )
    return (
        f"{verdict} on this machine: {sum(validation.judged)} of "
        f"{len(validation.judged)} figures of {len(validation.loads) - noisy} held-out "
        f"loads within their limits{disturbed}; cameras carried: "
        f"{validation.foretold_cameras} foretold ({validation.foretold_low} to "
        f"{validation.foretold_high}), {validation.measured_cameras} measured."
    )


def warnings(plan: CapacityPlan) -> tuple[str, ...]:
    """Say where the plan leaves the ground of what was measured."""
    said = [
        f"{each.name} {each.value:,g} lies outside of what was measured "
        f"({each.low:,g} to {each.high:,g}), by a factor of {each.factor:.3g}: the "
        "interval is widened by a tenth of the service time per doubling (assumption)."
        for each in plan.outside
    ]
    model = plan.question.calibration
    if model.n_disturbed:
        said.append(
            f"{model.n_disturbed} of the calibration's {model.n_loads} loads were "
            "disturbed, by others on the machine or by changes of its speed: its "
            "service times may be off."
        )
    hardware = plan.question.hardware
    calibrated = plan.question.calibration.cores
    if hardware.n_workers > 1:
        drove = len(model.slowdown) - 1
        factor, whose = hardware.slowdown_full, "the profile's assumption"
        if factor is None:
            factor, whose = model.slowdown_at(hardware.n_workers), "as measured there"
        said.append(
            f"{hardware.n_workers} workers a node: the calibration drove up to {drove} "
            f"on {calibrated} cores. What sharing a processor costs is {whose}, a "
            f"factor of {factor:.3g} with all workers busy."
        )
    if hardware.speed != 1.0:
        said.append(
            f"The profile's cores are taken to be {hardware.speed:g} times as fast as "
            "the calibrated one (assumption)."
        )
    return tuple(said)


def workers_text(replay: Replay) -> str:
    """Say how many workers carried a load, if more than one."""
    return "" if replay.n_workers == 1 else f", {replay.n_workers} workers"


def carried_text(plan: CapacityPlan) -> str:
    """Say how many cameras a node carries."""
    per_node = plan.per_node
    return f"{per_node.median} (95 %: {per_node.low} to {per_node.high})"


def figure_text(row: Comparison, value: float) -> str:
    """Write a figure in its unit: milliseconds, or per cent."""
    if row.figure in {"skipped", "utilisation"}:
        return f"{100.0 * value:.1f} %"
    return f"{1e3 * value:.1f} ms"


def error_text(row: Comparison) -> str:
    """Write an error: relative, or in points."""
    if row.figure in {"skipped", "utilisation"}:
        return f"{100.0 * row.error:+.1f} pt"
    return f"{100.0 * row.error:+.1f} %"
