"""How routes answer: models as JSON, refusals as problems, and both in the OpenAPI.

Owns the few lines that every route shares. Knows nothing of what is answered.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Request, Response

from matcher.service.gate.gate import problem_for
from matcher.service.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi.exceptions import RequestValidationError
    from pydantic import BaseModel
    from starlette.exceptions import HTTPException

    from matcher.service.service import Service

__all__ = [
    "PROBLEM_TYPE",
    "actor_of",
    "answer",
    "on_error",
    "on_http_error",
    "on_invalid",
    "problems",
    "service_of",
    "still_body",
    "why_invalid",
]

PROBLEM_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed"}


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    service: Service = request.app.state.service
    return service


def actor_of(request: Request) -> str:
    """Return who asks, as the gate found."""
    actor: str = request.state.actor
    return actor


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Put a model on the wire as it is; nothing is validated twice."""
    return Response(
        model.model_dump_json(), status_code=status, media_type="application/json"
    )


async def on_error(request: Request, error: Exception) -> Response:
    """Answer with why; counted as refused unless the fault is ours."""
    refusal = problem_for(error)
    service_of(request).metrics.refusals.labels(refusal.code).inc()
    return _problem(refusal)


async def on_invalid(request: Request, error: RequestValidationError) -> Response:
    """Answer a request whose fields are wrong."""
    why = why_invalid(error.errors())
    refusal = RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", why)
    return await on_error(request, refusal)


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """Answer what the framework refuses by itself: paths, methods, broken JSON."""
    status = HTTPStatus(error.status_code)
    code = _CODES.get(error.status_code, "malformed")
    refusal = RefusedError(
        status,
        code,
        f"{request.method} {request.url.path[:200]}: {status.phrase}; "
        "GET /openapi.json lists what there is",
    )
    refusal.headers.update(error.headers or {})
    return await on_error(request, refusal)


def why_invalid(errors: Sequence[Any]) -> str:
    """Say in one sentence which field is wrong first, and how."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    return (
        f"{where or 'the body'}: {first['msg']}; GET /openapi.json says what it must be"
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe refusals for the OpenAPI; those that any request can meet come along."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {
                PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in sorted({400, 401, 403, 422, 503, *statuses})
    }


def still_body(*kinds: str) -> dict[str, Any]:
    """Describe a body that is a picture, for the OpenAPI."""
    return {
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in kinds
            },
        }
    }


def _problem(refusal: RefusedError) -> Response:
    return Response(
        refusal.problem().model_dump_json(),
        status_code=refusal.status,
        media_type=PROBLEM_TYPE,
        headers=refusal.headers,
    )
