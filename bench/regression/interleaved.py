"""Two builds or settings in turn: first one against itself, then against the other.

Owns the order of the runs and what is kept of them. Part of the shell: it starts
`harness run` in a checkout. Knows nothing of how runs are compared.

Machines have moods: a run at noon and one at night differ though nothing was changed.
So the two take turns, A B B A, and share whatever mood there is.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.regression.comparison import (
    Comparison,
    NoiseFloor,
    compare_rounds,
    conclude,
    figures_to_compare,
    noise_floor,
)
from bench.regression.error_comparison import compare_errors
from bench.regression.run_sample import RunSample, read_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from bench.driving.session import Progress

__all__ = ["Arm", "Turns", "compare_arms", "run_arm", "take_turns"]

# Exit codes of `harness run` that leave a run folder.
_LEAVES_A_RUN = frozenset({0, 3, 4})
_TIME_LIMIT_S = 3600.0
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One of the two.

    Attributes:
        checkout: Whose code is run; its harness.py.
        overrides: `key=value` settings of its runs.
    """

    checkout: Path
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Every run of an interleaved comparison, round by round.

    Attributes:
        first, again: The same arm, in turn with itself.
        baseline, candidate: The two arms, in turn.
    """

    first: tuple[RunSample, ...]
    again: tuple[RunSample, ...]
    baseline: tuple[RunSample, ...]
    candidate: tuple[RunSample, ...]


def run_arm(
    arm: Arm, scenario: str, *, out: Path, cache: Path, options: Sequence[str]
) -> RunSample:
    """Run a scenario with an arm's code and settings, in a process of its own.

    An INVALID run is made again, twice at most: the instrument failed, not the build.

    Raises:
        BenchError: If the run left no folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    for _ in range(_ATTEMPTS):
        sample = _run_once(arm, scenario, out=out, cache=cache, options=options)
        if sample.status != "INVALID":
            break
    return sample


def _run_once(
    arm: Arm, scenario: str, *, out: Path, cache: Path, options: Sequence[str]
) -> RunSample:
    before = set(out.iterdir())
    settings = [f"--set={text}" for text in arm.overrides]
    command = (sys.executable, "-B", "harness.py", "run", scenario, "--quiet")
    done = subprocess.run(  # noqa: S603 - our own harness, no shell
        (*command, f"--out={out}", f"--cache={cache}", *settings, *options),
        cwd=arm.checkout,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIME_LIMIT_S,
    )
    made = sorted(set(out.iterdir()) - before)
    if done.returncode not in _LEAVES_A_RUN or len(made) != 1:
        words = done.stderr.strip().splitlines()
        message = (
            f"a run of {arm.checkout} must leave one run folder, got exit code "
            f"{done.returncode} and '{words[-1] if words else ''}'; run it by itself"
        )
        raise BenchError(message)
    return read_sample(made[0])


def take_turns(
    baseline: Arm,
    candidate: Arm,
    run: Callable[[Arm], RunSample],
    *,
    rounds: int,
    progress: Progress,
) -> Turns:
    """Run A against A, then A against B, each in turn and in changing order.

    Args:
        baseline: A.
        candidate: B.
        run: Runs one arm.
        rounds: Of either part, at least three.
        progress: Told of each run.

    Raises:
        BenchError: If there are too few rounds for an interval.
    """
    if rounds < 3:
        message = f"rounds must be 3 or more for an interval, got {rounds}; raise it"
        raise BenchError(message)
    n_done = 0

    def timed(arm: Arm) -> RunSample:
        nonlocal n_done
        progress("interleaved runs", n_done, 4 * rounds)
        sample = run(arm)
        n_done += 1
        progress("interleaved runs", n_done, 4 * rounds)
        return sample

    def in_turn(a: Arm, b: Arm) -> tuple[list[RunSample], list[RunSample]]:
        of_a: list[RunSample] = []
        of_b: list[RunSample] = []
        for number in range(rounds):
            order = ((a, of_a), (b, of_b))
            for arm, kept in order if number % 2 == 0 else reversed(order):
                kept.append(timed(arm))
        return of_a, of_b

    first, again = in_turn(baseline, baseline)
    before, after = in_turn(baseline, candidate)
    return Turns(
        first=tuple(first),
        again=tuple(again),
        baseline=tuple(before),
        candidate=tuple(after),
    )


def compare_arms(
    turns: Turns, *, margin: float, error_margin: float, rng: np.random.Generator
) -> tuple[Comparison, Mapping[str, NoiseFloor]]:
    """Hold the candidate against the baseline.

    Args:
        turns: Their runs.
        margin: Relative change of a figure of speed that is called equal.
        error_margin: The same for error rates, in points.
        rng: Draws people anew.

    Returns:
        The comparison, inconclusive if a run is INVALID; and the noise floor of each
        figure.
    """
    everyone = (*turns.first, *turns.again, *turns.baseline, *turns.candidate)
    names = [
        name
        for name in figures_to_compare(turns.baseline[0].figures)
        if all(name in run.figures and run.figures[name].value > 0 for run in everyone)
    ]
    series = {
        part: {name: [r.figures[name].value for r in runs] for name in names}
        for part, runs in (
            ("first", turns.first),
            ("again", turns.again),
            ("baseline", turns.baseline),
            ("candidate", turns.candidate),
        )
    }
    floor = noise_floor(series["first"], series["again"])
    speed = compare_rounds(
        series["baseline"], series["candidate"], floor=floor, margin=margin
    )
    errors = compare_errors(
        [run.passages for run in turns.baseline],
        [run.passages for run in turns.candidate],
        margin=error_margin,
        rng=rng,
    )
    n_invalid = sum(run.status == "INVALID" for run in everyone)
    return conclude((*speed, *errors), n_invalid=n_invalid), floor
