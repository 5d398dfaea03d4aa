"""Why a request is refused: a status, a word for programs, a sentence for people.

Owns the one exception that becomes an answer. Knows nothing of how it is sent.
"""

from __future__ import annotations

from http import HTTPStatus

from lfr_errors import LfrError
from matcher.service.wire import Problem

__all__ = ["RefusedError"]


class RefusedError(LfrError):
    """A request that is answered with a problem (RFC 9457).

    Attributes:
        status: Of HTTP.
        code: For programs.
        detail: What was required, what arrived, and the remedy.
        headers: To go with the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        retry_after_s: int | None = None,
    ) -> None:
        """Say why.

        Args:
            status: Of HTTP.
            code: For programs.
            detail: For people.
            retry_after_s: When to try again, if that makes sense.
        """
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers: dict[str, str] = {}
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(retry_after_s)
        if status is HTTPStatus.UNAUTHORIZED:
            self.headers["WWW-Authenticate"] = "Bearer"

    def problem(self) -> Problem:
        """Return what goes on the wire."""
        return Problem(
            title=self.status.phrase,
            status=int(self.status),
            code=self.code,
            detail=self.detail,
        )
