"""A service in a process of its own, as a person would start it, for the suites.

Owns the start, the wait and the end: SIGTERM, and exit code 0 or an error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_ROOT = Path(__file__).parents[2]
_LEAVE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A service that answers.

    Attributes:
        url: Where.
        pid: Its process.
        data: Its folder.
    """

    url: str
    pid: int
    data: Path

    def cpu_s(self):
        """Return the processor time that it has used."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    def metric(self, name):
        """Return one figure of `/metrics`; 0 if it has not been counted yet."""
        with urllib.request.urlopen(f"{self.url}/metrics") as page:  # noqa: S310 - ours
            for line in page.read().decode().splitlines():
                if line.rpartition(" ")[0] == name:
                    return float(line.rpartition(" ")[2])
        return 0.0

    def rss_bytes(self):
        """Return the memory that it holds."""
        return psutil.Process(self.pid).memory_info().rss


@contextmanager
def serving(*words, data=None):
    """Run `harness serve` with these words until the block ends; yield it.

    Args:
        words: Of the command line.
        data: Its folder; by default one that is deleted afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="lfr-service-") as folder:
        data = Path(folder) / "data" if data is None else data
        process = subprocess.Popen(  # noqa: S603 - our own command
            [
                sys.executable,
                str(_ROOT / "harness.py"),
                "serve",
                *("--data", str(data), "--port", "0", "--json", *words),
            ],
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            text=True,
        )
        try:
            line = process.stdout.readline()
            if not line:
                message = f"the service did not start; it ended with {process.wait()}"
                raise RuntimeError(message)
            said = json.loads(line)
            yield Served(url=said["url"], pid=said["pid"], data=data)
            process.send_signal(signal.SIGTERM)
            code = process.wait(_LEAVE_S)
            if code != 0:
                message = f"the service must leave with 0, it left with {code}"
                raise RuntimeError(message)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()


@contextmanager
def serving_small(*words):
    """Run a service on the watchlist of the scenario `smoke`."""
    cache = os.environ.get("LFR_CACHE", ".cache/crowds")
    with serving(
        "--scenario", "smoke", "--watchlist", "smoke", "--cache", cache, *words
    ) as served:
        yield served
