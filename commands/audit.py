"""`harness audit verify`: was a service's audit log altered?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.exit_code import ExitCode
from commands.options import JsonOption
from lfr_errors import BadInputError
from matcher.service.keeping.audit_chain import Head, verify

if TYPE_CHECKING:
    from matcher.service.keeping.audit_chain import Verification

__all__ = ["audit", "verify_log"]

audit = typer.Typer(
    help="Check the audit log that `harness serve` writes.", no_args_is_help=True
)


@audit.callback()
def _audit() -> None:
    """Check the audit log that `harness serve` writes."""


@audit.command(name="verify")
def verify_log(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="audit.jsonl of a service's data folder."),
    ],
    *,
    holds: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:HASH",
            help="A line noted earlier that the log must still hold: only so does a "
            "log show that its end was cut off.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every line; exit 0 if all are as they were written, 4 if one is not."""
    wanted = None if holds is None else _parse(holds)
    try:
        with path.open("rb") as file:
            found = verify(file, note=None if wanted is None else wanted.number)
    except OSError as error:
        message = f"an audit log must be readable, got {path} ({error.strerror})"
        raise BadInputError(message) from error
    lacks = wanted is not None and found.noted != wanted
    if as_json:
        print(_as_json(found, lacks=lacks))
    else:
        print(_in_words(found, path, lacking=wanted if lacks else None))
    if found.fault is not None or lacks:
        raise typer.Exit(ExitCode.OBJECTIVE_MISSED)


def _parse(holds: str) -> Head:
    """Read a number and a hash.

    Raises:
        BadInputError: If they are none.
    """
    matched = re.fullmatch(r"([0-9]+):([0-9a-f]{64})", holds)
    if matched is None:
        message = (
            f"--holds takes NUMBER:HASH, such as a verification prints them, got "
            f"{holds!r}"
        )
        raise BadInputError(message)
    return Head(number=int(matched[1]), sha256=matched[2])


def _in_words(found: Verification, path: Path, *, lacking: Head | None) -> str:
    if found.fault is not None:
        return (
            f"{path} was altered: line {found.fault.line} {found.fault.reason}. "
            f"The {found.head.number:,} lines before it verify."
        )
    said = [f"{path} verifies: {found.head.number:,} lines, unbroken."]
    if found.n_torn_bytes > 0:
        said.append(
            f"After them, {found.n_torn_bytes} bytes of a line that a crash cut short; "
            "nothing in it was confirmed to anybody."
        )
    if lacking is not None:
        lack = (
            f"{path} was cut or exchanged: it does not hold line {lacking.number} with "
            f"hash {lacking.sha256}."
        )
        said = [lack]
    said.append(f"Its end, to note elsewhere: {found.head.number}:{found.head.sha256}")
    return "\n".join(said)


def _as_json(found: Verification, *, lacks: bool) -> str:
    return json.dumps(
        {
            "verified": found.fault is None and not lacks,
            "n_lines": found.head.number,
            "head": f"{found.head.number}:{found.head.sha256}",
            "n_torn_bytes": found.n_torn_bytes,
            "fault": (
                None
                if found.fault is None
                else {"line": found.fault.line, "reason": found.fault.reason}
            ),
            "lacks_noted_line": lacks,
        }
    )
