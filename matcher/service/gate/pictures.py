"""What may be said of a posted picture before anybody decodes it.

Owns the refusal of pictures by their headers. Knows nothing of faces.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from matcher.ingest import UndecodableError
from matcher.service.refusals import RefusedError
from matcher.stills import read_header

if TYPE_CHECKING:
    from matcher.service.config import LimitsConfig

__all__ = ["check_still"]


def check_still(
    content: bytes, limits: LimitsConfig, *, said: str | None = None
) -> None:
    """Refuse what is no JPEG or PNG file, or would be too large decoded.

    Args:
        content: The file.
        limits: Of the service.
        said: Media type that came with it, if one did.

    Raises:
        RefusedError: If so.
    """
    try:
        header = read_header(content)
    except UndecodableError as error:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "undecodable_image",
            f"a picture must be decodable, but: {error}; send another",
        ) from error
    if said is not None and header.kind != said:
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "content_type",
            f"Content-Type must say what the body is, got {said} with a body of "
            f"{header.kind}",
        )
    n_pixels = header.width_px * header.height_px
    if n_pixels > limits.max_pixels:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "image_too_large",
            f"a picture must have at most {limits.max_pixels:,} pixels, this one has "
            f"{header.width_px} x {header.height_px} = {n_pixels:,}; send a smaller "
            "one",
        )
