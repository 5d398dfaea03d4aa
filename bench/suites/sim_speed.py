"""How fast is the compiled simulator: beside SimPy, by length, over a city's day?

    python -m bench.suites.sim_speed [--rounds 5] [--day]

Both tell the same node, a worker of the city plan from noon on, in turn on one core; a
ratio is the median of its rounds. Then the compiled one alone at one, two, four and
eight hours. `--day` runs the whole day of a thousand cameras on all cores; without it,
its time is reckoned from the longest of these.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

import numpy as np
from rich.console import Console

from scenarios.plan_loader import (
    HARDWARE,
    REFERENCE_CALIBRATION,
    load_calibration,
    load_hardware,
    load_plan,
)
from sim.capacity import Question, tables_of
from sim.crowd import draw_frames, draw_passages, profile_of
from sim.fast import simulate_node
from sim.fleet import run_day
from sim.records import node_of
from sim.system import simulate_node_simpy

_CAMERAS, _NOON_S, _LENGTH_S = 4, 43_200.0, 300.0
_LONGER = (1, 2, 4, 8)
_RATIO, _DAY_S = 20.0, 60.0
_KEY = 61

_say = Console(soft_wrap=True, highlight=False).print


def question_of_the_city():
    """What the shipped plan of a thousand cameras asks."""
    profiles = load_hardware(HARDWARE)
    asked = load_plan("city_1000", overrides=(), seed=None, profiles=profiles)
    return Question(
        calibration=load_calibration(REFERENCE_CALIBRATION),
        site=asked.site,
        target=asked.target,
        hardware=asked.node(profiles),
        seed=asked.plan.seed,
    )


def node_at_noon(question, length_s):
    """Some cameras of one worker from noon on."""
    site, calibration = question.site, question.calibration
    span = {"begin_s": _NOON_S, "end_s": _NOON_S + length_s, "key": _KEY}
    passages = draw_passages(
        calibration.walks(alert_chance=site.alert_chance),
        _CAMERAS,
        views_hz=site.passages_per_min / 60.0 * calibration.views_per_passage,
        factors=profile_of(site.profile, duration_s=site.hours * 3600.0, step_s=60.0),
        step_s=60.0,
        **span,
    )
    stream = calibration.stream(
        fps=site.fps, jitter_s=site.jitter_s, pixels=float(site.pixels)
    )
    frames = draw_frames(stream, _CAMERAS, **span)
    return node_of(frames, passages, max_pending=calibration.max_pending)


def rate_hz(simulate, node, tables):
    """Frames a second of processor time."""
    began_s = time.process_time()
    simulate(node, tables, key=_KEY)
    return len(node.frames.capture_s) / (time.process_time() - began_s)


def main(arguments):
    """Print the figures; exit 1 if the ratio, or the day, misses its target."""
    parser = argparse.ArgumentParser(prog="python -m bench.suites.sim_speed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--day", action="store_true")
    asked = parser.parse_args(arguments)
    question = question_of_the_city()
    tables, node = tables_of(question), node_at_noon(question, _LENGTH_S)
    simulate_node(node, tables, key=_KEY)  # compiles
    rates = [
        (
            rate_hz(simulate_node, node, tables),
            rate_hz(simulate_node_simpy, node, tables),
        )
        for _ in range(asked.rounds)
    ]
    ratios = [fast / slow for fast, slow in rates]
    ratio = statistics.median(ratios)
    _say(
        f"{len(node.frames.capture_s):,} frames of {_CAMERAS} cameras: compiled "
        f"{statistics.median(r[0] for r in rates):,.0f}, SimPy "
        f"{statistics.median(r[1] for r in rates):,.0f} frames/s; ratio {ratio:,.0f} "
        f"({min(ratios):,.0f} to {max(ratios):,.0f}, n = {len(ratios)}), asked "
        f"{_RATIO:g}"
    )
    for times in _LONGER:
        longer = node_at_noon(question, times * 12.0 * _LENGTH_S)
        found = [rate_hz(simulate_node, longer, tables) for _ in range(asked.rounds)]
        _say(
            f"{len(longer.frames.capture_s):>9,} frames: "
            f"{1e9 / statistics.median(found):,.0f} ns a frame "
            f"({1e9 / max(found):,.0f} to {1e9 / min(found):,.0f})"
        )
    if not asked.day:
        site, n_cores = question.site, os.cpu_count() or 1
        n_frames = site.cameras * site.fps * site.hours * 3600.0
        _say(
            f"reckoned: the day's {n_frames:,.0f} frames take "
            f"{n_frames / statistics.median(found) / n_cores:.0f} s on {n_cores} "
            f"cores, asked {_DAY_S:g}"
        )
        return 0 if ratio >= _RATIO else 1
    began_s = time.monotonic()
    day = run_day(
        question,
        cameras_per_worker=_CAMERAS,
        threads=os.cpu_count() or 1,
        progress=lambda *_: None,
    )
    took_s = time.monotonic() - began_s
    n_frames = int(np.sum(day.ends))
    _say(
        f"the day of {question.site.cameras:,} cameras: {n_frames:,} frames in "
        f"{took_s:.0f} s on {os.cpu_count()} cores, asked {_DAY_S:g}"
    )
    return 0 if ratio >= _RATIO and took_s <= _DAY_S else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
