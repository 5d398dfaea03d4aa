"""Routes: what the service is and how it fares.

Owns what is said of it. Knows nothing of frames or watchlists.
"""

from __future__ import annotations

import json
import os
import platform
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response

from matcher.assembly import detector_sha256, embedder_sha256
from matcher.service.routes.answers import answer, problems, service_of
from matcher.service.wire import ClockWire, SystemWire

__all__ = ["router"]

router = APIRouter(tags=["service"])

_LIBRARIES = (
    "av",
    "faiss-cpu",
    "fastapi",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "uvicorn",
)
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}


@router.get(
    "/v1/system",
    response_model=SystemWire,
    responses=problems(),
    summary="What a result must name to be repeated",
)
async def system(request: Request) -> Response:
    """Describe the service, its settings and its machine."""
    service = service_of(request)
    matcher, watch = service.matcher, service.current.watch
    return answer(
        SystemWire(
            name="matcher service",
            detector=f"{matcher.detector.name}@{detector_sha256(matcher.detector)}",
            embedder=f"{matcher.embedder.name}@{embedder_sha256(matcher.embedder)}",
            index=matcher.index.name if watch is None else watch.index,
            gallery_size=0 if watch is None else len(watch.live),
            threshold=1.0 if watch is None else watch.threshold.value,
            threshold_origin=(
                "no watchlist is active" if watch is None else watch.threshold.origin
            ),
            threads=dict(service.stages.threads),
            versions={name: version(name) for name in _LIBRARIES},
            n_cohort=None if watch is None else watch.threshold.n_cohort,
            embedder_sha256=service.stages.embedder_sha256,
            template_dimension=service.stages.dimension,
            settings=json.loads(matcher.model_dump_json()),
            hostname=platform.node(),
            boot_id=_boot_id(),
            pid=os.getpid(),
            measuring=service.config.is_measuring,
        )
    )


@cache
def _boot_id() -> str:
    """Return what tells this machine, since it was started, from all others."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@router.get(
    "/v1/clock",
    response_model=ClockWire,
    responses=problems(),
    summary="The clock that stamps are of",
)
async def clock(request: Request) -> Response:
    """Read the service's clocks."""
    clocks = service_of(request).clocks
    return answer(
        ClockWire(monotonic_ns=clocks.monotonic_ns(), unix_ns=clocks.unix_ns())
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text.", **_TEXT}, **problems()},
    summary="Counters for Prometheus",
)
async def metrics(request: Request) -> Response:
    """Return every counter."""
    return Response(
        service_of(request).metrics.page(),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


@router.get(
    "/healthz",
    response_class=Response,
    responses={200: {"description": "It lives.", **_TEXT}, **problems()},
    summary="Does the process live?",
)
async def healthz() -> Response:
    """Say yes."""
    return Response("alive\n", media_type="text/plain")


@router.get(
    "/readyz",
    response_class=Response,
    responses={
        200: {"description": "It does.", **_TEXT},
        **problems(),
        503: {"description": "It does not.", **_TEXT},
    },
    summary="Would a frame be taken?",
)
async def readyz(request: Request) -> Response:
    """Say whether a frame would be taken, and why not."""
    service = service_of(request)
    if service.is_ready:
        return Response("ready\n", media_type="text/plain")
    if service.load.is_draining:
        why = "draining"
    elif service.current.watch is None:
        why = "no watchlist is active"
    else:
        why = "the audit log cannot be written"
    return Response(
        f"{why}\n",
        status_code=HTTPStatus.SERVICE_UNAVAILABLE,
        media_type="text/plain",
    )
