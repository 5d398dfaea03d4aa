"""The same rates by group: sex, age band, skin tone, ancestry.

Owns the grouping and its names, and what load does to each group: skipped frames and
latency. Refuses to rank groups or to test differences: `bench.accuracy.disparity` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student_t

from bench.accuracy.identification import fnir, fpir, fta, tpir
from bench.records import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records import PassageOutcome

__all__ = ["GROUPINGS", "group_metrics", "tone_band"]


def tone_band(monk_tone: int) -> str:
    """Name the band of a Monk skin tone: light, medium or dark third of the scale.

    Source:
        E. Monk, The Monk Skin Tone Scale (2019), ten tones; the bands 1-3, 4-6, 7-10
        are our own.
    """
    if monk_tone <= 3:
        return "1-3"
    return "4-6" if monk_tone <= 6 else "7-10"


GROUPINGS: dict[str, Callable[[PassageOutcome], str]] = {
    "sex": lambda passage: passage.sex,
    "age": lambda passage: passage.age_band,
    "tone": lambda passage: tone_band(passage.monk_tone),
    "ancestry": lambda passage: passage.ancestry,
}


def _skipped(passages: Sequence[PassageOutcome]) -> Metric:
    """Share of the frames of people's passages that the matcher did not process.

    The passages are what chance gave; their spread bounds the share.
    """
    return _mean([1.0 - p.n_frames_processed / p.n_frames for p in passages], unit="1")


def _latency(passages: Sequence[PassageOutcome]) -> Metric:
    """Mean glass-to-alert latency of people's frames, mean over passages."""
    told = [p.latency_s for p in passages if p.latency_s is not None]
    return _mean(told, unit="s")


def _mean(values: Sequence[float], *, unit: str) -> Metric:
    """Report a mean over passages; its interval needs two of them (Student's t)."""
    n = len(values)
    if n == 0:
        return Metric(value=None, n=0, unit=unit)
    mean = float(np.mean(values))
    if n == 1:
        return Metric(value=mean, n=1, unit=unit)
    spread = float(student_t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Metric(value=mean, low=mean - spread, high=mean + spread, n=n, unit=unit)


_MEASURES = {
    "fpir": fpir,
    "fnir": fnir,
    "tpir": tpir,
    "fta": fta,
    "passage_skipped": _skipped,
    "passage_latency_s": _latency,
}


def group_metrics(passages: Sequence[PassageOutcome]) -> dict[str, Metric]:
    """Report FPIR, FNIR, TPIR, FTA, skips and latency, e.g. `fpir.by_sex.female`.

    Groups come in alphabetical order, and only those that somebody belongs to; a
    group without a mated passage still has its TPIR, without a value and with n = 0.

    Args:
        passages: Those that count.
    """
    metrics: dict[str, Metric] = {}
    for grouping, group_of in GROUPINGS.items():
        members: dict[str, list[PassageOutcome]] = {}
        for passage in passages:
            members.setdefault(group_of(passage), []).append(passage)
        for rate, measure in _MEASURES.items():
            for group in sorted(members):
                metrics[f"{rate}.by_{grouping}.{group}"] = measure(members[group])
    return metrics
