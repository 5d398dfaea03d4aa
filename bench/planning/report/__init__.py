"""The report of a plan: numbers, page, terminal. Knows nothing of how they arise."""

from bench.planning.report.terminal import (
    calibration_table,
    plan_table,
    validation_table,
)
from bench.planning.report.words import standing
from bench.planning.report.write import (
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
