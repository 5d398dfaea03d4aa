"""`harness models`: the reference weights, listed and verified."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from matcher.weights import WEIGHTS, read_manifest, read_model

__all__ = ["models"]


def models() -> None:
    """List the reference weights and verify their SHA-256."""
    manifest = read_manifest()
    table = Table("what", "file", "bytes", "SHA-256, verified")
    for name in type(manifest).model_fields:
        entry = getattr(manifest, name)
        model = read_model(WEIGHTS / entry.file, sha256=entry.sha256)
        table.add_row(name, entry.file, f"{len(model.content):,}", model.sha256)
    Console().print(table)
