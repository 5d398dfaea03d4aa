"""How a policy's numbers are written.

Owns rounding, units and intervals in words. Knows nothing of HTML.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.policy.measures import measure_named

if TYPE_CHECKING:
    from sim.policy.measures import Estimate

__all__ = ["interval_text", "label_of", "number_text", "share_text", "with_unit"]

# Between a number and its unit no line may break.
_NBSP = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"


def number_text(value: float) -> str:
    """Write a number with as many digits as it deserves."""
    if math.isinf(value):
        return "unbounded"
    size = abs(value)
    if size >= 100_000:
        text = f"{round(size, -3):,.0f}".replace(",", _NBSP)
    elif size >= 100 or size == round(size):
        text = f"{size:,.0f}".replace(",", _NBSP)
    else:
        text = f"{size:.1f}".removesuffix(".0") if size >= 1 else f"{size:.2g}"
    return f"{_MINUS}{text}" if value < 0 else text


def with_unit(value: float, unit: str) -> str:
    """Write a number with its unit; money leads with its sign."""
    if unit == "GBP":
        sign = _MINUS if value < 0 else ""
        return f"{sign}£{number_text(abs(value))}"
    text = number_text(value)
    return f"{text}{_NBSP}{unit}" if unit in {"h", "s"} else text


def interval_text(estimate: Estimate) -> str:
    """Write the 90 % interval of an estimate."""
    unit = measure_named(estimate.measure).unit
    low, high = with_unit(estimate.low, unit), with_unit(estimate.high, unit)
    return f"{low} to {high}"


def label_of(measure: str) -> str:
    """Return how readers call a measure."""
    return measure_named(measure).label


def share_text(share: float, n: int) -> str:
    """Write a share of n cases as a percentage; none and all with their bound."""
    if share <= 0.0:
        return f"below {100 * 3.0 / n:.2g}{_NBSP}%"
    if share >= 1.0:
        return f"above {100 * (1 - 3.0 / n):.4g}{_NBSP}%"
    return f"{100 * share:.2g}{_NBSP}%"
