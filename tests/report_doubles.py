"""A stand-in run: seeded numbers in the shape of a real one, for report tests only.

Nothing here was measured. The people are names without faces, the times are drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.records import (
    AlertOutcome,
    ArrivalPlan,
    Metric,
    ObjectiveResult,
    PassageOutcome,
    ProbeOutcome,
    Reason,
    RunRecord,
    SentFrames,
    Status,
    Verdict,
)
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

if TYPE_CHECKING:
    from numpy.typing import NDArray

FPS = 10.0
THRESHOLD = 0.46
START_NS = 5_000_000_000
STAGE_MS = (3.0, 11.0, 0.4, 0.9, 4.0, 1.2, 0.1)
TONES = ("1-3", "4-6", "7-10")


def wilson(k: int, n: int, *, unit: str = "1") -> Metric:
    """Make a proportion with its 95 % Wilson interval."""
    z = 1.959964
    centre = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * float(np.sqrt(k * (n - k) / n + z * z / 4))
    return Metric(
        value=k / n,
        low=max(0.0, centre - half),
        high=min(1.0, centre + half),
        n=n,
        unit=unit,
    )


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
        t_in = float(rng.uniform(0, duration_s - 6))
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
                time_to_alert_s=2.0 if hit else None,
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


def _rates(passages: tuple[PassageOutcome, ...]) -> dict[str, Metric]:
    groups = {
        "sex": lambda p: p.sex,
        "age": lambda p: p.age_band,
        "tone": lambda p: TONES[(p.monk_tone > 3) + (p.monk_tone > 6)],
        "ancestry": lambda p: p.ancestry,
    }
    mated = [p for p in passages if p.mated]
    others = [p for p in passages if not p.mated]
    k_true, k_false = sum(p.true_alert for p in mated), sum(p.alerted for p in others)
    metrics = {
        "tpir": wilson(k_true, len(mated)),
        "fnir": wilson(len(mated) - k_true, len(mated)),
        "fpir": wilson(k_false, len(others)),
        "fta": wilson(sum(p.n_probes == 0 for p in passages), len(passages)),
        "passages.mated": Metric(value=len(mated), unit="passages"),
        "passages.non_mated": Metric(value=len(others), unit="passages"),
    }
    for rate, among in (("tpir", mated), ("fpir", others)):
        for by, group_of in groups.items():
            for group in sorted({group_of(p) for p in among}):
                members = [p for p in among if group_of(p) == group]
                metrics[f"{rate}.by_{by}.{group}"] = wilson(
                    sum(p.alerted for p in members), len(members)
                )
    return metrics


def _latencies(latency_s: NDArray[np.float64]) -> dict[str, Metric]:
    metrics = {}
    n = len(latency_s)
    for percent in (50, 90, 95, 99):
        if n * (1 - percent / 100) < 10:
            metric = Metric(value=None, n=n, unit="s")
        else:
            value = float(np.percentile(latency_s, percent))
            metric = Metric(
                value=value, low=0.94 * value, high=1.07 * value, n=n, unit="s"
            )
        metrics[f"glass_to_alert_s.p{percent}"] = metric
    longest = float(latency_s.max()) if n else None
    metrics["glass_to_alert_s.max"] = Metric(value=longest, n=n, unit="s")
    return metrics


def make_record(
    *,
    seed: int = 7,
    n_cameras: int = 2,
    duration_s: float = 60.0,
    n_passages: int = 112,
    skip_share: float = 0.01,
    title: str = "High street",
    status: Status = Status.VALID,
    reasons: tuple[Reason, ...] = (),
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
    counted = [
        r.outcome
        for r in results
        if r.outcome.outcome is Outcome.PROCESSED
        and r.outcome.capture_time_ns >= START_NS + 3e9
    ]
    latency_s = np.array([(o.done_ns - o.capture_time_ns) / 1e9 for o in counted])
    n_offered = len(plan)
    n_skipped = sum(r.outcome.outcome is Outcome.SKIPPED for r in results)
    processed = n_offered - n_skipped
    metrics = {
        **_latencies(latency_s),
        **_rates(passages),
        "schedule_delay_s.p99": Metric(value=0.0004, n=n_offered, unit="s"),
        "frames.offered": Metric(value=n_offered, unit="frames"),
        "frames.processed": Metric(value=processed, unit="frames"),
        "frames.skipped": Metric(value=n_skipped, unit="frames"),
        "frames.failed": Metric(value=0, unit="frames"),
        "frames.skipped_share": wilson(n_skipped, n_offered),
        "throughput_fps": Metric(value=processed / duration_s, unit="Hz"),
        "offered_hz": Metric(value=n_cameras * FPS, unit="Hz"),
        "goodput_hz": Metric(value=(processed - 2) / duration_s, unit="Hz"),
        "utilisation": Metric(value=n_cameras * FPS * sum(STAGE_MS) / 1e3),
        "threshold": Metric(value=THRESHOLD, unit="cosine"),
        "threshold.target_fpir": Metric(value=0.01),
        "tpir.face_60px": Metric(value=None, n=0),
        "cameras": Metric(value=n_cameras, unit="cameras"),
        "watchlist.size": Metric(value=1000, unit="subjects"),
        **{
            f"utilisation.{stage}": Metric(value=n_cameras * FPS * mean / 1e3)
            for stage, mean in zip(Stage, STAGE_MS, strict=True)
        },
    }
    objectives = (
        ObjectiveResult(
            metric="glass_to_alert_s.p99",
            limit=1.0,
            at_most=True,
            value=metrics["glass_to_alert_s.p99"].value,
            met=metrics["glass_to_alert_s.p99"].value is not None or None,
        ),
        ObjectiveResult(
            metric="fpir",
            limit=0.05,
            at_most=True,
            value=metrics["fpir"].value,
            met=None,
        ),
        ObjectiveResult(
            metric="tpir",
            limit=0.99,
            at_most=False,
            value=metrics["tpir"].value,
            met=False,
        ),
    )
    return RunRecord(
        run_id="2026-11-23T101500-high_street-7",
        scenario={
            "scenario": {
                "title": title,
                "description": "Two cameras over a pavement on a busy afternoon.",
                "seed": seed,
            },
            "cameras": [
                {"camera_id": f"cam{i + 1}", "fps": FPS} for i in range(n_cameras)
            ],
            "load": {"warm_up_s": 3.0, "phase": "random"},
            "matcher": {"decision": {"threshold": None, "target_fpir": 0.01}},
        },
        provenance={
            "started": "2026-11-23T10:15:00+00:00",
            "commit": "0123456789abcdef0123456789abcdef01234567",
            "dirty": False,
            "machine": {"cpu": "a test double", "n_cores": 2},
        },
        verdict=Verdict(status=status, reasons=reasons),
        objectives=objectives,
        metrics=metrics,
        plan=plan,
        sent=SentFrames(planned_ns=planned_ns, sent_ns=planned_ns + 100_000),
        results=results,
        passages=passages,
        alerts=alerts,
        probes=tuple(
            ProbeOutcome(
                camera_id=p.camera_id,
                frame_index=int(p.t_in_s * FPS),
                track_id=i,
                n_shots=1,
                quality=0.5,
                subject_id="person-90001",
                comparison_score=p.best_score,
                passage_id=p.passage_id,
                person_id=p.person_id,
            )
            for i, p in enumerate(passages)
            if p.best_score is not None
        ),
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
        alert_time_ns=START_NS,
    )
