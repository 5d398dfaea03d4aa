"""Templates of an adapter: text with `$name`, filled for each request.

Owns the names that there are, and how a body, a form and a path are made of them.
`${env:NAME}` is read once, when the adapter is made ready, and never written anywhere.

| name | is |
|---|---|
| `picture` | the picture as it is; only alone |
| `picture_base64` | the same as text |
| `media_type` | of the picture |
| `camera_id`, `frame_index` | which frame |
| `capture_time_ns`, `capture_time_s` | planned capture, by the harness's clock |
| `capture_unix_ms` | the same by the calendar |
| `width_px`, `height_px` | of the picture |
| `subject_id` | who is enrolled |
| `watchlist` | a name for the run's watchlist |
"""

from __future__ import annotations

import base64
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import quote

from urllib3 import encode_multipart_formdata

from bench.dialects.dialect import Call
from bench.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.dialects.adapter_settings import CallConfig

__all__ = ["PLACEHOLDERS", "check_template", "environment_of", "fill"]

PLACEHOLDERS = (
    "picture",
    "picture_base64",
    "media_type",
    "camera_id",
    "frame_index",
    "capture_time_ns",
    "capture_time_s",
    "capture_unix_ms",
    "width_px",
    "height_px",
    "subject_id",
    "watchlist",
)

_ALONE = frozenset({"$picture", "${picture}"})
_ENVIRONMENT = "env:"
# Divides the fields of a form; 128 bits that no picture will hold by chance.
_BOUNDARY = "6f7a0c526d614d7e9f067d3f0a8c1c55"


class _Text(Template):
    """`$name`, or `${name}` and `${env:NAME}`."""

    braceidpattern = r"(?:env:)?[A-Za-z_][A-Za-z0-9_]*"


def check_template(text: str) -> str:
    """Refuse placeholders that nothing fills.

    Raises:
        ValueError: With the names that there are.
    """
    if text in _ALONE:
        return text
    template = _Text(text)
    if not template.is_valid():
        message = (
            f"a template must hold $name, ${{name}} or $$, got '{text}'; write $$ for "
            "a dollar sign"
        )
        raise ValueError(message)
    for name in template.get_identifiers():
        if name.startswith(_ENVIRONMENT):
            continue
        if name == "picture" or name not in PLACEHOLDERS:
            message = (
                f"placeholders must be of {', '.join(PLACEHOLDERS)}, with picture "
                f"standing alone, got '${name}' in '{text}'; use picture_base64 within "
                "a text"
            )
            raise ValueError(message)
    return text


def environment_of(
    texts: Iterable[str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Gather what every `${env:NAME}` of some templates stands for.

    Raises:
        RemoteError: If a variable is not set.
    """
    values: dict[str, str] = {}
    for text in texts:
        for name in _Text(text).get_identifiers():
            if not name.startswith(_ENVIRONMENT):
                continue
            variable = name.removeprefix(_ENVIRONMENT)
            if variable not in environment:
                raise RemoteError(
                    what=f"be given what the adapter calls ${{{name}}}",
                    found="that environment variable is not set",
                    remedy=f"export {variable}",
                )
            values[name] = environment[variable]
    return values


def fill(
    config: CallConfig,
    values: Mapping[str, str],
    *,
    picture: bytes,
    media_type: str,
    headers: Mapping[str, str],
) -> Call:
    """Make a call of its template.

    Args:
        config: The request as the adapter has it.
        values: Of every placeholder but those of the picture.
        picture: May be empty, where there is none.
        media_type: Of it.
        headers: Templates of what every request of the adapter has.
    """
    known = dict(values) | {"media_type": media_type}
    texts = (*config.form.values(), "" if config.body is None else config.body)
    if any("picture_base64" in text for text in texts):
        known["picture_base64"] = base64.b64encode(picture).decode("ascii")
    body, content_type = _body(config, known, picture, media_type)
    all_headers = {
        name: _filled(text, known)
        for name, text in {**headers, **config.headers}.items()
    }
    if content_type:
        all_headers["Content-Type"] = content_type
    quoted = {name: quote(value, safe="~") for name, value in known.items()}
    return Call(
        method=config.method,
        path=_filled(config.path, quoted),
        headers=tuple(all_headers.items()),
        body=body,
    )


def _body(
    config: CallConfig, known: Mapping[str, str], picture: bytes, media_type: str
) -> tuple[bytes, str]:
    if config.form:
        ending = media_type.rpartition("/")[2]
        file = (f"picture.{ending}", picture, media_type)
        return encode_multipart_formdata(
            {
                name: file if text in _ALONE else _filled(text, known)
                for name, text in config.form.items()
            },
            boundary=_BOUNDARY,
        )
    if config.body is None:
        return b"", ""
    if config.body in _ALONE:
        own = media_type if config.content_type is None else config.content_type
        return picture, own
    given = "application/json" if config.content_type is None else config.content_type
    return _filled(config.body, known).encode(), given


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _Text(text).substitute(known)
