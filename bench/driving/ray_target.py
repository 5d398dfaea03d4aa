"""Matcher replicas on a Ray cluster, each with its share of the cameras, as a target.

Owns the sharing out of cameras, the account of what each replica owes, and what happens
when one dies: its frames in flight have failed and say so, Ray starts it again, and the
successor is told what it has to know. Placement and supervision are Ray's. Knows
nothing of when frames are due. Part of the shell.
"""

from __future__ import annotations

import logging
import pickle
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bench.errors import SystemGoneError, SystemStartError
from matcher.cluster.shift import shifted
from matcher.ledger import FrameKey
from matcher.ledger import Ledger as Account
from matcher.messages import Routed
from matcher.streams.capture_clock import this_boot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.driving.target import Ledger
    from matcher.messages import Results, SystemDescription
    from matcher.records import CameraId, EncodedFrame

__all__ = ["RayTarget"]

_LOG = logging.getLogger(__name__)

# Two calls under way: while one's results travel, the replica works on the other.
_CALLS = 2
_START_S = 300.0
_CLOCK_ROUND_TRIPS = 20
# A dead actor is missed at once; until Ray has started another, calls are refused.
_RETRY_S = 0.1
_NOT_AFTER_S = 120.0
# Calls to an actor that is known to be dead have failed, or are about to.
_CERTAIN_S = 5.0


@dataclass(slots=True, eq=False)
class _Berth:
    """One replica, and what it owes.

    Attributes:
        number: Which, from 0.
        actor: Its handle.
        life: Of the actor, to which frames are addressed; empty while there is none.
        offset_ns: Our clock less its.
        backlog: Frames that wait for a life.
        calls: Of each frame that is owed, the call that handed it over.
    """

    number: int
    actor: Any
    account: Account = field(default_factory=Account)
    life: str = ""
    offset_ns: int = 0
    backlog: deque[Routed] = field(default_factory=deque)
    calls: dict[FrameKey, tuple[Any, Routed]] = field(default_factory=dict)


class RayTarget:
    """Replicas as one `bench.driving.target.Target`.

    Attributes:
        system: What they are.
        pid: None: they may be anywhere.
    """

    pid: int | None = None

    def __init__(
        self,
        ray: Any,  # noqa: ANN401 - the module
        actors: Sequence[Any],
        ledger: Ledger,
        *,
        clock: Callable[[], int],
        told: Callable[[str], None],
    ) -> None:
        """Wait until all replicas are ready, and listen to them.

        Args:
            ray: The module, joined to a cluster.
            actors: The replicas' handles.
            ledger: Told of every frame.
            clock: Nanoseconds.
            told: Given a sentence on each replica that died.

        Raises:
            SystemStartError: If one does not come up.
        """
        self._ray = ray
        self._ledger = ledger
        self._clock = clock
        self._told = told
        self._lock = threading.Lock()
        self._is_over = False
        self._berth_of: dict[CameraId, _Berth] = {}
        self._berths = [_Berth(number=k, actor=actor) for k, actor in enumerate(actors)]
        try:
            systems: list[SystemDescription] = ray.get(
                [berth.actor.system.remote() for berth in self._berths],
                timeout=_START_S,
            )
            for berth in self._berths:
                berth.life = ray.get(berth.actor.resume.remote((), ()))
                berth.offset_ns = self._clock_offset_ns(berth)
        except ray.exceptions.RayError as error:
            raise SystemStartError(reason=_in_short(error)) from error
        threads = (("replicas", len(self._berths)), *systems[0].threads)
        self.system = replace(systems[0], threads=threads)
        self._listeners = [
            threading.Thread(target=self._hear, args=(berth,), daemon=True)
            for berth in self._berths
        ]
        for listener in self._listeners:
            listener.start()

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.system.name

    def read_clock(self, asked_ns: int) -> int:  # noqa: ARG002 - asked in one call
        """Read the first replica's clock, told as ours, nanoseconds."""
        first = self._berths[0]
        try:
            _, there_ns = self._ray.get(first.actor.read_clock.remote())
        except self._ray.exceptions.RayError as error:
            raise SystemGoneError(reason=_in_short(error)) from error
        return int(there_ns) + first.offset_ns

    def issue(self, frame: EncodedFrame) -> None:
        """Hand one frame to the replica of its camera."""
        routed = Routed(frame=frame, received_ns=self._clock())
        with self._lock:
            berth = self._berth_of.get(frame.camera_id)
            if berth is None:
                # The least laden; equal ones in order, so that runs repeat.
                berth = min(self._berths, key=lambda b: len(b.account.cameras))
                self._berth_of[frame.camera_id] = berth
                berth.account.take_on(frame.camera_id)
            self._ledger.issued()
            if berth.life:
                self._hand(berth, routed)
            else:
                berth.backlog.append(routed)

    def flush(self) -> None:
        """Wait until every frame issued has ended.

        Raises:
            SystemGoneError: If that will not come.
        """
        self._ledger.wait_for_room(1)

    def close(self) -> None:
        """Let the replicas go."""
        self._is_over = True
        for berth in self._berths:
            self._ray.kill(berth.actor)
        for listener in self._listeners:
            listener.join()

    def _hand(self, berth: _Berth, routed: Routed) -> None:
        frame = routed.frame
        berth.account.sent(routed)
        call = berth.actor.take.remote(berth.life, frame)
        berth.calls[frame.camera_id, frame.index] = call, routed

    def _hear(self, berth: _Berth) -> None:
        """Take in a replica's results, for as long as there are replicas."""
        ray = self._ray
        calls: deque[Any] = deque()
        while not self._is_over:
            while len(calls) < _CALLS:
                work = berth.actor.work.options(concurrency_group="work")
                calls.append(work.remote())
            try:
                parcel = ray.get(calls.popleft())
            except ray.exceptions.RayActorError as error:
                calls.clear()
                if not self._is_over:
                    self._replace(berth, error)
                continue
            except ray.exceptions.RayError as error:
                self._give_up(f"replica {berth.number} failed", error)
                return
            results: Results = pickle.loads(parcel.payload)  # noqa: S301 - our own
            with self._lock:
                berth.account.heard(parcel)
                for key in parcel.ended:
                    berth.calls.pop(key, None)
            self._ledger.report([shifted(r, berth.offset_ns) for r in results.frames])

    def _replace(self, berth: _Berth, error: Exception) -> None:
        """Write off what a dead replica owes, and brief the one that Ray starts."""
        cause = f"lost: replica {berth.number} died"
        with self._lock:
            berth.life = ""
            untaken = self._untaken(berth)
            written_off = berth.account.lose(cause=cause, now_ns=self._clock())
            memories, frames = berth.account.legacy()
            # What its successor cannot decode, since a later key frame is all that was
            # kept, is lost as well.
            begins = {f.camera_id: f.index for f in reversed(frames)}
            untaken = {
                (camera_id, index): routed
                for (camera_id, index), routed in untaken.items()
                if index >= begins.get(camera_id, 0)
            }
            berth.backlog.extendleft(reversed(untaken.values()))
        lost = [
            result
            for result in written_off
            if (result.outcome.camera_id, result.outcome.frame_index) not in untaken
        ]
        seen = tuple(f for f in frames if (f.camera_id, f.index) not in untaken)
        self._ledger.report(lost)
        reason = _in_short(error)
        _LOG.warning("%s (%s); %d frames with it", cause, reason, len(lost))
        self._told(
            f"Replica {berth.number} died in the run; {len(lost)} frames in flight "
            "were lost with it, and Ray started another in its place."
        )
        ray = self._ray
        ends_ns = self._clock() + round(_NOT_AFTER_S * 1e9)
        while not self._is_over:
            try:
                life = ray.get(berth.actor.resume.remote(memories, seen))
                offset_ns = self._clock_offset_ns(berth)
                break
            except ray.exceptions.RayActorError as again:
                if self._clock() > ends_ns or not _may_return(ray, again):
                    self._give_up(f"replica {berth.number} is gone", again)
                    return
                threading.Event().wait(_RETRY_S)
        else:
            return
        with self._lock:
            berth.life, berth.offset_ns = life, offset_ns
            while berth.backlog:
                self._hand(berth, berth.backlog.popleft())

    def _untaken(self, berth: _Berth) -> dict[FrameKey, Routed]:
        """Find the frames that a dead replica owes but never had: to be sent anew.

        The call that hands a frame over has ended well if, and only if, it was taken.
        """
        ray = self._ray
        untaken = {}
        for key, (call, routed) in berth.calls.items():
            try:
                ray.get(call, timeout=_CERTAIN_S)
            except (ray.exceptions.RayError, ray.exceptions.GetTimeoutError):
                untaken[key] = routed
        berth.calls.clear()
        return untaken

    def _give_up(self, what: str, error: Exception) -> None:
        self._is_over = True
        sentence = f"{what} ({_in_short(error)})"
        self._ledger.lose(lambda: sentence)

    def _clock_offset_ns(self, berth: _Berth) -> int:
        """Say how far our clock is ahead of a replica's, by the quickest answer.

        Source:
            F. Cristian, Probabilistic clock synchronization, Distributed Computing 3
            (1989): the reading was made in the middle of the round trip, give or take
            half of it.
        """
        best: tuple[int, int] | None = None
        for _ in range(_CLOCK_ROUND_TRIPS):
            asked_ns = self._clock()
            boot, there_ns = self._ray.get(berth.actor.read_clock.remote())
            answered_ns = self._clock()
            if boot == this_boot():
                return 0
            trip_ns = answered_ns - asked_ns
            if best is None or trip_ns < best[0]:
                best = trip_ns, (asked_ns + answered_ns) // 2 - there_ns
        return 0 if best is None else best[1]


def _may_return(ray: Any, error: Exception) -> bool:  # noqa: ANN401 - the module
    """Whether Ray is about to start the actor again."""
    return isinstance(error, ray.exceptions.ActorUnavailableError)


def _in_short(error: Exception) -> str:
    """Say in one line what Ray says in many: what was raised, else what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return repr(error)
    # Of a traceback the last line is the exception's own.
    return lines[-1 if "Traceback (most recent call last):" in str(error) else 0]
