"""The report of a plan: numbers, page, terminal. Knows nothing of how they arise."""

from bench.plan_report.terminal import calibration_table, plan_table, validation_table
from bench.plan_report.words import standing
from bench.plan_report.write import (
    newest_calibration,
    read_validation,
    write_calibration,
    write_plan,
    write_validation,
)

__all__ = [
    "calibration_table",
    "newest_calibration",
    "plan_table",
    "read_validation",
    "standing",
    "validation_table",
    "write_calibration",
    "write_plan",
    "write_validation",
]
