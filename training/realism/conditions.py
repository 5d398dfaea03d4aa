"""How recall and scores fall with distance, turn, blur, darkness, masks and years.

Owns the experiments on conditions, and that on membership of a watchlist, which must
not show. Knows nothing of pictures.
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

from training.realism.finding import Finding, distances, state_rate, threshold_at
from training.realism.views import BLURS_PX, DIMMINGS, IMAGE_AGES_YEARS, YAWS_DEG
from training.verification import separation

if TYPE_CHECKING:
    from training.realism.shards import Answers

__all__ = ["find_conditions", "find_membership", "find_recall"]

_HEIGHTS_PX = (12.0, 16.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 400.0)
_YAW_BINS_DEG = (0.0, 15.0, 30.0, 45.0, 60.0, 80.0)
_NEAR_PX, _TURNED_DEG = 40.0, 45.0
# Conditions have too few non-mated scores for a rate of one in a thousand.
_FMR_CONDITIONS = 1e-2


def find_recall(answers: Answers, topic: str) -> list[Finding]:
    """YuNet's recall by height and by yaw."""
    height, yaw, found = answers.height_px, np.abs(answers.yaw_deg), answers.found
    fair = (height >= _NEAR_PX) & (yaw <= _TURNED_DEG)
    k, n = int(found[fair].sum()), int(fair.sum())
    findings = [
        Finding(
            topic=topic,
            claim=f"recall at >= {_NEAR_PX:g} px, |yaw| <= {_TURNED_DEG:g} deg",
            measured=state_rate(k, n),
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
                measured=state_rate(int(found[rows].sum()), int(rows.sum())),
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
    for low, high in pairwise(_YAW_BINS_DEG):
        rows = (height >= _NEAR_PX) & (yaw >= low) & (yaw < high)
        if rows.sum() >= 20:
            findings.append(
                Finding(
                    topic=topic,
                    claim=f"recall at {low:g} to {high:g} deg, >= {_NEAR_PX:g} px",
                    measured=state_rate(int(found[rows].sum()), int(rows.sum())),
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
    scores = -distances(known.vector, asked.vector)
    mated = known.subject[:, None] == asked.subject[None]
    if threshold is None:
        threshold = threshold_at(scores[~mated], _FMR_CONDITIONS)
    return _Compared(
        name=probe if probe != "plain" else reference,
        d_prime=separation(scores[mated], scores[~mated]).d_prime,
        threshold=threshold,
        misses=int((scores[mated] < threshold).sum()),
        mated=int(mated.sum()),
        unfound=unfound,
    )


def _state(compared: _Compared, topic: str) -> Finding:
    rate = state_rate(compared.misses, compared.mated)
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
