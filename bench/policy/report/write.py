"""Writes the files of a policy run or a retrodiction into one folder.

Part of the shell: it writes files. Knows nothing of what they say.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import numpy as np
from markupsafe import Markup

from bench.errors import OutputFolderError
from bench.policy.report.content import (
    as_json,
    policy_content,
    retrodiction_content,
)
from bench.policy.report.policy_page import compose_policy
from bench.policy.report.retrodiction_page import compose_retrodiction
from bench.policy.report.transparency import (
    deployment_rows,
    deployments_csv,
    period_rows,
    periods_csv,
)
from bench.policy.report.transparency_page import compose_transparency

if TYPE_CHECKING:
    from bench.policy.records import PolicyResult
    from sim.policy.retrodiction import Retrodiction

__all__ = [
    "POLICY_NUMBERS",
    "RETRODICTION_NUMBERS",
    "write_policy",
    "write_retrodiction",
]

# Files that hold numbers alone: equal for equal inputs, whoever runs them.
POLICY_NUMBERS = (
    "policy.json",
    "transparency_deployments.csv",
    "transparency_periods.csv",
)
RETRODICTION_NUMBERS = ("policy.json", "retrodiction.csv")


def write_policy(
    result: PolicyResult,
    folder: Path,
    *,
    scenario: dict[str, object],
    provenance: dict[str, object],
) -> Path:
    """Write numbers, tables and pages of a policy run.

    Args:
        result: What was found.
        folder: Made if need be.
        scenario: Resolved, as plain values.
        provenance: Code, packages and machine, as plain values.

    Returns:
        The report's path.

    Raises:
        OutputFolderError: If the folder cannot be written.
    """
    files = {
        "policy.json": as_json(policy_content(result, scenario=scenario)),
        "transparency_deployments.csv": deployments_csv(deployment_rows(result)),
        "transparency_periods.csv": periods_csv(period_rows(result)),
        "transparency.html": _page("transparency.html", compose_transparency(result)),
        "report.html": _page("policy.html", compose_policy(result)),
        "provenance.json": as_json(provenance),
    }
    _write(folder, files)
    return folder / "report.html"


def write_retrodiction(
    result: Retrodiction,
    folder: Path,
    *,
    settings: dict[str, object],
    record: str,
    provenance: dict[str, object],
) -> Path:
    """Write scores, forecasts and the page of a retrodiction.

    Args:
        result: Forecasts and scores.
        folder: Made if need be.
        settings: Of the calibration, as plain values.
        record: Name of the record that was scored.
        provenance: Code, packages and machine, as plain values.

    Returns:
        The report's path.

    Raises:
        OutputFolderError: If the folder cannot be written.
    """
    content = retrodiction_content(result, settings=settings, record=record)
    page = compose_retrodiction(result, record=record)
    files = {
        "policy.json": as_json(content),
        "retrodiction.csv": _forecasts_csv(result),
        "report.html": _page("retrodiction.html", page),
        "provenance.json": as_json(provenance),
    }
    _write(folder, files)
    return folder / "report.html"


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror if error.strerror is not None else str(error)
        raise OutputFolderError(path=folder, reason=reason) from error


def _page(template: str, page: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bench.policy.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bench = Path(__file__).parents[2]
    house = (bench / "report" / "templates" / "report.css").read_text("utf-8")
    own = (Path(__file__).parent / "templates" / "policy.css").read_text("utf-8")
    return environment.get_template(template).render(
        page=page,
        css=Markup(house),  # noqa: S704 - our own style sheet
        policy_css=Markup(own),  # noqa: S704 - our own style sheet
    )


def _forecasts_csv(result: Retrodiction) -> str:
    """Write one line a deployment: what was foretold, and what was recorded."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    kinds = ("alerts", "false_alerts", "arrests")
    quantiles = (0.05, 0.25, 0.5, 0.75, 0.95)
    heads = [f"{kind}_q{100 * q:02.0f}" for kind in kinds for q in quantiles]
    writer.writerow(["date", "location", *(f"{k}_recorded" for k in kinds), *heads])
    tables = [
        np.quantile(getattr(result.counts, kind), quantiles, axis=0) for kind in kinds
    ]
    for row in range(len(result.rows)):
        writer.writerow(
            [
                result.rows.date[row],
                result.rows.location[row],
                *(int(getattr(result.rows, kind)[row]) for kind in kinds),
                *(f"{value:g}" for table in tables for value in table[:, row]),
            ]
        )
    return stream.getvalue()
