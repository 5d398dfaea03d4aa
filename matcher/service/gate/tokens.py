"""Who may do what: tokens, their roles and their end.

Owns the token file and the check. Tokens are 256 random bits, so their SHA-256 is
kept, not the token; every entry is compared, in a time that does not tell which came
near. Knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import stat
import tomllib
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from matcher.service.errors import TokenFileError
from matcher.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Role", "Standing", "Token", "Tokens", "new_token", "read_tokens"]


class Role(StrEnum):
    """What a token is for."""

    OPERATOR = "operator"
    CURATOR = "curator"


class Standing(StrEnum):
    """What a presented token is worth."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Token(Settings):
    """One entry of a token file."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="Whose it is; the audit log names it.",
    )
    roles: tuple[Role, ...] = Field(
        min_length=1,
        description="operator: frames, pictures and alerts; curator: watchlists.",
    )
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the token itself.")
    expires: AwareDatetime = Field(description="Worth nothing from then on.")

    @field_validator("expires")
    @classmethod
    def _in_utc(cls, value: datetime) -> datetime:
        return value.astimezone(UTC)


class _TokenFile(Settings):
    tokens: tuple[Token, ...] = Field(min_length=1)


class Tokens:
    """All tokens of a service.

    Args:
        tokens: As read.
    """

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tuple(tokens)

    def find(self, presented: str, *, unix_ns: int) -> tuple[Standing, Token | None]:
        """Say what a presented token is worth now, and whose it is."""
        digest = hashlib.sha256(presented.encode()).hexdigest()
        found: Token | None = None
        # To the end, whichever fits: the time must not tell.
        for token in self._tokens:
            if hmac.compare_digest(token.sha256, digest):
                found = token
        if found is None:
            return Standing.UNKNOWN, None
        if found.expires.timestamp() * 1e9 <= unix_ns:
            return Standing.EXPIRED, found
        return Standing.VALID, found


def new_token() -> tuple[str, str]:
    """Make a token; return it, and the SHA-256 to be kept in its place."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def read_tokens(path: Path) -> Tokens:
    """Read a token file.

    Raises:
        TokenFileError: If it cannot be read, others may write to it, or it does not
            say clearly who may do what.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = (
            f"the token file must be readable, but: {error}; `harness token` makes one"
        )
        raise TokenFileError(message) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        message = (
            f"only its owner may write to the token file {path}, but others may; "
            f"chmod go-w {path}"
        )
        raise TokenFileError(message)
    try:
        held = _TokenFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _unclear(path, str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _unclear(path, f"{where}: {first['msg']}") from error
    names = [token.name for token in held.tokens]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = (
            f"each token of {path} must have a name of its own, got {twice!r} twice; "
            "the audit log could not tell them apart"
        )
        raise TokenFileError(message)
    return Tokens(held.tokens)


def _unclear(path: Path, why: str) -> TokenFileError:
    message = (
        f"the token file {path} must hold [[tokens]] with name, roles, sha256 and "
        f"expires, but: {why}; `harness token` writes them"
    )
    return TokenFileError(message)
