"""`harness token`: who may use a service."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from lfr_errors import BadInputError
from matcher.service.gate.tokens import Role, Token, new_token, read_tokens

__all__ = ["token"]


def token(
    name: Annotated[
        str, typer.Argument(help="Whose token it is; the audit log will name it.")
    ],
    *,
    role: Annotated[
        list[Role],
        typer.Option(
            help="operator: frames, pictures and alerts; curator: watchlists; "
            "repeatable."
        ),
    ],
    file: Annotated[
        Path, typer.Option(help="Token file to add it to; made if there is none.")
    ] = Path("tokens.toml"),
    days: Annotated[
        float, typer.Option(min=0.01, max=3660, help="Worth nothing after these.")
    ] = 90.0,
) -> None:
    """Make a token for a service; it is shown once, and only its hash is kept."""
    secret, sha256 = new_token()
    expires = datetime.now(UTC) + timedelta(days=days)  # noqa: TID251 - a token's end
    try:
        made = Token(
            name=name, roles=tuple(dict.fromkeys(role)), sha256=sha256, expires=expires
        )
    except ValueError as error:
        message = (
            f"a token's name must be letters, digits, dots and hyphens, got {name!r}"
        )
        raise BadInputError(message) from error
    entry = "\n".join(
        (
            "[[tokens]]",
            f"name = {json.dumps(made.name)}",
            f"roles = {json.dumps([str(each) for each in made.roles])}",
            f"sha256 = {json.dumps(made.sha256)}",
            f"expires = {made.expires:%Y-%m-%dT%H:%M:%SZ}",
            "",
        )
    )
    _append(file, entry, name)
    print(secret)
    typer.echo(
        f"Shown once: keep it. Its hash went to {file}; it is {made.name!r}, "
        f"{' and '.join(made.roles)}, until {made.expires:%Y-%m-%d}. A service reads "
        "the file when it starts.",
        err=True,
    )


def _append(file: Path, entry: str, name: str) -> None:
    """Add an entry, if the file with it says clearly who may do what."""
    before = ""
    if file.exists():
        read_tokens(file)
        before = file.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    aside = file.with_suffix(".part")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as writing:
            writing.write(before + entry)
        read_tokens(aside)
        aside.replace(file)
    except OSError as error:
        message = f"the token file {file} must be writable, but: {error.strerror}"
        raise BadInputError(message) from error
    except BadInputError as error:
        aside.unlink(missing_ok=True)
        message = (
            f"a token's name must be new in {file}, got {name!r}; choose another, or "
            "remove that entry"
        )
        raise BadInputError(message) from error
