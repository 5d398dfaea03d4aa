"""From the judges' answers to statements: rates with intervals, and whether they hold.

Owns the statistics of realism. Pairs of one person depend on each other, so intervals
of mated scores come from resampling people, not pairs. Knows nothing of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.intervals import wilson
from training.realism.views import BLURS_PX, DIMMINGS, IMAGE_AGES_YEARS, TONES, YAWS_DEG
from training.verification import separation

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from training.realism.shards import Answers

__all__ = ["FINDERS", "Finding"]

_HEIGHTS_PX = (12.0, 16.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 400.0)
_YAWS_DEG = (0.0, 15.0, 30.0, 45.0, 60.0, 80.0)
_NEAR_PX, _TURNED_DEG = 40.0, 45.0
_RESAMPLES = 300
_TONE_GROUPS = ((1, 3), (4, 6), (7, 10))
_FMR = 1e-3
# Conditions have too few non-mated scores for a rate of one in a thousand.
_FMR_CONDITIONS = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the table.

    Attributes:
        topic: Which experiment.
        claim: What was measured.
        measured: The figure with its interval and counts.
        required: What is asked for; empty where nothing is.
        met: Whether it holds; `None` where nothing is asked for.
    """

    topic: str
    claim: str
    measured: str
    required: str = ""
    met: bool | None = None


def _rate(k: int, n: int) -> str:
    if n == 0:
        return "0/0: nothing seen"
    low, high = wilson(k, n)
    return f"{k}/{n} = {k / n:.2%} [{low:.2%}, {high:.2%}]"


def find_recall(answers: Answers, topic: str) -> list[Finding]:
    """YuNet's recall by height and by yaw."""
    height, yaw, found = answers.height_px, np.abs(answers.yaw_deg), answers.found
    fair = (height >= _NEAR_PX) & (yaw <= _TURNED_DEG)
    k, n = int(found[fair].sum()), int(fair.sum())
    findings = [
        Finding(
            topic=topic,
            claim=f"recall at >= {_NEAR_PX:g} px, |yaw| <= {_TURNED_DEG:g} deg",
            measured=_rate(k, n),
            required=">= 98 %",
            met=None if n == 0 else k / n >= 0.98,
        )
    ]
    rates = []
    for low, high in pairwise(_HEIGHTS_PX):
        rows = (yaw <= _TURNED_DEG) & (height >= low) & (height < high)
        if rows.sum() < 20:
            continue
        rates.append(float(found[rows].mean()))
        findings.append(
            Finding(
                topic=topic,
                claim=f"recall at {low:g} to {high:g} px, |yaw| <= {_TURNED_DEG:g} deg",
                measured=_rate(int(found[rows].sum()), int(rows.sum())),
            )
        )
    if rates:
        fall = max((a - b for a, b in pairwise(rates)), default=0.0)
        findings.append(
            Finding(
                topic=topic,
                claim="recall rises with height: largest fall from a bin to the next",
                measured=f"{max(fall, 0.0):.2%} over {len(rates)} bins",
                required="<= 2 %",
                met=fall <= 0.02,
            )
        )
    for low, high in pairwise(_YAWS_DEG):
        rows = (height >= _NEAR_PX) & (yaw >= low) & (yaw < high)
        if rows.sum() >= 20:
            findings.append(
                Finding(
                    topic=topic,
                    claim=f"recall at {low:g} to {high:g} deg, >= {_NEAR_PX:g} px",
                    measured=_rate(int(found[rows].sum()), int(rows.sum())),
                )
            )
    pictures = len({*zip(answers.subject.tolist(), answers.day.tolist(), strict=True)})
    extra = int(answers.extra.sum())
    if topic == "streets":
        findings.append(
            Finding(
                topic=topic,
                claim="detections on no face that faces the camera",
                measured=f"{extra} beside {len(found)} faces in {pictures} frames",
            )
        )
    return findings


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None]
    return np.sqrt(np.maximum(squares - 2.0 * a @ b.T, 0.0)).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pairs:
    """Comparisons within one set of views, each once.

    Attributes:
        first, second: (n,) rows.
        score: (n,) negative Euclidean distance, as dlib compares.
        mated, same_day: (n,) bool.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    score: NDArray[np.float32]
    mated: NDArray[np.bool_]
    same_day: NDArray[np.bool_]


def _pairs(answers: Answers) -> _Pairs:
    first, second = np.triu_indices(len(answers.subject), k=1)
    score = -_distances(answers.vector, answers.vector)[first, second]
    return _Pairs(
        first=first,
        second=second,
        score=score,
        mated=answers.subject[first] == answers.subject[second],
        same_day=answers.day[first] == answers.day[second],
    )


def _threshold(non_mated: NDArray[np.float32], fmr: float) -> float:
    """Lowest score that at most this share of non-mated scores reaches."""
    ranked = np.sort(non_mated)
    allowed = int(fmr * len(ranked))
    return float(np.nextafter(ranked[-allowed - 1], np.float32(np.inf)))


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
    pairs = _pairs(answers)
    non_mated = pairs.score[~pairs.mated]
    threshold = _threshold(non_mated, _FMR)
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
    pairs: _Pairs,
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


def _impostors(pairs: _Pairs, answers: Answers, topic: str) -> list[Finding]:
    """False matches within and across sex and ancestry, at one global threshold."""
    non_mated = ~pairs.mated
    score = pairs.score[non_mated]
    first, second = pairs.first[non_mated], pairs.second[non_mated]
    threshold = _threshold(score, 1e-2)
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
                measured=_rate(hits, int(rows.sum())),
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
    pairs: _Pairs, answers: Answers, threshold: float, topic: str
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
                measured=f"{_rate(misses, n)}; contrast {contrast:.0f} of 255",
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


def find_conditions(answers: Answers, topic: str) -> list[Finding]:
    """How scores fall with yaw, blur, darkness, masks, and the age of pictures."""
    findings: list[Finding] = []
    plain = _compare(answers, "reference age 0", "plain", None)
    if plain is None:
        return findings
    base, threshold = plain.d_prime, plain.threshold
    series = {
        "yaw": [f"yaw {v:g}" for v in YAWS_DEG],
        "blur": [f"blur {v:g}" for v in BLURS_PX],
        "low light": [f"dim {v}" for v in DIMMINGS],
        "mask": ["mask"],
    }
    findings.append(_state(plain, topic))
    for name, probes in series.items():
        compared = [
            _compare(answers, "reference age 0", probe, threshold) for probe in probes
        ]
        known = [c for c in compared if c is not None]
        findings += [_state(c, topic) for c in known]
        order = [base, *(c.d_prime for c in known)]
        findings.append(_falls(name, order, topic))
    ages = [
        _compare(answers, f"reference age {years:g}", "plain", threshold)
        for years in IMAGE_AGES_YEARS
    ]
    aged = [c for c in ages if c is not None]
    findings += [_state(c, topic) for c in aged[1:]]
    findings.append(_falls("image age", [c.d_prime for c in aged], topic))
    for quality in ("passport", "social_media", "cctv_still"):
        compared_quality = _compare(answers, f"reference {quality}", "plain", threshold)
        if compared_quality is not None:
            findings.append(_state(compared_quality, topic))
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """One kind of reference against one kind of probe."""

    name: str
    d_prime: float
    threshold: float
    misses: int
    mated: int
    unfound: int


def _compare(
    answers: Answers, reference: str, probe: str, threshold: float | None
) -> _Compared | None:
    known = answers.where(answers.condition == reference)
    asked = answers.where(answers.condition == probe)
    unfound = int((~asked.found).sum())
    known, asked = known.where(known.found), asked.where(asked.found)
    if len(known.subject) < 2 or len(asked.subject) < 2:
        return None
    scores = -_distances(known.vector, asked.vector)
    mated = known.subject[:, None] == asked.subject[None]
    if threshold is None:
        threshold = _threshold(scores[~mated], _FMR_CONDITIONS)
    return _Compared(
        name=probe if probe != "plain" else reference,
        d_prime=separation(scores[mated], scores[~mated]).d_prime,
        threshold=threshold,
        misses=int((scores[mated] < threshold).sum()),
        mated=int(mated.sum()),
        unfound=unfound,
    )


def _state(compared: _Compared, topic: str) -> Finding:
    rate = _rate(compared.misses, compared.mated)
    return Finding(
        topic=topic,
        claim=compared.name,
        measured=f"d' {compared.d_prime:.2f}; FNMR at FMR 1 % {rate}; "
        f"{compared.unfound} not found",
    )


def _falls(name: str, order: list[float], topic: str) -> Finding:
    return Finding(
        topic=topic,
        claim=f"d' falls with {name}",
        measured=" > ".join(f"{value:.2f}" for value in order),
        required="falling",
        met=all(a > b for a, b in pairwise(order)) and len(order) > 1,
    )


def find_kin(answers: Answers, topic: str) -> list[Finding]:
    """Siblings and twins as impostors, against strangers."""
    answers = answers.where(answers.found)
    pairs = _pairs(answers)
    first, second = pairs.first, pairs.second
    kin = answers.subject[first] // 2 == answers.subject[second] // 2
    twin = kin & answers.is_twin[first]
    alike = (answers.sex[first] == answers.sex[second]) & (
        answers.ancestry[first] == answers.ancestry[second]
    )
    threshold = _threshold(pairs.score[~kin], 1e-2)
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
                measured=f"{_rate(hits, len(score))}; mean score {score.mean():.3f}",
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


def find_membership(answers: Answers, topic: str) -> list[Finding]:
    """Whether a picture tells who is on the watchlist."""
    answers = answers.where(answers.found)
    member = answers.condition == "member"
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=2000))
    folds = StratifiedKFold(n_splits=10, shuffle=True, random_state=0)
    chance = cross_val_predict(
        model, answers.vector, member, cv=folds, method="predict_proba"
    )[:, 1]
    auc = float(roc_auc_score(member, chance))
    low, high = _auc_interval(auc, int(member.sum()), int((~member).sum()))
    return [
        Finding(
            topic=topic,
            claim="AUC of a logistic classifier of members, out of fold",
            measured=f"{auc:.3f} [{low:.3f}, {high:.3f}] ({int(member.sum())} members, "
            f"{int((~member).sum())} others)",
            required="0.45 to 0.55",
            met=abs(auc - 0.5) <= 0.05,
        )
    ]


def _auc_interval(auc: float, n_first: int, n_second: int) -> tuple[float, float]:
    """95 % interval of an area under a ROC curve.

    Source:
        Hanley and McNeil, Radiology 143 (1982) 29.
    """
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n_first - 1) * (q1 - auc**2)
    variance += (n_second - 1) * (q2 - auc**2)
    half = 1.96 * np.sqrt(variance / (n_first * n_second))
    return float(auc - half), float(auc + half)


def find_tones(answers: Answers, topic: str) -> list[Finding]:
    """The same bones in two tones: is it the skin, or who has it?"""
    findings = []
    for tone in TONES:
        rows = answers.where((answers.condition == f"tone {tone:g}") & answers.found)
        pairs = _pairs(rows)
        non_mated = pairs.score[~pairs.mated]
        mated = pairs.mated & ~pairs.same_day
        whole = separation(pairs.score[mated], non_mated)
        threshold = _threshold(non_mated, _FMR)
        misses = int((pairs.score[mated] < threshold).sum())
        findings.append(
            Finding(
                topic=topic,
                claim=f"African ancestry in Monk {tone:g}, another day",
                measured=f"d' {whole.d_prime:.2f}; FNMR at their own FMR 0.1 % "
                f"{_rate(misses, int(mated.sum()))}; mean non-mated score "
                f"{non_mated.mean():.3f}; contrast {rows.contrast.mean():.0f} of 255",
            )
        )
    return findings


FINDERS: dict[str, Callable[[Answers, str], list[Finding]]] = {
    "streets": find_recall,
    "recall": find_recall,
    "days": find_days,
    "conditions": find_conditions,
    "kin": find_kin,
    "membership": find_membership,
    "tones": find_tones,
}
