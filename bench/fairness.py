"""The same rates by group: sex, age band, skin tone, ancestry.

Owns the grouping and its names. Refuses to rank groups or to test differences: with
the few passages of a group that one run holds, the intervals are the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.identification import fnir, fpir, fta, tpir

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.records import Metric, PassageOutcome

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

_RATES = {"fpir": fpir, "fnir": fnir, "tpir": tpir, "fta": fta}


def group_metrics(passages: Sequence[PassageOutcome]) -> dict[str, Metric]:
    """Report FPIR, FNIR, TPIR and FTA of every group, e.g. `fpir.by_sex.female`.

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
        for rate, measure in _RATES.items():
            for group in sorted(members):
                metrics[f"{rate}.by_{grouping}.{group}"] = measure(members[group])
    return metrics
