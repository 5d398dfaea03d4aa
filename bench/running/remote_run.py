"""A run against a matcher elsewhere: ready it, drive it over HTTP, leave it.

Owns what such a run needs beside any other: the watchlist over there, the headroom of
the HTTP client, and what is kept of the matcher's own settings. Knows nothing of how
it is spoken to.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.dialects.dialect import EnrolWay, Portrait, Sought
from bench.driving.headroom import measure_null_hz
from bench.driving.http_target import http_target, null_over_network, readied
from bench.driving.null_service import null_service
from bench.driving.pacing import Pacing
from bench.driving.session import drive_target
from bench.driving.target import Ledger
from bench.load.settings import LoadKind
from bench.running.enrolment import enrol_watchlist
from bench.running.run import pacing_for
from bench.running.settle import Entry, failure_note, settle

if TYPE_CHECKING:
    from bench.dialects.dialect import Dialect, Standing
    from bench.driving.http_target import Remote
    from bench.driving.session import Progress
    from bench.records import RunRecord
    from bench.running.rig import Rig
    from bench.running.run import Origin, Settings
    from matcher.config import MatcherConfig
    from synthetic_crowds.records import Watchlist

__all__ = ["entry_of", "measure_remote", "sought_of"]

_NULL_RUN_S = 1.5
_ENDINGS = {".jpg": "jpeg", ".jpeg": "jpeg"}


def measure_remote(
    rig: Rig,
    settings: Settings,
    origin: Origin,
    *,
    remote: Remote,
    unhurried: bool,
    progress: Progress,
) -> RunRecord:
    """Measure a matcher elsewhere; else as `bench.running.run.run`.

    Args:
        rig: What is sent.
        settings: What is asked; the matcher's own settings stay what they are.
        origin: Where the run comes from.
        remote: The matcher.
        unhurried: One frame of a camera at a time, by the plan's own clock.
        progress: Told of each part.

    Raises:
        RemoteError: If the matcher refuses, or lacks what the run needs.
    """
    load = settings.load
    pacing = pacing_for(load, unhurried=unhurried)
    clock = time.perf_counter_ns
    null_hz = _null_hz(rig, progress=progress) if pacing is Pacing.OPEN else None
    sought = sought_of(
        rig.crowd.watchlist,
        settings.matcher,
        way=remote.way,
        name=f"run-{origin.run_id}",
        progress=progress,
    )
    with readied(remote, sought, clock=clock, progress=progress) as standing:
        session = drive_target(
            rig.plan,
            rig.packets,
            http_target(
                remote,
                standing,
                rig.crowd.clips,
                rig.packets,
                in_order=pacing is not Pacing.OPEN,
                unhurried=pacing is Pacing.UNHURRIED,
                progress=progress,
            ),
            pacing=pacing,
            in_flight=load.in_flight if load.kind is LoadKind.MULTI_STREAM else 1,
            clock=clock,
            progress=progress,
        )
    return settle(
        rig,
        session,
        settings,
        origin,
        entry_of(remote, [(remote.url, standing)]),
        pacing=pacing,
        null_hz=null_hz,
    )


def sought_of(
    watchlist: Watchlist,
    matcher: MatcherConfig,
    *,
    way: EnrolWay,
    name: str,
    progress: Progress,
) -> Sought:
    """Say what the matcher has to search, in the form in which it gets there.

    Args:
        watchlist: The scenario's.
        matcher: Makes the templates, where they are what is sent.
        way: How it gets there.
        name: Of the watchlist there; brought to the letters that are allowed.
        progress: Told of portraits enrolled here.
    """
    allowed = "".join(c if c.isalnum() or c in "-_" else "-" for c in name.lower())
    portraits: tuple[Portrait, ...] = ()
    gallery = None
    if way is EnrolWay.PORTRAITS:
        portraits = tuple(
            Portrait(
                subject_id=str(image.person_id),
                media_type=f"image/{_ENDINGS.get(image.path.suffix, 'png')}",
                content=image.path.read_bytes(),
            )
            for image in watchlist.images
        )
    elif way is EnrolWay.TEMPLATES:
        gallery = enrol_watchlist(watchlist, matcher, progress=progress).gallery
    return Sought(
        name=allowed[:64],
        way=way,
        subject_ids=tuple(str(s.person_id) for s in watchlist.subjects),
        portraits=portraits,
        gallery=gallery,
    )


def entry_of(remote: Remote, standings: list[tuple[str, Standing]]) -> Entry:
    """Say what a matcher elsewhere brings into a run, from one place or several.

    Args:
        remote: How it is spoken to.
        standings: By address; their first stands for what all of them are.
    """
    dialect: Dialect = remote.dialect
    first = standings[0][1]
    return Entry(
        n_enrolled=first.n_enrolled,
        notes=(
            *failure_note(first.failures),
            *dict.fromkeys(note for _, there in standings for note in there.notes),
        ),
        # Over HTTP a search tells its first candidate alone.
        n_candidates=1,
        tells_stages=dialect.tells_stages,
        tells_probes=dialect.tells_probes,
        over_network=True,
        provenance={
            "target": {
                "urls": [url for url, _ in standings],
                "dialect": dialect.name,
                "frames": str(remote.picture),
                "watchlist": str(remote.way),
                "settings": first.settings,
            }
        },
    )


def _null_hz(rig: Rig, *, progress: Progress) -> float:
    """Learn what driver and HTTP client manage against a service that does nothing."""
    progress("test the harness itself", 0, 1)
    ledger = Ledger()
    with (
        null_service() as url,
        null_over_network(url, rig.crowd.clips)(ledger) as target,
    ):
        null_hz = measure_null_hz(
            target,
            ledger,
            rig.plan,
            rig.packets,
            duration_s=_NULL_RUN_S,
            clock=time.perf_counter_ns,
        )
    progress("test the harness itself", 1, 1)
    return null_hz
