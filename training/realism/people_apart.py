"""How well the embedder tells people apart: over days, within groups, among kin.

Owns the statistics of scores. Pairs of one person depend on each other, so intervals
of mated scores come from resampling people, not pairs. Knows nothing of pictures.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from training.realism.finding import Finding, pairs_of, state_rate, threshold_at
from training.realism.views import TONES
from training.verification import separation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from training.realism.finding import Pairs
    from training.realism.shards import Answers

__all__ = ["find_days", "find_kin", "find_tones"]

_RESAMPLES = 300
_TONE_GROUPS = ((1, 3), (4, 6), (7, 10))
_FMR = 1e-3


def _resampled(
    score: NDArray[np.float32],
    person: NDArray[np.int64],
    statistic: Callable[[NDArray[np.float32]], float],
) -> tuple[float, float]:
    """95 % interval of a statistic of mated scores, resampling people."""
    rng = np.random.default_rng(0)
    order = np.argsort(person, kind="stable")
    groups = np.split(score[order], np.flatnonzero(np.diff(person[order])) + 1)
    values = [
        statistic(np.concatenate([groups[k] for k in picked]))
        for picked in rng.integers(len(groups), size=(_RESAMPLES, len(groups)))
    ]
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def find_days(answers: Answers, topic: str) -> list[Finding]:
    """How well the embedder tells people apart, on one day and over two."""
    missing = int((~answers.found).sum())
    answers = answers.where(answers.found)
    pairs = pairs_of(answers)
    non_mated = pairs.score[~pairs.mated]
    threshold = threshold_at(non_mated, _FMR)
    findings = [
        Finding(
            topic=topic,
            claim="faces not found, and left out",
            measured=f"{missing} of {missing + len(answers.subject)}",
        )
    ]
    for name, rows, need in (
        ("same day", pairs.mated & pairs.same_day, (5.3, 0.006, 0.015)),
        ("another day", pairs.mated & ~pairs.same_day, (4.4, None, None)),
    ):
        findings += _separations(
            name, rows, pairs, answers, non_mated, threshold, need, topic
        )
    findings += _impostors(pairs, answers, topic)
    findings += _by_tone(pairs, answers, threshold, topic)
    return findings


def _separations(
    name: str,
    rows: NDArray[np.bool_],
    pairs: Pairs,
    answers: Answers,
    non_mated: NDArray[np.float32],
    threshold: float,
    need: tuple[float, float | None, float | None],
    topic: str,
) -> list[Finding]:
    score, person = pairs.score[rows], answers.subject[pairs.first[rows]]
    mean, variance = float(non_mated.mean()), float(non_mated.var())

    def d_prime(mated: NDArray[np.float32]) -> float:
        return float((mated.mean() - mean) / np.sqrt((mated.var() + variance) / 2))

    def missed(mated: NDArray[np.float32]) -> float:
        return float((mated < threshold).mean())

    whole = separation(score, non_mated)
    low, high = _resampled(score, person, d_prime)
    fnmr, (fnmr_low, fnmr_high) = missed(score), _resampled(score, person, missed)
    counts = f"{len(score)} mated, {len(non_mated)} non-mated"
    need_d, need_eer, need_fnmr = need
    return [
        Finding(
            topic=topic,
            claim=f"d', {name}",
            measured=f"{whole.d_prime:.2f} [{low:.2f}, {high:.2f}] ({counts})",
            required=f">= {need_d:g}",
            met=whole.d_prime >= need_d,
        ),
        Finding(
            topic=topic,
            claim=f"EER, {name}",
            measured=f"{whole.eer:.2%}",
            required="" if need_eer is None else f"<= {need_eer:.1%}",
            met=None if need_eer is None else whole.eer <= need_eer,
        ),
        Finding(
            topic=topic,
            claim=f"FNMR at FMR 0.1 %, {name}",
            measured=f"{fnmr:.2%} [{fnmr_low:.2%}, {fnmr_high:.2%}]",
            required="" if need_fnmr is None else f"<= {need_fnmr:.1%}",
            met=None if need_fnmr is None else fnmr <= need_fnmr,
        ),
    ]


def _impostors(pairs: Pairs, answers: Answers, topic: str) -> list[Finding]:
    """False matches within and across sex and ancestry, at one global threshold."""
    non_mated = ~pairs.mated
    score = pairs.score[non_mated]
    first, second = pairs.first[non_mated], pairs.second[non_mated]
    threshold = threshold_at(score, 1e-2)
    sex = answers.sex[first] == answers.sex[second]
    ancestry = answers.ancestry[first] == answers.ancestry[second]
    rates, findings = [], []
    for name, rows in (
        ("same sex and ancestry", sex & ancestry),
        ("same ancestry, other sex", ~sex & ancestry),
        ("same sex, other ancestry", sex & ~ancestry),
        ("neither", ~sex & ~ancestry),
    ):
        hits = int((score[rows] >= threshold).sum())
        rates.append(hits / max(int(rows.sum()), 1))
        findings.append(
            Finding(
                topic=topic,
                claim=f"FMR at the global 1 %: {name}",
                measured=state_rate(hits, int(rows.sum())),
            )
        )
    findings.append(
        Finding(
            topic=topic,
            claim="impostors are closest within sex and ancestry, furthest across both",
            measured=" > ".join(f"{rate:.2%}" for rate in rates),
            required="first highest, last lowest",
            met=max(rates) == rates[0] and min(rates) == rates[-1],
        )
    )
    return findings


def _by_tone(
    pairs: Pairs, answers: Answers, threshold: float, topic: str
) -> list[Finding]:
    """FNMR by skin tone at the global threshold, and the contrast of the pictures."""
    findings, rates = [], []
    mated = pairs.mated & ~pairs.same_day
    for low, high in _TONE_GROUPS:
        of_tone = (answers.tone >= low) & (answers.tone <= high)
        rows = mated & of_tone[pairs.first]
        misses, n = int((pairs.score[rows] < threshold).sum()), int(rows.sum())
        if n == 0:
            continue
        rates.append(misses / n)
        contrast = float(answers.contrast[of_tone].mean())
        findings.append(
            Finding(
                topic=topic,
                claim=f"FNMR at FMR 0.1 %, another day, Monk {low} to {high}",
                measured=f"{state_rate(misses, n)}; contrast {contrast:.0f} of 255",
            )
        )
    if len(rates) > 1 and min(rates) > 0.0:
        ratio = max(rates) / min(rates)
        findings.append(
            Finding(
                topic=topic,
                claim="FNMR by tone: largest over smallest",
                measured=f"{ratio:.1f}",
                required="<= 2, or the cause shown (tones)",
                met=ratio <= 2.0,
            )
        )
    return findings


def find_kin(answers: Answers, topic: str) -> list[Finding]:
    """Siblings and twins as impostors, against strangers."""
    answers = answers.where(answers.found)
    pairs = pairs_of(answers)
    first, second = pairs.first, pairs.second
    kin = answers.subject[first] // 2 == answers.subject[second] // 2
    twin = kin & answers.is_twin[first]
    alike = (answers.sex[first] == answers.sex[second]) & (
        answers.ancestry[first] == answers.ancestry[second]
    )
    threshold = threshold_at(pairs.score[~kin], 1e-2)
    means, findings = [], []
    for name, rows in (
        ("strangers", ~kin),
        ("strangers of one sex and ancestry", ~kin & alike),
        ("siblings", kin & ~twin),
        ("siblings of one sex", kin & ~twin & alike),
        ("identical twins", twin),
    ):
        score = pairs.score[rows]
        if len(score) == 0:
            continue
        hits = int((score >= threshold).sum())
        if name != "siblings of one sex":
            means.append(float(score.mean()))
        findings.append(
            Finding(
                topic=topic,
                claim=f"FMR at the strangers' 1 %: {name}",
                measured=f"{state_rate(hits, len(score))}; "
                f"mean score {score.mean():.3f}",
            )
        )
    findings.append(
        Finding(
            topic=topic,
            claim="impostor scores rise: strangers, of one kind, siblings, twins",
            measured=" < ".join(f"{mean:.3f}" for mean in means),
            required="rising",
            met=all(a < b for a, b in pairwise(means)),
        )
    )
    return findings


def find_tones(answers: Answers, topic: str) -> list[Finding]:
    """The same bones in two tones: is it the skin, or who has it?"""
    findings = []
    for tone in TONES:
        rows = answers.where((answers.condition == f"tone {tone:g}") & answers.found)
        pairs = pairs_of(rows)
        non_mated = pairs.score[~pairs.mated]
        mated = pairs.mated & ~pairs.same_day
        whole = separation(pairs.score[mated], non_mated)
        threshold = threshold_at(non_mated, _FMR)
        misses = int((pairs.score[mated] < threshold).sum())
        findings.append(
            Finding(
                topic=topic,
                claim=f"African ancestry in Monk {tone:g}, another day",
                measured=f"d' {whole.d_prime:.2f}; FNMR at their own FMR 0.1 % "
                f"{state_rate(misses, int(mated.sum()))}; mean non-mated score "
                f"{non_mated.mean():.3f}; contrast {rows.contrast.mean():.0f} of 255",
            )
        )
    return findings
