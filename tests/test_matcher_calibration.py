"""Claims about the threshold for a stated FPIR."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matcher.calibration import (
    Cohort,
    differing_settings,
    load_cohort,
    save_cohort,
    settings_of,
    threshold_for,
)
from matcher.config import (
    DecisionConfig,
    EmbedderConfig,
    MatcherConfig,
    TrackerConfig,
)
from matcher.decision import is_candidate
from matcher.errors import CalibrationError
from matcher.fusion import unit_length
from matcher.indexes.exact import ExactIndex
from matcher.plugin_config import ArcFaceConfig, RuntimeConfig
from matcher.recording import RecordingIndex
from matcher.records import Embeddings

GALLERY = np.eye(1, 2, dtype=np.float32)


def _cohort(scores: np.ndarray, passages: np.ndarray, n_passages: int) -> Cohort:
    """Templates whose cosine with the one enrolled is `scores`."""
    templates = np.stack([scores, np.sqrt(1 - scores**2)], axis=1)
    return Cohort(
        templates=templates.astype(np.float32),
        passages=passages.astype(np.int64),
        n_passages=n_passages,
        embedder_sha256="0" * 64,
        settings=settings_of(MatcherConfig()),
    )


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(250, 600), st.sampled_from([0.05, 0.1, 0.3])
)
def test_threshold_is_the_least_that_meets_the_target(
    seed: int, n_passages: int, target: float
) -> None:
    """At T the share of passages is within the target, just below T beyond it."""
    rng = np.random.default_rng(seed)
    passages = np.sort(rng.integers(0, n_passages, 3 * n_passages))
    # Coarse scores, so that ties occur.
    cohort = _cohort(
        np.round(rng.uniform(-0.5, 0.9, 3 * n_passages), 2), passages, n_passages
    )
    threshold = threshold_for(ExactIndex(GALLERY), cohort, target_fpir=target)

    best = np.full(n_passages, -1.0, np.float32)
    np.maximum.at(best, passages, cohort.templates @ GALLERY[0])
    below = float(np.nextafter(np.float32(threshold.value), np.float32(-1)))
    assert is_candidate(best, threshold=threshold.value).mean() <= target
    assert is_candidate(best, threshold=below).mean() > target
    assert (
        threshold.fpir_low <= threshold.n_exceeding / n_passages <= threshold.fpir_high
    )


def test_passages_without_a_search_count_in_the_denominator() -> None:
    """They cannot alert, so they allow others to."""
    scores = np.linspace(0.0, 0.9, 500)
    few = threshold_for(
        ExactIndex(GALLERY), _cohort(scores, np.arange(500), 500), target_fpir=0.05
    )
    many = threshold_for(
        ExactIndex(GALLERY), _cohort(scores, np.arange(500), 1000), target_fpir=0.05
    )

    assert (few.n_exceeding, many.n_exceeding) == (25, 50)
    assert many.value < few.value


def test_target_below_what_the_cohort_resolves_is_refused() -> None:
    """Ten passages must be beyond the threshold; the error says what would do."""
    cohort = _cohort(np.linspace(0, 0.9, 999), np.arange(999), 999)
    with pytest.raises(CalibrationError, match=r"at least 0\.01.*got 0\.01"):
        threshold_for(ExactIndex(GALLERY), cohort, target_fpir=0.01)


def test_interval_is_wilsons() -> None:
    """10 of 1,000: 0.54 % to 1.83 % (Wilson 1927, 95 %)."""
    cohort = _cohort(np.linspace(0, 0.9, 1000), np.arange(1000), 1000)
    threshold = threshold_for(ExactIndex(GALLERY), cohort, target_fpir=0.01)

    assert threshold.n_exceeding == 10
    assert threshold.fpir_low == pytest.approx(0.00544, abs=1e-5)
    assert threshold.fpir_high == pytest.approx(0.01831, abs=1e-5)


def test_larger_gallery_raises_the_threshold() -> None:
    """More to be mistaken for: FPIR at a fixed threshold grows with N."""
    rng = np.random.default_rng(0)
    templates = unit_length(rng.normal(size=(2000, 16)).astype(np.float32))
    cohort = Cohort(
        templates=templates[1000:],
        passages=np.arange(1000),
        n_passages=1000,
        embedder_sha256="0" * 64,
        settings=settings_of(MatcherConfig()),
    )
    values = [
        threshold_for(ExactIndex(templates[:n]), cohort, target_fpir=0.05).value
        for n in (10, 100, 1000)
    ]

    assert values == sorted(values)


@pytest.mark.parametrize(
    "passages", [[1, 0, 2], [0, 1, 3], [-1, 0, 1], [0, 1]], ids=str
)
def test_malformed_cohort_is_refused(passages: list[int]) -> None:
    """Passages must be ordered, numbered from 0, one a template."""
    with pytest.raises(CalibrationError, match="record it again"):
        _cohort(np.zeros(3), np.array(passages), 3)


def test_saved_cohort_gives_the_same_threshold(tmp_path: Path) -> None:
    """float16 on disk moves it by less than a thousandth."""
    rng = np.random.default_rng(1)
    cohort = _cohort(rng.uniform(-0.5, 0.9, 500), np.arange(500), 600)
    save_cohort(cohort, tmp_path / "cohort.npz")
    again = load_cohort((tmp_path / "cohort.npz").read_bytes())
    one, two = (
        threshold_for(ExactIndex(GALLERY), c, target_fpir=0.05) for c in (cohort, again)
    )

    assert again.n_passages == 600
    assert two.value == pytest.approx(one.value, abs=1e-3)
    with pytest.raises(CalibrationError, match="npz"):
        load_cohort(b"nonsense")


def test_settings_that_differ_from_the_cohorts_are_named() -> None:
    """Those that shape a search; the threshold itself does not."""
    cohort = _cohort(np.zeros(1), np.zeros(1), 1)
    same = MatcherConfig(decision=DecisionConfig(threshold=0.3))
    other = MatcherConfig(tracker=TrackerConfig(max_gap_s=2.0))

    assert differing_settings(cohort, same) == ()
    assert differing_settings(cohort, other) == ("tracker.max_gap_s",)


def test_recording_index_finds_nobody_and_forgets_nothing() -> None:
    """Its scores are the bottom of the scale."""
    index = RecordingIndex()
    vectors = np.eye(2, 3, dtype=np.float32)
    found = index.search(Embeddings(vectors=vectors), k=1)

    assert found.scores.tolist() == [[-1.0], [-1.0]]
    assert np.array_equal(index.searched[0], vectors)


def test_threshold_says_if_another_arithmetic_recorded_the_cohort() -> None:
    """OpenVINO may round to bfloat16; another thread or plug-in at rest does not."""
    told = {}
    for name in ("onnxruntime", "openvino"):
        runtime = RuntimeConfig(name=name, threads=2)
        config = MatcherConfig(
            embedder=EmbedderConfig(
                runtime=runtime, arcface_onnx=ArcFaceConfig(mean=1.0)
            )
        )
        cohort = Cohort(
            templates=np.eye(2, dtype=np.float32),
            passages=np.array([0, 1]),
            n_passages=2,
            embedder_sha256="",
            settings=settings_of(MatcherConfig()),
        )
        told[name] = differing_settings(cohort, config)

    assert told == {"onnxruntime": (), "openvino": ("embedder.runtime",)}
