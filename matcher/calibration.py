"""The threshold for a stated FPIR, from passages of people who are on no list.

Owns the cohort's format and the order statistic; `matcher.recording` makes cohorts.
Knows nothing of who was who: that a cohort is non-mated is for its maker to warrant.

FPIR grows with the gallery and depends on whom it holds, so the cohort is searched
against the very gallery that will be used; nothing is extrapolated.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zipfile import BadZipFile, is_zipfile

import numpy as np

from matcher.decision import is_candidate
from matcher.errors import CalibrationError
from matcher.records import Embeddings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.protocols import GalleryIndex

__all__ = [
    "LEAST_EXCEEDANCES",
    "Cohort",
    "Threshold",
    "differing_settings",
    "joined",
    "load_cohort",
    "n_allowed",
    "read_cohort",
    "save_cohort",
    "settings_of",
    "threshold_for",
]

# A percentile is quoted only with at least this many samples beyond it.
LEAST_EXCEEDANCES = 10
_BATCH = 4096
_Z_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cohort:
    """What non-mated passages would have searched for.

    Attributes:
        templates: (m, d) float32, the fused template of every search.
        passages: (m,) int64, non-decreasing, in [0, n_passages): whose.
        n_passages: All passages, those without any search included: they count in
            the denominator.
        embedder_sha256: Of the model that made the templates.
        settings: JSON of `settings_of`, as it was recorded.
    """

    templates: NDArray[np.float32]
    passages: NDArray[np.int64]
    n_passages: int
    embedder_sha256: str
    settings: str

    def __post_init__(self) -> None:
        """Check, then freeze.

        Raises:
            CalibrationError: If the arrays are not what is stated above.
        """
        ordered = bool(np.all(np.diff(self.passages) >= 0))
        inside = len(self.passages) == 0 or (
            self.passages[0] >= 0 and self.passages[-1] < self.n_passages
        )
        if (
            self.templates.ndim != 2
            or self.passages.shape != self.templates.shape[:1]
            or not (ordered and inside)
        ):
            message = (
                "a cohort must hold templates (m, d) and passages (m,), non-decreasing "
                f"in [0, {self.n_passages}), got {self.templates.shape} and "
                f"{self.passages.shape}; record it again"
            )
            raise CalibrationError(message)
        self.templates.setflags(write=False)
        self.passages.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A threshold and the evidence for it.

    Attributes:
        value: T, cosine in [-1, 1].
        target_fpir: What was asked for.
        n_passages: Of the cohort.
        n_exceeding: Of those, how many would have alerted at `value`.
        fpir_low, fpir_high: 95 % Wilson interval of the FPIR at `value`.
    """

    value: float
    target_fpir: float
    n_passages: int
    n_exceeding: int
    fpir_low: float
    fpir_high: float


def joined(cohorts: Sequence[Cohort]) -> Cohort:
    """Make one cohort of several, recorded by the same networks and settings."""
    first = np.cumsum([0, *(cohort.n_passages for cohort in cohorts)])
    return Cohort(
        templates=np.concatenate([cohort.templates for cohort in cohorts]),
        passages=np.concatenate(
            [c.passages + start for c, start in zip(cohorts, first[:-1], strict=True)]
        ),
        n_passages=int(first[-1]),
        embedder_sha256=cohorts[0].embedder_sha256,
        settings=cohorts[0].settings,
    )


def settings_of(config: MatcherConfig) -> str:
    """Write down, as JSON, the settings that shape a search, and no others."""
    shaping = config.model_dump(
        mode="json",
        include={
            "detector": True,
            "cadence": True,
            "tracker": True,
            "quality": True,
            "alignment": True,
            "best_shot": True,
            "embedder": True,
            "decision": {"min_shots"},
        },
    )
    for model in ("detector", "embedder"):
        # A path says where a file lies; its hash says what it is.
        del shaping[model]["model_path"]
        # Rounding in another order shapes nothing; rounding to bfloat16 moves scores
        # by up to 0.004.
        runtime = shaping[model].pop("runtime")["name"]
        if runtime == "openvino":
            shaping[model]["runtime"] = runtime
    # Settings of a plug-in that is not in use shape nothing.
    for model, plugin in (("detector", "dlib_hog"), ("embedder", "arcface_onnx")):
        if shaping[model]["name"] != plugin:
            del shaping[model][plugin]
    return json.dumps(shaping, sort_keys=True)


def differing_settings(cohort: Cohort, config: MatcherConfig) -> tuple[str, ...]:
    """Name the settings that were others when the cohort was recorded."""
    then, now = json.loads(cohort.settings), json.loads(settings_of(config))
    return tuple(
        f"{table}.{key}"
        for table in sorted(now)
        for key in sorted(now[table])
        if then.get(table, {}).get(key) != now[table][key]
    )


def n_allowed(
    cohort: Cohort, *, target_fpir: float, least_exceedances: int = LEAST_EXCEEDANCES
) -> int:
    """Say how many of a cohort's passages may alert.

    Raises:
        CalibrationError: If the cohort is too small for the target.
    """
    n = cohort.n_passages
    allowed = math.floor(target_fpir * n + 1e-9)
    if allowed < least_exceedances:
        message = (
            f"target_fpir must be at least {least_exceedances / max(n, 1):.2g}, what "
            f"{n} calibration passages can resolve, got {target_fpir:g}; raise it, "
            "state decision.threshold, or record a larger cohort (`harness cohort`)"
        )
        raise CalibrationError(message)
    return allowed


def threshold_for(
    index: GalleryIndex,
    cohort: Cohort,
    *,
    target_fpir: float,
    least_exceedances: int = LEAST_EXCEEDANCES,
) -> Threshold:
    """Find the least threshold that keeps the cohort's FPIR at or below a target.

    A passage alerts if the best score of any of its searches is at or above T. With
    the passages' best scores in descending order and e = floor(target * n), T lies
    just above the (e + 1)-th: at most e passages reach it, and any lower T lets in
    one more.

    Args:
        index: Over the gallery in use.
        cohort: Non-mated passages, recorded with the same embedder.
        target_fpir: In (0, 1).
        least_exceedances: Fewer passages above the threshold tell too little of it.

    Raises:
        CalibrationError: If the cohort is too small for the target.

    Source:
        ISO/IEC 19795-1:2021 (FPIR); Wilson, Probable inference, JASA 22, 1927.
    """
    allowed = n_allowed(
        cohort, target_fpir=target_fpir, least_exceedances=least_exceedances
    )
    n = cohort.n_passages
    best = _best_scores(index, cohort)
    edge = np.sort(best)[::-1][allowed]
    value = float(np.nextafter(edge, np.float32(np.inf)))
    exceeding = int(is_candidate(best, threshold=value).sum())
    low, high = _wilson(exceeding, n)
    return Threshold(
        value=value,
        target_fpir=target_fpir,
        n_passages=n,
        n_exceeding=exceeding,
        fpir_low=low,
        fpir_high=high,
    )


def read_cohort(path: Path) -> Cohort:
    """Read a cohort from a file.

    Raises:
        CalibrationError: If it cannot be read or holds no cohort.
    """
    try:
        return load_cohort(path.read_bytes())
    except (OSError, CalibrationError) as error:
        message = (
            f"decision.cohort must be a file of `harness cohort`, got {path} "
            f"({error}); record it"
        )
        raise CalibrationError(message) from error


def _best_scores(index: GalleryIndex, cohort: Cohort) -> NDArray[np.float32]:
    """Take each passage's best score; one that searched nothing has the least."""
    best = np.full(cohort.n_passages, -1.0, np.float32)
    for first in range(0, len(cohort.passages), _BATCH):
        rows = slice(first, first + _BATCH)
        found = index.search(Embeddings(vectors=cohort.templates[rows]), k=1)
        np.maximum.at(best, cohort.passages[rows], found.scores[:, 0])
    return best


def _wilson(k: int, n: int) -> tuple[float, float]:
    centre = (k + _Z_95**2 / 2) / (n + _Z_95**2)
    reach = _Z_95 / (n + _Z_95**2) * math.sqrt(k * (n - k) / n + _Z_95**2 / 4)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def save_cohort(cohort: Cohort, path: Path) -> None:
    """Write a cohort to an npz file; templates as float16, half the size."""
    # Written aside and renamed: a file of that name is always a whole one.
    aside = path.with_name(f"{path.name}.part")
    with aside.open("wb") as file:
        np.savez_compressed(
            file,
            templates=cohort.templates.astype(np.float16),
            passages=cohort.passages.astype(np.int32),
            n_passages=np.array(cohort.n_passages, dtype=np.int64),
            embedder_sha256=np.array(cohort.embedder_sha256, dtype=np.str_),
            settings=np.array(cohort.settings, dtype=np.str_),
        )
    aside.replace(path)


def load_cohort(content: bytes) -> Cohort:
    """Read a cohort from the bytes of a verified file.

    Raises:
        CalibrationError: If they hold no cohort.
    """
    if not is_zipfile(io.BytesIO(content)):
        message = "a calibration cohort must be an npz file of ours, got another kind"
        raise CalibrationError(message)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as held:
            templates = held["templates"].astype(np.float32)
            passages = held["passages"].astype(np.int64)
            n_passages = int(held["n_passages"])
            sha256, settings = str(held["embedder_sha256"]), str(held["settings"])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        message = f"a calibration cohort must be an npz file of ours, but: {error}"
        raise CalibrationError(message) from error
    return Cohort(
        templates=templates,
        passages=passages,
        n_passages=n_passages,
        embedder_sha256=sha256,
        settings=settings,
    )
