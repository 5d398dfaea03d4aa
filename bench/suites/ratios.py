"""The ratios that the matcher is held to, measured in one run and printed as a table.

    python -m bench.suites.ratios [streams] [search] [million]

Leave the machine alone meanwhile: the table is only as good as its quiet.
"""

from __future__ import annotations

import os
import sys
import time
from importlib.util import find_spec

import cv2
import faiss
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.galleries.index_trade import measure_trades
from bench.suites import search_ratios, stream_ratios
from matcher.config import DetectorConfig, EmbedderConfig, EngineConfig, MatcherConfig
from matcher.plugin_config import DlibHogConfig, RuntimeConfig

_MILLION = 1_000_000


def _with_runtime(config, name):
    runtime = {"runtime": RuntimeConfig(name=name)}
    return config.model_copy(
        update={
            "detector": config.detector.model_copy(update=runtime),
            "embedder": config.embedder.model_copy(update=runtime),
        }
    )


def _streams(row):
    clips = stream_ratios.five_in_view()
    faces = sum(len(c.faces.frame_index) for c in clips.crowd.clips)
    frames = sum(c.n_frames for c in clips.crowd.clips)
    row("people in view, 1280x720", f"{faces / frames:.1f}", "")
    ours = MatcherConfig()
    gallery = stream_ratios.gallery_of(clips, ours)
    plain = stream_ratios.loop_rate(clips, ours, gallery, n_frames=250)
    one = stream_ratios.engine_rate(clips, ours, gallery, cameras=6, n_frames=900)
    row("straightforward loop, own weights", f"{plain / 10:.2f} streams a core", "")
    row(
        "engine, one worker",
        f"{one / 10:.2f} streams a core",
        _ratio(one / plain, at_least=4.0),
    )
    if find_spec("openvino") is not None:
        vino = _with_runtime(ours, "openvino")
        rate = stream_ratios.engine_rate(clips, vino, gallery, cameras=6, n_frames=900)
        row(
            "engine, one worker, OpenVINO",
            f"{rate / 10:.2f} streams a core",
            _ratio(rate / plain, at_least=4.0),
        )
    if find_spec("dlib") is not None:
        small = stream_ratios.unit_gallery(128)
        # face_recognition doubles each frame once; without, small faces go unseen.
        for upsample, n_frames in ((1, 16), (0, 40)):
            dlib = MatcherConfig(
                detector=DetectorConfig(
                    name="dlib_hog", dlib_hog=DlibHogConfig(upsample=upsample)
                ),
                embedder=EmbedderConfig(name="dlib_resnet", with_mirror=False),
            )
            slow = stream_ratios.loop_rate(clips, dlib, small, n_frames=n_frames)
            row(
                f"straightforward loop, dlib, upsample {upsample}",
                f"{slow / 10:.2f} streams a core",
                f"engine: {_ratio(one / slow, at_least=20.0)}",
            )
    two = stream_ratios.engine_rate(
        clips,
        ours.model_copy(update={"engine": EngineConfig(workers=2)}),
        gallery,
        cameras=6,
        n_frames=1500,
    )
    cores = len(os.sched_getaffinity(0))
    row(
        f"engine, two workers, {cores} cores",
        f"{two / 10:.2f} streams",
        _ratio(two / one, at_least=1.8),
    )
    cameras = int(one / 10)
    while cameras > 0:
        run = stream_ratios.timed(clips, ours, gallery, cameras=cameras, duration_s=20)
        row(
            f"{cameras} cameras against the clock",
            f"p99 {run.p99_s:.3f} s, skipped {run.skipped:.2%} of {run.n_frames}",
            "carried" if run.is_carried else "not carried",
        )
        if run.is_carried:
            break
        cameras -= 1
    taken = stream_ratios.memory_per_camera(
        clips, ours, gallery, few=2, many=10, n_frames=40
    )
    row("memory of one camera more", f"{taken / 1e6:.1f} MB", _below(taken / 1e6, 60))
    share = stream_ratios.event_share(clips, ours, gallery, n_frames=60)
    row("stage events", f"{share:.2%} of a frame", _below(100 * share, 1))
    back = stream_ratios.recovery(
        clips,
        ours.model_copy(update={"engine": EngineConfig(workers=2)}),
        gallery,
        cameras=6,
        duration_s=12,
    )
    row(
        "a worker killed by SIGKILL",
        f"back after {back.dark_s:.2f} s; {back.lost} of {back.n_frames} frames lost, "
        f"{back.repeated_alerts} alerts repeated",
        _below(back.dark_s, 2),
    )


def _search(row):
    batch = search_ratios.batch_ratios()
    row(
        f"32 probes, N = {batch.n:,}: untouched IndexFlatIP",
        f"{1e6 * batch.untouched_s / 32:.0f} us a probe",
        "",
    )
    row(
        "faiss_flat with our BLAS threshold",
        f"{1e6 * batch.ours_s / 32:.0f} us a probe",
        _ratio(batch.untouched_s / batch.ours_s, at_least=4.0),
    )
    share = batch.product_s / batch.ours_s
    row(
        "NumPy's matrix product alone",
        f"{1e6 * batch.product_s / 32:.0f} us a probe",
        f"{share:.0%} of its speed {'met' if share >= 0.7 else 'MISSED'} (70 %)",
    )


def _trades(row, n):
    exact_s = None
    for trade in measure_trades(
        search_ratios.shipped_world(),
        n=n,
        n_probes=1000,
        rounds=60,
        rng=np.random.default_rng(12),
        clock=time.perf_counter_ns,
    ):
        exact_s = trade.single_s if exact_s is None else exact_s
        row(
            f"{trade.name}, N = {n:,}",
            f"{1e6 * trade.single_s:.0f} us alone, {1e6 * trade.batch_s:.0f} in 32; "
            f"{trade.bytes_per_template:.0f} bytes; made in {trade.build_s:.0f} s",
            f"1/{exact_s / trade.single_s:.1f} of exact, recall {trade.recall:.3f}, "
            f"extra FNIR {trade.extra_fnir:.3f}",
        )


def _ratio(value, *, at_least):
    return f"{value:.2f}x {'met' if value >= at_least else 'MISSED'} ({at_least:g}x)"


def _below(value, limit):
    return f"{'met' if value <= limit else 'MISSED'} (at most {limit:g})"


def main(parts):
    """Measure and print."""
    cv2.setNumThreads(1)
    faiss.omp_set_num_threads(1)
    console = Console(width=130)

    def row(what, measured, judged):
        console.print(f"[dim]{what}: {measured} {judged}[/dim]")
        table.add_row(what, measured, judged)

    table = Table("what", "measured", "against the claim", title="Ratios, one run")
    if "search" in parts:
        _search(row)
        _trades(row, 10_000)
        _trades(row, 100_000)
    if "streams" in parts:
        _streams(row)
    if "million" in parts:
        _trades(row, _MILLION)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:] or ["search", "streams"])
