"""What an evaluation counted, and the rates that follow.

Owns the records kept on disk and the tables of the model card. Every rate is a
proportion with its 95 % Wilson interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from training.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["PassageResult", "StreetResult", "as_markdown"]


class PassageResult(BaseModel):
    """What became of one passage.

    Attributes:
        mated: Whether the person is on the watchlist.
        sex, age_band, monk_tone: Of the person.
        is_large: Whether the largest face is 60 px high or more and unoccluded.
        detected: Whether the face was ever found.
        true_alert, false_alert: Whether an alert named the right, a wrong subject.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mated: bool
    sex: str
    age_band: str
    monk_tone: int
    is_large: bool
    detected: bool
    true_alert: bool
    false_alert: bool


class StreetResult(BaseModel):
    """What one street added up to.

    Attributes:
        n_enrolled, n_failed_to_enrol: Of the watchlist.
        threshold: Calibrated for this watchlist.
        n_frames: Frames processed.
        fair_faces, fair_found: Faces of 40 px and more, turned by 45 degrees at most,
            in full view; those of them that were found.
        false_detections: Boxes on no face.
        alerts_on_nobody: Alerts raised by such boxes.
        passages: All of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_enrolled: int
    n_failed_to_enrol: int
    threshold: float
    n_frames: int
    fair_faces: int
    fair_found: int
    false_detections: int
    alerts_on_nobody: int
    passages: tuple[PassageResult, ...]


def _rate(k: int, n: int) -> str:
    if n == 0:
        return "0/0"
    low, high = wilson(k, n)
    return f"{k}/{n} = {k / n:.2%} [{low:.2%}, {high:.2%}]"


def _tpir(passages: Iterable[PassageResult]) -> str:
    mated = [p for p in passages if p.mated]
    return _rate(sum(p.true_alert for p in mated), len(mated))


def _fpir(passages: Iterable[PassageResult]) -> str:
    others = [p for p in passages if not p.mated]
    return _rate(sum(p.false_alert for p in others), len(others))


def _tone(passage: PassageResult) -> str:
    low = (passage.monk_tone - 1) // 3 * 3 + 1
    return f"Monk {low}-{min(low + 2, 10)}" if low < 7 else "Monk 7-10"


_GROUPS: tuple[tuple[str, Callable[[PassageResult], str]], ...] = (
    ("sex", lambda p: p.sex),
    ("age", lambda p: p.age_band),
    ("skin tone", _tone),
)


def as_markdown(streets: Sequence[StreetResult]) -> str:
    """Write the tables of the model card."""
    passages = [p for street in streets for p in street.passages]
    large = [p for p in passages if p.is_large]
    frames = sum(s.n_frames for s in streets)
    false = sum(s.false_detections for s in streets)
    per_frame = false / frames
    faces = sum(s.fair_faces for s in streets)
    found = sum(s.fair_found for s in streets)
    enrolled = sum(s.n_enrolled for s in streets)
    failed = sum(s.n_failed_to_enrol for s in streets)
    thresholds = ", ".join(f"{s.threshold:.3f}" for s in streets)
    lines = [
        "| measure | required | measured, 95 % interval |",
        "|---|---|---|",
        f"| TPIR, largest face >= 60 px and unoccluded | >= 80 % | {_tpir(large)} |",
        f"| TPIR, all mated passages | | {_tpir(passages)} |",
        f"| FPIR, non-mated passages | 1 % by calibration | {_fpir(passages)} |",
        f"| detector recall, fair faces (a) | >= 95 % | {_rate(found, faces)} |",
        f"| false detections a frame | <= 0.05 | {false}/{frames} = {per_frame:.4f} |",
        f"| failure to enrol | | {_rate(failed, enrolled + failed)} |",
        f"| threshold, street by street | | {thresholds} |",
        "",
        "(a) 40 px high or more, |yaw| <= 45 deg, in full view.",
        "",
        "| group | TPIR, >= 60 px and unoccluded | TPIR, all | FPIR |",
        "|---|---|---|---|",
    ]
    for kind, name_of in _GROUPS:
        for name in sorted({name_of(p) for p in passages}):
            of_group = [p for p in passages if name_of(p) == name]
            of_large = [p for p in large if name_of(p) == name]
            rates = f"{_tpir(of_large)} | {_tpir(of_group)} | {_fpir(of_group)}"
            lines.append(f"| {kind}: {name} | {rates} |")
    return "\n".join(lines)
