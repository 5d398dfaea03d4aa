"""The watchlist changes while cameras run: who, when, and what figures make of it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from bench_doubles import FakeClock, make_instrument, make_record
from bench_workers import SYSTEM
from bench_world import MS, N_FRAMES, START_NS, make_crowd, make_plan, perfect_results
from pydantic import ValidationError

from bench.accuracy.sought import SoughtTimes
from bench.driving.driver import Errand, drive
from bench.driving.pacing import Pacing
from bench.driving.session import drive_target
from bench.driving.target import Ledger
from bench.driving.targets import ChangeableInProcess, in_process, oracle
from bench.errors import BenchError
from bench.load.settings import LoadConfig, WatchlistChangeConfig
from bench.load.watchlist import draw_changes, held_back
from bench.records import PlannedChange, Status, WatchlistChange
from bench.running.folder import create_folder, read_run, recompute, write_run
from bench.running.run import conclude
from bench.running.verdict import judge
from bench.running.watchlist_changes import changes_of, first_gallery
from bench.timing.frames import tabulate
from matcher.config import EngineConfig
from matcher.errors import GalleryError
from matcher.gallery import Gallery
from matcher.inbox import Inbox
from matcher.records import SubjectId

PACKETS = ((b"x",) * N_FRAMES, (b"y",) * N_FRAMES)
SUBJECTS = tuple(f"s{k}" for k in range(40))


def load_of(*changes):
    return LoadConfig(
        watchlist_change=tuple(WatchlistChangeConfig(**change) for change in changes)
    )


def draw(*changes, passers=(), seed=1):
    return draw_changes(
        load_of(*changes),
        SUBJECTS,
        passers=passers,
        duration_s=20.0,
        rng=np.random.default_rng(seed),
    )


def test_whoever_joins_is_held_back_and_whoever_leaves_was_there():
    """Over three changes, given out of order: nobody joins twice or leaves unseen."""
    found = draw(
        {"at_s": 9.0, "enrol": 5, "withdraw": 8},
        {"at_s": 3.0, "enrol": 10},
        {"at_s": 15.0, "withdraw": 20},
    )
    assert [c.offset_ns for c in found] == [3 * 10**9, 9 * 10**9, 15 * 10**9]
    enrolled = set(SUBJECTS) - held_back(found)
    assert len(enrolled) == 25
    for change in found:
        assert set(change.withdraw) <= enrolled
        assert not set(change.enrol) & enrolled
        enrolled = enrolled - set(change.withdraw) | set(change.enrol)
    assert len(enrolled) == 12
    assert max(Counter(s for c in found for s in c.enrol).values()) == 1


def test_changes_depend_on_the_seed_alone():
    """Equal seeds, equal people."""
    asked = {"at_s": 3.0, "enrol": 10, "withdraw": 2}
    assert draw(asked) == draw(asked) != draw(asked, seed=2)


def test_passers_only_draws_those_who_walk_past():
    """A short run has to see them."""
    passers = {"s3", "s7", "s9"}
    (found,) = draw({"at_s": 3.0, "enrol": 3, "passers_only": True}, passers=passers)
    assert set(found.enrol) == passers


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"at_s": 25.0, "enrol": 1}, "within the run's 20 s, got 25"),
        ({"at_s": 3.0, "enrol": 41}, "at most the 40 there are"),
        ({"at_s": 3.0, "withdraw": 40}, "leave somebody enrolled"),
    ],
    ids=["too late", "too many", "everybody"],
)
def test_changes_that_cannot_be_are_refused(change, words):
    """Before the first frame, with the remedy."""
    with pytest.raises(BenchError, match=words):
        draw(change)


def test_a_change_of_nobody_is_refused():
    """In the settings already."""
    with pytest.raises(ValidationError, match="got neither at 3 s"):
        WatchlistChangeConfig(at_s=3.0)


def asked_at(second, *, effect_ms=(1, 2), refusal=""):
    """A change asked for at so many seconds of the tiny run."""
    asked_ns = START_NS + round(second * 1e9)
    return WatchlistChange(
        planned_ns=asked_ns,
        asked_ns=asked_ns,
        workers=tuple(range(len(effect_ms))),
        in_effect_ns=tuple(asked_ns + ms * MS for ms in effect_ms),
        refusal=refusal,
    )


def plan_with(*changes):
    """The tiny plan, with who joins and leaves at which second."""
    planned = tuple(
        PlannedChange(offset_ns=round(s * 1e9), enrol=joins, withdraw=leaves)
        for s, joins, leaves in changes
    )
    return replace(make_plan(), changes=planned)


@pytest.mark.parametrize(
    ("begins_s", "ends_s", "is_sought"),
    [
        (1.0, 2.9, False),
        (2.0, 3.0005, None),
        (3.001, 4.0, None),
        (3.002, 6.9, True),
        (6.0, 7.001, None),
        (7.002, 9.0, False),
    ],
    ids=[
        "before she joins",
        "asked for meanwhile",
        "one worker does not know yet",
        "while she is sought",
        "until after she has left",
        "after she has left",
    ],
)
def test_somebody_is_sought_from_effect_to_withdrawal(begins_s, ends_s, is_sought):
    """Ann joins at 3 s, in effect 2 ms later, and leaves at 7 s, likewise."""
    sought = SoughtTimes(
        {"ann", "cat"},
        plan_with((3.0, ("ann",), ()), (7.0, (), ("ann",))),
        (asked_at(3.0), asked_at(7.0)),
        unhurried=False,
    )
    begins_ns, ends_ns = (START_NS + round(s * 1e9) for s in (begins_s, ends_s))
    said = sought.is_sought("ann", begins_ns=begins_ns, ends_ns=ends_ns)
    assert said is is_sought
    assert sought.is_sought("cat", begins_ns=begins_ns, ends_ns=ends_ns) is True


def test_a_change_that_never_came_about_changes_nobody():
    """Refused, or the run was over by then; one that died half-way leaves doubt."""
    plan = plan_with((3.0, ("ann",), ()))
    never = replace(asked_at(3.0), planned_ns=-1, asked_ns=-1, in_effect_ns=())
    for change, is_sought in (
        (asked_at(3.0, effect_ms=(), refusal="no"), False),
        (never, False),
        (asked_at(3.0, effect_ms=()), None),
    ):
        sought = SoughtTimes({"ann"}, plan, (change,), unhurried=False)
        late_ns = START_NS + 9 * 10**9
        assert sought.is_sought("ann", begins_ns=late_ns, ends_ns=late_ns) is is_sought


def gallery_of(*names):
    return Gallery(
        templates=np.eye(len(names), 4, dtype=np.float32),
        subject_ids=tuple(SubjectId(name) for name in names),
        embedder_sha256="0" * 64,
    )


def test_messages_hold_the_templates_of_those_who_join():
    """Whoever failed to enrol has none, and is left out of the message."""
    plan = plan_with((3.0, ("bob", "fay"), ("ann",)))
    gallery = gallery_of("ann", "bob", "cat")
    (change,) = changes_of(plan, gallery)
    assert change.enrol == ("bob",)
    np.testing.assert_array_equal(change.templates, gallery.templates[1:2])
    assert change.withdraw == ("ann",)
    assert first_gallery(gallery, plan).subject_ids == ("ann", "cat")
    assert first_gallery(gallery, make_plan()) is gallery


def sit(plan, *, pacing, open_target=None):
    """Drive the tiny plan into the oracle, whose sought people change."""
    crowd = make_crowd()
    clock = time.perf_counter_ns
    target = oracle(crowd, clock=clock, held_back=held_back(plan.changes))
    gallery = gallery_of(*(str(s.person_id) for s in crowd.watchlist.subjects))
    return drive_target(
        plan,
        PACKETS,
        target if open_target is None else open_target,
        pacing=pacing,
        in_flight=1,
        clock=clock,
        progress=lambda *_: None,
        changes=changes_of(plan, gallery),
    )


def judged(plan, session, **instrument):
    return conclude(
        make_crowd(),
        plan,
        session,
        make_instrument(**instrument),
        objectives=(),
        run_id="changes",
        scenario={"scenario": {"title": "Changes"}},
        provenance={"seed": 1},
        notes=(),
    )


@pytest.mark.parametrize(
    ("joins_s", "n_mated", "n_astride"),
    [(1.0, 1, 0), (3.0, 0, 1), (6.0, 0, 0)],
    ids=["before she comes", "while she walks", "after she has gone"],
)
@pytest.mark.parametrize("pacing", [Pacing.UNHURRIED, Pacing.CLOSED], ids=str)
def test_the_oracle_makes_no_errors_whenever_somebody_joins(
    pacing, joins_s, n_mated, n_astride
):
    """Ann walks from 2 to 5 s; the account of who is mated agrees with the search."""
    plan = plan_with((joins_s, ("ann",), ()))
    session = sit(plan, pacing=pacing)
    is_closed = pacing is Pacing.CLOSED
    record = judged(plan, session, unhurried=not is_closed, closed=is_closed)
    metrics = record.metrics
    if not is_closed or n_astride == 0:
        # The closed run's clock is not the clip's: only its order is.
        assert metrics["passages.straddling"].value == n_astride
    assert metrics["passages.mated"].value == n_mated
    assert metrics["fpir"].value == metrics["fta"].value == 0.0
    assert metrics["fnir"].value == (0.0 if n_mated else None)
    assert record.verdict.reasons == ()
    assert metrics["watchlist.size"].value == 2
    assert metrics["watchlist.size_at_end"].value == 3
    assert "1 joined and 0 left in 1 of 1 planned changes" in record.notes[0]


def test_somebody_who_leaves_is_alerted_on_no_more():
    """Ann is withdrawn before she comes: passing by, she is one of the others."""
    plan = plan_with((1.0, (), ("ann",)))
    metrics = judged(plan, sit(plan, pacing=Pacing.UNHURRIED), unhurried=True).metrics
    assert metrics["passages.mated"].value == 0
    assert metrics["alerts.true"].n == 0 or metrics["fpir"].value == 0.0
    assert metrics["watchlist.left"].value == 1


def test_a_change_is_an_errand_between_two_frames_at_its_time():
    """In an open run it goes at its planned moment; what it takes delays frames."""
    clock = FakeClock(step_ns=100)
    plan = plan_with((2.0, ("ann",), ()))
    sent = []

    def run():
        sent.append("change")
        clock.sleep(0.03)

    done = drive(
        plan,
        PACKETS,
        lambda frame: sent.append(frame.capture_time_ns),
        start_ns=START_NS,
        pace=lambda due_ns: (
            clock.sleep(max(0.0, (due_ns - clock.now_ns) / 1e9)) or due_ns
        ),
        clock=clock,
        progress=lambda _: None,
        errands=[Errand(offset_ns=plan.changes[0].offset_ns, run=run)],
    )
    at = sent.index("change")
    due_ns = START_NS + 2 * 10**9
    assert sent[at - 1] < due_ns <= sent[at + 1]
    ((planned_ns, begun_ns),) = done.errands_ns
    assert planned_ns == due_ns <= begun_ns < due_ns + MS
    late_ns = (done.sent.sent_ns - done.sent.planned_ns)[at]
    assert late_ns >= 25 * MS


def test_the_time_to_effect_counts_from_the_planned_moment_to_the_last_worker():
    """Three workers, the slowest 5 ms after the plan."""
    change = asked_at(3.0, effect_ms=(1, 5, 2))
    plan = plan_with((3.0, ("zoe",), ()))
    record = make_record(perfect_results(plan), plan=plan, changes=(change,))
    assert record.metrics["watchlist_change_s.max"].value == pytest.approx(0.005)
    assert record.metrics["watchlist_change_s.p50"].value is None
    assert "within 5.0 ms of its planned moment" in record.notes[0]


def test_changes_come_back_from_the_run_folder(tmp_path):
    """With the plan, and every figure computed again."""
    plan = plan_with((3.0, ("ann",), ("zoe",)), (5.0, (), ("cat",)))
    changes = (asked_at(3.0), asked_at(5.0, effect_ms=(), refusal="not there"))
    record = make_record(perfect_results(plan), plan=plan, changes=changes)
    folder = create_folder(tmp_path, name="tiny")
    write_run(record, folder)
    back = read_run(folder)
    assert back.plan.changes == plan.changes
    assert back.changes == changes
    assert back.passages == record.passages
    assert recompute(folder) == record.metrics


def test_a_change_that_is_refused_makes_the_run_invalid():
    """With the target's own words; one that a dead matcher never saw is no news."""
    plan = plan_with((3.0, ("ann",), ()))
    refused = asked_at(3.0, effect_ms=(), refusal="got 'ann' again")
    record = make_record(perfect_results(plan), plan=plan, changes=(refused,))
    assert record.verdict.status is Status.INVALID
    (reason,) = record.verdict.reasons
    assert reason.code == "watchlist_change"
    assert "of change 1 got 'ann' again" in reason.message
    frames = tabulate(plan, record.sent, record.results, warm_up_s=1.0)
    dead = make_instrument(lost="it left")
    codes = {
        r.code
        for r in judge(frames, dead, (), record.metrics, changes=(refused,)).reasons
    }
    assert "watchlist_change" not in codes


def test_a_target_that_takes_no_changes_is_refused_before_the_first_frame():
    """The sentence names it."""

    @contextmanager
    def opened(ledger):
        with in_process(
            None,
            ledger,
            system=SYSTEM,
            config=EngineConfig(),
            clock=time.perf_counter_ns,
        ) as target:
            yield target

    plan = plan_with((3.0, ("ann",), ()))
    with pytest.raises(BenchError, match="got 'double', which has no `change`"):
        sit(plan, pacing=Pacing.UNHURRIED, open_target=opened)


def test_a_gallery_that_refuses_says_so_in_the_ledger():
    """In process as in workers: a sentence in place of an effect."""

    def refuse(_change):
        message = "nobody would be left"
        raise GalleryError(message)

    ledger = Ledger()
    target = ChangeableInProcess(
        ledger,
        Inbox(EngineConfig()),
        system=None,
        clock=FakeClock(),
        change=refuse,
    )
    (change,) = changes_of(plan_with((1.0, ("bob",), ())), gallery_of("ann", "bob"))
    target.change(change)
    assert [e.refusal for e in ledger.effects] == ["nobody would be left"]
