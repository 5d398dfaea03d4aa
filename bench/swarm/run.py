"""A run by Locust, from the plan to the record: prepare, let it post, conclude.

Owns the order of these steps. Knows nothing of how Locust is started or of what any
dialect says.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from bench.dialects.adapter import AdapterDialect
from bench.dialects.dialect import FrameFormat
from bench.dialects.stills import stills_of
from bench.driving.http_exchange import exchanging
from bench.driving.http_target import readied
from bench.driving.null_service import null_service
from bench.driving.pacing import Pacing
from bench.errors import BenchError, SystemGoneError
from bench.host.clock import ClockCheck, check_clock, worse_of
from bench.load.settings import LoadKind
from bench.running.audit_runs import with_reasons
from bench.running.remote_run import entry_of, sought_of
from bench.running.settle import settle
from bench.swarm.brief import Brief, write_brief
from bench.swarm.outcome import offered_reason, read_test, requests_table, swarm_metrics
from bench.swarm.probes import cut_probes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from bench.dialects.dialect import Dialect, Standing
    from bench.driving.http_target import Remote
    from bench.driving.session import Progress
    from bench.records import ArrivalPlan, RunRecord
    from bench.running.rig import Rig
    from bench.running.run import Origin, Settings
    from bench.swarm.probes import ProbePicture

__all__ = ["Prepared", "prepared", "write_requests"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Everything that is fixed before Locust starts.

    Attributes:
        folder: With the brief.
        rig: Frames and their plan.
        probes: Posted in turn.
        probe_plan: When.
        remotes: The matchers, each with how it stands.
        brief: As it lies in the folder.
        before: The clock check before.
    """

    folder: Path
    rig: Rig
    probes: tuple[ProbePicture, ...]
    probe_plan: ArrivalPlan
    remotes: tuple[tuple[Remote, Standing], ...]
    brief: Brief
    before: ClockCheck

    def conclude(
        self,
        number: int,
        settings: Settings,
        origin: Origin,
        *,
        interrupted: bool,
    ) -> tuple[RunRecord, pa.Table]:
        """Make a run of one finished test.

        Args:
            number: Of the test.
            settings: What is asked of it.
            origin: Where it comes from.
            interrupted: Someone pressed Ctrl-C.

        Returns:
            The run, and the table of all requests.
        """
        heard = read_test(self.folder, number)
        dialects = [remote.dialect.at(there) for remote, there in self.remotes]
        lost, check = "", self.before
        try:
            check = worse_of(check, _check_clocks(self.remotes))
        except SystemGoneError as error:
            lost = error.reason
        rig, plan = self.rig, self.rig.plan
        session = heard.session(
            plan,
            dialects,
            self.brief.sizes,
            system=self.remotes[0][1].system,
            clock_check=check,
            lost=lost,
            interrupted=interrupted,
        )
        record = settle(
            rig,
            session,
            settings,
            origin,
            entry_of(
                self.remotes[0][0],
                [(remote.url, there) for remote, there in self.remotes],
            ),
            pacing=Pacing.OPEN,
            null_hz=heard.null_hz,
        )
        requests = requests_table(
            heard,
            plan,
            self.probe_plan,
            probes=self.probes,
            mated=frozenset(str(p) for p in rig.crowd.watchlist.mated),
            dialect=dialects[0],
        )
        off_plan = offered_reason(requests, plan)
        more = swarm_metrics(requests, plan=plan, n_probes=len(self.probe_plan))
        return (
            replace(
                record,
                verdict=with_reasons(
                    record.verdict, [] if off_plan is None else [off_plan]
                ),
                metrics={**record.metrics, **more},
                notes=(*record.notes, _NOTE),
            ),
            requests,
        )


_NOTE = (
    "Driven by Locust: its own tables are in locust/, every request in "
    "requests.parquet. A frame is sent when Locust's user begins its request."
)


def write_requests(table: pa.Table, folder: Path) -> None:
    """Write the table of all requests into a run's folder."""
    pq.write_table(table, folder / "requests.parquet")


@contextmanager
def prepared(
    rig: Rig,
    settings: Settings,
    origin: Origin,
    *,
    remotes: Sequence[Remote],
    probe_plan: ArrivalPlan,
    n_identify: int,
    progress: Progress,
) -> Iterator[Prepared]:
    """Ready the matchers and lay down the brief; leave the matchers at the end.

    Args:
        rig: Frames and their plan.
        settings: Of the scenario.
        origin: Of the run.
        remotes: The matchers: replicas of one another.
        probe_plan: When probes are posted.
        n_identify: By how many users.
        progress: Told of each part.

    Raises:
        BenchError: If the load is none that Locust can follow, or the replicas differ.
    """
    kind = settings.load.kind
    if kind.is_closed or kind is LoadKind.OFFLINE:
        message = (
            "Locust follows the times of a plan, so load.kind must be camera_stream, "
            f"server or replay, got '{kind}'; use `harness run` for this one"
        )
        raise BenchError(message)
    if rig.plan.changes:
        message = (
            "Locust's users post and nothing else, so load.watchlist_change must be "
            f"left out, got {len(rig.plan.changes)} changes; use `harness run`"
        )
        raise BenchError(message)
    clips, packets = rig.crowd.clips, rig.packets
    remote = remotes[0]
    probes = (
        cut_probes(clips, packets, progress=progress) if len(probe_plan) > 0 else ()
    )
    if len(probe_plan) > 0 and not probes:
        message = (
            "identify users must have a clear face to post, got none in any clip; ask "
            "for no probes with --identify-hz 0"
        )
        raise BenchError(message)
    sought = sought_of(
        rig.crowd.watchlist,
        settings.matcher,
        way=remote.way,
        name=f"run-{origin.run_id}",
        progress=progress,
    )
    with ExitStack() as stack:
        standings = [
            stack.enter_context(
                readied(each, sought, clock=time.perf_counter_ns, progress=progress)
            )
            for each in remotes
        ]
        _check_alike(remotes, standings)
        null_url = stack.enter_context(null_service())
        folder = Path(
            stack.enter_context(TemporaryDirectory(prefix="lfr-harness-locust-"))
        )
        brief = _brief(
            remotes, standings, rig, null_url=null_url, n_identify=n_identify
        )
        write_brief(
            folder,
            brief,
            plan=rig.plan,
            pictures=_pictures(rig, remote.picture, progress=progress),
            probe_plan=probe_plan,
            probes=probes,
        )
        both = tuple(zip(remotes, standings, strict=True))
        yield Prepared(
            folder=folder,
            rig=rig,
            probes=probes,
            probe_plan=probe_plan,
            remotes=both,
            brief=brief,
            before=_check_clocks(both),
        )


def _brief(
    remotes: Sequence[Remote],
    standings: Sequence[Standing],
    rig: Rig,
    *,
    null_url: str,
    n_identify: int,
) -> Brief:
    remote = remotes[0]
    dialect = remote.dialect
    adapter = ""
    names = ("/v1/frames", "/v1/identify")
    if isinstance(dialect, AdapterDialect):
        adapter = dialect.config.model_dump_json()
        identify = dialect.config.identify
        names = (
            dialect.config.frames.path,
            "identify" if identify is None else identify.path,
        )
    offsets = [standing.clock_offset_ns for standing in standings]
    return Brief(
        urls=tuple(each.url for each in remotes),
        clock_offsets_ns=tuple(0 if ns is None else ns for ns in offsets),
        pids=tuple(s.pid for s in standings if s.pid is not None),
        adapter=adapter,
        media_type=remote.picture.media_type,
        sizes=tuple((clip.width_px, clip.height_px) for clip in rig.crowd.clips),
        frame_name=names[0],
        identify_name=names[1],
        timeout_s=remote.timeout_s,
        null_url=null_url,
        n_identify=n_identify,
    )


def _pictures(
    rig: Rig, form: FrameFormat, *, progress: Callable[[str, int, int], None]
) -> Mapping[str, Iterable[bytes]]:
    named = zip(rig.crowd.clips, rig.packets, strict=True)
    if form is FrameFormat.H264:
        return {str(clip.camera_id): packets for clip, packets in named}
    progress(f"make {form} stills", 0, 1)
    return {
        str(clip.camera_id): stills_of(packets, camera_id=clip.camera_id, form=form)
        for clip, packets in named
    }


def _check_alike(remotes: Sequence[Remote], standings: Sequence[Standing]) -> None:
    """Refuse replicas that are no replicas: one run has one matcher and one threshold.

    Raises:
        BenchError: With what differs first.
    """
    first = standings[0].system
    for remote, standing in zip(remotes, standings, strict=True):
        other = standing.system
        for what in ("detector", "embedder", "index", "gallery_size", "threshold"):
            ours, theirs = getattr(first, what), getattr(other, what)
            if ours != theirs:
                message = (
                    f"replicas must be alike, got {what} {theirs} at {remote.url} and "
                    f"{ours} at {remotes[0].url}; start both with the same settings"
                )
                raise BenchError(message)


def _check_clocks(both: Sequence[tuple[Remote, Standing]]) -> ClockCheck:
    """Check the clock of every matcher, as of any target.

    Raises:
        SystemGoneError: If one does not answer.
    """
    checks = []
    for remote, standing in both:
        dialect: Dialect = remote.dialect.at(standing)
        call = dialect.clock_call()
        with exchanging(
            remote.url,
            remote.headers,
            timeout_s=remote.timeout_s,
            clock=time.perf_counter_ns,
        ) as exchange:

            def read(asked_ns: int) -> int:
                if call is None:  # noqa: B023 - called within this turn of the loop
                    return asked_ns
                return dialect.clock_reading(exchange(call))  # noqa: B023

            checks.append(check_clock(read, clock=time.perf_counter_ns))
    worst = checks[0]
    for check in checks[1:]:
        worst = worse_of(worst, check)
    return worst
