"""Locust's users: each is a camera, or somebody with probes, and keeps to its plan.

Owns what a worker does: it asks the master which camera a new user is, posts at
absolute times whatever became of earlier requests, and hands everything that came back
to the master with Locust's own reports. Imported by Locust's processes alone.

Two figures of each request go into Locust's tables: its own, from the moment of
sending, and beside it, of type PLANNED, the time since the planned moment. The second
does not enter Locust's aggregated row, which would count each request twice.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
from gevent.event import AsyncResult
from locust import FastHttpUser, constant, task
from locust.exception import StopUser
from locust.runners import WorkerRunner

from bench.dialects.dialect import FrameLabel
from bench.host.resources import read_account
from bench.swarm.messages import (
    FRAME,
    PROBE,
    PUSH,
    PUSHED,
    REPORT,
    SEAT,
    SEATED,
    Row,
)
from bench.swarm.posting import clock_ns, dialects_of, make_call, open_client
from matcher.records import CameraId

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc.protocol import Message

    from bench.dialects.dialect import Answer, Call
    from bench.swarm.brief import Brief, Laid

__all__ = ["CameraUser", "IdentifyUser", "WorkerPart"]

# As the harness's own client does.
MAX_UNDER_WAY = 16
_PUSH_S = 1.5
_PUSHERS = 8
_SEAT_S = 30.0
_GRACE_S = 2.0


class WorkerPart:
    """What the users of one worker share.

    Attributes:
        laid: The brief.
        dialects: One for each address.
    """

    def __init__(self, laid: Laid, environment: Environment) -> None:
        """Listen to the master, and report to it."""
        self.laid = laid
        self.dialects = dialects_of(laid.brief)
        self._environment = environment
        self._rows: list[Row] = []
        self._asked: dict[int, AsyncResult[tuple[int, int]]] = {}
        self._numbers = itertools.count()
        self._test = 0
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            runner.register_message(PUSH, self._push, concurrent=True)
            runner.register_message(SEATED, self._seated)
        environment.events.report_to_master.add_listener(self._report)

    def seat(self, kind: str) -> tuple[int, int]:
        """Ask which camera, or poster of probes, a user is, and when the run starts.

        Raises:
            StopUser: If each has a user already.
        """
        number = next(self._numbers)
        answer: AsyncResult[tuple[int, int]] = AsyncResult()
        self._asked[number] = answer
        runner = self._environment.runner
        if runner is None:
            raise StopUser
        runner.send_message(SEAT, {"kind": kind, "request": number})
        seat, start_ns = answer.get(timeout=_SEAT_S)
        if seat < 0:
            raise StopUser
        return seat, start_ns

    def note(self, row: Row, *, name: str, planned_ns: int) -> None:
        """Keep what came of a request, and log its time since the planned moment."""
        self._rows.append(row)
        elapsed_ms = (row[3] - planned_ns) / 1e6
        entry = self._environment.stats.get(name, "PLANNED")
        entry.log(elapsed_ms, len(row[6]))  # type: ignore[arg-type]  # as Locust does

    def call_for_frame(self, row: int, start_ns: int) -> tuple[str, Call]:
        """Make the call of one row of the plan, and say where it goes."""
        laid = self.laid
        plan, brief = laid.plan, laid.brief
        camera = int(plan.camera[row])
        width_px, height_px = brief.sizes[camera]
        index = int(plan.frame_index[row])
        place = camera % len(brief.urls)
        label = FrameLabel(
            camera_id=CameraId(plan.camera_ids[camera]),
            index=index,
            capture_time_ns=start_ns + int(plan.offset_ns[row]),
            width_px=width_px,
            height_px=height_px,
        )
        picture = laid.pictures.picture(plan.camera_ids[camera], index)
        call = self.dialects[place].frame_call(
            label, picture, brief.media_type, unhurried=False
        )
        return brief.urls[place], call

    def call_for_probe(self, row: int) -> tuple[str, Call]:
        """Make the call of one row of the probe plan, and say where it goes."""
        place = row % len(self.laid.brief.urls)
        call = self.dialects[place].identify_call(self.laid.probe(row), "image/jpeg")
        return self.laid.brief.urls[place], call

    def _report(self, client_id: str, data: dict[str, Any]) -> None:  # noqa: ARG002
        rows, self._rows = self._rows, []
        data[REPORT] = {"test": self._test, "rows": rows, "account": _account()}

    def _seated(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002
        asked = self._asked.pop(int(msg.data["request"]), None)
        if asked is not None:
            asked.set((int(msg.data["seat"]), int(msg.data["start_ns"])))

    def _push(self, environment: Environment, msg: Message) -> None:
        """Post frames to the null service as fast as they are answered."""
        self._test = int(msg.data["test"])
        brief = self.laid.brief
        client = open_client(brief.null_url, timeout_s=_PUSH_S)
        began_ns = clock_ns()
        rows = itertools.cycle(range(len(self.laid.plan)))

        def push() -> int:
            n = 0
            while clock_ns() - began_ns < _PUSH_S * 1e9:
                _, call = self.call_for_frame(next(rows), began_ns)
                n += make_call(client, brief.null_url, call, name="null").status == 200
            return n

        pushers = [gevent.spawn(push) for _ in range(_PUSHERS)]
        gevent.joinall(pushers, raise_error=True)
        took_s = (clock_ns() - began_ns) / 1e9
        runner = environment.runner
        if runner is not None:
            rate_hz = sum(pusher.value for pusher in pushers) / took_s
            runner.send_message(PUSHED, {"rate_hz": rate_hz, "account": _account()})


def _account() -> list[float | None]:
    """Read what this process has used so far."""
    account = read_account(os.getpid())
    return [account.cpu_s, account.wait_s, account.rss_bytes]


class _PlannedUser(FastHttpUser):
    """Keeps to the rows of a plan that are its own."""

    abstract = True
    wait_time = constant(0)
    kind: ClassVar[str]
    part: ClassVar[WorkerPart]

    @classmethod
    def settle(cls, brief: Brief) -> None:
        """Take from the brief what Locust wants to know before there is a user."""
        cls.host = brief.urls[0]
        cls.network_timeout = cls.connection_timeout = brief.timeout_s
        cls.concurrency = MAX_UNDER_WAY

    @task
    def keep_to_the_plan(self) -> None:
        """Post everything at its time; then there is nothing more to do.

        Raises:
            StopUser: At the end.
        """
        seat, start_ns = self.part.seat(self.kind)
        laid = self.part.laid
        plan = laid.plan if self.kind == FRAME else laid.probe_plan
        under_way: set[gevent.Greenlet[[int, int], None]] = set()
        for row in (plan.camera == seat).nonzero()[0].tolist():
            due_ns = start_ns + int(plan.offset_ns[row])
            gevent.sleep(max(0.0, (due_ns - clock_ns()) / 1e9))
            under_way = {post for post in under_way if not post.ready()}
            if len(under_way) >= MAX_UNDER_WAY:
                self._skip(row, due_ns, len(under_way))
            else:
                under_way.add(gevent.spawn(self._post, row, start_ns))
        gevent.joinall(under_way, timeout=laid.brief.timeout_s + _GRACE_S)
        raise StopUser

    def _post(self, row: int, start_ns: int) -> None:
        part = self.part
        if self.kind == FRAME:
            url, call = part.call_for_frame(row, start_ns)
            name, plan = part.laid.brief.frame_name, part.laid.plan
        else:
            url, call = part.call_for_probe(row)
            name, plan = part.laid.brief.identify_name, part.laid.probe_plan
        answer: Answer = make_call(self.client, url, call, name=name)
        part.note(
            (
                self.kind,
                row,
                answer.sent_ns,
                answer.answered_ns,
                answer.status,
                answer.failure,
                answer.body,
            ),
            name=name,
            planned_ns=start_ns + int(plan.offset_ns[row]),
        )

    def _skip(self, row: int, due_ns: int, n_under_way: int) -> None:
        now_ns = clock_ns()
        cause = f"not posted: {n_under_way} requests of the camera under way"
        self.part.note(
            (self.kind, row, now_ns, now_ns, 0, cause, b""),
            name="not posted",
            planned_ns=due_ns,
        )


class CameraUser(_PlannedUser):
    """One camera: posts its frames."""

    kind = FRAME
    weight = 1


class IdentifyUser(_PlannedUser):
    """Somebody at a desk: posts probes."""

    kind = PROBE
