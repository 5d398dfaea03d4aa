"""A policy's result as plain values, for scripts: the content of `policy.json`.

Owns names, rounding and order, so that equal results are equal bytes. Knows nothing of
files.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np

from sim.policy.measures import LEVEL, measure_named

if TYPE_CHECKING:
    from bench.policy.records import PolicyResult
    from sim.policy.measures import Estimate
    from sim.policy.records import Fact
    from sim.policy.retrodiction import Retrodiction, Score

__all__ = ["as_json", "policy_content", "retrodiction_content"]

SCHEMA_VERSION = 1
# Six digits carry every figure; the seventh would carry the machine.
_DIGITS = 6


def as_json(content: object) -> str:
    """Write plain values as JSON with sorted keys and a last line feed."""
    text = json.dumps(
        _plain(content), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False
    )
    return f"{text}\n"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _rounded(float(value))
    return str(value)


def _rounded(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def _metric(value: Estimate, unit: str) -> dict[str, object]:
    return {
        "value": value.median,
        "low": value.low,
        "high": value.high,
        "mean": value.mean,
        "mean_error": value.mean_error,
        "n": value.n,
        "unit": unit,
    }


def _measured(value: Estimate) -> dict[str, object]:
    return _metric(value, measure_named(value.measure).unit)


def fact_content(fact: Fact) -> dict[str, object]:
    """Return a fact with everything that a reader needs to judge it."""
    return {
        "value": fact.value,
        "unit": fact.unit,
        "numerator": fact.numerator,
        "denominator": fact.denominator,
        "source": fact.source,
        "date": fact.date,
        "mark": fact.mark.value,
        "note": fact.note,
    }


def policy_content(
    result: PolicyResult, *, scenario: dict[str, object]
) -> dict[str, object]:
    """Return everything that a policy run found, as plain values.

    Args:
        result: What was found.
        scenario: Resolved, as plain values.
    """
    metrics: dict[str, object] = {
        each.measure: _measured(each) for each in result.estimates
    }
    metrics |= {
        f"change.{each.measure}": _measured(each.change) for each in result.differences
    }
    for burden in result.burdens:
        name = burden.group.lower().replace(" ", "_")
        metrics[f"stopped.by_group.{name}"] = _metric(burden.stopped, "people")
        metrics[f"stopped_per_million.by_group.{name}"] = _metric(
            burden.stopped_per_million, "people per million faces"
        )
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "policy",
        "basis": "synthetic: computed by a model calibrated on the published record",
        "level": LEVEL,
        "scenario": scenario,
        "against": result.against,
        "metrics": metrics,
        "paired": [
            {
                "measure": each.measure,
                "share_higher": each.share_higher,
                "share_lower": each.share_lower,
                "variance_ratio": each.variance_ratio,
            }
            for each in result.differences
        ],
        "phases": [
            {
                "number": phase.number,
                "first_date": str(phase.first_date),
                "deployments": phase.deployments,
                "per_deployment": {
                    each.measure: _measured(each) for each in phase.estimates
                },
            }
            for phase in result.phases
        ],
        "checks": [
            {
                "measure": check.check.measure,
                "fact": check.fact.fact_id,
                "published": check.fact.value,
                "predicted": _measured(check.predicted),
                "inside": check.is_inside,
            }
            for check in result.checks
        ],
        "recorded_group": _ratio_content(result),
        "to_tell": [
            {
                "ratio": each.ratio,
                "false_alerts": each.false_alerts,
                "deployments": each.deployments,
            }
            for each in result.tells
        ],
        "sensitivity": {
            each.measure: [
                {
                    "input": influence.name,
                    "first_order": influence.first_order,
                    "mean_in_lowest_tenth": influence.low,
                    "mean_in_highest_tenth": influence.high,
                }
                for influence in each.influences
            ]
            for each in result.influences
        },
        "failures": [
            {
                "measure": each.failure.measure,
                "limit": each.failure.limit,
                "fails_above": each.failure.fails_above,
                "share": each.share,
                "n": each.n,
                "corner": None
                if each.box is None
                else {
                    "coverage": each.box.coverage,
                    "density": each.box.density,
                    "mass": each.box.mass,
                    "bounds": [
                        {"input": bound.name, "low": bound.low, "high": bound.high}
                        for bound in each.box.bounds
                    ],
                },
            }
            for each in result.failures
        ],
        "sweep": [
            {
                "threshold": cell.threshold,
                "watchlist_size": cell.watchlist_size,
                "deployments_per_week": cell.deployments_per_week,
                "metrics": {each.measure: _measured(each) for each in cell.estimates},
            }
            for cell in result.cells
        ],
        "evidence": {
            name: fact_content(fact) for name, fact in result.evidence.facts.items()
        },
    }


def _ratio_content(result: PolicyResult) -> dict[str, object]:
    ratio = result.recorded_ratio
    return {
        "group": ratio.group,
        "count": ratio.count,
        "of": ratio.of,
        "share": ratio.share,
        "share_low": ratio.share_low,
        "share_high": ratio.share_high,
        "ratio": ratio.ratio,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "margin": ratio.margin,
        "state": ratio.state.value,
        "level": 0.95,
    }


def retrodiction_content(
    result: Retrodiction, *, settings: dict[str, object], record: str
) -> dict[str, object]:
    """Return every score of a retrodiction, as plain values.

    Args:
        result: Forecasts and scores.
        settings: Of the calibration, as plain values, with the seed.
        record: Name of the record that was scored.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "retrodiction",
        "basis": "recorded deployments against forecasts from earlier ones",
        "record": record,
        "cut_off": str(result.cut_off),
        "origins": [str(origin) for origin in result.origins],
        "learnt_from": result.n_learnt,
        "predicted": len(result.rows),
        "last_date": str(result.rows.date[-1]),
        "settings": settings,
        "scores": {score.name: _score_content(score) for score in result.scores},
    }


def _score_content(score: Score) -> dict[str, object]:
    return {
        "n": score.n,
        "coverage_exact": {f"{c.level:g}": c.covered for c in score.exact},
        "coverage_whole": {
            f"{c.level:g}": {"covered": c.covered, "stated": c.stated}
            for c in score.whole
        },
        "crps": score.crps,
        "bias": score.bias,
        "observed_mean": score.observed_mean,
        "baselines": [
            {"name": each.name, "crps": each.crps, "gain": each.gain}
            for each in score.baselines
        ],
        "total": {
            "observed": score.total.observed,
            "median": score.total.median,
            "low": score.total.low,
            "high": score.total.high,
            "inside": score.total.is_inside,
        },
    }
