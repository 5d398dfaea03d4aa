"""The join of what was seen with what was true, and the rates that follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_doubles import make_passage, make_record
from bench_world import (
    FPS,
    START_NS,
    face_box,
    frame_result,
    make_clip,
    make_plan,
    perfect_results,
    send_all,
)

from bench.accuracy.association import TruthJoin, iou_matrix
from bench.accuracy.fairness import group_metrics, tone_band
from bench.accuracy.identification import (
    det_curve,
    fnir,
    fpir,
    identification_metrics,
    tpir,
)
from bench.accuracy.passages import counting_windows


def test_overlap_is_that_of_areas():
    """Half of each shared gives a third; apart gives nothing."""
    a = np.array([[0.0, 0.0, 2.0, 1.0]])
    b = np.array([[1.0, 0.0, 3.0, 1.0], [5.0, 5.0, 6.0, 6.0]])
    assert iou_matrix(a, b).tolist() == [[pytest.approx(1 / 3), 0.0]]


def shown(faces, *, index=40, clip=None):
    """Join one frame of camera 1, and name who each of its probes is of."""
    clip = make_clip("cam1") if clip is None else clip
    names = {}
    results = [
        frame_result("cam1", index, START_NS, faces=faces, alert_on=name)
        for name, _ in faces
    ]
    join = TruthJoin((clip,), results)
    for (name, _), result in zip(faces, results, strict=True):
        passage = join.passage(result.probes[0])
        names[name] = None if passage is None else passage.person_id
    return names


def test_each_box_gets_the_face_under_it():
    """Ann stands at 100, Bob at 300; nobody stands at 450."""
    faces = (("x", 305.0), ("y", 96.0), ("z", 450.0))
    assert shown(faces) == {"x": "bob", "y": "ann", "z": None}


def test_two_boxes_never_share_a_face():
    """The better one has it; the other shows nobody."""
    assert shown((("x", 120.0), ("y", 101.0))) == {"x": None, "y": "ann"}


def with_faces(clip, **columns):
    """Change columns of a clip's truth."""
    return replace(clip, faces=replace(clip.faces, **columns))


def test_crossing_faces_are_told_apart_by_the_frame():
    """When Bob stands 20 px beside Ann, each box still goes to its own face."""
    clip = make_clip("cam1")
    boxes = clip.faces.box_xyxy.copy()
    boxes[clip.faces.passage_index == 1] = face_box(120.0)
    clip = with_faces(clip, box_xyxy=boxes)
    assert shown((("x", 118.0), ("y", 103.0)), clip=clip) == {"x": "bob", "y": "ann"}


def test_a_hidden_face_takes_no_box():
    """The box of the person in front is not given to the one behind."""
    clip = make_clip("cam1")
    boxes, visibility = clip.faces.box_xyxy.copy(), clip.faces.visibility.copy()
    boxes[clip.faces.passage_index == 1] = face_box(101.0)
    visibility[clip.faces.passage_index == 1] = 0.1
    clip = with_faces(clip, box_xyxy=boxes, visibility=visibility)
    assert shown((("x", 101.0),), clip=clip) == {"x": "ann"}


def test_a_probe_without_a_reported_box_speaks_by_its_own():
    """The shot may come from a track whose box the frame does not list."""
    result = frame_result("cam1", 40, START_NS, faces=(("x", 101.0),), alert_on="x")
    join = TruthJoin((make_clip("cam1"),), (replace(result, boxes=()),))
    assert join.passage(result.probes[0]).person_id == "ann"


def test_only_whole_passages_after_the_warm_up_count():
    """Eve was there before it ended, Cat when the clip did."""
    record = make_record(perfect_results(make_plan()))
    metrics = record.metrics
    assert len(record.passages) == 5
    assert metrics["passages.excluded"].value == 2
    assert metrics["passages.mated"].value == 1
    assert metrics["passages.non_mated"].value == 2


def test_an_interrupted_run_counts_only_what_it_saw():
    """With nothing sent after 5.5 s, Bob's passages are not whole."""
    plan = make_plan()
    full = send_all(plan)
    sent = replace(full, sent_ns=np.where(plan.frame_index < 55, full.sent_ns, -1))
    windows = counting_windows(plan, sent, fps=(FPS, FPS), warm_up_s=1.0)
    assert windows["cam1"].spans_s == ((1.0, 5.4),)
    record = make_record(perfect_results(plan)[:110], sent=sent)
    assert record.metrics["passages.mated"].value == 1
    assert record.metrics["passages.non_mated"].value == 0


def test_an_alert_is_put_to_the_account_of_its_passage():
    """Ann enters at frame 20 and alerts at frame 35, 19 ms after its capture."""
    record = make_record(perfect_results(make_plan()))
    (alert,) = record.alerts
    assert (alert.person_id, alert.correct) == ("ann", True)
    assert alert.latency_s == pytest.approx(0.019)
    ann = record.passages[0]
    assert (ann.true_alert, ann.false_alert, ann.n_probes) == (True, False, 1)
    assert ann.time_to_alert_s == pytest.approx(1.519)
    assert ann.n_frames_processed == ann.n_frames_detected == ann.n_frames == 31
    assert record.metrics["tpir"].value == 1.0
    assert record.metrics["fpir"].value == 0.0


def test_naming_the_wrong_person_is_a_false_alert_and_a_miss():
    """On a mated passage it spoils FNIR, not FPIR."""
    results = list(perfect_results(make_plan()))
    row = next(k for k, r in enumerate(results) if r.alerts)
    (alert,) = results[row].alerts
    results[row] = replace(results[row], alerts=(replace(alert, subject_id="zoe"),))
    record = make_record(tuple(results))
    assert (record.passages[0].false_alert, record.passages[0].true_alert) == (
        True,
        False,
    )
    assert record.metrics["fnir"].value == 1.0
    assert record.metrics["fpir"].value == 0.0
    assert record.metrics["alerts.false"].value == 1


def test_failure_to_acquire_is_failure():
    """A mated passage that was never searched is missed, and counted as FTA."""
    passages = [make_passage(mated=True, n_probes=0, best_score=None, mate_score=None)]
    metrics = identification_metrics(passages, ())
    assert metrics["fta"].value == metrics["fnir"].value == 1.0
    assert metrics["fpir"].value is None
    assert metrics["fpir"].n == 0


def test_small_and_hidden_faces_leave_the_large_face_rate_alone():
    """`tpir.face_60px` is of faces 60 px high or more, in clear view."""
    passages = [
        make_passage(mated=True, true_alert=True, max_face_height_px=60.0),
        make_passage(mated=True, max_face_height_px=59.9),
        make_passage(mated=True, unoccluded_frames=0),
    ]
    metrics = identification_metrics(passages, ())
    assert (metrics["tpir.face_60px"].value, metrics["tpir.face_60px"].n) == (1.0, 1)
    assert metrics["tpir"].n == 3


def test_no_false_alert_still_has_an_upper_bound():
    """Zero of 200 is at most 1.9 %, not zero."""
    rate = fpir([make_passage() for _ in range(200)])
    assert (rate.value, rate.n) == (0.0, 200)
    assert rate.high == pytest.approx(0.0188, abs=1e-4)


def test_det_trades_one_error_for_the_other():
    """FPIR never rises with T, FNIR never falls; at T both follow the alerts' rule."""
    rng = np.random.default_rng(4)
    passages = [
        make_passage(mated=mated, best_score=score, mate_score=score)
        for mated in (True, False)
        for score in rng.normal(0.6 if mated else 0.3, 0.1, 50).tolist()
    ]
    passages.append(make_passage(mated=True, best_score=None, mate_score=None))
    curve = det_curve(passages)
    assert np.all(np.diff(curve.fpir) <= 0.0)
    assert np.all(np.diff(curve.fnir) >= 0.0)
    assert curve.fnir[0] == pytest.approx(1 / 51)  # the one that was never searched
    for row in (0, 30, 99):
        threshold = curve.threshold[row]
        judged = [
            replace(p, alerted=hit, true_alert=hit and p.mated)
            for p in passages
            for hit in [p.best_score is not None and p.best_score >= threshold]
        ]
        assert fpir(judged).value == pytest.approx(curve.fpir[row])
        assert fnir(judged).value == pytest.approx(curve.fnir[row])


def test_det_of_one_kind_of_passages_has_no_point():
    """A rate of nothing is no rate, not zero."""
    curve = det_curve([make_passage(mated=True)])
    assert len(curve.threshold) == len(curve.fpir) == len(curve.fnir) == 0
    assert (curve.n_mated, curve.n_non_mated) == (1, 0)


def test_groups_add_up_to_the_whole():
    """Every passage stands in one group of each grouping."""
    passages = [
        make_passage(mated=k % 2 == 0, monk_tone=k, sex="male" if k < 4 else "female")
        for k in range(1, 11)
    ]
    metrics = group_metrics(passages)
    assert metrics["tpir.by_sex.male"].n == 1
    assert metrics["fpir.by_tone.7-10"].n == 2
    for grouping in ("sex", "age", "tone", "ancestry"):
        sizes = [
            m.n for k, m in metrics.items() if k.startswith(f"tpir.by_{grouping}.")
        ]
        assert sum(sizes) == tpir(passages).n


@pytest.mark.parametrize(
    ("tone", "band"), [(1, "1-3"), (3, "1-3"), (4, "4-6"), (6, "4-6"), (7, "7-10")]
)
def test_tones_fall_into_their_band(tone, band):
    """The bands share the Monk scale without gap or overlap."""
    assert tone_band(tone) == band


def test_alerts_on_nobody_are_told_apart():
    """An alert on no passage is false, and counted by itself."""
    plan = make_plan()
    results = list(perfect_results(plan))
    ghost = frame_result(
        "cam2",
        5,
        results[11].outcome.capture_time_ns,
        faces=(("x", 9.0),),
        alert_on="x",
    )
    results[11] = ghost
    metrics = make_record(tuple(results)).metrics
    assert metrics["alerts.outside_passages"].value == 1
    assert metrics["alerts.false"].value == 1
