"""The policy report in a terminal: a table, for the command line to print.

Owns what fits a screen. Knows nothing of pages, and prints nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from bench.policy.report.figures import (
    interval_text,
    label_of,
    number_text,
    with_unit,
)
from bench.policy.report.retrodiction_page import is_met
from sim.policy.measures import measure_named

if TYPE_CHECKING:
    from bench.policy.records import PolicyResult
    from bench.policy.report.audit import Verification
    from sim.policy.retrodiction import Retrodiction

__all__ = ["policy_table", "retrodiction_table", "verification_text"]

_SHOWN = (
    "deployments",
    "faces",
    "alerts",
    "false_alerts",
    "false_engaged",
    "no_action",
    "arrests",
    "charged",
    "faces_per_arrest",
    "officer_hours_per_arrest",
    "cost_gbp",
)


def policy_table(result: PolicyResult) -> Table:
    """Return the main measures, their changes, and the published totals."""
    table = Table(title=f"{result.job.header.title} (synthetic)")
    for heading in ("measure", "median", "90 %"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    if result.differences:
        table.add_column(f"change against {result.against}, 90 %", justify="right")
    known = {each.measure: each for each in result.estimates}
    changes = {each.measure: each.change for each in result.differences}
    for name in _SHOWN:
        if name not in known:
            continue
        value = known[name]
        cells = [
            label_of(name),
            with_unit(value.median, measure_named(name).unit),
            interval_text(value),
        ]
        if name in changes:
            cells.append(interval_text(changes[name]))
        table.add_row(*cells)
    for check in result.checks:
        place = "inside" if check.is_inside else "OUTSIDE"
        table.add_row(
            f"published: {label_of(check.check.measure).lower()} "
            f"{number_text(check.fact.value)}, {place}",
            number_text(check.predicted.median),
            interval_text(check.predicted),
        )
    return table


def retrodiction_table(result: Retrodiction) -> Table:
    """Return coverage, score and totals of each kind of count."""
    table = Table(
        title=f"{len(result.rows)} deployments from {result.cut_off}, foretold from "
        f"{result.n_learnt} before",
        caption="50 %, 90 %: share of deployments inside such intervals. Gain in CRPS: "
        "over last year's mean, over the same site's mean.",
    )
    for heading in (
        "count",
        "50 %",
        "90 %",
        "CRPS",
        "gain",
        "total",
        "foretold, 90 %",
        "targets",
    ):
        table.add_column(heading, justify="left" if heading == "count" else "right")
    for score in result.scores:
        half, most = score.exact
        gains = ", ".join(f"{100 * each.gain:+.0f} %" for each in score.baselines[:2])
        table.add_row(
            score.name.replace("_", " "),
            f"{100 * half.covered:.1f} %",
            f"{100 * most.covered:.1f} %",
            f"{score.crps:.3f}",
            gains,
            str(score.total.observed),
            f"{score.total.low} to {score.total.high}",
            "met" if is_met(score) else "MISSED",
        )
    return table


def verification_text(found: Verification) -> str:
    """Say in one line what became of running a pack again."""
    if found.damaged:
        names = ", ".join(each.name for each in found.damaged)
        return f"damaged: {names}; nothing was run"
    if found.different:
        names = ", ".join(each.name for each in found.different)
        changed = ", ".join(
            f"{name} {packed} here {here}" for name, packed, here in found.versions
        )
        why = f" (versions differ: {changed})" if changed else ""
        return f"different: {names}{why}"
    return f"identical: {', '.join(found.reproduced)}; {found.n_files} files intact"
