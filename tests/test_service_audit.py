"""Claims about the audit log: nothing in it is altered unseen, or lost by half."""

from __future__ import annotations

import io
import json
import os

import pytest
import typer
from typer.testing import CliRunner

import harness
from lfr_errors import BadInputError
from matcher.service.errors import AuditLogError, AuditUnavailableError
from matcher.service.keeping.audit_chain import GENESIS, Entry, Head, link, verify
from matcher.service.keeping.audit_log import AuditLog


def entry(k):
    """The `k`-th thing that happened."""
    return Entry(event="tried", actor="somebody", data={"k": k}, unix_ns=10**18 + k)


@pytest.fixture
def lines():
    """A log of five lines."""
    head, made = GENESIS, []
    for k in range(5):
        line, head = link(entry(k), head)
        made.append(line)
    return made


def check(lines, **wanted):
    return verify(io.BytesIO(b"".join(lines)), **wanted)


def test_untouched_log_verifies_to_its_end(lines):
    """Every line names the hash of the one before it."""
    found = check(lines)
    assert found.fault is None
    assert found.head == Head(number=5, sha256=json.loads(lines[4])["hash"])


def _altered(lines):
    lines[2] = lines[2].replace(b'"k":2', b'"k":7')


def _altered_with_new_hash(lines):
    record = json.loads(lines[2])
    forged, _ = link(
        Entry(event="tried", actor="else", data={"k": 2}, unix_ns=10**18 + 2),
        Head(number=2, sha256=record["previous"]),
    )
    lines[2] = forged


def _dropped(lines):
    del lines[2]


def _swapped(lines):
    lines[2], lines[3] = lines[3], lines[2]


def _added(lines):
    lines.insert(3, lines[2])


def _spaced(lines):
    lines[2] = json.dumps(json.loads(lines[2]), sort_keys=True).encode() + b"\n"


def _no_json(lines):
    lines[2] = b"nothing\n"


def _other_keys(lines):
    lines[2] = b'{"event": "tried"}\n'


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (_altered, 3),
        (_altered_with_new_hash, 4),
        (_dropped, 3),
        (_swapped, 3),
        (_added, 4),
        (_spaced, 3),
        (_no_json, 3),
        (_other_keys, 3),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else str(value),
)
def test_first_line_that_does_not_fit_is_named(lines, tamper, line):
    """Whatever is done to a line, it or the next one shows it."""
    tamper(lines)
    found = check(lines)
    assert found.fault is not None
    assert found.fault.line == line
    assert found.head.number == line - 1


def test_unfinished_last_line_is_a_crash_and_no_forgery(lines):
    """Nobody was told that it is there."""
    lines[4] = lines[4][:-10]
    found = check(lines)
    assert (found.head.number, found.n_torn_bytes, found.fault) == (
        4,
        len(lines[4]),
        None,
    )


def test_cut_end_shows_only_against_a_line_noted_elsewhere(lines):
    """A chain cannot know its own length; whoever noted its head does."""
    head = check(lines).head
    assert check(lines[:3]).fault is None
    assert check(lines[:3], note=5).noted is None
    assert check(lines, note=5).noted == head


def test_log_goes_on_where_it_was_and_cuts_off_what_is_torn(tmp_path):
    """After a crash the chain is unbroken, whatever the last write left."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    log.append([entry(0), entry(1)])
    log.close()
    with path.open("ab") as file:
        file.write(b'{"actor":"some')

    log = AuditLog(path)
    assert log.n_torn_bytes == 14
    log.append([entry(2)])
    log.close()

    found = verify(io.BytesIO(path.read_bytes()))
    assert (found.head.number, found.n_torn_bytes, found.fault) == (3, 0, None)


@pytest.mark.parametrize("n_lines_left", [0, 2], ids=["emptied", "cut"])
def test_log_that_lost_its_end_is_not_gone_on_with(tmp_path, n_lines_left):
    """The service knows the last line; without it, it does not start."""
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path)
    anchor = log.append([entry(k) for k in range(4)])
    log.close()
    kept = path.read_bytes().splitlines(keepends=True)[:n_lines_left]
    path.write_bytes(b"".join(kept))

    with pytest.raises(AuditLogError, match="must hold line 4"):
        AuditLog(path, anchor=anchor)


def test_after_a_failed_write_nothing_more_is_written(tmp_path, monkeypatch):
    """Nobody knows what the disk has; only a new start can tell."""
    log = AuditLog(tmp_path / "audit.jsonl")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(AuditUnavailableError, match="No space left"):
        log.append([entry(0)])
    monkeypatch.undo()

    assert not log.is_writable
    with pytest.raises(AuditUnavailableError, match="an earlier line failed"):
        log.append([entry(1)])
    log.close()


def said(*words):
    """Run a command; return its exit code and what it printed."""
    found = CliRunner().invoke(harness.app, words)
    if isinstance(found.exception, BadInputError | typer.BadParameter):
        return 2, str(found.exception)
    return found.exit_code, found.output


def test_verify_command_answers_scripts_and_people(tmp_path, lines):
    """0 for an unbroken chain, 4 and the line for a broken one, 2 for no log."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"".join(lines))
    head = f"5:{json.loads(lines[4])['hash']}"
    assert said("audit", "verify", str(path), "--holds", head)[0] == 0

    path.write_bytes(b"".join(lines[:4]))
    code, words = said("audit", "verify", str(path))
    assert (code, "4 lines, unbroken" in words) == (0, True)
    code, words = said("audit", "verify", str(path), "--holds", head)
    assert (code, "was cut or exchanged" in words) == (4, True)

    _altered(lines)
    path.write_bytes(b"".join(lines))
    code, words = said("audit", "verify", str(path), "--json")
    assert code == 4
    assert json.loads(words)["fault"]["line"] == 3

    assert said("audit", "verify", str(tmp_path / "none"))[0] == 2
    assert said("audit", "verify", str(path), "--holds", "5")[0] == 2
