"""Locust's master and workers, started, watched and ended from outside.

Owns their processes, their logs and their command lines. Part of the shell. Knows
nothing of what they post: that is in the brief.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import bench
from bench.driving.driver import real_sleep
from bench.errors import SystemStartError
from bench.swarm.brief import FOLDER_VARIABLE, HEADERS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Sitting", "sitting"]

_POLL_S = 0.25
_WORKERS_S = 60
_GRACE_S = 15.0
_TAIL = 12


class Sitting:
    """One master, and what it has finished so far."""

    def __init__(
        self, master: subprocess.Popen[bytes], folder: Path, log: Path
    ) -> None:
        """Watch a master that was started."""
        self._master = master
        self._folder = folder
        self._log = log

    def tests(self, progress: Callable[[str, int, int], None]) -> Iterator[int]:
        """Yield the number of each test once it is finished, until the master ends.

        Args:
            progress: Told how many requests have ended, of how many.

        Raises:
            SystemStartError: If the master ends without a test.
        """
        number = 1
        while True:
            is_over = self._master.poll() is not None
            self._show(progress)
            # Headless, the last reports come while the master takes its leave.
            if (self._folder / f"test-{number}.json").exists():
                yield number
                number += 1
            elif is_over:
                break
            else:
                real_sleep(_POLL_S)
        if number == 1:
            raise SystemStartError(reason=f"Locust ended: {self._last_words()}")

    def wait(self) -> None:
        """Wait until the master has ended by itself."""
        try:
            self._master.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.stop()

    def stop(self) -> None:
        """Have the master end, with what it has."""
        if self._master.poll() is None:
            self._master.terminate()
            try:
                self._master.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._master.kill()
                self._master.wait()

    def _show(self, progress: Callable[[str, int, int], None]) -> None:
        try:
            told = json.loads((self._folder / "progress.json").read_text("utf-8"))
        except (OSError, ValueError):
            return
        progress("Locust's requests", told["done"], told["total"])

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", errors="replace").splitlines()[-_TAIL:]
        return " / ".join(line.strip() for line in lines if line.strip())


@contextmanager
def sitting(
    folder: Path,
    out: Path,
    *,
    n_workers: int,
    web_port: int | None,
    host: str,
    headers: Sequence[tuple[str, str]],
    stop_timeout_s: float,
) -> Iterator[Sitting]:
    """Run one master and its workers until the block ends.

    Args:
        folder: With the brief.
        out: Where CSV, HTML and logs go.
        n_workers: How many.
        web_port: Of Locust's web UI; None for headless.
        host: What Locust's page says that is tested.
        headers: Of every call.
        stop_timeout_s: How long requests under way are waited for at the end.
    """
    out.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        FOLDER_VARIABLE: str(folder),
        HEADERS_VARIABLE: json.dumps(dict(headers)),
    }
    port = _free_port()
    program = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(Path(bench.__file__).parent / "locustfile.py"),
    ]
    page = (
        ["--headless", "--only-summary"]
        if web_port is None
        else ["--web-host", "127.0.0.1", "--web-port", str(web_port)]
    )
    master = [
        *program,
        "--master",
        "--master-bind-host=127.0.0.1",
        f"--master-bind-port={port}",
        f"--expect-workers={n_workers}",
        f"--expect-workers-max-wait={_WORKERS_S}",
        f"--stop-timeout={stop_timeout_s:g}",
        "--exit-code-on-error=0",
        f"--host={host}",
        f"--csv={out / 'locust'}",
        "--csv-full-history",
        f"--html={out / 'locust.html'}",
        *page,
    ]
    worker = [*program, "--worker", "--master-host=127.0.0.1", f"--master-port={port}"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(_start(master, out / "master.log", environment))
        processes.extend(
            _start(worker, out / f"worker-{k}.log", environment)
            for k in range(1, n_workers + 1)
        )
        watched = Sitting(processes[0], folder, out / "master.log")
        yield watched
        watched.stop()
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(
    command: list[str], log: Path, environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            # Ctrl-C is ours: we tell the master, which ends in good order.
            start_new_session=True,
        )


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port
