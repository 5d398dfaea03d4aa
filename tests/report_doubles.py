"""A stand-in run: seeded numbers in the shape of a real one, for report tests only.

Metrics and verdict are computed from them as in any run. Nothing here was measured:
people are names without faces, times are drawn.
"""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from bench.objectives import ObjectivesConfig
from bench.records import (
    AlertOutcome,
    ArrivalPlan,
    PassageOutcome,
    RunRecord,
    SentFrames,
)
from bench.running.instrument import Instrument
from bench.running.metrics import compute_metrics
from bench.running.verdict import applicable, judge, judge_objectives
from bench.timing.frames import tabulate
from matcher.records import (
    Alert,
    CameraId,
    FrameOutcome,
    FrameResult,
    Outcome,
    Stage,
    StageEvent,
    SubjectId,
    TrackId,
)

FPS = 10.0
THRESHOLD = 0.46
START_NS = 5_000_000_000
STAGE_MS = (3.0, 11.0, 0.4, 0.9, 4.0, 1.2, 0.1)


def make_passages(
    rng: np.random.Generator, *, n: int, n_cameras: int, duration_s: float
) -> tuple[PassageOutcome, ...]:
    """Draw passages, about a fifth of them mated."""
    made = []
    for i in range(n):
        mated = i % 5 == 0
        mate = float(np.clip(rng.normal(0.66, 0.12), -1, 1)) if mated else None
        best = max(float(np.clip(rng.normal(0.31, 0.08), -1, 1)), mate or -1.0)
        acquired = rng.random() > 0.04
        hit = mated and acquired and mate is not None and mate >= THRESHOLD
        wrong = not mated and acquired and best >= THRESHOLD
        t_in = float(rng.uniform(0, max(duration_s - 6, 0.1)))
        made.append(
            PassageOutcome(
                passage_id=f"cam{i % n_cameras + 1}-{i:04d}",
                person_id=f"person-{i:05d}",
                camera_id=f"cam{i % n_cameras + 1}",
                sex="female" if rng.random() < 0.5 else "male",
                age_band=str(rng.choice(["18-29", "30-44", "45-64", "65+"])),
                monk_tone=int(rng.integers(1, 11)),
                ancestry=str(rng.choice(["african", "asian", "european"])),
                mated=mated,
                t_in_s=t_in,
                t_out_s=t_in + 5,
                max_face_height_px=float(rng.uniform(55, 95)),
                max_visibility=float(rng.uniform(0.6, 1)),
                unoccluded_frames=int(rng.integers(0, 50)),
                n_frames=50,
                n_frames_processed=49,
                n_frames_detected=45,
                n_probes=3 if acquired else 0,
                best_score=best if acquired else None,
                mate_score=mate if acquired else None,
                alerted=hit or wrong,
                true_alert=hit,
                false_alert=wrong,
                time_to_alert_s=float(rng.gamma(8, 0.25)) if hit else None,
                latency_s=float(rng.gamma(20, 0.001)),
            )
        )
    return tuple(made)


def make_results(
    plan: ArrivalPlan, rng: np.random.Generator, *, skip_share: float
) -> tuple[FrameResult, ...]:
    """Walk every planned frame through the stages with drawn service times."""
    results = []
    free_ns = START_NS
    for offset, camera, index in zip(
        plan.offset_ns, plan.camera, plan.frame_index, strict=True
    ):
        camera_id = CameraId(plan.camera_ids[camera])
        capture_ns = START_NS + int(offset)
        received_ns = capture_ns + int(rng.exponential(4e5)) + 200_000
        skipped = rng.random() < skip_share
        clock_ns = max(received_ns, free_ns)
        events = []
        ready_ns = received_ns
        for stage, mean_ms in zip(Stage, STAGE_MS, strict=True):
            ended_ns = clock_ns + int(mean_ms * 1e6 * rng.gamma(12, 1 / 12))
            events.append(
                StageEvent(
                    camera_id=camera_id,
                    frame_index=int(index),
                    stage=stage,
                    n_faces=4,
                    enqueued_ns=ready_ns,
                    started_ns=clock_ns,
                    ended_ns=ended_ns,
                )
            )
            clock_ns = ready_ns = ended_ns
            if skipped:
                break
        free_ns = clock_ns
        results.append(
            FrameResult(
                outcome=FrameOutcome(
                    camera_id=camera_id,
                    frame_index=int(index),
                    capture_time_ns=capture_ns,
                    received_ns=received_ns,
                    done_ns=clock_ns,
                    outcome=Outcome.SKIPPED if skipped else Outcome.PROCESSED,
                    cause="a newer frame of the camera waits" if skipped else "",
                    n_faces=0 if skipped else 4,
                ),
                events=tuple(events),
                boxes=() if skipped else ((1, 40.0, 30.0, 80.0, 82.0),),
                probes=(),
                alerts=(),
            )
        )
    return tuple(results)


def make_alerts(
    passages: tuple[PassageOutcome, ...], rng: np.random.Generator
) -> tuple[AlertOutcome, ...]:
    """Raise one alert per passage that alerted, in order of time."""
    alerted = sorted((p for p in passages if p.alerted), key=lambda p: p.t_in_s)
    return tuple(
        AlertOutcome(
            alert_index=i,
            camera_id=p.camera_id,
            frame_index=int((p.t_in_s + 2) * FPS),
            track_id=i,
            box_xyxy=(100.0, 60.0, 160.0, 138.0),
            subject_id=p.person_id if p.true_alert else "person-90001",
            comparison_score=float(p.best_score if p.best_score is not None else 1),
            threshold=THRESHOLD,
            latency_s=float(rng.gamma(8, 0.004)),
            passage_id=p.passage_id,
            person_id=p.person_id,
            correct=p.true_alert,
        )
        for i, p in enumerate(alerted)
    )


def make_record(
    *,
    seed: int = 7,
    n_cameras: int = 2,
    duration_s: float = 60.0,
    n_passages: int = 112,
    skip_share: float = 0.01,
    title: str = "High street",
    interrupted: bool = False,
    unhurried: bool = False,
    with_alerts: bool = True,
) -> RunRecord:
    """Make a stand-in run of any size; equal seeds make equal runs."""
    rng = np.random.default_rng(seed)
    n_frames = int(duration_s * FPS)
    offsets = (
        np.arange(n_frames)[:, None] / FPS + rng.uniform(0, 1 / FPS, n_cameras)
    ) * 1e9
    camera = np.broadcast_to(np.arange(n_cameras), offsets.shape)
    frame = np.broadcast_to(np.arange(n_frames)[:, None], offsets.shape)
    order = np.argsort(offsets.ravel(), kind="stable")
    plan = ArrivalPlan(
        camera_ids=tuple(f"cam{i + 1}" for i in range(n_cameras)),
        offset_ns=offsets.ravel()[order].astype(np.int64),
        camera=camera.ravel()[order].astype(np.int32),
        frame_index=frame.ravel()[order].astype(np.int32),
    )
    planned_ns = plan.offset_ns + START_NS
    results = make_results(plan, rng, skip_share=skip_share)
    passages = make_passages(
        rng, n=n_passages, n_cameras=n_cameras, duration_s=duration_s
    )
    alerts = make_alerts(passages, rng) if with_alerts else ()
    results = tuple(
        replace(result, alerts=tuple(alert_of(a) for a in alerts if _is_at(a, result)))
        for result in results
    )
    instrument = Instrument(
        unhurried=unhurried,
        interrupted=interrupted,
        lost="",
        clock_stopped=False,
        closed=False,
        offered_hz=FPS * n_cameras,
        fps=(FPS,) * n_cameras,
        warm_up_s=3.0,
        deadline_s=1.0,
        null_hz=4000.0,
        clock_shortest_ns=40_000,
        clock_disagreement_ns=0,
        drive_s=duration_s,
        harness_cpu_s=0.03 * duration_s,
        harness_rss_bytes=300 << 20,
        matcher_cpu_s=0.4 * duration_s,
        matcher_wait_s=0.1,
        matcher_rss_bytes=500 << 20,
        n_watchlist=1000,
        n_enrolled=998,
        threshold=THRESHOLD,
        target_fpir=0.01,
    )
    # The last frames of an interrupted run were never sent.
    n_sent = len(plan) * 2 // 3 if interrupted else len(plan)
    is_sent = np.arange(len(plan)) < n_sent
    sent = SentFrames(
        planned_ns=planned_ns, sent_ns=np.where(is_sent, planned_ns + 100_000, -1)
    )
    if interrupted:
        results = results[:n_sent]
        alerts = alerts[: sum(len(r.alerts) for r in results)]
    metrics = compute_metrics(
        plan=plan,
        sent=sent,
        results=results,
        passages=passages,
        alerts=alerts,
        probes=(),
        instrument=instrument,
    )
    stated = ObjectivesConfig(
        glass_to_alert_p99_s=1.0, fpir=0.05, tpir=0.99, skipped_share=0.02
    ).stated()
    objectives = judge_objectives(applicable(stated, unhurried=unhurried), metrics)
    verdict = judge(
        tabulate(plan, sent, results, warm_up_s=3.0), instrument, objectives, metrics
    )
    return RunRecord(
        run_id="2026-11-23T101500-high_street-7",
        scenario={
            "scenario": {
                "title": title,
                "description": "Cameras over a pavement on a busy afternoon.",
                "seed": seed,
            },
        },
        provenance={
            "began": "2026-11-23T10:15:00+00:00",
            "command_line": ["harness", "run", "a test double"],
            "code": {"commit": "0123456789abcdef" * 2, "dirty": True},
            "machine": {"processor": "a test double", "cores": 2},
            "truth_sha256": "0" * 64,
            "clips_sha256": "1" * 64,
            "instrument": asdict(instrument),
        },
        verdict=verdict,
        objectives=objectives,
        metrics=metrics,
        plan=plan,
        sent=sent,
        results=results,
        passages=passages,
        alerts=alerts,
        probes=(),
    )


def _is_at(alert: AlertOutcome, result: FrameResult) -> bool:
    outcome = result.outcome
    return (outcome.camera_id, outcome.frame_index) == (
        alert.camera_id,
        alert.frame_index,
    )


def alert_of(outcome: AlertOutcome) -> Alert:
    """The matcher's own record of a joined alert."""
    return Alert(
        camera_id=CameraId(outcome.camera_id),
        track_id=TrackId(outcome.track_id),
        frame_index=outcome.frame_index,
        subject_id=SubjectId(outcome.subject_id),
        comparison_score=outcome.comparison_score,
        threshold=outcome.threshold,
        box_xyxy=outcome.box_xyxy,
        capture_time_ns=START_NS,
        alert_time_ns=START_NS + outcome.alert_index,
    )
