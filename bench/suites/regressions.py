"""Does `ab` find what was put there on purpose, and nothing where nothing was?

    python -m bench.suites.regressions same [--scenario smoke] [--repeats 20]
    python -m bench.suites.regressions slower [--share 0.2]
    python -m bench.suites.regressions threshold [--misses 0.3]

`same` lets a build take turns with itself, over and over, each run with a matcher
process of its own: worse or better is then a false alarm. It goes on where it was
stopped. `slower` makes a copy of this checkout in which embedding takes a fifth longer,
`threshold` asks for one at which three in ten sought people are missed; both hand over
to `harness ab`. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.driving.targets import TargetKind
from bench.host.provenance import describe_origin
from bench.intervals.proportion import wilson_interval
from bench.records import Status
from bench.regression.comparison import Judgement
from bench.regression.interleaved import Arm, compare_arms, take_turns
from bench.regression.run_sample import read_sample
from bench.running.enrolment import enrol_watchlist
from bench.running.folder import create_folder, write_run
from bench.running.rig import make_rig
from bench.running.run import Origin, Settings, measure
from commands.exit_code import ExitCode
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd

__all__ = ["same", "slower", "threshold"]

_HERE = Path(__file__).resolve().parents[2]
_SCENARIO = Path(__file__).with_name("busy_corner.toml")
_CACHE = _HERE / ".cache" / "crowds"
_MARGIN, _ERROR_MARGIN = 0.05, 0.02
# Of 20 repeats so many may err.
_MOST_WRONG = 1
_NOT_COPIED = (".*", "runs", "out", "__pycache__")

_EMBED = "    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:\n"
_SLOWED = '''    def embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
        """Embed, and take longer than that needs."""
        import time

        begun_ns = time.perf_counter_ns()
        made = self._embed(chips_bgr)
        until_ns = begun_ns + (time.perf_counter_ns() - begun_ns) * {factor}
        while time.perf_counter_ns() < until_ns:
            pass
        return made

    def _embed(self, chips_bgr: NDArray[np.uint8]) -> Embeddings:
'''


def _crowd(settings):
    return make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=_CACHE,
        workers=2,
        progress=lambda *_: None,
    )


def _runner(scenario):
    """Return a function that runs the small crowd, unhurried, and hands out the run."""
    settings = loader.load(scenario, overrides=(), seed=None)
    crowd = _crowd(settings)
    enrolment = enrol_watchlist(
        crowd.watchlist, settings.matcher, progress=lambda *_: None
    )
    arrivals = Streams(seed=settings.scenario.seed).generator(Stream.ARRIVALS)
    rig = make_rig(crowd, settings.load, rng=arrivals)
    chosen = Settings(
        matcher=settings.matcher, load=settings.load, objectives=settings.objectives
    )
    origin = Origin(
        run_id="regressions",
        scenario=loader.resolved(settings),
        provenance=describe_origin(seed=settings.scenario.seed),
    )

    def run():
        record = measure(
            rig,
            enrolment,
            chosen,
            origin,
            unhurried=True,
            progress=lambda *_: None,
            target=TargetKind.PROCESS,
        )
        if record.verdict.status is Status.INVALID:
            raise SystemExit(record.verdict.reasons[0].message)
        return record

    return run


def same(*, scenario, repeats, rounds, at_most_s, out):
    """Let a build take turns with itself; return every judgement so far."""
    run = _runner(scenario)

    def sample(_arm):
        with TemporaryDirectory(prefix="lfr-harness-") as made:
            folder = create_folder(Path(made), name="same")
            write_run(run(), folder)
            return read_sample(folder)

    out.mkdir(parents=True, exist_ok=True)
    kept = out / f"{Path(scenario).stem}.jsonl"
    lines = kept.read_text("utf-8").splitlines() if kept.exists() else []
    arm = Arm(checkout=_HERE, overrides=())
    begun_s, longest_s = time.monotonic(), 0.0
    while len(lines) < repeats:
        repeat_s = time.monotonic()
        if repeat_s + longest_s > begun_s + at_most_s:
            break
        turns = take_turns(arm, arm, sample, rounds=rounds, progress=lambda *_: None)
        found, floor = compare_arms(
            turns,
            margin=_MARGIN,
            error_margin=_ERROR_MARGIN,
            rng=np.random.default_rng(len(lines)),
        )
        line = json.dumps(
            {**asdict(found), "floor": {k: asdict(v) for k, v in floor.items()}}
        )
        lines.append(line)
        with kept.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        longest_s = max(longest_s, time.monotonic() - repeat_s)
    return [json.loads(line) for line in lines]


def slower(*, scenario, share, rounds, out):
    """Hand `ab` a checkout whose embedder takes longer; return its exit code."""
    with TemporaryDirectory(prefix="lfr-harness-") as made:
        checkout = Path(made) / "slower"
        copytree(_HERE, checkout, ignore=ignore_patterns(*_NOT_COPIED))
        path = checkout / "matcher" / "embedders" / "reference.py"
        code = path.read_text("utf-8")
        assert code.count(_EMBED) == 1
        path.write_text(
            code.replace(_EMBED, _SLOWED.format(factor=1.0 + share)), "utf-8"
        )
        return _ab(scenario, rounds, out, f"--checkout-b={checkout}")


def threshold(*, scenario, misses, rounds, out):
    """Hand `ab` a threshold that misses so many; return its exit code."""
    record = _runner(scenario)()
    scores = [p.mate_score for p in record.passages if p.mate_score is not None]
    moved = float(np.quantile(scores, misses))
    calibrated = record.metrics["threshold"].value
    Console().print(f"threshold {calibrated:.3f}, moved to {moved:.3f}")
    moving = f"--set-b=matcher.decision.threshold={moved:.4f}"
    return _ab(scenario, rounds, out, moving)


def _ab(scenario, rounds, out, *options):
    command = (sys.executable, "harness.py", "ab", scenario, "--unhurried")
    done = subprocess.run(  # noqa: S603 - our own harness, no shell
        (*command, f"--rounds={rounds}", f"--out={out}", *options),
        cwd=_HERE,
        check=False,
    )
    return done.returncode


def _tell(found, *, repeats):
    """Print how often which word fell; return whether that is within bounds."""
    words = Counter(repeat["judgement"] for repeat in found)
    wrong = words[Judgement.WORSE] + words[Judgement.BETTER]
    table = Table("judgement", "repeats", title="A build against itself")
    for word in Judgement:
        table.add_row(word.value, str(words[word]))
    console = Console()
    console.print(table)
    low, high = wilson_interval(wrong, len(found)) if found else (0.0, 1.0)
    console.print(
        f"{wrong} of {len(found)} called different (95 % interval {low:.1%} to "
        f"{high:.1%}); at most {_MOST_WRONG} of {repeats} may be."
    )
    for name in sorted({row["metric"] for r in found for row in r["contrasts"]}):
        changes = [
            abs(row["change"])
            for r in found
            for row in r["contrasts"]
            if row["metric"] == name
        ]
        console.print(
            f"  {name}: differs by {np.median(changes):.2%} at the median, "
            f"{max(changes):.2%} at most"
        )
    return len(found) >= repeats and wrong <= _MOST_WRONG


def main(arguments):
    """Measure one part and print it; exit with 0 if it went as it should."""
    parser = argparse.ArgumentParser(prog="python -m bench.suites.regressions")
    parser.add_argument("part", choices=("same", "slower", "threshold"))
    parser.add_argument("--scenario", default=str(_SCENARIO))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--at-most-s", type=float, default=float("inf"))
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--misses", type=float, default=0.3)
    parser.add_argument("--out", type=Path, default=_HERE / "runs" / "regressions")
    asked = parser.parse_args(arguments)
    shared = {"scenario": asked.scenario, "rounds": asked.rounds, "out": asked.out}
    if asked.part == "same":
        found = same(repeats=asked.repeats, at_most_s=asked.at_most_s, **shared)
        return 0 if _tell(found, repeats=asked.repeats) else 1
    code = (
        slower(share=asked.share, **shared)
        if asked.part == "slower"
        else threshold(misses=asked.misses, **shared)
    )
    is_found = code == ExitCode.OBJECTIVE_MISSED
    Console().print("found" if is_found else f"NOT found: exit code {code}")
    return 0 if is_found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
