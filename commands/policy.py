"""`harness policy`: what a policy does, checked against the public record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.policy.report.retrodiction_page import is_met
from bench.policy.report.terminal import (
    policy_table,
    retrodiction_table,
    verification_text,
)
from bench.running.folder import create_folder
from commands.console import bars
from commands.exit_code import ExitCode
from commands.options import (
    DEFAULT_OUT,
    JsonOption,
    OutOption,
    QuietOption,
    SeedOption,
    SetOption,
    WorkersOption,
    processes,
)
from scenarios import policy_audit, policy_run

__all__ = ["policy"]


def policy(  # noqa: PLR0913 - one command, many questions
    scenario: Annotated[
        str, typer.Argument(help="A TOML file, or the name of a shipped policy.")
    ] = "as_2024",
    *,
    seed: SeedOption = None,
    overrides: SetOption = None,
    against: Annotated[
        str | None, typer.Option(help="Policy to compare with; beats the file's.")
    ] = None,
    retrodict: Annotated[
        bool,
        typer.Option("--retrodict", help="Foretell recorded deployments, and score."),
    ] = False,
    cut_off: Annotated[
        str, typer.Option(help="First day to foretell, year-month-day.")
    ] = "2025-01-01",
    monthly: Annotated[
        bool, typer.Option("--monthly", help="Learn anew on the first of each month.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(help="A CSV of deployments in the shipped record's columns."),
    ] = None,
    audit_pack: Annotated[
        Path | None, typer.Option(help="Export an audit pack to this archive.")
    ] = None,
    verify_pack: Annotated[
        Path | None, typer.Option(help="Run an audit pack again, and compare.")
    ] = None,
    out: OutOption = DEFAULT_OUT,
    workers: WorkersOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """What a policy does to people and to workload, checked against the record."""
    threads = processes(workers)
    if verify_pack is not None:
        work = create_folder(out, name="verify")
        found = policy_audit.verify_policy(verify_pack, work=work, workers=threads)
        print(verification_text(found))
        code = ExitCode.GOOD if found.is_good else ExitCode.NOT_VALID
        raise typer.Exit(code)
    folder = create_folder(out, name=f"policy-{Path(scenario).stem}")
    if retrodict:
        foretold = policy_run.retrodiction(
            scenario,
            overrides=overrides or (),
            seed=seed,
            cut_off=cut_off,
            record=record,
            monthly=monthly,
            out=folder,
        )
        table, report_path = retrodiction_table(foretold.result), foretold.report
        is_good = all(is_met(score) for score in foretold.result.scores)
    else:
        with bars(hidden=quiet or as_json) as progress:
            finished = policy_run.policy(
                scenario,
                overrides=overrides or (),
                seed=seed,
                against=against,
                record=record,
                out=folder,
                workers=threads,
                progress=progress,
            )
        table, report_path = policy_table(finished.result), finished.report
        is_good = all(check.is_inside for check in finished.result.checks)
        if audit_pack is not None:
            name = Path(scenario).stem
            policy_audit.export_policy(folder, audit_pack, name=name, record=record)
    if as_json:
        print((folder / "policy.json").read_text(encoding="utf-8"))
    else:
        Console().print(table)
        print(f"Report: {report_path}")
    raise typer.Exit(ExitCode.GOOD if is_good else ExitCode.OBJECTIVE_MISSED)
