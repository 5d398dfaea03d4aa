"""`harness scenarios`: what comes with the package."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from scenarios import loader
from scenarios.policy_loader import shipped_policies
from scenarios.schema import json_schema

__all__ = ["list_scenarios"]


def list_scenarios(
    *,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema, for editors.")
    ] = False,
) -> None:
    """List the scenarios that come with the package."""
    if schema:
        print(json.dumps(json_schema(), indent=2))
        return
    table = Table("name", "cameras", "seconds", "watchlist", "what it shows")
    for name in loader.shipped():
        settings = loader.load(name)
        table.add_row(
            name,
            str(len(settings.cameras)),
            f"{settings.crowd.duration_s:g}",
            f"{settings.watchlist.size:,}",
            settings.scenario.description,
        )
    Console().print(table)
    print(f"Policies, for `harness policy`: {', '.join(shipped_policies())}")
