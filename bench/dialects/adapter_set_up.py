"""The conversations that ready a vendor's matcher, by an adapter's tables.

Owns what a refusal means there: the run does not begin. Knows nothing of how a call is
made of its template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bench.errors import RemoteError
from matcher.gallery import FailureToEnrol
from matcher.records import SubjectId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.dialects.adapter_settings import AdapterConfig, CallConfig
    from bench.dialects.dialect import Answer, Call, Conversation, Sought

__all__ = ["call_all", "enrol_all", "excerpt"]

# Makes a call of its template: the values of its placeholders, a picture and its type.
_Make: TypeAlias = "Callable[[CallConfig, Mapping[str, str], bytes, str], Call]"

_EXCERPT = 200


def enrol_all(
    config: AdapterConfig, make: _Make, sought: Sought
) -> Conversation[list[FailureToEnrol]]:
    """Enrol every portrait, one call each.

    Args:
        config: The adapter.
        make: Makes calls.
        sought: The watchlist.

    Returns:
        Subjects of whom no portrait was taken.

    Raises:
        RemoteError: If the adapter has no such call, or the vendor refuses one.
    """
    enrol = config.enrol
    if enrol is None:
        raise RemoteError(
            what="be told how subjects are enrolled",
            found=f"adapter '{config.name}' has no [enrol]",
            remedy="add it, or enrol them yourself and use --enrol present",
        )
    failed: dict[str, str] = {}
    enrolled: set[str] = set()
    for portrait in sought.portraits:
        values = {"subject_id": portrait.subject_id, "watchlist": sought.name}
        answer = yield make(enrol, values, portrait.content, portrait.media_type)
        if answer.status in enrol.failed:
            cause = f"refused {answer.status}: {excerpt(answer)}"
            failed.setdefault(portrait.subject_id, cause)
        elif answer.status in enrol.accepted:
            enrolled.add(portrait.subject_id)
        else:
            raise _refusal(answer, f"enrol '{portrait.subject_id}'")
    # One picture with a face is enough to be enrolled.
    return [
        FailureToEnrol(subject_id=SubjectId(subject_id), cause=cause)
        for subject_id, cause in failed.items()
        if subject_id not in enrolled
    ]


def call_all(
    calls: tuple[CallConfig, ...],
    make: _Make,
    values: Mapping[str, str],
    *,
    table: str,
) -> Conversation[None]:
    """Make the calls of one table, in order.

    Raises:
        RemoteError: If the vendor refuses one.
    """
    for config in calls:
        answer = yield make(config, values, b"", "")
        if answer.status not in config.accepted:
            raise _refusal(
                answer, f"take part in [[{table}]] ({config.method} {config.path})"
            )


def excerpt(answer: Answer) -> str:
    """Quote the beginning of an answer, in one line."""
    text = answer.body[:_EXCERPT].decode("utf-8", errors="replace")
    return " ".join(text.split())


def _refusal(answer: Answer, what: str) -> RemoteError:
    found = (
        answer.failure
        if answer.failure
        else f"it answered {answer.status}: {excerpt(answer)}"
    )
    return RemoteError(
        what=what, found=found, remedy="see its log, and the adapter's templates"
    )
