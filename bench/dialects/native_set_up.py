"""The conversation that readies our own service for a run, and the one that ends it.

Owns the order: what the service is, whether its clock is ours, the watchlist of the
run, its threshold, the cameras. Knows nothing of sockets: it yields calls and is sent
answers.
"""

from __future__ import annotations

import base64
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import numpy as np
from pydantic import BaseModel, ValidationError

from bench.dialects.dialect import Call, EnrolWay, Standing
from bench.errors import RemoteError
from matcher.gallery import FailureToEnrol
from matcher.records import SubjectId
from matcher.service.wire import (
    ActiveWatchlistWire,
    ClockWire,
    EnrolmentRequest,
    EnrolmentWire,
    Problem,
    SubjectEnrolment,
    SubjectsWire,
    SwapRequest,
    SystemWire,
    WatchlistRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.dialects.dialect import Answer, Conversation, Sought
    from matcher.config import MatcherConfig

__all__ = ["begin", "set_up", "tear_down"]

_Body = TypeVar("_Body", bound=BaseModel)

_CLOCK_READINGS = 20
# A body of pictures stays well below what a service may refuse as too large.
_PICTURES_BYTES = 2_000_000
_TEMPLATES = 1_000
_WATCHLISTS = "/v1/watchlists"
_ACTIVE = "/v1/active-watchlist"


def set_up(
    sought: Sought, *, matcher: MatcherConfig, boot_id: str
) -> Conversation[Standing]:
    """Ready the service.

    Args:
        sought: The watchlist that the run needs.
        matcher: The scenario's settings: its threshold rules, the rest is compared.
        boot_id: Of this machine.

    Raises:
        RemoteError: If the service refuses, or lacks what the run needs.
    """
    there = yield from _ask(
        SystemWire, Call(method="GET", path="/v1/system"), "describe itself"
    )
    if not there.measuring:
        raise RemoteError(
            what="tell stages and probes with `detail=full`",
            found="it says that it is not measuring",
            remedy="start it with `--set service.measuring=true`",
        )
    is_here = boot_id != "" and there.boot_id == boot_id
    offset_ns = 0 if is_here else (yield from _clock_offset())
    failures: tuple[FailureToEnrol, ...] = ()
    previous = None
    if sought.way is EnrolWay.PRESENT:
        active = yield from _present(sought)
    else:
        failures = yield from _enrol(sought, there)
        active = yield from _swap(sought, matcher)
        previous = active.previous
    yield from begin()
    there = yield from _ask(
        SystemWire, Call(method="GET", path="/v1/system"), "describe itself"
    )
    return Standing(
        system=there.description(),
        n_enrolled=active.n_subjects,
        failures=failures,
        pid=there.pid if is_here else None,
        clock_offset_ns=offset_ns,
        previous=previous,
        notes=tuple(_differences(matcher, there.settings)),
        settings=there.settings,
    )


def begin() -> Conversation[None]:
    """Have all cameras' tracks and alerts forgotten."""
    yield from _tell(Call(method="DELETE", path="/v1/cameras"), "forget all cameras")


def tear_down(sought: Sought, standing: Standing) -> Conversation[None]:
    """Swap back what was searched before, and delete the run's watchlist.

    Where nothing was searched before, the run's stays: a service cannot search none.
    """
    if sought.way is EnrolWay.PRESENT or standing.previous is None:
        return
    back = SwapRequest(name=standing.previous)
    yield from _tell(_json("PUT", _ACTIVE, back), "swap its watchlist back")
    path = f"{_WATCHLISTS}/{quote(sought.name)}"
    yield from _tell(Call(method="DELETE", path=path), "delete the run's watchlist")


def _clock_offset() -> Conversation[int]:
    """Estimate by how much the service's clock is ahead of ours.

    Source:
        F. Cristian, Probabilistic clock synchronization, Distributed Computing 3
        (1989): the reading of the shortest round trip, taken as made in its middle.
    """
    best: tuple[int, int] | None = None
    for _ in range(_CLOCK_READINGS):
        answer = yield Call(method="GET", path="/v1/clock")
        reading = _read(ClockWire, answer, "tell its clock").monotonic_ns
        trip_ns = answer.answered_ns - answer.sent_ns
        middle_ns = answer.sent_ns + trip_ns // 2
        if best is None or trip_ns < best[0]:
            best = trip_ns, reading - middle_ns
    return 0 if best is None else best[1]


def _present(sought: Sought) -> Conversation[ActiveWatchlistWire]:
    """Check that exactly the run's subjects are on the active watchlist."""
    active = yield from _ask(
        ActiveWatchlistWire, Call(method="GET", path=_ACTIVE), "search some watchlist"
    )
    there: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": "1000"} | ({} if after is None else {"after": after})
        path = f"{_WATCHLISTS}/{quote(active.name)}/subjects?{urlencode(query)}"
        page = yield from _ask(
            SubjectsWire, Call(method="GET", path=path), "list its subjects"
        )
        there.extend(page.subject_ids)
        after = page.next_after
        if after is None:
            break
    missing, others = (
        set(sought.subject_ids) - set(there),
        set(there) - set(sought.subject_ids),
    )
    if missing or others:
        example = min(missing) if missing else min(others)
        raise RemoteError(
            what=f"hold the scenario's {len(sought.subject_ids)} subjects on its "
            "active watchlist",
            found=f"on '{active.name}' {len(missing)} are missing and {len(others)} "
            f"are others, e.g. '{example}'",
            remedy="have them enrolled with --enrol portraits",
        )
    return active


def _enrol(
    sought: Sought, there: SystemWire
) -> Conversation[tuple[FailureToEnrol, ...]]:
    created = WatchlistRequest(name=sought.name)
    yield from _tell(_json("POST", _WATCHLISTS, created), "make a watchlist")
    failures: list[FailureToEnrol] = []
    path = f"{_WATCHLISTS}/{quote(sought.name)}/subjects"
    for batch in _batches(sought, there):
        done = yield from _ask(EnrolmentWire, _json("POST", path, batch), "enrol")
        failures.extend(
            FailureToEnrol(subject_id=SubjectId(f.subject_id), cause=f.cause)
            for f in done.failures
        )
    return tuple(failures)


def _batches(sought: Sought, there: SystemWire) -> Iterator[EnrolmentRequest]:
    if sought.way is EnrolWay.PORTRAITS:
        yield from _by_portraits(sought)
        return
    gallery = sought.gallery
    if gallery is None or gallery.embedder_sha256 != there.embedder_sha256:
        own = "none" if gallery is None else gallery.embedder_sha256[:12]
        raise RemoteError(
            what="have the embedder that made the templates",
            found=f"its embedder is {there.embedder_sha256[:12]}…, ours {own}…",
            remedy="use --enrol portraits, or start it with the scenario's embedder",
        )
    rows = np.ascontiguousarray(gallery.templates, dtype="<f4")
    for first in range(0, len(gallery), _TEMPLATES):
        yield EnrolmentRequest(
            subjects=tuple(
                SubjectEnrolment(
                    subject_id=str(gallery.subject_ids[row]),
                    template_f32_base64=_base64(rows[row].tobytes()),
                )
                for row in range(first, min(first + _TEMPLATES, len(gallery)))
            ),
            embedder_sha256=gallery.embedder_sha256,
        )


def _by_portraits(sought: Sought) -> Iterator[EnrolmentRequest]:
    batch: list[SubjectEnrolment] = []
    n_bytes = 0
    for subject_id, portraits in groupby(sought.portraits, lambda p: p.subject_id):
        contents = [portrait.content for portrait in portraits]
        size = sum(len(content) for content in contents)
        if batch and n_bytes + size > _PICTURES_BYTES:
            yield EnrolmentRequest(subjects=tuple(batch))
            batch, n_bytes = [], 0
        batch.append(
            SubjectEnrolment(
                subject_id=subject_id,
                images_base64=tuple(_base64(content) for content in contents),
            )
        )
        n_bytes += size
    if batch:
        yield EnrolmentRequest(subjects=tuple(batch))


def _swap(sought: Sought, matcher: MatcherConfig) -> Conversation[ActiveWatchlistWire]:
    decision = matcher.decision
    by_rule = decision.threshold is None and decision.threshold_llr is None
    wish = SwapRequest(
        name=sought.name,
        threshold=decision.threshold,
        target_fpir=decision.target_fpir if by_rule else None,
    )
    return (
        yield from _ask(
            ActiveWatchlistWire, _json("PUT", _ACTIVE, wish), "search the watchlist"
        )
    )


def _differences(
    matcher: MatcherConfig, settings: Mapping[str, object]
) -> Iterator[str]:
    """Name the settings in which the service is not what the scenario says."""
    ours = _flat(matcher.model_dump(mode="json"))
    theirs = _flat(settings)
    # The run states these two to the service itself.
    told = {"decision.threshold", "decision.target_fpir"}
    for key in sorted(ours.keys() & theirs.keys() - told):
        if ours[key] != theirs[key]:
            yield (
                f"The service runs with matcher.{key} = {theirs[key]}, where the "
                f"scenario says {ours[key]}."
            )


def _flat(table: Mapping[str, object], *, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= _flat(value, prefix=f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _json(method: str, path: str, body: BaseModel) -> Call:
    return Call(
        method=method,
        path=path,
        headers=(("Content-Type", "application/json"),),
        body=body.model_dump_json(exclude_none=True).encode(),
    )


def _ask(kind: type[_Body], call: Call, what: str) -> Conversation[_Body]:
    """Make a call whose answer has a body."""
    answer = yield call
    return _read(kind, answer, what)


def _tell(call: Call, what: str) -> Conversation[None]:
    """Make a call whose answer says nothing but that it was done."""
    answer = yield call
    if not 200 <= answer.status < 300:
        raise _refusal(answer, what)


def _read(kind: type[_Body], answer: Answer, what: str) -> _Body:
    if not 200 <= answer.status < 300:
        raise _refusal(answer, what)
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        raise RemoteError(
            what=what,
            found=f"its answer is none of the contract's ({error.error_count()} "
            f"faults, first: {error.errors()[0]['msg']})",
            remedy="check the address, or describe its API with --adapter",
        ) from error


def _refusal(answer: Answer, what: str) -> RemoteError:
    if answer.failure:
        return RemoteError(
            what=what, found=answer.failure, remedy="check that it runs there"
        )
    try:
        problem = Problem.model_validate_json(answer.body)
        found = f"it answered {answer.status} {problem.code}: {problem.detail}"
    except ValidationError:
        found = f"it answered {answer.status}"
    remedies = {
        401: "pass its token with --token-file",
        403: "pass a token that may do this with --token-file",
        404: "check the address, or describe its API with --adapter",
    }
    remedy = remedies.get(answer.status, "see the service's log")
    return RemoteError(what=what, found=found, remedy=remedy)
