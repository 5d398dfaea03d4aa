"""From measured frames to the simulator's calibration.

Owns the fits: service time of every stage, what stretches it, and what is left over.
Knows nothing of how loads were driven, and reads no waiting time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls
from scipy.stats import norm

from bench.planning.measured import (
    OF_EMBEDDED,
    OF_SEARCHED,
    added_up,
    column_of,
    fitted_s_of,
)
from bench.planning.replay import Part
from sim.calibration import Range, SearchFit, StageFit
from sim.estimators import batch_means
from sim.records import FrameEnd, StageIndex
from sim.service import SWAY_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.measured import Column, Measured, StageCosts

__all__ = [
    "N_QUANTILES",
    "ServiceFit",
    "fit_service",
]

N_QUANTILES = 201
_ROUNDS = 4
_LEVELS = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
# What a search or a decision touches is not what the detector has driven out.
_COOLING = (
    StageIndex.DECODE,
    StageIndex.DETECT,
    StageIndex.TRACK,
    StageIndex.ALIGN,
    StageIndex.EMBED,
)
# Frames so far apart still share the quick sway, and hardly anything else.
_LAG = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceFit:
    """All that was learnt about service.

    Attributes:
        stages: One each, in order.
        search: One per gallery size, ascending.
        residuals: (7, q) float64, as `sim.service.ServiceTables` has them.
        sway: (2, q) float64, likewise.
        by_load: How much slower the machine was in each load, by the gauge.
        in_load: Time of a load's frames, as a multiple of what its gauge says.
        drift: Spread of the loads about what their gauge said.
    """

    stages: tuple[StageFit, ...]
    search: tuple[SearchFit, ...]
    residuals: NDArray[np.float64]
    sway: NDArray[np.float64]
    by_load: tuple[float, ...]
    in_load: float
    drift: float


def fit_service(runs: Sequence[Measured]) -> ServiceFit:
    """Fit every stage over all loads, each at the speed that it ran at."""
    colds = [run.cold for run in runs]
    table = [
        [column_of(run, stage, cold) for run, cold in zip(runs, colds, strict=True)]
        for stage in StageIndex
    ]
    sizes = sorted({run.replay.gallery_size for run in runs})
    slow = np.ones(len(runs))
    fits: list[StageCosts] = []
    searches: dict[int, NDArray[np.float64]] = {}
    for _ in range(_ROUNDS):
        fits = [
            _fit(columns, slow, cools=stage in _COOLING)
            for stage, columns in zip(StageIndex, table, strict=True)
        ]
        searches = {
            size: _fit(
                [
                    column
                    for run, column in zip(runs, table[StageIndex.SEARCH], strict=True)
                    if run.replay.gallery_size == size
                ],
                np.array(
                    [
                        s
                        for s, run in zip(slow, runs, strict=True)
                        if run.replay.gallery_size == size
                    ]
                ),
                cools=False,
            )[0]
            for size in sizes
        }
        took_s, fitted_s = _totals(runs, table, fits, searches)
        slow = np.array(
            [t.sum() / f.sum() for t, f in zip(took_s, fitted_s, strict=True)]
        )
        slow /= slow.mean()
    took_s, fitted_s = _totals(runs, table, fits, searches)
    gauge, load = (
        np.array(
            [
                t[mask].sum() / f[mask].sum()
                for t, f, mask in zip(took_s, fitted_s, masks, strict=True)
            ]
        )
        for masks in (
            [run.scene.part == Part.GAUGE for run in runs],
            [run.scene.part == Part.LOAD for run in runs],
        )
    )
    sway, left = _sway(runs, took_s, fitted_s, slow)
    return ServiceFit(
        stages=tuple(
            _stage_fit(stage, columns, fit)
            for stage, columns, fit in zip(StageIndex, table, fits, strict=True)
        ),
        search=tuple(
            SearchFit(
                gallery_size=size,
                once_s=float(searches[size][2]),
                per_face_s=float(searches[size][3]),
                n=sum(
                    len(column.rows)
                    for run, column in zip(runs, table[StageIndex.SEARCH], strict=True)
                    if run.replay.gallery_size == size
                ),
            )
            for size in sizes
        ),
        residuals=_residuals(runs, table, fits, searches, slow) * left,
        sway=sway,
        by_load=tuple(gauge.tolist()),
        in_load=_in_load(runs, took_s, fitted_s, gauge),
        drift=float(np.std(load / gauge, ddof=1)) if len(runs) > 2 else 0.02,
    )


def _fit(
    columns: Sequence[Column], slow: NDArray[np.float64], *, cools: bool
) -> StageCosts:
    """Fit a stage's four costs, none of them negative, and its share of coldness."""
    took_s = np.concatenate(
        [column.took_s / s for column, s in zip(columns, slow, strict=True)]
    )
    design = np.concatenate([column.design for column in columns])
    cold = np.concatenate([column.cold for column in columns])
    works = design[:, 2] > 0.0 if design[:, 2].any() else np.ones(len(cold), bool)
    weights = np.column_stack([design, cold * works * cools])
    scale = np.maximum(np.abs(weights).max(axis=0), 1e-12)
    found, _ = nnls(weights / scale, took_s * 1e3)
    found = found / scale * 1e-3
    costs = found[:4]
    at_work_s = float((design[works] @ costs).mean())
    rest = float(found[4] / at_work_s) if at_work_s > 0.0 else 0.0
    # The product of both is not quite their sum: keep the mean.
    fitted_s = (design @ costs) * (1.0 + rest * cold)
    return costs * took_s.sum() / max(fitted_s.sum(), 1e-12), rest


def _fit_of(
    stage: StageIndex,
    run: Measured,
    fits: Sequence[StageCosts],
    searches: dict[int, NDArray[np.float64]],
) -> StageCosts:
    if stage is StageIndex.SEARCH:
        return searches[run.replay.gallery_size], fits[stage][1]
    return fits[stage]


def _totals(
    runs: Sequence[Measured],
    table: Sequence[Sequence[Column]],
    fits: Sequence[StageCosts],
    searches: dict[int, NDArray[np.float64]],
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Add up all stages of each frame of each load: as measured, and as fitted."""
    sums = [
        added_up(
            len(run.observed.end),
            [columns[k] for columns in table],
            [_fit_of(stage, run, fits, searches) for stage in StageIndex],
        )
        for k, run in enumerate(runs)
    ]
    return [took_s for took_s, _ in sums], [fitted_s for _, fitted_s in sums]


def _residuals(
    runs: Sequence[Measured],
    table: Sequence[Sequence[Column]],
    fits: Sequence[StageCosts],
    searches: dict[int, NDArray[np.float64]],
    slow: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Take quantiles of what each stage's fit does not explain, as shares."""
    rows = []
    for stage in StageIndex:
        ratios, weights = [], []
        for k, run in enumerate(runs):
            column = table[stage][k]
            fitted_s = slow[k] * fitted_s_of(
                column, _fit_of(stage, run, fits, searches)
            )
            works = fitted_s > 0.2 * fitted_s.mean()
            ratios.append(column.took_s[works] / fitted_s[works] - 1.0)
            weights.append(fitted_s[works])
        ratio, weight = np.concatenate(ratios), np.concatenate(weights)
        # Drawn times shall add up to the measured ones.
        ratio = ratio - (ratio * weight).sum() / weight.sum()
        quantiles = np.quantile(ratio, np.linspace(0.0, 1.0, N_QUANTILES))
        middle = (quantiles[1:] + quantiles[:-1]).mean() / 2.0
        rows.append(np.maximum(quantiles - middle, -0.8))
    return np.array(rows)


def _in_load(
    runs: Sequence[Measured],
    took_s: Sequence[NDArray[np.float64]],
    fitted_s: Sequence[NDArray[np.float64]],
    gauge: NDArray[np.float64],
) -> float:
    """Compare loads with their gauge, all loads together."""
    took = expected = 0.0
    for run, t, f, slow in zip(runs, took_s, fitted_s, gauge, strict=True):
        mine = run.scene.part == Part.LOAD
        took += float(t[mine].sum())
        expected += float(slow * f[mine].sum())
    return took / expected


def _sway(
    runs: Sequence[Measured],
    took_s: Sequence[NDArray[np.float64]],
    fitted_s: Sequence[NDArray[np.float64]],
    slow: NDArray[np.float64],
) -> StageCosts:
    """Tell what neighbouring frames share from what is each one's own.

    Returns:
        Quantiles of the quick and the slow sway, taken to be normal, and the factor
        that is left for the stages' residuals.
    """
    quick, slower, whole = [], [], []
    for k, run in enumerate(runs):
        rows = np.flatnonzero(run.observed.end == FrameEnd.PROCESSED)
        rows = rows[np.argsort(run.observed.start_s[rows])]
        left = took_s[k][rows] / (slow[k] * fitted_s[k][rows]) - 1.0
        left -= left.mean()
        slot = (run.observed.start_s[rows] / SWAY_S[1]).astype(int)
        n = np.bincount(slot)
        mean = np.bincount(slot, left) / np.maximum(n, 1)
        rest = left - mean[slot]
        covariance = float((rest[:-_LAG] * rest[_LAG:]).mean())
        noise = float(rest.var()) / float(np.median(n[n > 0]))
        whole.append(float(left.var()))
        quick.append(max(covariance, 0.0))
        slower.append(max(float(mean[n > 0].var()) - noise, 0.0))
    variances = np.array([np.mean(quick), np.mean(slower)])
    total = float(np.mean(whole))
    share = np.sqrt(max(total - float(variances.sum()), 0.2 * total) / total)
    return np.sqrt(variances)[:, None] * norm.ppf(_LEVELS)[None, :], float(share)


def _stage_fit(
    stage: StageIndex,
    columns: Sequence[Column],
    fit: StageCosts,
) -> StageFit:
    costs, rest = fit
    took_s = np.concatenate([column.took_s for column in columns])
    design = np.concatenate([column.design for column in columns])
    works = np.ones(len(took_s), bool)
    if stage in OF_EMBEDDED or stage in OF_SEARCHED:
        works = design[:, 2] > 0.0
    units = design[works, 3] if stage in OF_EMBEDDED else design[works, 1]
    mean = batch_means(took_s[works], n_batches=20)
    return StageFit(
        stage=stage.name.lower(),
        unit="byte" if stage is StageIndex.DECODE else "face",
        base_s=float(costs[0]),
        per_unit_s=float(costs[1]),
        once_s=float(costs[2]),
        per_face_s=float(costs[3]),
        rest=rest,
        units=Range(low=float(units.min()), high=float(units.max())),
        n=int(works.sum()),
        mean_s=mean.mean,
        mean_low_s=mean.low,
        mean_high_s=mean.high,
    )
