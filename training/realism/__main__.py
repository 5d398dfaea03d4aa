"""Asks a real detector and a real embedder whether our people have faces.

    python -m training.realism

Neither network ever saw a synthetic person. An interrupted run goes on where it
stopped; `--only` asks some experiments, and the table shows whatever has been asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from lfr_errors import BadInputError
from synthetic_crowds.film.cache import content_key
from training.realism.findings import FINDERS
from training.realism.judges import DlibEmbedder, YuNet
from training.realism.shards import ask, ask_streets, read
from training.realism.views import RealismConfig

if TYPE_CHECKING:
    from training.realism.finding import Finding

__all__ = ["main"]

_MET = {True: "yes", False: "NO", None: ""}


def main(
    yunet: Annotated[
        Path, typer.Option(help="YuNet's weights, of the OpenCV Zoo.")
    ] = Path("../shared/models/face_detection_yunet_2023mar.onnx"),
    people: Annotated[
        int, typer.Option(min=20, help="Identities; other experiments in proportion.")
    ] = 1000,
    streets: Annotated[int, typer.Option(help="Streets for the detector.")] = 12,
    only: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(FINDERS)}.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    out: Annotated[Path, typer.Option()] = Path("training/out/realism"),
    cache_dir: Annotated[Path, typer.Option()] = Path(".cache"),
) -> None:
    """Measure what networks trained on real faces make of ours."""
    console = Console()
    config = RealismConfig(
        people=people,
        degraded=round(0.4 * people),
        families=round(0.3 * people),
        members=round(0.5 * people),
        retoned=round(0.15 * people),
        streets=streets,
    )
    chosen = list(FINDERS) if only is None else only
    try:
        _check(chosen)
        YuNet(yunet)
        DlibEmbedder()
    except BadInputError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    # Pictures of other code are other pictures.
    folder = out / content_key(config)
    for name in chosen:
        if name == "streets":
            ask_streets(config, folder=folder, cache_dir=cache_dir, yunet=yunet)
        else:
            ask(name, config, folder=folder, yunet=yunet, workers=workers)
    findings = [
        finding
        for name, find in FINDERS.items()
        if (answers := read(name, folder)) is not None
        for finding in find(answers, name)
    ]
    record = {
        "synthetic": True,
        "config": config.model_dump(),
        "findings": [asdict(finding) for finding in findings],
    }
    text = json.dumps(record, indent=2)
    (folder / "realism.json").write_text(text + "\n", encoding="utf-8")
    (folder / "realism.md").write_text(_markdown(findings), encoding="utf-8")
    console.print(_table(findings))
    console.print(f"{folder / 'realism.md'}")


def _check(chosen: list[str]) -> None:
    unknown = sorted(set(chosen) - set(FINDERS))
    if unknown:
        message = f"--only takes {', '.join(FINDERS)}, got '{unknown[0]}'"
        raise BadInputError(message)


def _table(findings: list[Finding]) -> Table:
    table = Table(
        "experiment",
        "claim",
        "measured",
        "required",
        "met",
        title="Realism (synthetic)",
    )
    for finding in findings:
        table.add_row(
            finding.topic,
            finding.claim,
            finding.measured,
            finding.required,
            _MET[finding.met],
        )
    return table


def _markdown(findings: list[Finding]) -> str:
    lines = [
        "| experiment | claim | measured | required | met |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.topic} | {f.claim} | {f.measured} | {f.required} | {_MET[f.met]} |"
        for f in findings
    ]
    # A bar in a table's cell would end it.
    return "\n".join(line.replace("|yaw|", "yaw") for line in lines) + "\n"


if __name__ == "__main__":
    typer.run(main)
