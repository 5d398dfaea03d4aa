"""How many streams a core carries: systems side by side, turn by turn.

Every system runs in processes of its own behind the same pipe, on the same packets, and
all of them live at once: one works off a block of frames while the others sleep, then
it is the next one's turn. What a neighbour on the same hardware does to one block it
does to the next as well, so ratios of blocks hold where times do not. A rate is frames
a second of processor time, of all processes of the system together, its supervisor
included; ten of them are one stream.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from bench.driving.matcher_process import running
from bench.suites.five_in_view import FPS
from bench.suites.straightforward import serve_straightforward
from matcher.engine import serve
from matcher.gallery import save

__all__ = ["Rates", "engine", "engine_system", "loop_system", "measure"]

_IN_FLIGHT = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rates:
    """What a system did, block by block.

    Attributes:
        cpu_hz: (blocks,) frames a second of processor time.
        wall_hz: (blocks,) frames a second of the clock on the wall.
    """

    cpu_hz: np.ndarray
    wall_hz: np.ndarray

    def over(self, other):
        """Median, least and greatest ratio to another's processor rate, by blocks."""
        ratio = self.cpu_hz / other.cpu_hz
        return float(np.median(ratio)), float(ratio.min()), float(ratio.max())


class _System:
    """One system, waiting for its turn."""

    def __init__(self, link, clips, *, cameras, block):
        self._link, self._clips, self._cameras = link, clips, cameras
        self._n = -(-block // cameras)
        self._index = 0
        self._tree = psutil.Process(link.pid)

    def work(self):
        """Work off one block; return frames a second, of the processor and the wall."""
        cpu_s, begun_s = self._cpu_s(), time.perf_counter()
        for _ in range(self._n):
            for camera in range(self._cameras):
                self._link.ledger.wait_for_room(_IN_FLIGHT)
                at_ns = round(self._index * 1e9 / FPS)
                self._link.issue(self._clips.frame(camera, self._index, at_ns))
            self._index += 1
        self._link.flush()
        n_frames = self._n * self._cameras
        wall_s = time.perf_counter() - begun_s
        return n_frames / (self._cpu_s() - cpu_s), n_frames / wall_s

    def _cpu_s(self):
        processes = (self._tree, *self._tree.children(recursive=True))
        times = [process.cpu_times() for process in processes]
        return sum(t.user + t.system for t in times)


@contextmanager
def engine(config, gallery, *, ledger=None):
    """Run the matcher as a run does."""
    with TemporaryDirectory() as folder:
        save(gallery, Path(folder) / "gallery")
        path = Path(folder) / "gallery"
        with running(serve, config, path, name="matcher", ledger=ledger) as link:
            link.wait_ready()
            yield link


def engine_system(config, gallery, *, cameras=6, block=180):
    """The matcher, a frame always waiting and none skipped."""
    policy = {"drop_policy": "none"}
    calm = config.model_copy(update={"engine": config.engine.model_copy(update=policy)})
    return partial(engine, calm, gallery), cameras, block


def loop_system(config, gallery, *, block):
    """The straightforward loop on one camera."""
    config = config.model_copy(update={"engine": config.engine.unhurried()})

    @contextmanager
    def opened():
        with running(serve_straightforward, config, gallery, name="loop") as link:
            link.wait_ready()
            yield link

    return opened, 1, block


def measure(clips, systems, *, rounds):
    """Let each system work off a block in turn, `rounds` times after a first one.

    Args:
        clips: What all of them see.
        systems: Name → what `engine_system` or `loop_system` returns.
        rounds: Blocks that count.

    Returns:
        Name → `Rates`.
    """
    with ExitStack() as stack:
        ready = {
            name: _System(
                stack.enter_context(opened()), clips, cameras=cameras, block=block
            )
            for name, (opened, cameras, block) in systems.items()
        }
        for system in ready.values():
            system.work()
        done = {name: [] for name in ready}
        for _ in range(rounds):
            for name, system in ready.items():
                done[name].append(system.work())
        for name, blocks in done.items():
            cpu_hz, wall_hz = np.array(blocks).T
            done[name] = Rates(cpu_hz=cpu_hz, wall_hz=wall_hz)
    return done
