"""The ratios that the matcher is held to, measured in one run and printed as a table.

    python -m bench.suites.ratios [search] [accuracy] [streams] [workers] [sparing]
                                  [million]

Without a name all but the last two. The clips are rendered the first time. Leave the
machine alone meanwhile: the table is only as good as its quiet.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import cv2
import faiss
import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from bench.galleries.index_trade import measure_trades
from bench.suites import search_ratios, stream_accuracy, stream_rates, stream_ratios
from bench.suites.bare_workers import ceiling
from bench.suites.five_in_view import FPS, five_in_view, gallery_of, unit_gallery
from bench.suites.stream_rates import engine_system, loop_system
from matcher.config import (
    BestShotConfig,
    CadenceConfig,
    DetectorConfig,
    EmbedderConfig,
    EngineConfig,
    MatcherConfig,
)
from matcher.plugin_config import DlibHogConfig, RuntimeConfig

_MILLION = 1_000_000
# A graph over a million takes ten minutes to make and is kept.
_INDEXES = Path(".cache/indexes")


# The loop's 43 ms a frame against the engine's 12: blocks of some two seconds each.
_LOOP_BLOCK = 50
_ROUNDS = 5
# People on whom policies are chosen; those of the other parts only confirm.
_CHOOSING_SEED = 20260106

# `face_recognition` doubles each picture once; a frame then takes a second.
_DLIB_BLOCKS = {1: 2, 0: 6}

# How many times as many streams the engine is to carry; others are for comparison.
_ASKED = {"engine": 4.0, "straightforward loop, dlib, upsample 1": 20.0}


def _with_runtime(config, name):
    runtime = {"runtime": RuntimeConfig(name=name)}
    return config.model_copy(
        update={
            "detector": config.detector.model_copy(update=runtime),
            "embedder": config.embedder.model_copy(update=runtime),
        }
    )


def _dlib(upsample):
    return MatcherConfig(
        detector=DetectorConfig(
            name="dlib_hog", dlib_hog=DlibHogConfig(upsample=upsample)
        ),
        embedder=EmbedderConfig(name="dlib_resnet", with_mirror="none"),
    )


def _streams(row):
    clips, ours = five_in_view(), MatcherConfig()
    gallery = gallery_of(clips, ours)
    row("people in view, 1280x720", f"{clips.faces_a_frame:.1f}", "")
    every = ours.model_copy(update={"cadence": CadenceConfig(steady_interval_s=0.0)})
    thrifty = ours.model_copy(update={"cadence": CadenceConfig(steady_interval_s=0.25)})
    systems = {
        "straightforward loop, own weights": loop_system(
            ours, gallery, block=_LOOP_BLOCK
        ),
        "engine": engine_system(ours, gallery),
        "engine, every frame searched": engine_system(every, gallery),
        "engine, one frame in three searched": engine_system(thrifty, gallery),
    }
    if find_spec("openvino") is not None:
        vino = _with_runtime(ours, "openvino")
        systems["straightforward loop, OpenVINO"] = loop_system(
            vino, gallery, block=_LOOP_BLOCK
        )
        systems["engine, OpenVINO"] = engine_system(vino, gallery)
    rates = stream_rates.measure(clips, systems, rounds=_ROUNDS)
    plain = rates["straightforward loop, own weights"]
    for name, rate in rates.items():
        asked = _ASKED.get(name)
        judged = "" if rate is plain else _ratio(rate.over(plain), at_least=asked)
        row(name, _streams_of(rate), judged)
    if find_spec("openvino") is not None:
        same = rates["engine, OpenVINO"].over(rates["straightforward loop, OpenVINO"])
        row("both sides in OpenVINO", "", _ratio(same, at_least=4.0))
    if find_spec("dlib") is not None:
        _against_dlib(row, clips, ours, gallery)
    _against_the_clock(row, clips, ours, gallery, rates["engine"])
    taken = stream_ratios.memory_per_camera(
        clips, ours, gallery, few=2, many=10, n_frames=40
    )
    row("memory of one camera more", f"{taken / 1e6:.1f} MB", _below(taken / 1e6, 60))
    share = stream_ratios.event_share(clips, ours, gallery, n_frames=60)
    row("stage events", f"{share:.2%} of a frame", _below(100 * share, 1))


def _against_dlib(row, clips, ours, gallery):
    small = unit_gallery(128)
    systems = {
        f"straightforward loop, dlib, upsample {upsample}": loop_system(
            _dlib(upsample), small, block=block
        )
        for upsample, block in _DLIB_BLOCKS.items()
    }
    systems["engine"] = engine_system(ours, gallery)
    rates = stream_rates.measure(clips, systems, rounds=3)
    for name in list(systems)[:-1]:
        judged = _ratio(rates["engine"].over(rates[name]), at_least=_ASKED.get(name))
        row(name, _streams_of(rates[name]), f"engine: {judged}")


def _against_the_clock(row, clips, ours, gallery, rate):
    cameras = int(np.median(rate.wall_hz) / FPS)
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


def _workers(row):
    clips, ours = five_in_view(), MatcherConfig()
    gallery = gallery_of(clips, ours)
    bare = ceiling(clips, ours, gallery)
    if len(bare) == 0:
        row("two workers", "one core alone: nothing to measure", "")
        return
    row(
        "two bare pinned processes over one",
        f"{np.median(bare):.2f}x ({bare.min():.2f} to {bare.max():.2f})",
        "the ceiling",
    )
    one, two = (
        ours.model_copy(
            update={"engine": EngineConfig(workers=workers, pin_workers=True)}
        )
        for workers in (1, 2)
    )
    systems = {
        "engine, one worker": engine_system(one, gallery, block=240),
        "engine, two workers": engine_system(two, gallery, block=480),
    }
    rates = stream_rates.measure(clips, systems, rounds=5)
    ratio = rates["engine, two workers"].wall_hz / rates["engine, one worker"].wall_hz
    spread = float(np.median(ratio)), float(ratio.min()), float(ratio.max())
    for name, rate in rates.items():
        is_two = name == "engine, two workers"
        row(
            name,
            f"{np.median(rate.wall_hz) / FPS:.1f} streams by the clock on the wall",
            _ratio(spread, at_least=1.8) if is_two else "",
        )
    back = stream_ratios.recovery(clips, two, gallery, cameras=6, duration_s=12)
    row(
        "a worker killed by SIGKILL",
        f"back after {back.dark_s:.2f} s; {back.lost} of {back.n_frames} frames lost, "
        f"{back.repeated_alerts} alerts repeated",
        _below(back.dark_s, 2),
    )


def _accuracy(row):
    clips, ours = five_in_view(), MatcherConfig()
    gallery = gallery_of(clips, ours)
    loop = stream_accuracy.loop_scores(clips, ours, gallery)
    engine = stream_accuracy.engine_scores(clips, ours, gallery)
    for n_false in (0, 1, 2):
        theirs = stream_accuracy.found(loop, n_false=n_false)
        mine = stream_accuracy.found(engine, n_false=n_false)
        gained, missed = stream_accuracy.compare(mine, theirs)
        row(
            f"found, {n_false} of {mine.n_non_mated} non-mated passages alert",
            f"engine {mine.n_found}, loop {theirs.n_found} of {mine.n_mated}",
            f"engine alone {gained}, loop alone {missed}: "
            f"{'met' if mine.n_found >= theirs.n_found else 'MISSED'}",
        )
    row(
        "faces embedded a frame",
        f"engine {engine.embedded:.2f}, loop {loop.embedded:.2f}",
        "",
    )


def _sparing(row):
    """Who is still found as the engine looks and embeds less often."""
    clips, ours = five_in_view(seed=_CHOOSING_SEED), MatcherConfig()
    gallery = gallery_of(clips, ours)
    for steady_s in (0.0, 0.15, 0.25):
        for interval_s in (0.5, 0.8):
            policy = {
                "cadence": CadenceConfig(steady_interval_s=steady_s),
                "best_shot": BestShotConfig(interval_s=interval_s),
            }
            scores = stream_accuracy.engine_scores(
                clips, ours.model_copy(update=policy), gallery
            )
            found = [stream_accuracy.found(scores, n_false=n) for n in (0, 1, 2, 5)]
            row(
                f"searched every {steady_s:g} s once steady, embedded every "
                f"{interval_s:g} s",
                f"found {', '.join(str(f.n_found) for f in found)} of "
                f"{found[0].n_mated} at 0, 1, 2, 5 of {found[0].n_non_mated} false",
                f"{scores.embedded:.2f} faces embedded and {1e3 * scores.cpu_s:.1f} ms "
                "a frame",
            )


def _search(row):
    batch = search_ratios.batch_ratios()
    row(
        f"32 probes, N = {batch.n:,}: untouched IndexFlatIP",
        f"{1e6 * batch.untouched_s / 32:.0f} us a probe",
        "",
    )
    row(
        "faiss_flat with our settings",
        f"{1e6 * batch.ours_s / 32:.0f} us a probe",
        _ratio(batch.speed_up, at_least=4.0),
    )
    share, low, high = batch.share_of_product
    row(
        "NumPy's matrix product alone",
        f"{1e6 * batch.product_s / 32:.0f} us a probe",
        f"{share:.0%} of its speed ({low:.0%} to {high:.0%}) "
        f"{'met' if share >= 0.7 else 'MISSED'} (70 %)",
    )
    _trades(row, 10_000)
    _trades(row, 100_000)


def _trades(row, n):
    exact_s = None
    for trade in measure_trades(
        search_ratios.shipped_world(),
        n=n,
        n_probes=1000,
        rounds=60,
        rng=np.random.default_rng(12),
        clock=time.perf_counter_ns,
        folder=_INDEXES,
    ):
        exact_s = trade.single_s if exact_s is None else exact_s
        row(
            f"{trade.name}, N = {n:,}",
            f"{1e6 * trade.single_s:.0f} us alone, {1e6 * trade.batch_s:.0f} in 32; "
            f"{trade.bytes_per_template:.0f} bytes; made in {trade.build_s:.0f} s",
            f"1/{exact_s / trade.single_s:.1f} of exact, recall {trade.recall:.3f}, "
            f"extra FNIR {trade.extra_fnir:.3f}",
        )


def _million(row):
    _trades(row, _MILLION)


def _streams_of(rate):
    low, high = rate.cpu_hz.min() / FPS, rate.cpu_hz.max() / FPS
    return (
        f"{np.median(rate.cpu_hz) / FPS:.2f} streams a core ({low:.2f} to {high:.2f})"
    )


def _ratio(spread, *, at_least):
    """Judge a ratio by the median of its blocks, if anything was asked of it."""
    median, low, high = spread
    told = f"{median:.2f}x ({low:.2f} to {high:.2f})"
    if at_least is None:
        return told
    return f"{told} {'met' if median >= at_least else 'MISSED'} ({at_least:g}x)"


def _below(value, limit):
    return f"{'met' if value <= limit else 'MISSED'} (at most {limit:g})"


_PARTS = {
    "search": _search,
    "accuracy": _accuracy,
    "streams": _streams,
    "workers": _workers,
    "sparing": _sparing,
    "million": _million,
}
_DEFAULT = tuple(_PARTS)[:-2]


def main(parts):
    """Measure and print."""
    cv2.setNumThreads(1)
    faiss.omp_set_num_threads(1)
    console = Console(width=130)

    def row(what, measured, judged):
        console.print(f"[dim]{what}: {measured} {judged}[/dim]")
        table.add_row(what, measured, judged)

    table = Table("what", "measured", "against the claim", title="Ratios, one run")
    # One core means one core, NumPy's matrix product included.
    with threadpool_limits(1):
        for name, measure in _PARTS.items():
            if name in parts:
                measure(row)
    console.print(table)


if __name__ == "__main__":
    main(sys.argv[1:] or _DEFAULT)
