"""A large crowd, killed by SIGKILL on its way and resumed: the same bytes?

    python -m bench.suites.crowd_interrupted [MINUTES] [CAMERAS] [IDENTITIES] [WORKERS]

The crowd is made twice by `harness crowd`, each time into a cache of its own: once in
peace, once killed with all its workers when two fifths of its pieces are there. Every
file of both caches is compared. Memory is that of the command and its workers together,
shared pages once, twice a second. Ends with exit code 1 if a byte differs.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.table import Table

from synthetic_crowds.film.cache import PIECES, file_sha256

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Made", "digests", "make"]

_MINUTES, _CAMERAS, _IDENTITIES = 10.0, 5, 10_000
_KILLED_AT = 0.4
# As clips are cut; see docs/crowd-speed.md.
_PIECE_S = 30.0
_SAMPLE_S = 0.5
_OUT = Path("runs/crowd-interrupted")
_CAMERA = """
[[cameras]]
camera_id = "c{number}"
mount_height_m = {height:.1f}
hfov_deg = {hfov:.0f}.0
"""
_REST = """
[scenario]
title = "A large crowd"
description = "Made to be interrupted."
seed = 41

[crowd]
duration_s = {seconds:g}
footfall_per_min = 60.0
population_size = {identities}

[watchlist]
size = {listed}
mated_share = 0.2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One call of `harness crowd`.

    Attributes:
        code: Its exit code; negative, the signal that ended it.
        seconds: How long it took.
        peak_bytes: Memory of the command and its workers at the worst moment.
    """

    code: int
    seconds: float
    peak_bytes: int


def make(
    scenario: Path,
    cache: Path,
    *,
    workers: int,
    is_enough: Callable[[], bool] = lambda: False,
) -> Made:
    """Make a crowd in processes of its own, and kill them all once there is enough.

    Args:
        scenario: Its TOML file.
        cache: Where it goes.
        workers: Processes that render; 1 renders in the command's own.
        is_enough: Asked twice a second.
    """
    command = [sys.executable, "-m", "harness", "crowd", str(scenario), "--cache"]
    start = time.monotonic()
    child = subprocess.Popen(  # noqa: S603 - our own command
        [*command, str(cache), "--workers", str(workers), "--quiet"],
        start_new_session=True,
    )
    peak_bytes = 0
    while child.poll() is None:
        peak_bytes = max(peak_bytes, _memory_of(child.pid))
        if is_enough():
            os.killpg(child.pid, signal.SIGKILL)
            break
        time.sleep(_SAMPLE_S)  # noqa: TID251 - it watches another process
    code = child.wait()
    return Made(code=code, seconds=time.monotonic() - start, peak_bytes=peak_bytes)


def _memory_of(pid: int) -> int:
    """Memory of a process and all below it: private pages, and shared ones once.

    Libraries are the same for all; whoever has mapped most of them stands for the rest.
    """
    private, shared = 0, 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            info = process.memory_full_info()
            private += info.uss
            shared = max(shared, info.rss - info.uss)
    except psutil.NoSuchProcess:
        pass
    return private + shared


def digests(cache: Path) -> dict[str, str]:
    """Every file of a cache, by its place."""
    return {
        path.relative_to(cache).as_posix(): file_sha256(path)
        for path in sorted(cache.rglob("*"))
        if path.is_file()
    }


def _report() -> None:
    asked = sys.argv[1:]
    minutes = float(asked[0]) if asked else _MINUTES
    n_cameras = int(asked[1]) if len(asked) > 1 else _CAMERAS
    identities = int(asked[2]) if len(asked) > 2 else _IDENTITIES
    workers = int(asked[3]) if len(asked) > 3 else os.cpu_count() or 1
    shutil.rmtree(_OUT, ignore_errors=True)
    _OUT.mkdir(parents=True)
    scenario = _OUT / "large.toml"
    text = _REST.format(
        seconds=60.0 * minutes, identities=identities, listed=max(identities // 10, 1)
    )
    for number in range(n_cameras):
        text += _CAMERA.format(
            number=number, height=2.6 + 0.2 * number, hfov=30 + 4 * number
        )
    scenario.write_text(text, encoding="utf-8")
    whole, killed = _OUT / "whole", _OUT / "killed"
    in_peace = make(scenario, whole, workers=workers)
    n_pieces = round(n_cameras * minutes * 60.0 / _PIECE_S)

    def pieces() -> int:
        return len(list(killed.glob(f"clips/.*/{PIECES}/*.npz")))

    interrupted = make(
        scenario,
        killed,
        workers=workers,
        is_enough=lambda: pieces() >= _KILLED_AT * n_pieces,
    )
    kept = pieces()
    resumed = make(scenario, killed, workers=workers)
    table = Table("call", "exit code", "minutes", "peak memory", title="harness crowd")
    for name, made in (
        ("in peace", in_peace),
        ("killed", interrupted),
        ("resumed", resumed),
    ):
        table.add_row(
            name,
            str(made.code),
            f"{made.seconds / 60.0:.1f}",
            f"{made.peak_bytes / 1e9:.2f} GB",
        )
    console = Console()
    console.print(table)
    first, second = digests(whole), digests(killed)
    differ = sorted(
        name for name in {*first, *second} if first.get(name) != second.get(name)
    )
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    console.print(
        f"{n_cameras} cameras, {minutes:g} minutes, a population of {identities:,}; "
        f"{kept} of {n_pieces} pieces were there when it was killed."
    )
    console.print(
        f"{len(first)} files, {size / 1e6:.0f} MB; {len(differ)} of them differ"
        + (f": {', '.join(differ[:5])}" if differ else ".")
    )
    is_good = not differ and in_peace.code == resumed.code == 0
    sys.exit(0 if is_good and interrupted.code == -signal.SIGKILL else 1)


if __name__ == "__main__":
    _report()
