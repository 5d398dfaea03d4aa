"""`harness models`: the networks, listed and verified; others fetched.

Owns the only download of the project: a run never makes one.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lfr_errors import BadInputError
from matcher.known_models import FETCHED, MODELS
from matcher.weights import WEIGHTS, read_manifest, read_model

__all__ = ["fetch", "list_models", "models"]

models = typer.Typer(
    help="List the reference weights and verify their SHA-256; fetch others.",
    invoke_without_command=True,
)

_TIMEOUT_S = 60.0
# The largest that we know of has 39 MB; a page of HTML or a disk image is a mistake.
_MOST_BYTES = 512 * 1024 * 1024


@models.callback()
def list_models(context: typer.Context) -> None:
    """List the reference weights, and those fetched, and verify their SHA-256."""
    if context.invoked_subcommand is not None:
        return
    manifest = read_manifest()
    table = Table("what", "file", "bytes", "SHA-256, verified")
    for name in type(manifest).model_fields:
        entry = getattr(manifest, name)
        model = read_model(WEIGHTS / entry.file, sha256=entry.sha256)
        table.add_row(name, entry.file, f"{len(model.content):,}", model.sha256)
    for name, known in sorted(FETCHED.items()):
        path = MODELS / known.file
        if path.exists():
            model = read_model(path, sha256=known.sha256)
            table.add_row(name, known.file, f"{len(model.content):,}", model.sha256)
        else:
            table.add_row(name, known.file, "", f"absent: harness models fetch {name}")
    Console().print(table)


@models.command()
def fetch(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(sorted(FETCHED))}.")],
    source: Annotated[
        str | None,
        typer.Argument(help="A path or an https address; default: its authors' own."),
    ] = None,
) -> None:
    """Fetch a network that is not shipped, and verify its SHA-256."""
    known = FETCHED.get(name)
    if known is None:
        message = (
            f"a model must be one of {', '.join(sorted(FETCHED))} to be fetched, got "
            f"{name!r}"
        )
        raise BadInputError(message)
    origin = known.url if source is None else source
    if origin is None:
        message = f"{name} must have an address to be fetched from; give one"
        raise BadInputError(message)
    content = _read(origin)
    actual = hashlib.sha256(content).hexdigest()
    if actual != known.sha256:
        message = (
            f"{name} must have SHA-256 {known.sha256}, got {actual} ({len(content):,} "
            f"bytes) from {origin}; nothing was kept"
        )
        raise BadInputError(message)
    path = MODELS / known.file
    MODELS.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed: a file of that name is always a whole one.
    aside = path.with_suffix(".part")
    aside.write_bytes(content)
    aside.replace(path)
    Console().print(f"{name}: {path}, {len(content):,} bytes, SHA-256 verified")


def _read(origin: str) -> bytes:
    """Read a file or an address.

    Raises:
        BadInputError: If it cannot be read, or is absurdly large.
    """
    try:
        if origin.startswith("https://"):
            with urllib.request.urlopen(origin, timeout=_TIMEOUT_S) as answer:  # noqa: S310 — https alone
                content: bytes = answer.read(_MOST_BYTES + 1)
        elif "://" in origin:
            message = f"a model must come from a path or by https, got {origin}"
            raise BadInputError(message)
        else:
            content = Path(origin).read_bytes()
    except (OSError, urllib.error.URLError) as error:
        message = f"a model must be readable at {origin}, but: {error}; check it"
        raise BadInputError(message) from error
    if len(content) > _MOST_BYTES:
        message = f"a model must be below {_MOST_BYTES:,} bytes, got more at {origin}"
        raise BadInputError(message)
    return content
