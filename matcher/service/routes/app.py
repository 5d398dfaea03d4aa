"""The app: routes put together, and their contract for programs.

Owns the OpenAPI document and the way from exceptions to answers. The gate stands
before it (`matcher.service.gate.gate`). Knows nothing of what routes do.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from matcher.service.errors import AuditUnavailableError
from matcher.service.gate.gate import Gate
from matcher.service.refusals import RefusedError
from matcher.service.routes import alerts, matching, system, watchlists
from matcher.service.routes.answers import on_error, on_http_error, on_invalid
from matcher.service.wire import EnrolmentRequest, Problem, WithdrawalRequest

if TYPE_CHECKING:
    from matcher.service.service import Service

__all__ = ["make_app"]

_DESCRIPTION = (
    "Live facial recognition on synthetic people: frames in, alerts out. "
    "See docs/service.md."
)
# Used by routes in ways that the framework does not see.
_UNSEEN = (EnrolmentRequest, Problem, WithdrawalRequest)


def make_app(service: Service) -> Gate:
    """Put the routes together, behind the gate."""
    app = FastAPI(
        title="LFR matcher",
        version=version("lfr-harness"),
        description=_DESCRIPTION,
        # Their pages load scripts from elsewhere; the document itself is served.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    for routes in (matching, watchlists, alerts, system):
        app.include_router(routes.router)
    handlers: dict[Any, Any] = {
        RefusedError: on_error,
        AuditUnavailableError: on_error,
        RequestValidationError: on_invalid,
        HTTPException: on_http_error,
        Exception: on_error,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)
    document = _openapi(app)
    cast("Any", app).openapi = lambda: document
    return Gate(
        cast("Any", app),
        config=service.config,
        access=service.access,
        load=service.load,
        clocks=service.clocks,
        metrics=service.metrics,
    )


def _openapi(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    _, unseen = models_json_schema(
        [(model, "validation") for model in _UNSEEN],
        ref_template="#/components/schemas/{model}",
    )
    components = document.setdefault("components", {})
    components["schemas"] = {
        **unseen["$defs"],
        **{
            name: schema
            for name, schema in components.get("schemas", {}).items()
            if name not in {"HTTPValidationError", "ValidationError"}
        },
    }
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}, {}]
    return document
