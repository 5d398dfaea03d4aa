"""Routes: frames and pictures.

Owns how a request becomes an arrival. Knows nothing of how it is answered.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from matcher.records import CameraId
from matcher.service.desks.matching import Arrival
from matcher.service.gate.gate import H264
from matcher.service.gate.pictures import check_still
from matcher.service.refusals import RefusedError
from matcher.service.routes.answers import (
    actor_of,
    answer,
    problems,
    service_of,
    still_body,
)
from matcher.service.wire import (
    CAMERA_PATTERN,
    FrameResultWire,
    IdentificationWire,
)

__all__ = ["router"]

router = APIRouter(tags=["matching"])

_LARGEST = 2**62
CameraQuery = Annotated[
    str, Query(pattern=CAMERA_PATTERN, examples=["east"], description="Which camera.")
]
CameraPath = Annotated[str, Path(pattern=CAMERA_PATTERN, examples=["east"])]


@router.post(
    "/v1/frames",
    response_model=FrameResultWire,
    responses=problems(408, 409, 410, 413, 415),
    openapi_extra=still_body("image/jpeg", "image/png", H264),
    summary="One frame of a camera: what was seen on it, and its alerts",
)
async def post_frame(
    request: Request,
    camera_id: CameraQuery,
    capture_time_ns: Annotated[
        int | None,
        Query(
            ge=0,
            le=_LARGEST,
            description="Nanoseconds of the service's clock; absent, now.",
        ),
    ] = None,
    frame_index: Annotated[
        int | None,
        Query(
            ge=0, le=_LARGEST, description="Absent, one more than the camera's last."
        ),
    ] = None,
    *,
    unhurried: Annotated[
        bool, Query(description="The capture time is of another clock: no deadline.")
    ] = False,
    max_age_s: Annotated[
        float | None,
        Query(gt=0.0, le=3600.0, description="Refuse the frame when older."),
    ] = None,
    detail: Annotated[
        Literal["alerts", "full"],
        Query(description="full adds stage events and probes."),
    ] = "alerts",
) -> Response:
    """Post a frame; the answer comes when the frame has ended."""
    service = service_of(request)
    if detail == "full" and not service.config.is_measuring:
        raise RefusedError(
            HTTPStatus.FORBIDDEN,
            "not_measuring",
            "detail=full tells of people who match nobody, and this service is not "
            "for measuring; leave it out, or start with --set service.measuring=true",
        )
    body: bytes = request.state.body
    said: str = request.state.media_type
    if said != H264:
        check_still(body, service.config.limits, said=said)
    elif not body.startswith((b"\0\0\1", b"\0\0\0\1")):
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "undecodable_image",
            "an access unit of H.264 must begin with a start code (Annex B), this one "
            "does not; check the encoder",
        )
    arrival = Arrival(
        camera_id=CameraId(camera_id),
        packet=body,
        received_ns=request.state.received_ns,
        actor=actor_of(request),
        frame_index=frame_index,
        capture_time_ns=capture_time_ns,
        max_age_s=max_age_s,
        is_unhurried=unhurried,
        in_full=detail == "full",
    )
    return answer(await service.matching.frame(arrival))


@router.post(
    "/v1/identify",
    response_model=IdentificationWire,
    responses=problems(408, 409, 413, 415),
    openapi_extra=still_body("image/jpeg", "image/png"),
    summary="One picture: its largest face against the active watchlist",
)
async def identify(
    request: Request,
    k: Annotated[int, Query(ge=1, le=100, description="Candidates.")] = 5,
) -> Response:
    """Search for the largest face of a picture; nothing of it is kept."""
    service = service_of(request)
    body: bytes = request.state.body
    check_still(body, service.config.limits, said=request.state.media_type)
    return answer(await service.matching.identify(body, k=k, actor=actor_of(request)))


@router.delete(
    "/v1/cameras",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(),
    summary="Forget all cameras' tracks and recent alerts",
)
async def forget_cameras(request: Request) -> None:
    """Let every camera begin as if it had never sent a frame."""
    await service_of(request).matching.forget(None)


@router.delete(
    "/v1/cameras/{camera_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(),
    summary="Forget one camera's tracks and recent alerts",
)
async def forget_camera(request: Request, camera_id: CameraPath) -> None:
    """Let a camera begin as if it had never sent a frame; it need not be known."""
    await service_of(request).matching.forget(CameraId(camera_id))
