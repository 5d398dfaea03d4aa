"""Does the matcher keep its pace when its frames come as MPEG-TS over TCP?

`python -m bench.suites.wire_throughput [SCENARIO] [--rounds N]`: the same frames, as
fast as they are taken, three ways in turn: in the harness's process, through a pipe,
and over MPEG-TS/TCP, through cameras' sockets, a demultiplexer and a process more.
Prints processed frames a second of each round, and the ratios with their spread. The
order is turned from round to round: a machine that slows down slows all alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from rich.console import Console

from bench.driving.pacing import Pacing
from bench.driving.session import drive_target, undropping
from bench.driving.targets import TargetKind, matcher_here, matcher_process
from bench.driving.wire_opening import matcher_over_the_wire
from bench.running.enrolment import enrol_watchlist
from bench.running.rig import make_rig
from bench.running.wire import cameras_on
from bench.wire.settings import NetworkConfig
from commands.crowd import crowd_of
from scenarios import loader
from scenarios.streams import Stream, Streams

_say = Console(soft_wrap=True, highlight=False).print

WAYS = ("in process", "pipe", "MPEG-TS/TCP")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="smoke")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cache", type=Path, default=Path(".cache/crowds"))
    asked = parser.parse_args()
    settings = loader.load(asked.scenario)

    def quiet(_task: str, _done: int, _total: int) -> None:
        """Say nothing of single steps."""

    crowd = crowd_of(settings, cache=asked.cache, workers=None, progress=quiet)
    rng = Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS)
    rig = make_rig(crowd, settings.load, rng=rng)
    enrolment = enrol_watchlist(crowd.watchlist, settings.matcher, progress=quiet)
    config, gallery = undropping(settings.matcher), enrolment.gallery
    clock = time.perf_counter_ns
    cameras = cameras_on(
        rig, NetworkConfig(), TargetKind.MPEGTS, seed=0, pacing=Pacing.UNHURRIED
    )
    openers = {
        "in process": lambda: matcher_here(config, gallery, clock=clock),
        "pipe": lambda: matcher_process(config, gallery),
        "MPEG-TS/TCP": lambda: matcher_over_the_wire(
            cameras, config, gallery, clock=clock, told=lambda _sentence: None
        ),
    }
    hz: dict[str, list[float]] = {way: [] for way in WAYS}
    for turn in range(asked.rounds):
        for k in range(len(WAYS)):
            way = WAYS[(k + turn) % len(WAYS)]
            session = drive_target(
                rig.plan,
                rig.packets,
                openers[way](),
                pacing=Pacing.UNHURRIED,
                in_flight=1,
                clock=clock,
                progress=quiet,
            )
            ends = [r.outcome for r in session.results if not r.outcome.cause]
            assert len(ends) == len(rig.plan), f"{way}: not every frame was processed"
            hz[way].append(_throughput(ends))
        _say(f"round {turn + 1}:", *(f"{way} {hz[way][-1]:.1f}" for way in WAYS))
    _say(f"{len(rig.plan)} frames of {settings.scenario.title!r}, frames a second:")
    for way in WAYS:
        middle = statistics.median(hz[way])
        _say(f"  {way}: median {middle:.1f}, {min(hz[way]):.1f} to {max(hz[way]):.1f}")
    for other in ("in process", "pipe"):
        ratios = [a / b for a, b in zip(hz["MPEG-TS/TCP"], hz[other], strict=True)]
        _say(
            f"MPEG-TS/TCP against {other}: median {statistics.median(ratios):.3f}, "
            f"{min(ratios):.3f} to {max(ratios):.3f} over {len(ratios)} rounds"
        )


def _throughput(ends: list) -> float:
    """Frames a second from the end of the first tenth to the end of the last."""
    done_ns = sorted(end.done_ns for end in ends)
    first = len(done_ns) // 10
    return (len(done_ns) - 1 - first) / ((done_ns[-1] - done_ns[first]) / 1e9)


if __name__ == "__main__":
    main()
