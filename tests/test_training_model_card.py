"""Claims about entering what was measured into the model card."""

from pathlib import Path

import pytest

from matcher.weights import WEIGHTS
from training.model_card import entered, main, marked, tables_of

_CARD = f"# A card\n\nBefore.\n\n{marked('hits', '| old |')}\n\nAfter.\n"


def test_tables_are_replaced_and_words_are_kept() -> None:
    """What stands between marks is what was measured; all else stays."""
    card = entered(_CARD, {"hits": "| new |\n|---|", "more": "| unused |"})
    assert card == _CARD.replace("| old |", "| new |\n|---|")
    assert tables_of(card) == {"hits": "| new |\n|---|"}


@pytest.mark.parametrize("card", [_CARD.replace("hits", "misses"), "# A card\n"])
def test_card_without_its_tables_is_refused(card: str) -> None:
    """A table that was not measured, or none at all, leaves the card alone."""
    with pytest.raises(ValueError, match="model card must show tables"):
        entered(card, {"hits": "| new |"})


def test_command_enters_a_report(tmp_path: Path) -> None:
    """Tables and curves come from the folder of the evaluation."""
    evaluation, folder = tmp_path / "evaluation", tmp_path / "weights"
    evaluation.mkdir()
    folder.mkdir()
    report = f"10 people:\n\n{marked('hits', '| new |')}\n"
    (evaluation / "evaluation.md").write_text(report, encoding="utf-8")
    (evaluation / "det.png").write_bytes(b"curves")
    (folder / "MODEL_CARD.md").write_text(_CARD, encoding="utf-8")
    main(evaluation, folder)
    assert "| new |" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert (folder / "det.png").read_bytes() == b"curves"


def test_the_shipped_card_has_marks() -> None:
    """Six tables stand between them, each whole."""
    tables = tables_of((WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8"))
    assert len(tables) == 6
    assert all(table.startswith("| ") for table in tables.values())
