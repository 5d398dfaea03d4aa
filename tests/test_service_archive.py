"""Claims about what outlives a service: whole changes, and alerts for a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal

import numpy as np
import pytest
from service_doubles import FakeCalendar

from matcher.records import Alert, CameraId, SubjectId, TrackId
from matcher.service.errors import DataFolderError
from matcher.service.keeping import audit_log
from matcher.service.keeping.alert_store import AlertStore
from matcher.service.keeping.archive import Archive
from matcher.service.keeping.audit_chain import verify
from matcher.service.keeping.watchlist_rows import Activation
from matcher.service.keeping.watchlist_store import WatchlistStore
from matcher.service.refusals import RefusedError

BATCH = 50
DAY_NS = 86_400 * 10**9


def store_of(archive, calendar=None):
    return WatchlistStore(
        archive,
        embedder_sha256="e" * 64,
        dimension=4,
        unix_clock=calendar or FakeCalendar(),
    )


def batch(number):
    """Fifty subjects and their templates."""
    rng = np.random.default_rng(number)
    vectors = rng.normal(size=(BATCH, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [SubjectId(f"s{number}-{k}") for k in range(BATCH)], vectors


def log_of(folder):
    with (folder / "audit.jsonl").open("rb") as file:
        return verify(file)


def events_of(folder):
    lines = (folder / "audit.jsonl").read_bytes().splitlines()
    return [json.loads(line)["event"] for line in lines]


def die(*_):
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class _DyingDatabase:
    """A connection that dies at one statement."""

    def __init__(self, database, at):
        self._database = database
        self._at = at

    def execute(self, statement, *values):
        if statement.startswith(self._at):
            die()
        return self._database.execute(statement, *values)


def _enrol_and_die(folder, moment):
    """Enrol one batch, and a second one that meets its end at some moment."""
    archive = Archive(folder)
    store = store_of(archive)
    store.create("main", actor="test")
    ids, vectors = batch(0)
    store.enrol("main", ids, vectors, actor="test")
    write = os.write
    if moment == "in the middle of its rows":
        vectors = _DyingRows(batch(1)[1])
    elif moment == "before it is committed":
        archive._database = _DyingDatabase(archive._database, "COMMIT")
    elif moment == "before its line is written":
        os.write = die
    elif moment == "in the middle of its line":
        os.write = lambda file, content: (write(file, content[:40]), die())[0]
    elif moment == "before its line is on disk":
        os.fdatasync = die
    else:
        archive._database = _DyingDatabase(archive._database, "DELETE FROM outbox")
    ids, new = batch(1)
    store.enrol(
        "main", ids, vectors if isinstance(vectors, _DyingRows) else new, actor="test"
    )


class _DyingRows:
    """Templates of which the thirtieth is never read."""

    def __init__(self, vectors):
        self._vectors = vectors

    def __iter__(self):
        for k, row in enumerate(self._vectors):
            if k == 30:
                die()
            yield row


@pytest.mark.parametrize(
    ("moment", "is_made"),
    [
        ("in the middle of its rows", False),
        ("before it is committed", False),
        ("before its line is written", True),
        ("in the middle of its line", True),
        ("before its line is on disk", True),
        ("before the database hears of its line", True),
    ],
)
def test_killed_enrolment_is_made_whole_or_not_at_all(tmp_path, moment, is_made):
    """SIGKILL at any moment: before the batch or after it; the log says the same."""
    folder = tmp_path / "data"
    child = multiprocessing.get_context("fork").Process(
        target=_enrol_and_die, args=(folder, moment)
    )
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL

    archive = Archive(folder)
    store = store_of(archive)
    held = store.subjects("main", after=None, limit=1000)
    templates = store.gallery("main").templates
    archive.close()

    expected = batch(0)[0] + (batch(1)[0] if is_made else [])
    assert held == expected
    assert templates.shape == (len(expected), 4)
    assert log_of(folder).fault is None
    assert log_of(folder).n_torn_bytes == 0
    assert events_of(folder).count("enrolled") == (2 if is_made else 1)


def test_refused_batch_leaves_nothing_behind(tmp_path):
    """One subject who is there already, and nobody of the batch is enrolled."""
    archive = Archive(tmp_path / "data")
    store = store_of(archive)
    store.create("main", actor="test")
    ids, vectors = batch(0)
    store.enrol("main", ids[:10], vectors[:10], actor="test")
    with pytest.raises(RefusedError, match="each subject once"):
        store.enrol("main", [*ids[20:], ids[3]], vectors[19:], actor="test")

    assert store.get("main").n_subjects == 10
    assert store.get("main").version == 2
    assert events_of(tmp_path / "data") == ["watchlist_created", "enrolled"]
    archive.close()


def test_withdrawn_templates_are_gone_from_the_disk(tmp_path):
    """Not only from the table: overwritten, in SQLite's own log too."""
    archive = Archive(tmp_path / "data")
    store = store_of(archive)
    store.create("main", actor="test")
    ids, vectors = batch(0)
    store.enrol("main", ids, vectors, actor="test")
    files = list((tmp_path / "data").glob("service.sqlite3*"))
    assert any(vectors[7].tobytes() in path.read_bytes() for path in files)

    store.withdraw("main", [ids[7]], actor="test")
    assert not any(vectors[7].tobytes() in path.read_bytes() for path in files)
    assert any(vectors[8].tobytes() in path.read_bytes() for path in files)
    archive.close()


def test_templates_come_back_bit_for_bit_in_order_of_enrolment(tmp_path):
    """A threshold calibrated before a restart is that after it."""
    archive = Archive(tmp_path / "data")
    store = store_of(archive)
    store.create("main", actor="test")
    ids, vectors = batch(0)
    store.enrol("main", ids, vectors, actor="test")
    store.activate(
        Activation(name="main", threshold=None, target_fpir=0.02),
        actor="test",
        threshold=0.5,
        origin="said so",
    )
    archive.close()

    archive = Archive(tmp_path / "data")
    store = store_of(archive)
    gallery, active = store.gallery("main"), store.active()
    archive.close()
    assert np.array_equal(gallery.templates, vectors)
    assert list(gallery.subject_ids) == ids
    assert active == Activation(name="main", threshold=None, target_fpir=0.02)


def alert(subject_id="p-17"):
    return Alert(
        camera_id=CameraId("east"),
        track_id=TrackId(3),
        frame_index=9,
        subject_id=SubjectId(subject_id),
        comparison_score=0.71,
        threshold=0.64,
        box_xyxy=(1.0, 2.0, 3.0, 4.0),
        capture_time_ns=5,
        alert_time_ns=6,
    )


def test_alert_is_kept_for_its_time_and_then_gone_without_a_trace(tmp_path):
    """After 31 days: no row, no bytes, and a log that says when but not whom."""
    calendar = FakeCalendar()
    archive = Archive(tmp_path / "data")
    alerts = AlertStore(archive, kept_s=31 * 86_400, unix_clock=calendar)
    (kept,) = alerts.add([alert("zebra-17")], watchlist="m", version=2, actor="op")
    calendar.now_ns += 31 * DAY_NS - 1
    assert alerts.delete_over() == 0
    assert alerts.get(kept.alert_id) == kept

    calendar.now_ns += 1
    with pytest.raises(RefusedError, match="its time is over"):
        alerts.get(kept.alert_id)
    assert alerts.page(after=0, limit=10) == []
    assert alerts.delete_over() == 1
    archive.close()

    everything = b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir())
    assert b"zebra-17" not in everything
    assert kept.alert_id.encode() in everything
    assert events_of(tmp_path / "data") == ["alert", "alerts_deleted"]


def test_alert_is_decided_on_once(tmp_path):
    """The second reviewer is told that there was a first."""
    archive = Archive(tmp_path / "data")
    alerts = AlertStore(archive, kept_s=60, unix_clock=FakeCalendar())
    first, second = alerts.add([alert(), alert()], watchlist="m", version=2, actor="op")

    def decide(decision, reviewer):
        return alerts.decide(
            first.alert_id, decision=decision, reviewer=reviewer, note="", actor="op"
        )

    assert decide("dismissed", "ann").decision == "dismissed"
    with pytest.raises(RefusedError, match="somebody has decided"):
        decide("confirmed", "bob")
    assert [a.reviewer for a in alerts.page(after=0, limit=5)] == ["ann", None]
    assert second.number == first.number + 1
    archive.close()


def test_two_services_cannot_share_a_folder(tmp_path):
    """The second is told so; the first is not disturbed."""
    first = Archive(tmp_path / "data")
    with pytest.raises(DataFolderError, match="another one runs on it"):
        Archive(tmp_path / "data")
    first.close()
    Archive(tmp_path / "data").close()


def test_log_survives_the_loss_of_the_database(tmp_path):
    """A new database goes on with the chain that it finds."""
    folder = tmp_path / "data"
    archive = Archive(folder)
    store_of(archive).create("main", actor="test")
    archive.close()
    for path in folder.glob("service.sqlite3*"):
        path.unlink()

    archive = Archive(folder)
    store_of(archive).create("main", actor="test")
    archive.close()
    Archive(folder).close()
    assert events_of(folder) == ["watchlist_created"] * 2
    assert log_of(folder).fault is None


def test_change_that_cannot_be_recorded_is_not_begun(tmp_path, monkeypatch):
    """Nothing goes unrecorded: a full disk stops the service, not its memory."""
    archive = Archive(tmp_path / "data")
    store = store_of(archive)
    store.create("main", actor="test")
    with monkeypatch.context() as patch:
        patch.setattr(audit_log.os, "fdatasync", _full)
        with pytest.raises(audit_log.AuditUnavailableError):
            store.create("second", actor="test")
        with pytest.raises(audit_log.AuditUnavailableError):
            store.create("third", actor="test")
    archive.close()

    archive = Archive(tmp_path / "data")
    names = [w.name for w in store_of(archive).list_all()]
    archive.close()
    # The second was made before its line failed; its line was made good at the start.
    assert names == ["main", "second"]
    assert events_of(tmp_path / "data") == ["watchlist_created"] * 2


def _full(*_):
    raise OSError(28, "No space left on device")
