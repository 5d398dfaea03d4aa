"""Contact sheets: small files, a command beside each, what they promise inside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synthetic_crowds.exchange.sheets import SheetKind, draw_sheet

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", list(SheetKind))
def test_docs_show_every_sheet_with_its_command(kind):
    """The page names the command that makes each picture, and pictures are small."""
    page = (ROOT / "docs" / "crowds.md").read_text(encoding="utf-8")
    picture = ROOT / "docs" / "sheets" / f"{kind}.jpg"
    assert f"`harness sheet {kind} docs/sheets/{kind}.jpg`" in page
    assert f"(sheets/{kind}.jpg)" in page
    assert picture.stat().st_size < 200_000


def test_sheet_of_kin_shows_eight_pairs():
    """Two rows of eight faces."""
    sheet = draw_sheet(SheetKind.SIBLINGS, seed=3)
    assert sheet.shape == (2 * 190, 8 * 158, 3)


def test_command_refuses_other_formats(tmp_path):
    """Exit code 2 and one sentence for a file that is no picture."""
    finished = subprocess.run(
        [sys.executable, "harness.py", "sheet", "tones", str(tmp_path / "a.txt")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert ".jpg or .png" in finished.stderr
