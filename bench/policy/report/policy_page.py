"""Lays out the policy report: words, tables and charts in the order of reading.

Owns what is said of a result. Knows nothing of HTML or of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.policy.report.charts_programme import (
    burden_chart,
    change_chart,
    fan,
    funnel,
    grid_chart,
    tornado,
)
from bench.policy.report.charts_record import share_chart
from bench.policy.report.draw import Basis
from bench.policy.report.figures import (
    interval_text,
    label_of,
    number_text,
    share_text,
    with_unit,
)
from bench.policy.report.view import (
    ChartView,
    CheckRow,
    FactRow,
    FailureRow,
    MeasureRow,
    PhaseRow,
    PolicyPage,
    TellRow,
)
from sim.policy.columns import Outcome
from sim.policy.measures import measure_named
from sim.policy.sweep import SWEPT

if TYPE_CHECKING:
    from markupsafe import Markup

    from bench.policy.records import CheckResult, FailureResult, PolicyResult
    from sim.policy.comparison import Difference
    from sim.policy.measures import Estimate

__all__ = ["compose_policy"]


def compose_policy(result: PolicyResult) -> PolicyPage:
    """Put a result into words and pictures."""
    job = result.job
    known = {each.measure: each for each in result.estimates}
    return PolicyPage(
        kind="Policy report",
        tag="Computed by a model, not measured",
        title=job.header.title,
        question=job.header.question,
        facts=_facts(result),
        footer="Synthetic figures are the model's, recorded figures the force's own. "
        "No real person's face was used.",
        summary=_summary(result, known),
        notes=_notes(result),
        known_until=job.programme.known_until,
        against=result.against.replace("_", " "),
        replications=number_text(job.programme.replications),
        checks=tuple(_check(each) for each in result.checks),
        moved_most=_moved_most(result),
        funnel=_chart(
            "From faces to charges",
            funnel(result),
            "Dots are medians, lines 90 % intervals; what goes wrong, or leads to "
            "nothing, is orange.",
            Basis.SYNTHETIC,
        ),
        measures=_measures(result),
        change_chart=None
        if not result.differences
        else _chart(
            f"This policy against {result.against.replace('_', ' ')}",
            change_chart(result.differences, against=result.against.replace("_", " ")),
            "Dots are mean paired changes, lines hold 90 % of the replications. Right "
            "of the line is more, which for arrests and for false alerts means "
            "opposite things.",
            Basis.SYNTHETIC,
        ),
        phase_columns=tuple(label_of(e.measure) for e in result.phases[0].estimates),
        phases=tuple(
            PhaseRow(
                name=f"{phase.number}, from {phase.first_date} "
                f"({phase.deployments} deployments)",
                cells=tuple(
                    f"{number_text(e.mean)} ({number_text(e.low)} to "
                    f"{number_text(e.high)})"
                    for e in phase.estimates
                ),
            )
            for phase in result.phases
        ),
        fans=_fans(result),
        group_state=_group_state(result),
        group_words=_group_words(result),
        group_charts=(
            _chart(
                "The recorded count",
                share_chart(result.recorded_ratio),
                "The exact 95 % interval of ten cases, beside the range of crowds that "
                "the scenario thinks possible.",
                Basis.ASSUMED_CROWD,
            ),
            _chart(
                "Stops on false alerts",
                burden_chart(result.burdens),
                "Per million faces of each group; means with 90 % intervals. Wide, "
                "since crowd and error ratios are hardly known.",
                Basis.SYNTHETIC,
            ),
        ),
        tells=_tells(result),
        tornados=tuple(
            _chart(
                f"What moves {label_of(each.measure).lower()}",
                tornado(each),
                "Bars run from the mean result in an input's lowest tenth to that in "
                "its highest; on the right, the share of variance that the input "
                "explains alone (first-order Sobol index of the ranks).",
                Basis.SYNTHETIC,
            )
            for each in result.influences
        ),
        failures=tuple(_failure(each) for each in result.failures),
        grid=None
        if not result.cells
        else _chart(
            "Arrests against wrongful stops",
            grid_chart(result.cells),
            "Each mark is one policy. Left and up is better on both counts.",
            Basis.SYNTHETIC,
        ),
        grid_caption=f"Means over {job.sweep.replications} replications of "
        f"{job.sweep.weeks} weeks, with 90 % intervals.",
        grid_columns=tuple(label_of(name) for name in SWEPT),
        grid_rows=_grid_rows(result),
        evidence=tuple(
            FactRow(
                name=name,
                value=f"{fact.value:.6g}",
                unit=fact.unit,
                mark=fact.mark.value,
                date=fact.date,
                source=fact.source + (f" ({fact.note})" if fact.note else ""),
            )
            for name, fact in result.evidence.facts.items()
        ),
    )


def _chart(title: str, svg: Markup, caption: str, basis: Basis) -> ChartView:
    return ChartView(
        title=title,
        svg=svg,
        caption=caption,
        basis=basis.value,
        basis_class=basis.name.lower(),
    )


def _facts(result: PolicyResult) -> tuple[tuple[str, str], ...]:
    programme, points = result.job.programme, result.job.points
    return (
        ("Programme", f"{programme.weeks} weeks from {programme.first_date}"),
        ("Deployments", number_text(len(result.programme.slots))),
        ("Replications", number_text(programme.replications)),
        ("Seed", str(programme.seed)),
        ("Learnt from deployments before", programme.known_until),
        ("Error rates", "the published record" if points is None else points.source),
    )


def _summary(result: PolicyResult, known: dict[str, Estimate]) -> tuple[str, ...]:
    arrests, false = known["arrests"], known["false_alerts"]
    stopped = known["false_engaged"]
    sentences = [
        (
            f"The model expects {number_text(arrests.median)} arrests "
            f"({interval_text(arrests)}) from "
            f"{number_text(known['faces'].median)} faces, "
            f"{number_text(false.median)} false alerts ({interval_text(false)}), and "
            f"{number_text(stopped.median)} people stopped on one "
            f"({interval_text(stopped)})."
        )
    ]
    change = {each.measure: each for each in result.differences}
    if "arrests" in change:
        sentences.append(
            f"Against {result.against.replace('_', ' ')}: "
            f"{_signed(change['arrests'])} arrests and "
            f"{_signed(change['false_engaged'])} wrongful stops, means of paired "
            "differences."
        )
    if result.checks:
        inside = sum(check.is_inside for check in result.checks)
        sentences.append(
            f"{inside} of {len(result.checks)} published totals lie inside the "
            "model's 90 % interval."
        )
    return tuple(sentences)


def _signed(difference: Difference) -> str:
    mean = difference.change.mean
    return f"+{number_text(mean)}" if mean >= 0 else number_text(mean)


def _notes(result: PolicyResult) -> tuple[str, ...]:
    notes = [
        "The true recognition rate is not in any record: missed people are not "
        "counted. Each replication takes one of "
        + ", ".join(f"{rate:g}" for rate in result.job.parameters.recognition)
        + "; missed passages and the crowd behind the alerts depend on it, recorded "
        "counts do not."
    ]
    points = result.job.points
    if points is not None:
        tested = sorted(set(points.watchlist_size.tolist()))
        sizes = [phase.watchlist_size for phase in result.job.phases]
        if min(sizes) < tested[0] or max(sizes) > tested[-1]:
            notes.append(
                "The watchlist lies outside the tested sizes "
                f"({', '.join(number_text(size) for size in tested)}); its error "
                "rates are carried on at the tested slope."
            )
    return tuple(notes)


def _check(result: CheckResult) -> CheckRow:
    check = result.check
    if check.deployments is not None:
        scope = f", for {check.deployments} deployments"
    else:
        scope = ""
    added = ", with what was recorded before" if check.recorded_from else ""
    return CheckRow(
        what=f"{label_of(check.measure)}: {result.fact.source}",
        period=f"{check.recorded_from or check.first_date} to {check.end_date}"
        f"{scope}{added}",
        published=number_text(result.fact.value),
        median=number_text(result.predicted.median),
        interval=interval_text(result.predicted),
        inside=result.is_inside,
    )


def _moved_most(result: PolicyResult) -> str:
    told = [
        f"{label_of(each.measure).lower()} most by “{each.influences[0].name}” "
        f"({100 * each.influences[0].first_order:.0f} % of the variance)"
        for each in result.influences
    ]
    return f"Assumptions move {', and '.join(told)}."


def _measures(result: PolicyResult) -> tuple[MeasureRow, ...]:
    change = {each.measure: each for each in result.differences}
    rows = []
    for each in result.estimates:
        unit = measure_named(each.measure).unit
        paired = change.get(each.measure)
        rows.append(
            MeasureRow(
                label=label_of(each.measure),
                median=with_unit(each.median, unit),
                interval=interval_text(each),
                change="" if paired is None else _signed(paired),
                change_interval=""
                if paired is None
                else f"{number_text(paired.change.low)} to "
                f"{number_text(paired.change.high)}",
                direction=""
                if paired is None
                else f"{100 * paired.share_higher:.0f} % / "
                f"{100 * paired.share_lower:.0f} %",
            )
        )
    return tuple(rows)


def _fans(result: PolicyResult) -> tuple[ChartView, ...]:
    return tuple(
        _chart(
            title,
            fan(result, outcome, name=name, title=title),
            "Bands hold 50 % and 90 % of the replications and widen as the record "
            "falls behind. Filled dots were learnt from, hollow dots came later. A "
            "month that the programme enters or leaves half-way counts its own weeks "
            "alone.",
            Basis.BOTH,
        )
        for title, outcome, name in (
            ("Arrests a month", Outcome.ARRESTS, "fan-arrests"),
            ("False alerts a month", Outcome.FALSE_ALERTS, "fan-false"),
        )
    )


def _group_state(result: PolicyResult) -> str:
    ratio = result.recorded_ratio
    said = ratio.state.value
    return (
        f"{said[0].upper()}{said[1:]}, if the crowd was as the scenario thinks: "
        f"{ratio.count} of {ratio.of} recorded false alerts were {ratio.group}."
    )


def _group_words(result: PolicyResult) -> str:
    ratio = result.recorded_ratio
    return (
        f"Ten cases put the share between {100 * ratio.share_low:.0f} % and "
        f"{100 * ratio.share_high:.0f} % (exact 95 %). With a crowd that is between "
        f"{100 * ratio.crowd_low:.0f} % and {100 * ratio.crowd_high:.0f} % "
        f"{ratio.group}, the error rate of {ratio.group} people would be "
        f"{number_text(ratio.low)} to {number_text(ratio.high)} times that of others. "
        f"A crowd of {100 * ratio.share_low:.0f} % or more would explain the count "
        "without any difference in error rates, and so could a watchlist that itself "
        "holds more people of the group. Neither was published: the count is reason "
        "to measure, not a measurement."
    )


def _tells(result: PolicyResult) -> tuple[TellRow, ...]:
    return tuple(
        TellRow(
            ratio=f"{each.ratio:g}",
            false_alerts="above 5 000"
            if each.false_alerts is None
            else number_text(each.false_alerts),
            deployments="not within reach"
            if each.deployments is None
            else number_text(each.deployments),
        )
        for each in result.tells
    )


def _failure(result: FailureResult) -> FailureRow:
    failure = result.failure
    side = "above" if failure.fails_above else "below"
    title = (
        f"{label_of(failure.measure)} {side} {number_text(failure.limit)}: in "
        f"{share_text(result.share, result.n)} of {number_text(result.n)} replications."
    )
    if result.box is None or not result.box.bounds:
        return FailureRow(title=title, words="No corner of the assumptions stands out.")
    bounds = [
        f"“{bound.name}” in its "
        + (
            f"lowest {100 * bound.high_rank:.0f} %"
            if bound.low_rank <= 0.0
            else f"highest {100 * (1 - bound.low_rank):.0f} %"
            if bound.high_rank >= 1.0
            else f"middle, from {100 * bound.low_rank:.0f} % to "
            f"{100 * bound.high_rank:.0f} %"
        )
        for bound in result.box.bounds
    ]
    return FailureRow(
        title=title,
        words=f"{100 * result.box.coverage:.0f} % of the failures lie where "
        f"{', and '.join(bounds)}; there {100 * result.box.density:.0f} % of the "
        f"replications fail (patient rule induction).",
    )


def _grid_rows(result: PolicyResult) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            f"{cell.threshold:g}",
            number_text(cell.watchlist_size),
            str(cell.deployments_per_week),
            *(
                f"{number_text(each.mean)} ({number_text(each.low)} to "
                f"{number_text(each.high)})"
                for each in cell.estimates
            ),
        )
        for cell in result.cells
    )
