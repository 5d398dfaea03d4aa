"""Writes and reads the files of calibrations, validations and plans.

Part of the shell: it touches files. Knows nothing of what they say.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import numpy as np
from markupsafe import Markup
from pydantic import TypeAdapter, ValidationError

from bench.errors import OutputFolderError
from bench.host.machine import this_machine
from bench.planning.report.page import compose_plan
from bench.planning.report.words import standing
from bench.planning.validation_records import Validation
from sim.calibration import Calibration
from sim.fleet import quantile_s

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.planning.plan import CapacityPlan

__all__ = [
    "newest_calibration",
    "read_validation",
    "write_calibration",
    "write_plan",
    "write_validation",
]

SCHEMA_VERSION = 1
_CALIBRATION, _VALIDATION = "calibration.json", "validation.json"
_VALIDATIONS = TypeAdapter(Validation)


def write_calibration(calibration: Calibration, folder: Path) -> Path:
    """Write a calibration into its folder; return the file's path."""
    # A line per field: most are long tables, and a diff of them says nothing.
    fields = calibration.model_dump(mode="json")
    lines = (f" {json.dumps(name)}: {json.dumps(fields[name])}" for name in fields)
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    _write(folder, {_CALIBRATION: text})
    return folder / _CALIBRATION


def newest_calibration(out: Path) -> Path | None:
    """Find this machine's newest calibration that can be read; None if none."""
    found = sorted(
        out.glob(f"calibrate-*/{_CALIBRATION}"), key=lambda path: path.stat().st_mtime
    )
    for path in reversed(found):
        try:
            calibration = Calibration.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if calibration.machine == this_machine():
            return path
    return None


def write_validation(validation: Validation, folder: Path) -> None:
    """Write a validation beside the calibration that it puts to the proof."""
    text = _VALIDATIONS.dump_json(validation, indent=1).decode() + "\n"
    _write(folder, {_VALIDATION: text})


def read_validation(folder: Path) -> Validation | None:
    """Read the validation beside a calibration; None if there is none."""
    try:
        return _VALIDATIONS.validate_json((folder / _VALIDATION).read_bytes())
    except (OSError, ValidationError):
        return None


def write_plan(
    plan: CapacityPlan,
    folder: Path,
    *,
    title: str,
    question: str,
    scenario: Mapping[str, object],
    validation: Validation | None,
    provenance: Mapping[str, object],
) -> Path:
    """Write `plan.json` and the report.

    Args:
        plan: What was found.
        folder: Of this plan.
        title: Of the plan.
        question: What it asks.
        scenario: Resolved, as plain values.
        validation: Of the model; None if there is none.
        provenance: Code, packages and machine, as plain values.

    Returns:
        The report's path.

    Raises:
        OutputFolderError: If the folder cannot be written.
    """
    page = compose_plan(plan, title=title, question=question, validation=validation)
    content = {
        "schema_version": SCHEMA_VERSION,
        "standing": standing(plan.question.calibration, validation),
        "scenario": scenario,
        "hardware": plan.question.hardware.model_dump(mode="json"),
        **_answers(plan),
        "validation": (
            None
            if validation is None
            else _VALIDATIONS.dump_python(validation, mode="json")
        ),
        "provenance": provenance,
    }
    _write(
        folder,
        {
            "plan.json": json.dumps(content, indent=2) + "\n",
            "report.html": _page(page),
        },
    )
    return folder / "report.html"


def _answers(plan: CapacityPlan) -> dict[str, object]:
    return {
        "cameras_per_node": asdict(plan.per_node),
        "nodes": plan.nodes,
        "nodes_low": plan.nodes_low,
        "nodes_high": plan.nodes_high,
        "price_per_camera_gbp": plan.price_per_camera_gbp,
        "watts_per_camera": plan.watts_per_camera,
        "years": plan.years,
        "peak": None if plan.peak is None else asdict(plan.peak),
        "outside": [asdict(each) for each in plan.outside],
        "reliefs": [asdict(each) for each in plan.reliefs],
        "variations": [asdict(each) for each in plan.variations],
        "failures": [asdict(each) for each in plan.failures],
        "review": None if plan.review is None else asdict(plan.review),
        "day": None if plan.day is None else _day(plan),
    }


def _day(plan: CapacityPlan) -> dict[str, object]:
    day = plan.day
    if day is None:
        return {}
    p99_s = [quantile_s(row, 0.99) for row in day.latency]
    return {
        "n_frames": day.n_frames,
        "n_workers": day.n_workers,
        "begin_s": day.begin_s.tolist(),
        "frames_by_end": day.ends.tolist(),
        "p99_s": [None if np.isnan(value) else value for value in p99_s],
        "utilisation": day.utilisation.tolist(),
        "passages": day.n_passages.tolist(),
        "searched": day.n_searched.tolist(),
    }


def _page(page: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader("bench.planning.report"),
                jinja2.PackageLoader("bench.policy.report"),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    bench = Path(__file__).parents[2]
    house = bench / "report" / "templates" / "report.css"
    shared = bench / "policy" / "report" / "templates" / "policy.css"
    return environment.get_template("plan.html").render(
        page=page,
        css=Markup(house.read_text("utf-8")),  # noqa: S704 - our own style sheet
        policy_css=Markup(shared.read_text("utf-8")),  # noqa: S704 - ours too
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror if error.strerror is not None else str(error)
        raise OutputFolderError(path=folder, reason=reason) from error
