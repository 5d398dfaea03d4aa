"""Which commands there are, and the loading of one when it is called.

Owns names and where each lives. A command brings the packages that it needs; who asks
for help, or mistypes, need not wait for those.
Knows nothing of what commands do.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command as as_click

if TYPE_CHECKING:
    from typing import Any

__all__ = ["COMMANDS", "CommandTable", "summary"]

# Name, and the module and attribute behind it; in the order of the help.
COMMANDS = {
    "run": "run:run",
    "locust": "locust:locust",
    "crowd": "crowd:crowd",
    "sheet": "sheet:sheet",
    "report": "report:report",
    "compare": "compare:compare",
    "ab": "ab:ab",
    "history": "history:history",
    "curve": "curve:curve",
    "headroom": "headroom:headroom",
    "cohort": "cohort:cohort",
    "calibrate": "calibrate:calibrate",
    "plan": "plan:plan",
    "sweep": "sweep:sweep",
    "policy": "policy:policy",
    "serve": "serve:serve",
    "token": "token:token",
    "audit": "audit:audit",
    "models": "models:models",
    "indexes": "indexes:indexes",
    "scenarios": "scenarios:list_scenarios",
    "doctor": "doctor:doctor",
}


class CommandTable(TyperGroup):
    """The commands, each loaded when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's
        """Name them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401
        """Load one; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        found = getattr(importlib.import_module(f"commands.{module}"), attribute)
        alone = typer.Typer(
            add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
        )
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=cmd_name)
            return cast("TyperGroup", as_click(alone)).get_command(ctx, cmd_name)
        # What it raises is for readers of the code.
        said = inspect.cleandoc(found.__doc__).partition("\n\nRaises:")[0]
        alone.command(name=cmd_name, help=said)(found)
        return as_click(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        """List them in the help, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary(name)) for name in COMMANDS])


def summary(name: str) -> str:
    """Say what a command is for: the first line of its module, which is not loaded."""
    module = COMMANDS[name].split(":")[0]
    source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    first = (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
    text = first.partition(": ")[2].rstrip(".?!")
    return text + ("?" if first.endswith("?") else "")
