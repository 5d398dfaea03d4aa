"""The options of commands that measure a matcher elsewhere, and what they come to.

Owns the reading of a token and of an adapter, and which options go together. Knows
nothing of how a matcher is driven.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.dialects.adapter import adapt
from bench.dialects.dialect import EnrolWay, FrameFormat
from bench.dialects.native import NativeDialect
from bench.driving.http_target import Remote, checked_url
from bench.driving.targets import TargetKind
from bench.errors import BenchError
from bench.host.machine import read_boot_id
from bench.host.provenance import unix_offset_ns
from scenarios.adapter_loader import load_adapter

if TYPE_CHECKING:
    from bench.dialects.dialect import Dialect
    from scenarios.schema import Scenario

__all__ = [
    "AdapterOption",
    "EnrolOption",
    "FramesOption",
    "TokenFileOption",
    "remote_at",
    "target_named",
]

# Scripts that have no file to keep a token in export it.
_TOKEN_VARIABLE = "LFR_TOKEN"  # noqa: S105 - a name, no token

AdapterOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="With a URL: a TOML file that describes another API."
    ),
]
EnrolOption = Annotated[
    EnrolWay,
    typer.Option(
        help="With a URL: how the watchlist gets there. By its portraits; by templates "
        "made here, for equal scores to the last bit; or it is present already."
    ),
]
FramesOption = Annotated[
    FrameFormat | None,
    typer.Option(
        help="With a URL: what frames are posted as; h264, as cameras send, or "
        "what the adapter says. png loses nothing; stills are made before "
        "the run."
    ),
]
TokenFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help=f"With a URL: holds the token to show; else ${_TOKEN_VARIABLE} is shown, "
        "if set.",
    ),
]


def target_named(
    target: str,
    settings: Scenario,
    *,
    adapter: Path | None,
    enrol: EnrolWay,
    frames: FrameFormat | None,
    token_file: Path | None,
    audit: bool,
) -> TargetKind | Remote:
    """Return what `--target` names, or the matcher at its address.

    Raises:
        BenchError: If it is neither, or another option does not go with it.
    """
    if "://" in target:
        alone = "--audit" if audit else None
        if settings.load.find is not None:
            alone = "load.find"
        if alone is not None:
            message = (
                f"{alone} must go with a target of this machine, got --target "
                f"{target}; leave one of them out"
            )
            raise BenchError(message)
        return remote_at(
            target,
            settings,
            adapter=adapter,
            enrol=enrol,
            frames=frames,
            token_file=token_file,
        )
    if target not in tuple(TargetKind):
        message = (
            f"--target must be one of {', '.join(TargetKind)}, or an address such as "
            f"http://127.0.0.1:8080, got '{target}'; name one of them"
        )
        raise BenchError(message)
    for given, option in ((adapter, "--adapter"), (token_file, "--token-file")):
        if given is not None:
            message = (
                f"{option} must go with an address, got --target {target}; add "
                "--target http://HOST:PORT"
            )
            raise BenchError(message)
    return TargetKind(target)


def remote_at(
    url: str,
    settings: Scenario,
    *,
    adapter: Path | None,
    enrol: EnrolWay,
    frames: FrameFormat | None,
    token_file: Path | None,
) -> Remote:
    """Return the matcher at an address, in our own dialect or an adapter's.

    Raises:
        BenchError: If address or token cannot be used.
        ScenarioError: If the adapter cannot.
    """
    dialect: Dialect
    if adapter is None:
        dialect = NativeDialect(matcher=settings.matcher, boot_id=read_boot_id())
        picture = FrameFormat.H264
    else:
        config = load_adapter(adapter)
        dialect = adapt(config, os.environ, unix_offset_ns=unix_offset_ns())
        picture = config.frames.picture
    token = _token(token_file)
    return Remote(
        url=checked_url(url),
        dialect=dialect,
        picture=picture if frames is None else frames,
        way=enrol,
        headers=() if token is None else (("Authorization", f"Bearer {token}"),),
    )


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(_TOKEN_VARIABLE)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        message = (
            f"--token-file must be readable, got '{error.strerror}' for {path}; name "
            "a file that holds the token"
        )
        raise BenchError(message) from error
    if not text or len(text.split()) != 1:
        message = (
            f"--token-file must hold one token and nothing else, got "
            f"{len(text.split())} words in {path}; put one token into it"
        )
        raise BenchError(message)
    return text
