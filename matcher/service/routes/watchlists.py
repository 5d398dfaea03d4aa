"""Routes: watchlists.

Owns how requests become changes. Knows nothing of how a change is made.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ValidationError

from matcher.records import SubjectId
from matcher.service.desks.curation import NewSubject, active_wire
from matcher.service.gate.pictures import check_still
from matcher.service.keeping.watchlist_rows import Activation
from matcher.service.refusals import RefusedError
from matcher.service.routes.answers import (
    actor_of,
    answer,
    problems,
    service_of,
    still_body,
    why_invalid,
)
from matcher.service.routes.enrolments import check_count, new_subjects
from matcher.service.wire import (
    SUBJECT_PATTERN,
    WATCHLIST_PATTERN,
    ActiveWatchlistWire,
    EnrolmentRequest,
    EnrolmentWire,
    SubjectsWire,
    SwapRequest,
    WatchlistRequest,
    WatchlistsWire,
    WatchlistWire,
    WithdrawalRequest,
    WithdrawalWire,
)

if TYPE_CHECKING:
    from matcher.service.keeping.watchlist_rows import Watchlist
    from matcher.service.service import Service

__all__ = ["router"]

router = APIRouter(tags=["watchlists"])

Model = TypeVar("Model", bound=BaseModel)

NamePath = Annotated[str, Path(pattern=WATCHLIST_PATTERN, examples=["main"])]
SubjectPath = Annotated[str, Path(pattern=SUBJECT_PATTERN, examples=["p-17"])]


@router.get(
    "/v1/watchlists",
    response_model=WatchlistsWire,
    responses=problems(),
    summary="All watchlists, by name",
)
async def list_watchlists(request: Request) -> Response:
    """List the watchlists."""
    service = service_of(request)
    found = await service.keeper.run(service.watchlists.list_all)
    return answer(
        WatchlistsWire(watchlists=tuple(_wire(service, each) for each in found))
    )


@router.post(
    "/v1/watchlists",
    status_code=HTTPStatus.CREATED,
    response_model=WatchlistWire,
    responses=problems(409, 413, 415),
    summary="Make an empty watchlist",
)
async def create(request: Request, body: WatchlistRequest) -> Response:
    """Make a watchlist with nobody on it."""
    service, actor = service_of(request), actor_of(request)
    made = await service.keeper.run(
        lambda: service.watchlists.create(body.name, actor=actor)
    )
    return answer(_wire(service, made), HTTPStatus.CREATED)


@router.get(
    "/v1/watchlists/{name}",
    response_model=WatchlistWire,
    responses=problems(404),
    summary="One watchlist, without its subjects",
)
async def get(request: Request, name: NamePath) -> Response:
    """Describe a watchlist."""
    service = service_of(request)
    found = await service.keeper.run(lambda: service.watchlists.get(name))
    return answer(_wire(service, found))


@router.delete(
    "/v1/watchlists/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404, 409),
    summary="Delete a watchlist and all its templates",
)
async def delete(request: Request, name: NamePath) -> None:
    """Delete a watchlist that is not searched."""
    await service_of(request).curation.delete(name, actor=actor_of(request))


@router.get(
    "/v1/watchlists/{name}/subjects",
    response_model=SubjectsWire,
    responses=problems(404),
    summary="Who is on a watchlist, a page at a time",
)
async def subjects(
    request: Request,
    name: NamePath,
    after: Annotated[
        str | None, Query(pattern=SUBJECT_PATTERN, description="The last of a page.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """List subjects in order of enrolment."""
    store = service_of(request).watchlists
    found = await service_of(request).keeper.run(
        lambda: store.subjects(name, after=after, limit=limit + 1)
    )
    page = tuple(found[:limit])
    return answer(
        SubjectsWire(
            subject_ids=page, next_after=page[-1] if len(found) > limit else None
        )
    )


@router.put(
    "/v1/watchlists/{name}/subjects/{subject_id}",
    status_code=HTTPStatus.CREATED,
    response_model=EnrolmentWire,
    responses=problems(404, 408, 409, 413, 415),
    openapi_extra=still_body("image/jpeg", "image/png"),
    summary="Enrol one subject by one picture",
)
async def enrol_picture(
    request: Request, name: NamePath, subject_id: SubjectPath
) -> Response:
    """Enrol the largest face of a picture; the picture is not kept."""
    service = service_of(request)
    body: bytes = request.state.body
    check_still(body, service.config.limits, said=request.state.media_type)
    subject = NewSubject(
        subject_id=SubjectId(subject_id), pictures=(body,), template=None
    )
    enrolled = await service.curation.enrol(name, [subject], actor=actor_of(request))
    return answer(enrolled, HTTPStatus.CREATED)


def _json_body(model: type[BaseModel]) -> dict[str, object]:
    """Describe a body that is read by `_read`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    }


async def _read(request: Request, model: type[Model]) -> Model:
    """Read a body that may be large, away from the event loop.

    Raises:
        RefusedError: If it does not say what it must.
    """
    body: bytes = request.state.body
    try:
        return await asyncio.to_thread(model.model_validate_json, body)
    except ValidationError as error:
        why = why_invalid(error.errors(include_url=False, include_input=False))
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", why) from error


@router.post(
    "/v1/watchlists/{name}/subjects",
    status_code=HTTPStatus.CREATED,
    response_model=EnrolmentWire,
    responses=problems(404, 408, 409, 413, 415),
    openapi_extra=_json_body(EnrolmentRequest),
    summary="Enrol many, by pictures or by templates, in one transaction",
)
async def enrol(request: Request, name: NamePath) -> Response:
    """Enrol a batch: all of it or nothing, but for pictures without a face."""
    service = service_of(request)
    asked = await _read(request, EnrolmentRequest)
    batch = await asyncio.to_thread(
        new_subjects, asked, limits=service.config.limits, stages=service.stages
    )
    enrolled = await service.curation.enrol(name, batch, actor=actor_of(request))
    return answer(enrolled, HTTPStatus.CREATED)


@router.delete(
    "/v1/watchlists/{name}/subjects/{subject_id}",
    response_model=WithdrawalWire,
    responses=problems(404, 409),
    summary="Withdraw one subject",
)
async def withdraw_one(
    request: Request, name: NamePath, subject_id: SubjectPath
) -> Response:
    """Withdraw a subject and delete their template."""
    return answer(
        await service_of(request).curation.withdraw(
            name, [SubjectId(subject_id)], actor=actor_of(request)
        )
    )


@router.post(
    "/v1/watchlists/{name}/withdrawals",
    response_model=WithdrawalWire,
    responses=problems(404, 408, 409, 413, 415),
    openapi_extra=_json_body(WithdrawalRequest),
    summary="Withdraw many, in one transaction",
)
async def withdraw(request: Request, name: NamePath) -> Response:
    """Withdraw subjects and delete their templates, all or nobody."""
    service = service_of(request)
    asked = await _read(request, WithdrawalRequest)
    check_count(len(asked.subject_ids), service.config.limits)
    return answer(
        await service.curation.withdraw(
            name,
            [SubjectId(subject_id) for subject_id in asked.subject_ids],
            actor=actor_of(request),
        )
    )


@router.get(
    "/v1/active-watchlist",
    response_model=ActiveWatchlistWire,
    responses=problems(404),
    summary="What is searched, and its threshold",
)
async def get_active(request: Request) -> Response:
    """Describe the watchlist that is searched."""
    watch = service_of(request).current.watch
    if watch is None:
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "no_watchlist",
            "a watchlist must be active to be described, got none; PUT one",
        )
    return answer(active_wire(watch, previous=None))


@router.put(
    "/v1/active-watchlist",
    response_model=ActiveWatchlistWire,
    responses=problems(404, 409, 413, 415),
    summary="Search another watchlist from the next frame on",
)
async def swap(request: Request, body: SwapRequest) -> Response:
    """Index a watchlist, find its threshold, and swap it in between two frames."""
    activation = Activation(
        name=body.name, threshold=body.threshold, target_fpir=body.target_fpir
    )
    return answer(
        await service_of(request).curation.activate(activation, actor=actor_of(request))
    )


def _wire(service: Service, watchlist: Watchlist) -> WatchlistWire:
    watch = service.current.watch
    return WatchlistWire(
        name=watchlist.name,
        version=watchlist.version,
        n_subjects=watchlist.n_subjects,
        is_active=watch is not None and watch.name == watchlist.name,
    )
