"""Error rates against an independent tool; people as clusters; groups compared."""

from __future__ import annotations

import numpy as np
import pytest
from bench_doubles import make_passage
from sklearn.metrics import det_curve as sklearn_det_curve
from sklearn.metrics import recall_score

from bench.accuracy.disparity import Likeness, disparities, holm
from bench.accuracy.fairness import group_metrics
from bench.accuracy.identification import det_curve, fnir, fpir
from bench.intervals.bootstrap import clustered_proportion
from bench.intervals.proportion import proportion


def scored(rng, *, n_mated, n_non_mated, threshold=0.5):
    """Draw passages with scores rounded, so that some are equal."""
    mates = np.round(rng.normal(0.6, 0.15, n_mated), 2)
    others = np.round(rng.normal(0.35, 0.12, n_non_mated), 2)
    return [
        *(
            make_passage(
                mated=True,
                mate_score=float(s),
                best_score=float(s),
                alerted=bool(s >= threshold),
                true_alert=bool(s >= threshold),
            )
            for s in mates
        ),
        *(
            make_passage(best_score=float(s), alerted=bool(s >= threshold))
            for s in others
        ),
    ]


def test_det_curve_agrees_with_scikit_learn_to_the_last_digit():
    """At every threshold that it lists; equal scores included."""
    passages = scored(np.random.default_rng(3), n_mated=150, n_non_mated=400)
    ours = det_curve(passages)
    labels = [p.mated for p in passages]
    scores = [p.mate_score if p.mated else p.best_score for p in passages]
    fpr, fnr, thresholds = sklearn_det_curve(labels, scores)
    finite = np.isfinite(thresholds)
    row = np.searchsorted(ours.threshold, thresholds[finite])
    np.testing.assert_array_equal(ours.threshold[row], thresholds[finite])
    np.testing.assert_array_equal(ours.fpir[row], fpr[finite])
    np.testing.assert_array_equal(ours.fnir[row], fnr[finite])
    assert finite.sum() > 50


def test_rates_at_the_threshold_agree_with_scikit_learn():
    """FNIR is the recall of misses among the mated, FPIR of alerts among others."""
    passages = scored(np.random.default_rng(4), n_mated=90, n_non_mated=210)
    truth = np.array([p.mated for p in passages])
    said = np.array([p.alerted for p in passages])
    assert fnir(passages).value == recall_score(truth[truth], ~said[truth])
    assert fpir(passages).value == recall_score(~truth[~truth], said[~truth])


def test_an_interval_over_people_is_wider_where_people_come_again():
    """Ten passages of each of twenty people, each person always or never missed."""
    rng = np.random.default_rng(5)
    people = [f"p{k}" for k in range(20) for _ in range(10)]
    missed = [k % 4 == 0 for k in range(20) for _ in range(10)]
    clustered = clustered_proportion(missed, people, rng=rng)
    naive = proportion(sum(missed), len(missed))
    assert clustered.value == naive.value == 0.25
    assert clustered.high - clustered.low > 2.5 * (naive.high - naive.low)


def test_people_seen_once_each_give_the_usual_interval():
    """Without clusters the bootstrap has nothing to add."""
    rng = np.random.default_rng(6)
    events = (rng.random(400) < 0.3).tolist()
    clustered = clustered_proportion(events, [str(k) for k in range(400)], rng=rng)
    naive = proportion(sum(events), 400)
    assert clustered.low == pytest.approx(naive.low, abs=0.01)
    assert clustered.high == pytest.approx(naive.high, abs=0.01)


def test_the_clustered_interval_covers_as_often_as_promised():
    """150 worlds of 60 people, one to eight passages each, whose chances differ."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(150):
        chance = rng.beta(2.0, 6.0, 60)  # mean 0.25
        times = rng.integers(1, 9, 60)
        people = np.repeat(np.arange(60).astype(str), times)
        events = rng.random(times.sum()) < np.repeat(chance, times)
        found = clustered_proportion(events.tolist(), people.tolist(), rng=rng)
        covered += found.low <= 0.25 <= found.high
    assert 0.90 <= covered / 150 <= 0.99


def test_nothing_missed_is_bounded_by_the_number_of_people():
    """200 passages of two people are two cases, not two hundred."""
    people = ["a"] * 100 + ["b"] * 100
    found = clustered_proportion([False] * 200, people, rng=np.random.default_rng(1))
    assert found.value == 0.0
    assert found.high == proportion(0, 2).high


def missed_by_sex(n, k_female, k_male):
    """Make n mated passages of either sex, with so many missed."""
    return [
        make_passage(mated=True, sex=sex, true_alert=i >= k, alerted=i >= k)
        for sex, k in (("female", k_female), ("male", k_male))
        for i in range(n)
    ]


def of(found, *, rate, group):
    """Pick one comparison."""
    return next(d for d in found if (d.rate, d.group) == (rate, group))


@pytest.mark.parametrize(
    ("n", "k_female", "k_male", "likeness"),
    [
        (400, 120, 40, Likeness.UNEQUAL),
        (4000, 800, 810, Likeness.EQUAL),
        (40, 8, 6, Likeness.CANNOT_TELL),
        (40, 0, 0, Likeness.CANNOT_TELL),
    ],
    ids=["threefold", "the same, well known", "few", "nothing seen"],
)
def test_groups_are_compared_in_three_states(n, k_female, k_male, likeness):
    """No difference found is not the same as none there."""
    found = of(
        disparities(missed_by_sex(n, k_female, k_male)), rate="fnir", group="female"
    )
    assert found.likeness is likeness
    assert (found.n_more == 0) == (likeness is not Likeness.CANNOT_TELL)
    assert found.low < found.ratio < found.high


def test_the_passages_that_it_asks_for_decide_the_question():
    """With as many more at the same rates, the answer is there."""
    few = of(disparities(missed_by_sex(60, 24, 12)), rate="fnir", group="female")
    assert few.likeness is Likeness.CANNOT_TELL
    growth = (120 + few.n_more) / 120
    n = round(60 * growth)
    more = of(
        disparities(missed_by_sex(n, round(24 * growth), round(12 * growth))),
        rate="fnir",
        group="female",
    )
    assert more.likeness is Likeness.UNEQUAL
    assert few.n_more > 20


def test_many_comparisons_of_equal_groups_find_no_difference():
    """Groups drawn at random: in 30 worlds at most about one in twenty errs."""
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(30):
        passages = [
            make_passage(
                mated=True,
                sex=str(rng.choice(["female", "male"])),
                age_band=str(rng.choice(["18-29", "30-44", "45-64", "65+"])),
                monk_tone=int(rng.integers(1, 11)),
                ancestry=str(rng.choice(["african", "asian", "european"])),
                true_alert=bool(rng.random() < 0.6),
            )
            for _ in range(150)
        ]
        wrong += any(d.likeness is Likeness.UNEQUAL for d in disparities(passages))
    assert wrong <= 3


def test_holm_stops_at_the_first_claim_that_fails():
    """0.01 passes a third of 5 %, 0.03 fails a half of it, and so does what follows."""
    assert holm([0.03, 0.01, 0.04], level=0.05) == (False, True, False)
    assert holm([], level=0.05) == ()


def test_load_is_told_by_group_as_well():
    """Skipped frames and latency fall on somebody."""
    passages = [
        make_passage(sex="female", n_frames=10, n_frames_processed=5, latency_s=0.2),
        make_passage(sex="female", n_frames=10, n_frames_processed=7, latency_s=0.4),
        make_passage(sex="male", n_frames=10, n_frames_processed=10, latency_s=None),
    ]
    found = group_metrics(passages)
    assert found["passage_skipped.by_sex.female"].value == pytest.approx(0.4)
    assert found["passage_skipped.by_sex.female"].low < 0.4
    assert found["passage_latency_s.by_sex.female"].value == pytest.approx(0.3)
    assert found["passage_latency_s.by_sex.male"].value is None
