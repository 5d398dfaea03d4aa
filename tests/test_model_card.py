"""Claims about the model card: its tables are whole, and the README quotes them."""

import hashlib
import re
from pathlib import Path

from matcher.weights import WEIGHTS, read_manifest
from training.model_card import tables_of

_ROOT = Path(__file__).parents[1]
_CARD = (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")
_LARGE = "TPIR, 60 px and more, unoccluded"
_PICTURES = ("pictures of another day", "pictures up to 5 years old")


def _found(pictures: str) -> list[tuple[int, int]]:
    """Read hits and mated passages of large faces, at FPIR 0.1 and 1 %."""
    table = tables_of(_CARD)[pictures]
    rows = re.findall(rf"\| {_LARGE} \| (\d+)/(\d+) = ", table)
    return [(int(k), int(n)) for k, n in rows]


def test_every_table_of_the_card_is_whole() -> None:
    """Each row has as many cells as its heading; no table is headed by another's."""
    tables = re.findall(r"(?:^\|.*\n)+", _CARD, flags=re.MULTILINE)
    assert len(tables) >= 8
    for table in tables:
        heading, rule, *rows = table.splitlines()
        assert re.fullmatch(r"\|(---\|)+", rule), heading
        for row in (heading, *rows):
            assert row.count("|") == rule.count("|"), row


def test_both_watchlists_are_told_of_once() -> None:
    """Pictures of another day and older ones, at two thresholds each."""
    another_day, older = map(_found, _PICTURES)
    assert len(another_day) == len(older) == 2
    assert another_day != older
    assert _CARD.count(_LARGE) == 4


def test_the_readme_quotes_the_card() -> None:
    """What it says is found is what the card's tables say."""
    (strict, lenient), (older_strict, older_lenient) = map(_found, _PICTURES)
    readme = (_ROOT / "README.md").read_text(encoding="utf-8")
    assert f"finds {lenient[0]} of {lenient[1]} mated clear passages" in readme
    assert f"and {strict[0]} of them" in readme
    assert f"five years old {older_lenient[0]} and {older_strict[0]}" in readme


def test_the_networks_fit_in_eight_megabytes_and_the_card_says_so() -> None:
    """Together they are no larger, and each is as large as its column says."""
    manifest = read_manifest()
    sizes = []
    for entry in (manifest.detector, manifest.refiner, manifest.embedder):
        held = (WEIGHTS / entry.file).read_bytes()
        assert hashlib.sha256(held).hexdigest() == entry.sha256
        assert f"`{entry.file}`, {len(held) / 1e6:.1f} MB" in _CARD
        sizes.append(len(held))
    assert sum(sizes) <= 8_000_000
