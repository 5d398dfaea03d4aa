"""The command line: assembles the commands, and ends each with an exit code.

Owns what is said of failures and which exit code a command ends with: 0 good; 1
internal error; 2 bad input; 3 run invalid or inconclusive; 4 an objective was missed.
"""

from __future__ import annotations

import logging
import sys
from importlib import metadata
from typing import Annotated, cast

import typer

from commands.exit_code import ExitCode
from commands.table import CommandTable
from lfr_errors import BadInputError, CutShortError, LfrError

__all__ = ["app", "main"]

# What typer makes of Ctrl-C in a command.
_INTERRUPTED = 130
# typer keeps its copy of click private; the family of its usage errors does not.
_USAGE_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="harness",
    cls=CommandTable,
    help="Simulation and load testing for live facial recognition, on synthetic "
    "people only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it
    if is_asked:
        print(metadata.version("lfr-harness"))
        raise typer.Exit


@app.callback()
def _harness(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and end.",
            callback=_tell_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Hold the options that all commands share."""
    del version


def main() -> None:
    """Run the command line; turn every foreseen failure into one sentence."""
    logging.getLogger().setLevel(logging.WARNING)
    try:
        code = app(standalone_mode=False)
    except BadInputError as error:
        _complain(str(error))
        sys.exit(ExitCode.BAD_INPUT)
    except CutShortError as error:
        _complain(str(error))
        sys.exit(ExitCode.NOT_VALID)
    except LfrError as error:
        _complain(str(error))
        sys.exit(ExitCode.INTERNAL_ERROR)
    except _USAGE_ERROR as error:
        message = error.format_message()
        if message.startswith("Usage:"):
            print(message)  # no command was given: typer's answer is its help
        else:
            _complain(f"{message.rstrip('.')}; see `harness --help`")
        sys.exit(ExitCode.BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    if code == _INTERRUPTED:
        _complain("interrupted before anything was measured; finished clips are kept")
        sys.exit(ExitCode.NOT_VALID)
    sys.exit(code if isinstance(code, int) else ExitCode.GOOD)


def _complain(sentence: str) -> None:
    print(f"harness: {sentence}", file=sys.stderr)


if __name__ == "__main__":
    main()
