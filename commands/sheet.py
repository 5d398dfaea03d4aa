"""`harness sheet`: a contact sheet of people, cameras or weather."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cv2
import typer

from lfr_errors import BadInputError
from synthetic_crowds.exchange.sheets import SheetKind, draw_sheet

__all__ = ["sheet"]

# JPEGs of sheets stay below this, by as much quality as it takes.
_LARGEST_BYTES = 195_000
_QUALITIES = (92, 88, 84, 80, 75, 70, 60, 50, 40, 30)


def sheet(
    kind: Annotated[SheetKind, typer.Argument(help="What the sheet is about.")],
    file: Annotated[Path, typer.Argument(help="Where to: .jpg or .png.")],
    *,
    seed: Annotated[int, typer.Option(min=0, help="Whom it shows.")] = 5,
) -> None:
    """Draw a contact sheet of synthetic people, to judge by eye."""
    if file.suffix.lower() not in {".jpg", ".png"}:
        message = f"a sheet must be written to a .jpg or .png file, got {file}"
        raise BadInputError(message)
    image = draw_sheet(kind, seed=seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix.lower() == ".png":
        cv2.imwrite(str(file), image)
    else:
        for quality in _QUALITIES:
            _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if coded.nbytes <= _LARGEST_BYTES:
                break
        file.write_bytes(coded.tobytes())
    print(file)
