"""What an evaluation measured, and the rates that follow at a threshold.

Owns the records kept on disk and the tables of the model card. Every rate is a
proportion with its 95 % Wilson interval. Scores are kept, not alerts, so that one
evaluation serves every operating point.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from bench.accuracy.disparity import MARGIN, Disparity, Likeness, disparities
from bench.accuracy.fairness import GROUPINGS
from bench.records import PassageOutcome
from training.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "CONDITIONS",
    "LARGE_PX",
    "SMALL_PX",
    "OperatingPoint",
    "StreetResult",
    "accuracy_table",
    "detection_table",
    "group_table",
    "likeness_table",
    "passages_at",
]

LARGE_PX, SMALL_PX = 60.0, 32.0


class OperatingPoint(BaseModel):
    """A threshold and the FPIR that it was calibrated for.

    Attributes:
        target_fpir: Share of non-mated passages that may alert.
        threshold: Cosine; for the street's own watchlist.
        n_passages: Of the cohort that it was calibrated on.
        fpir_low, fpir_high: 95 % interval of the FPIR at it, on that cohort.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target_fpir: float
    threshold: float
    n_passages: int
    fpir_low: float
    fpir_high: float


class StreetResult(BaseModel):
    """What one street showed.

    Attributes:
        setting, weather: Of the street.
        n_enrolled, n_failed_to_enrol: Of its watchlist.
        points: Thresholds for that watchlist.
        n_frames: Frames processed.
        fair_faces, fair_found: Faces of 40 px and more, turned by 45 degrees at most,
            in full view; those of them that were found.
        false_detections: Boxes on no face.
        passages: All of them; whether they alerted is for a threshold to say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    weather: str
    n_enrolled: int
    n_failed_to_enrol: int
    points: tuple[OperatingPoint, ...]
    n_frames: int
    fair_faces: int
    fair_found: int
    false_detections: int
    passages: tuple[PassageOutcome, ...]


def passages_at(
    streets: Sequence[StreetResult], *, target_fpir: float
) -> tuple[PassageOutcome, ...]:
    """Say of every passage whether it alerts at its street's threshold."""
    judged = []
    for street in streets:
        (threshold,) = (
            p.threshold for p in street.points if p.target_fpir == target_fpir
        )
        for passage in street.passages:
            mate, best = passage.mate_score, passage.best_score
            judged.append(
                replace(
                    passage,
                    true_alert=mate is not None and mate >= threshold,
                    alerted=best is not None and best >= threshold,
                )
            )
    return tuple(judged)


def _is_clear(passage: PassageOutcome) -> bool:
    return passage.unoccluded_frames > 0


def _is_large(passage: PassageOutcome) -> bool:
    return _is_clear(passage) and passage.max_face_height_px >= LARGE_PX


def _is_small(passage: PassageOutcome) -> bool:
    height = passage.max_face_height_px
    return _is_clear(passage) and SMALL_PX <= height < LARGE_PX


# Of a passage's largest face; unoccluded: in a frame of the zone nine tenths of the
# face in view, and no mask or sunglasses.
CONDITIONS: dict[str, Callable[[PassageOutcome], bool]] = {
    "60 px and more, unoccluded": _is_large,
    "32 to 60 px, unoccluded": _is_small,
    "all passages": lambda _: True,
}


def _rate(k: int, n: int) -> str:
    if n == 0:
        return "0/0"
    low, high = wilson(k, n)
    return f"{k}/{n} = {k / n:.2%} [{low:.2%}, {high:.2%}]"


def _tpir(passages: Iterable[PassageOutcome]) -> str:
    mated = [p for p in passages if p.mated]
    return _rate(sum(p.true_alert for p in mated), len(mated))


def _fpir(passages: Iterable[PassageOutcome]) -> str:
    others = [p for p in passages if not p.mated]
    return _rate(sum(p.alerted for p in others), len(others))


def accuracy_table(streets: Sequence[StreetResult]) -> str:
    """Tabulate TPIR and FPIR at every calibrated threshold."""
    lines = [
        (
            "| calibrated for FPIR | thresholds, street by street | measure "
            "| measured, 95 % interval |"
        ),
        "|---|---|---|---|",
    ]
    for point in streets[0].points:
        passages = passages_at(streets, target_fpir=point.target_fpir)
        thresholds = ", ".join(
            f"{p.threshold:.3f}"
            for street in streets
            for p in street.points
            if p.target_fpir == point.target_fpir
        )
        title = (
            f"{point.target_fpir:.1%} on {point.n_passages:,} passages "
            f"[{point.fpir_low:.2%}, {point.fpir_high:.2%}]"
        )
        rows = [
            (f"TPIR, {name}", _tpir(filter(belongs, passages)))
            for name, belongs in CONDITIONS.items()
        ]
        rows.append(("FPIR, non-mated passages", _fpir(passages)))
        for name, measured in rows:
            lines.append(f"| {title} | {thresholds} | {name} | {measured} |")
            title = thresholds = ""
    return "\n".join(lines)


def detection_table(streets: Sequence[StreetResult]) -> str:
    """Tabulate what the detector found, and failures to enrol."""
    frames = sum(s.n_frames for s in streets)
    false = sum(s.false_detections for s in streets)
    faces = sum(s.fair_faces for s in streets)
    found = sum(s.fair_found for s in streets)
    enrolled = sum(s.n_enrolled for s in streets)
    failed = sum(s.n_failed_to_enrol for s in streets)
    return "\n".join(
        [
            "| measure | measured, 95 % interval |",
            "|---|---|",
            f"| detector recall, fair faces (a) | {_rate(found, faces)} |",
            f"| false detections a frame | {false}/{frames} = {false / frames:.4f} |",
            f"| failure to enrol | {_rate(failed, enrolled + failed)} |",
            "",
            "(a) 40 px high or more, |yaw| <= 45 deg, in full view.",
        ]
    )


def group_table(passages: Sequence[PassageOutcome]) -> str:
    """Tabulate the rates of every group."""
    lines = [
        "| group | TPIR, >= 60 px and unoccluded | TPIR, all | FPIR |",
        "|---|---|---|---|",
    ]
    large = [p for p in passages if _is_large(p)]
    for kind, group_of in GROUPINGS.items():
        for name in sorted({group_of(p) for p in passages}):
            of_group = [p for p in passages if group_of(p) == name]
            of_large = [p for p in large if group_of(p) == name]
            rates = f"{_tpir(of_large)} | {_tpir(of_group)} | {_fpir(of_group)}"
            lines.append(f"| {kind}: {name} | {rates} |")
    return "\n".join(lines)


def _said(one: Disparity) -> str:
    if one.likeness is Likeness.CANNOT_TELL:
        more = "no number of" if one.n_more is None else f"{one.n_more:,} more"
        return f"cannot tell; {more} passages would"
    if one.likeness is Likeness.EQUAL:
        return f"equal within x{MARGIN:g}"
    return "unequal"


def likeness_table(
    passages: Sequence[PassageOutcome], *, unequal_only: bool = False
) -> str:
    """Compare each group with everyone else, in three states."""
    lines = [
        "| rate | group | ratio to the others, 95 % interval | statement |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {d.rate.upper()} | {d.grouping}: {d.group} "
        f"| {d.ratio:.2f} [{d.low:.2f}, {d.high:.2f}] | {_said(d)} |"
        for d in disparities(passages)
        if d.likeness is Likeness.UNEQUAL or not unequal_only
    ]
    return "\n".join(lines)
