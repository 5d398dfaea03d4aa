"""Locust's master: it measures the workers, seats the users, keeps what they bring.

Owns the start of each test, the shape of its load in users, and its end. Imported by
Locust's processes alone.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
import msgpack
import numpy as np
from locust import LoadTestShape
from locust.runners import STATE_INIT, MasterRunner

from bench.driving.http_exchange import converse
from bench.host.resources import (
    Account,
    joined,
    read_account,
    read_family_account,
    used,
)
from bench.swarm.messages import FRAME, PROBE, PUSH, PUSHED, REPORT, SEAT, SEATED
from bench.swarm.posting import clock_ns, dialects_of, make_call, open_client
from lfr_errors import LfrError

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message

    from bench.records import ArrivalPlan
    from bench.swarm.brief import Laid

__all__ = ["Conductor", "PlanShape"]

_LOG = logging.getLogger(__name__)

# The shape is asked once a second; a user has to be seated before its first frame.
_START_IN_S = 3.0
_SEATED_S = 4.0
_PUSH_WAIT_S = 30.0
_SPAWN_HZ = 100.0
# What is still on its way back when the last answer must have come.
_LAST_REPORT_S = 8.0
# Locust writes its tables once a second, and must have written the last rows.
_QUIET_TICKS = 2


class Conductor:
    """One master's tests, one after another."""

    def __init__(self, laid: Laid, environment: Environment) -> None:
        """Listen to the workers."""
        self._laid = laid
        self._environment = environment
        self._number = 0
        self._start_ns = 0
        self._null_hz: float | None = None
        self._pushed: list[float] = []
        self._seats: dict[str, deque[int]] = {}
        self._first_s: list[float] = []
        self._n_seen = self._n_quiet = 0
        self._before: dict[str, Account] = {}
        self._latest: dict[str, Account] = {}
        self._closed = True
        runner = environment.runner
        if isinstance(runner, MasterRunner):
            runner.register_message(PUSHED, self._on_pushed)
            runner.register_message(SEAT, self._on_seat)
        environment.events.worker_report.add_listener(self._on_report)
        environment.events.test_stop.add_listener(self._close)

    def tick(self) -> tuple[int, float] | None:
        """Say how many users there should be, and how fast they come; None to end."""
        runner = self._environment.runner
        if runner is None:
            return None
        if runner.state == STATE_INIT:
            self._open(runner)
        now_s = (clock_ns() - self._start_ns) / 1e9
        n_expected = len(self._laid.plan) + len(self._laid.probe_plan)
        ends_s = max(
            (p.offset_ns[-1] / 1e9 for p in self._plans().values() if len(p) > 0),
            default=0.0,
        )
        late_s = self._laid.brief.timeout_s + _LAST_REPORT_S
        self._tell(n_expected)
        if self._n_seen >= n_expected:
            self._n_quiet += 1
        if self._n_quiet > _QUIET_TICKS or now_s > ends_s + late_s:
            return None
        n_cameras = sum(first_s <= now_s + _SEATED_S for first_s in self._first_s)
        return self._laid.brief.n_identify + max(1, n_cameras), _SPAWN_HZ

    def _plans(self) -> dict[str, ArrivalPlan]:
        return {FRAME: self._laid.plan, PROBE: self._laid.probe_plan}

    def _open(self, runner: object) -> None:
        """Begin a test: measure the workers, make the cameras begin afresh."""
        self._number += 1
        self._closed = False
        self._n_seen = self._n_quiet = 0
        self._seats = {
            kind: deque(_by_first(plan)) for kind, plan in self._plans().items()
        }
        plan = self._laid.plan
        self._first_s = [
            float(plan.offset_ns[plan.camera == k].min()) / 1e9
            for k in self._seats[FRAME]
        ]
        if isinstance(runner, MasterRunner):
            self._measure_workers(runner)
        self._begin_cameras()
        self._before = {
            **self._latest,
            "master": read_account(os.getpid()),
            **self._matchers(),
        }
        self._start_ns = clock_ns() + round(_START_IN_S * 1e9)

    def _measure_workers(self, runner: MasterRunner) -> None:
        n_workers = len(runner.clients.ready)
        self._pushed = []
        runner.send_message(PUSH, {"test": self._number})
        with gevent.Timeout(_PUSH_WAIT_S, exception=False):
            while len(self._pushed) < n_workers:
                gevent.sleep(0.05)
        complete = len(self._pushed) == n_workers
        self._null_hz = sum(self._pushed) if complete else None

    def _begin_cameras(self) -> None:
        brief = self._laid.brief
        for url, dialect in zip(brief.urls, dialects_of(brief), strict=True):
            client = open_client(url, timeout_s=brief.timeout_s)
            exchange = partial(make_call, client, url, name="begin")
            try:
                converse(dialect.begin(), exchange)
            except LfrError as error:
                # The test goes on, and what it finds will be the worse for it.
                _LOG.warning("cameras could not begin afresh: %s", error)

    def _matchers(self) -> dict[str, Account]:
        found = {}
        for pid in self._laid.brief.pids:
            try:
                found[f"matcher {pid}"] = read_family_account(pid)
            except ProcessLookupError:
                continue
        return found

    def _on_pushed(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002
        # What pushing took is not the run's: the accounts of the run begin here.
        self._keep(msg.node_id, msg.data["account"])
        self._pushed.append(float(msg.data["rate_hz"]))

    def _keep(self, worker: str, account: list[float]) -> None:
        cpu_s, wait_s, rss_bytes = account
        self._latest[worker] = Account(
            cpu_s=cpu_s, wait_s=wait_s, rss_bytes=round(rss_bytes)
        )

    def _on_seat(self, environment: Environment, msg: Message) -> None:
        free = self._seats.get(str(msg.data["kind"]), deque())
        runner = environment.runner
        if runner is not None:
            runner.send_message(
                SEATED,
                {
                    "request": msg.data["request"],
                    "seat": free.popleft() if free else -1,
                    "start_ns": self._start_ns,
                },
                client_id=msg.node_id,
            )

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        said = data.get(REPORT)
        if said is None:
            return
        self._keep(client_id, said["account"])
        if not said["rows"]:
            return
        path = self._laid.folder / f"answers-{said['test']}.bin"
        with path.open("ab") as file:
            for row in said["rows"]:
                file.write(msgpack.packb(row))
        if said["test"] == self._number:
            self._n_seen += len(said["rows"])

    def _tell(self, n_expected: int) -> None:
        text = json.dumps({"done": self._n_seen, "total": n_expected})
        _write(self._laid, "progress.json", text)

    def _close(self, environment: Environment, **_: object) -> None:  # noqa: ARG002
        if self._closed:
            return
        self._closed = True
        after = {
            **self._latest,
            "master": read_account(os.getpid()),
            **self._matchers(),
        }
        taken = {
            name: used(self._before.get(name, _NOTHING), account)
            for name, account in after.items()
        }
        matchers = [a for name, a in taken.items() if name.startswith("matcher ")]
        ours = [a for name, a in taken.items() if not name.startswith("matcher ")]
        text = json.dumps(
            {
                "number": self._number,
                "start_ns": self._start_ns,
                "end_ns": clock_ns(),
                "null_hz": self._null_hz,
                "harness": _row(joined(ours)),
                "matcher": _row(joined(matchers)) if matchers else None,
            }
        )
        _write(self._laid, f"test-{self._number}.json", text)


class PlanShape(LoadTestShape):
    """The scenario's load shape: as many users as cameras have begun to send."""

    conductor: ClassVar[Conductor | None] = None

    def tick(self) -> tuple[int, float] | None:
        """Ask the conductor; a worker has none and asks nobody."""
        return None if self.conductor is None else self.conductor.tick()


_NOTHING = Account(cpu_s=0.0, wait_s=0.0, rss_bytes=0)


def _by_first(plan: ArrivalPlan) -> list[int]:
    """List the cameras that send at all, by their first frame."""
    cameras, first = np.unique(plan.camera, return_index=True)
    return [int(k) for k in cameras[np.argsort(first, kind="stable")]]


def _row(account: Account) -> list[float | int | None]:
    return [account.cpu_s, account.wait_s, account.rss_bytes]


def _write(laid: Laid, name: str, text: str) -> None:
    """Write a file whole or not at all: somebody waits for it."""
    part = laid.folder / f"{name}.part"
    part.write_text(text, encoding="utf-8")
    part.replace(laid.folder / name)
