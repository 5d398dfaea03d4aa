"""The report of a run folder: read it, lay it out, write one file.

Part of the shell: it reads and writes files. Knows nothing of what is on the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.errors import OutputFolderError
from bench.report.album import read_album
from bench.report.page import compose_page, page_html
from bench.running.folder import read_run

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["REPORT", "render_report"]

REPORT = "report.html"


def render_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from that folder alone.

    Args:
        folder: As written by `bench.running.folder.write_run`; pictures are optional.

    Returns:
        The page: one file that needs no other, no script and no network.

    Raises:
        RunFolderError: If the folder is no run folder.
        OutputFolderError: If the page cannot be written.
    """
    page = compose_page(read_run(folder), read_album(folder), run_folder=folder)
    path = folder / REPORT
    part = folder / f"{REPORT}.part"
    try:
        part.write_text(page_html(page), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        reason = error.strerror if error.strerror is not None else str(error)
        raise OutputFolderError(path=folder, reason=reason) from error
    return path
