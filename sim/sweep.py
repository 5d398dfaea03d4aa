"""One cell of a sweep: a varied plan in, its figures out.

Owns the grid and the figures of a cell. A cell is told everything and shares nothing,
so it gives the same wherever it runs. Knows nothing of processes or clusters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

from sim.capacity import carried, figures, peak_node, tables_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.capacity import Question

__all__ = ["CellResult", "Varied", "grid", "run_sweep_cell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """One cell: which settings differ from the plan.

    Attributes:
        index: Place in the grid.
        settings: Names of `SiteConfig` and their values.
    """

    index: int
    settings: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What a cell found.

    Attributes:
        index, settings: Of the cell.
        cameras, cameras_low, cameras_high: That a node carries.
        p50_s, p99_s, skipped, missed, utilisation: Of its busiest worker at the
            median of them; NaN if a node carries no camera.
    """

    index: int
    settings: tuple[tuple[str, float], ...]
    cameras: int
    cameras_low: int
    cameras_high: int
    p50_s: float
    p99_s: float
    skipped: float
    missed: float
    utilisation: float


def grid(ranges: Sequence[tuple[str, Sequence[float]]]) -> tuple[Varied, ...]:
    """Cross the ranges, the last one fastest."""
    names = [name for name, _ in ranges]
    cells = product(*(values for _, values in ranges))
    return tuple(
        Varied(index=k, settings=tuple(zip(names, values, strict=True)))
        for k, values in enumerate(cells)
    )


def run_sweep_cell(question: Question, cell: Varied) -> CellResult:
    """Compute one cell; all cells share their random numbers.

    Raises:
        ValidationError: If a setting leaves its range.
    """
    site = question.site.model_dump()
    for name, value in cell.settings:
        site[name] = int(value) if isinstance(site[name], int) else value
    asked = replace(question, site=type(question.site).model_validate(site))
    found = carried(asked)
    per_worker = found.median // asked.hardware.n_workers
    nan = float("nan")
    values = (nan, nan, nan, nan, nan)
    if per_worker > 0:
        node = peak_node(asked, per_worker, key=asked.seed)
        peak = figures(node, tables_of(asked), key=asked.seed)
        values = (
            peak.p50_s,
            peak.p99_s,
            peak.skipped,
            peak.missed,
            peak.utilisation,
        )
    return CellResult(
        index=cell.index,
        settings=cell.settings,
        cameras=found.median,
        cameras_low=found.low,
        cameras_high=found.high,
        p50_s=values[0],
        p99_s=values[1],
        skipped=values[2],
        missed=values[3],
        utilisation=values[4],
    )
