"""Claims about log-likelihood ratios: right where the truth is known."""

import numpy as np
import pytest

from matcher.assembly import assemble
from matcher.calibration import Cohort, load_cohort
from matcher.config import DecisionConfig, MatcherConfig
from matcher.errors import CalibrationError
from matcher.fusion import unit_length
from matcher.gallery import Gallery
from matcher.indexes.choice import choose_index
from matcher.likelihood import cllr, fit_scale, pairs_of
from matcher.records import SubjectId
from matcher.registry import INDEXES
from matcher.weights import WEIGHTS, read_manifest, read_model


def _scores(n: int, *, mean: float, seed: int, spread: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, spread, n)


def test_scale_of_two_normal_kinds_is_their_exact_ratio() -> None:
    """Equal spreads s, means a and b: slope (a - b) / s², zero midway."""
    scale = fit_scale(
        _scores(40_000, mean=0.6, seed=1), _scores(40_000, mean=0.2, seed=2)
    )

    assert scale.slope == pytest.approx(0.4 / 0.01, rel=0.05)
    assert scale.score(0.0) == pytest.approx(0.4, abs=0.005)
    assert scale.llr(scale.score(3.0)) == pytest.approx(3.0)


def test_scale_does_not_depend_on_how_many_pairs_there_are_of_a_kind() -> None:
    """Evidence is not a matter of how often people are on lists."""
    mated = _scores(20_000, mean=0.6, seed=3)
    many = _scores(60_000, mean=0.2, seed=4)
    some, all_ = fit_scale(mated, many[:20_000]), fit_scale(mated, many)

    assert some.score(2.0) == pytest.approx(all_.score(2.0), abs=0.01)


def test_equal_evidence_has_equal_thresholds_in_different_models() -> None:
    """A model with stretched scores says the same with another number."""
    mated, non_mated = _scores(5000, mean=0.6, seed=5), _scores(5000, mean=0.2, seed=6)
    one = fit_scale(mated, non_mated)
    other = fit_scale(0.5 * mated + 0.3, 0.5 * non_mated + 0.3)

    assert other.score(4.0) == pytest.approx(0.5 * one.score(4.0) + 0.3, abs=1e-6)


def test_calibrated_ratios_cost_less_than_raw_scores() -> None:
    """Cllr: 1 bit for knowing nothing, less for evidence."""
    mated, non_mated = _scores(5000, mean=0.6, seed=7), _scores(5000, mean=0.2, seed=8)
    scale = fit_scale(mated, non_mated)
    fitted = cllr(scale.llr(mated), scale.llr(non_mated))

    assert cllr(np.zeros(10), np.zeros(10)) == pytest.approx(1.0)
    assert fitted < 0.15
    assert fitted < cllr(mated, non_mated)
    assert fitted < cllr(3 * scale.llr(mated), 3 * scale.llr(non_mated))


@pytest.mark.parametrize(
    ("mated", "non_mated", "complaint"),
    [
        (np.ones(99), np.zeros(500), "at least 100 pairs"),
        (_scores(500, mean=0.2, seed=9), _scores(500, mean=0.6, seed=10), "confused"),
    ],
    ids=["few", "swapped"],
)
def test_scale_that_cannot_be_fitted_is_refused(
    mated: np.ndarray, non_mated: np.ndarray, complaint: str
) -> None:
    """One sentence says what is wrong."""
    with pytest.raises(CalibrationError, match=complaint):
        fit_scale(mated, non_mated)


def test_separable_scores_give_a_finite_scale() -> None:
    """Certainty is limited by the number of pairs, not unlimited."""
    scale = fit_scale(np.full(200, 0.9), np.linspace(0.0, 0.1, 200))

    assert np.isfinite([scale.slope, scale.offset]).all()
    assert scale.llr(0.9) < np.log(1000)


def test_pairs_of_a_cohort_are_within_and_between_passages() -> None:
    """Passages with one template have no pair of their own."""
    templates = unit_length(np.random.default_rng(11).normal(size=(6, 4)).astype("f4"))
    cohort = Cohort(
        templates=templates,
        passages=np.array([0, 0, 0, 2, 3, 3]),
        n_passages=5,
        embedder_sha256="",
        settings="{}",
    )
    mated, non_mated = pairs_of(cohort)

    assert np.allclose(
        mated, [templates[0] @ templates[2], templates[4] @ templates[5]]
    )
    assert np.allclose(
        np.sort(non_mated),
        np.sort([templates[0] @ templates[5], templates[4] @ templates[2]]),
    )


def test_threshold_can_be_stated_as_evidence() -> None:
    """More evidence asked for is a higher score; its origin says what it rests on."""
    shipped = read_manifest().calibration
    cohort = load_cohort(
        read_model(WEIGHTS / shipped.file, sha256=shipped.sha256).content
    )
    gallery = Gallery(
        templates=cohort.templates[:5].copy(),
        subject_ids=tuple(SubjectId(f"s{k}") for k in range(5)),
        embedder_sha256=cohort.embedder_sha256,
    )
    found = [
        assemble(
            MatcherConfig(decision=DecisionConfig(threshold_llr=llr)),
            gallery,
            clock=lambda: 0,
        ).threshold
        for llr in (2.0, 4.0)
    ]

    assert -1.0 < found[0].value < found[1].value < 1.0
    assert "log-likelihood ratio 4" in found[1].origin


@pytest.mark.parametrize("n", [1, 20_000, 20_001, 200_000, 5_000_000])
def test_every_size_of_gallery_has_a_registered_index(n: int) -> None:
    """What `auto` names can be made."""
    assert choose_index(n) in INDEXES.names()
