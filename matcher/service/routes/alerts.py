"""Routes: alerts, and what people make of them.

Owns pages and the event stream. Knows nothing of how alerts are kept.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from matcher.service.refusals import RefusedError
from matcher.service.routes.answers import actor_of, answer, problems, service_of
from matcher.service.wire import DecisionRequest, StoredAlertsWire, StoredAlertWire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from matcher.service.service import Service

__all__ = ["router"]

router = APIRouter(tags=["alerts"])

_LARGEST = 2**62
# Proxies give up on a silent connection after a minute or so.
_HEARTBEAT_S = 15.0
AlertPath = Annotated[
    str, Path(pattern=r"^[0-9a-f]{32}$", examples=["0f3c" + "0" * 28])
]


@router.get(
    "/v1/alerts",
    response_model=StoredAlertsWire,
    responses=problems(),
    summary="Alerts that are kept, oldest first, a page at a time",
)
async def page(
    request: Request,
    after: Annotated[
        int, Query(ge=0, le=_LARGEST, description="Number of the last alert known.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List alerts."""
    found = await service_of(request).desk.page(after=after, limit=limit + 1)
    alerts = tuple(found[:limit])
    return answer(
        StoredAlertsWire(
            alerts=alerts,
            next_after=alerts[-1].number if len(found) > limit else None,
        )
    )


@router.get(
    "/v1/alerts/stream",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `event: alert`, `id` its number, "
            "`data` a StoredAlertWire.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(),
    },
    summary="Alerts as they are raised (server-sent events)",
)
async def stream(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(
            pattern=r"^[0-9]{1,18}$",
            description="Number of the last alert heard of; absent, from now on.",
        ),
    ] = None,
) -> StreamingResponse:
    """Listen to alerts; a listener who comes back with its last id misses none."""
    service = service_of(request)
    if service.desk.n_listeners >= service.config.limits.max_streams:
        raise RefusedError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "full",
            f"at most {service.config.limits.max_streams} can listen at a time; try "
            "again later, or share a stream",
            retry_after_s=5,
        )
    after = await service.desk.newest() if last_event_id is None else int(last_event_id)
    return StreamingResponse(
        _events(service, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


async def _events(service: Service, after: int) -> AsyncIterator[str]:
    # Said at once, so that a client knows that it is heard.
    yield ": listening\n\n"
    async for alert in service.desk.listen(after=after, heartbeat_s=_HEARTBEAT_S):
        if alert is None:
            yield ": nothing yet\n\n"
        else:
            content = alert.model_dump_json()
            yield f"event: alert\nid: {alert.number}\ndata: {content}\n\n"


@router.get(
    "/v1/alerts/{alert_id}",
    response_model=StoredAlertWire,
    responses=problems(404),
    summary="One alert",
)
async def get(request: Request, alert_id: AlertPath) -> Response:
    """Describe an alert that is kept."""
    return answer(await service_of(request).desk.get(alert_id))


@router.post(
    "/v1/alerts/{alert_id}/decision",
    response_model=StoredAlertWire,
    responses=problems(404, 409, 413, 415),
    summary="What a person made of an alert; said once",
)
async def decide(
    request: Request, alert_id: AlertPath, body: DecisionRequest
) -> Response:
    """Keep a decision; the audit log names who made it."""
    return answer(
        await service_of(request).desk.decide(alert_id, body, actor=actor_of(request))
    )
