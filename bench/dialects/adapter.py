"""A vendor's API as a dialect: requests from templates, answers by paths.

Owns what an adapter's settings do. Knows nothing of sockets, and of no vendor.

The vendor's stamps, if it has any, are not of our clock: a frame begins when it was
sent and ends with its answer, and what lies between cannot be told apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jmespath

from bench.dialects.adapter_set_up import call_all, enrol_all, excerpt
from bench.dialects.dialect import (
    Answer,
    Call,
    Conversation,
    EnrolWay,
    FrameLabel,
    Identified,
    Sought,
    Standing,
    unanswered,
    unprocessed,
)
from bench.dialects.faces import read_faces
from bench.dialects.placeholders import environment_of, fill
from bench.errors import BenchError, RemoteError
from matcher.messages import SystemDescription
from matcher.records import (
    Alert,
    FrameResult,
    Outcome,
    Probe,
    SubjectId,
    TrackId,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.dialects.adapter_settings import AdapterConfig, CallConfig
    from bench.dialects.faces import Face
    from matcher.gallery import FailureToEnrol

__all__ = ["AdapterDialect", "adapt"]


def adapt(
    config: AdapterConfig, environment: Mapping[str, str], *, unix_offset_ns: int
) -> AdapterDialect:
    """Make an adapter ready to speak.

    Args:
        config: As its file has it.
        environment: Where `${env:NAME}` is looked up.
        unix_offset_ns: From the harness's clock to nanoseconds since 1970.

    Raises:
        RemoteError: If a variable is not set.
    """
    return AdapterDialect(
        config=config,
        secrets=tuple(environment_of(_templates(config), environment).items()),
        unix_offset_ns=unix_offset_ns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterDialect:
    """Speaks as its settings say.

    Attributes:
        config: The adapter.
        secrets: What its templates take from the environment; kept in memory alone.
        unix_offset_ns: From the harness's clock to nanoseconds since 1970.
    """

    config: AdapterConfig
    secrets: tuple[tuple[str, str], ...]
    unix_offset_ns: int
    tells_stages: bool = False

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.config.name

    @property
    def tells_probes(self) -> bool:
        """Its answers list faces with their candidates, whether they alert or not."""
        found = self.config.frames.found
        return found is not None and found.subject is not None

    def frame_call(
        self,
        label: FrameLabel,
        picture: bytes,
        media_type: str,
        *,
        unhurried: bool,  # noqa: ARG002 - no such thing in other dialects
    ) -> Call:
        """Post one frame."""
        capture_ns = label.capture_time_ns
        values = {
            "camera_id": str(label.camera_id),
            "frame_index": str(label.index),
            "capture_time_ns": str(capture_ns),
            "capture_time_s": f"{capture_ns / 1e9:.6f}",
            "capture_unix_ms": str((capture_ns + self.unix_offset_ns) // 1_000_000),
            "width_px": str(label.width_px),
            "height_px": str(label.height_px),
        }
        return self._call(self.config.frames, values, picture, media_type)

    def frame_result(self, label: FrameLabel, answer: Answer) -> FrameResult:
        """Read what became of a frame."""
        lost = unanswered(label, answer)
        if lost is not None:
            return lost
        frames = self.config.frames
        if answer.status in frames.skipped:
            cause = f"too busy: it answered {answer.status}"
            return unprocessed(label, answer, Outcome.SKIPPED, cause)
        if answer.status not in frames.accepted:
            cause = f"refused {answer.status}: {excerpt(answer)}"
            return unprocessed(label, answer, Outcome.FAILED, cause)
        try:
            said = json.loads(answer.body)
            found = (
                () if frames.found is None else read_faces(said, frames.found, label)
            )
            alerts = read_faces(said, frames.alerts, label, first=len(found))
        except (ValueError, TypeError) as error:
            cause = f"unreadable answer: {error}"
            return unprocessed(label, answer, Outcome.FAILED, cause)
        seen = alerts if frames.found is None else found
        return self._result(label, answer, alerts, seen)

    def identify_call(self, picture: bytes, media_type: str) -> Call:
        """Post one probe.

        Raises:
            BenchError: If the adapter has no such call.
        """
        if self.config.identify is None:
            message = (
                f"adapter '{self.name}' must say how probes are identified, got no "
                "[identify]; add it, or ask for none with --identify-hz 0"
            )
            raise BenchError(message)
        return self._call(self.config.identify, {}, picture, media_type)

    def identified(self, answer: Answer) -> Identified:
        """Read what came of one probe."""
        identify = self.config.identify
        outcome, cause, said = Outcome.FAILED, answer.failure, None
        if identify is not None and not answer.failure:
            if answer.status in identify.accepted:
                try:
                    said = json.loads(answer.body)
                except ValueError:
                    cause = f"unreadable answer: {excerpt(answer)}"
            else:
                is_busy = answer.status in self.config.frames.skipped
                outcome = Outcome.SKIPPED if is_busy else Outcome.FAILED
                cause = f"refused {answer.status}: {excerpt(answer)}"
        if identify is None or said is None:
            return Identified(
                outcome=outcome,
                cause=cause,
                subject_id="",
                comparison_score=None,
                alerted=False,
            )
        paths = identify.answer
        subject, score = (
            jmespath.search(p, said) for p in (paths.subject, paths.score)
        )
        alerted = paths.alert is not None and bool(jmespath.search(paths.alert, said))
        return Identified(
            outcome=Outcome.PROCESSED,
            cause="",
            subject_id="" if subject is None else str(subject),
            comparison_score=None if score is None else self._scaled(float(score)),
            alerted=alerted,
        )

    def clock_call(self) -> Call | None:
        """It tells no stamps."""
        return None

    def clock_reading(self, answer: Answer) -> int:
        """The caller's own clock stands in for one that is not told."""
        return answer.answered_ns

    def set_up(self, sought: Sought) -> Conversation[Standing]:
        """Enrol the watchlist as the adapter says, between its setup and ready.

        Raises:
            RemoteError: If the vendor refuses.
        """
        values = {"watchlist": sought.name}
        failures: list[FailureToEnrol] = []
        config = self.config
        yield from call_all(config.setup, self._call, values, table="setup")
        if sought.way is EnrolWay.TEMPLATES:
            raise RemoteError(
                what="take templates",
                found="an adapter enrols by portraits alone",
                remedy="use --enrol portraits",
            )
        if sought.way is EnrolWay.PORTRAITS:
            failures = yield from enrol_all(config, self._call, sought)
        yield from call_all(config.ready, self._call, values, table="ready")
        yield from self.begin()
        system = self.config.system
        n_enrolled = len(sought.subject_ids) - len(failures)
        return Standing(
            system=SystemDescription(
                name=self.name,
                detector=system.detector,
                embedder=system.embedder,
                index=system.index,
                gallery_size=n_enrolled,
                threshold=self._scaled(system.threshold),
                threshold_origin="stated in the adapter",
                threads=(),
                versions=(),
            ),
            n_enrolled=n_enrolled,
            failures=tuple(failures),
            pid=None,
            clock_offset_ns=None,
            previous=None,
            notes=tuple(self._notes(sought)),
            settings={},
        )

    def at(self, standing: Standing) -> AdapterDialect:  # noqa: ARG002 - no stamps
        """Return itself: how a vendor stands changes no word."""
        return self

    def begin(self) -> Conversation[None]:
        """Make the calls of `[[begin]]`."""
        yield from call_all(self.config.begin, self._call, {}, table="begin")

    def tear_down(self, sought: Sought, standing: Standing) -> Conversation[None]:  # noqa: ARG002
        """Make the calls of `[[teardown]]`."""
        values = {"watchlist": sought.name}
        yield from call_all(self.config.teardown, self._call, values, table="teardown")

    def _call(
        self,
        config: CallConfig,
        values: Mapping[str, str],
        picture: bytes,
        media_type: str,
    ) -> Call:
        return fill(
            config,
            {**values, **dict(self.secrets)},
            picture=picture,
            media_type=media_type,
            headers=self.config.headers,
        )

    def _result(
        self,
        label: FrameLabel,
        answer: Answer,
        alerts: tuple[Face, ...],
        found: tuple[Face, ...],
    ) -> FrameResult:
        # The stamps are those of a frame that nothing more is known of.
        ended = unprocessed(label, answer, Outcome.PROCESSED, "")
        done_ns = ended.outcome.done_ns
        threshold = self._scaled(self.config.system.threshold)
        return replace(
            ended,
            outcome=replace(ended.outcome, n_faces=len(found)),
            boxes=tuple((face.track, *face.box_xyxy) for face in found),
            probes=tuple(
                Probe(
                    camera_id=label.camera_id,
                    track_id=TrackId(face.track),
                    frame_index=label.index,
                    capture_time_ns=label.capture_time_ns,
                    box_xyxy=face.box_xyxy,
                    quality=0.0,
                    n_shots=1,
                    subject_id=SubjectId(face.subject_id),
                    comparison_score=self._scaled(face.score),
                    decided_ns=done_ns,
                )
                for face in (found if self.tells_probes else alerts)
                if face.score is not None
            ),
            alerts=tuple(
                Alert(
                    camera_id=label.camera_id,
                    track_id=TrackId(face.track),
                    frame_index=label.index,
                    subject_id=SubjectId(face.subject_id),
                    comparison_score=self._scaled(face.score),
                    threshold=threshold,
                    box_xyxy=face.box_xyxy,
                    capture_time_ns=label.capture_time_ns,
                    alert_time_ns=done_ns,
                )
                for face in alerts
                if face.score is not None
            ),
        )

    def _scaled(self, score: float) -> float:
        return score / self.config.score_divisor

    def _notes(self, sought: Sought) -> Iterator[str]:
        yield (
            f"Driven through the adapter '{self.name}': a frame takes from its planned "
            "capture to the arrival of its answer, and stages are not told."
        )
        if not self.tells_probes:
            yield "Searches without an alert are not told: FTA cannot be measured."
        if sought.way is EnrolWay.PRESENT:
            yield "That the watchlist is enrolled there was taken on trust."


def _templates(config: AdapterConfig) -> Iterator[str]:
    calls: tuple[CallConfig | None, ...] = (
        config.frames,
        config.identify,
        config.enrol,
        *config.setup,
        *config.ready,
        *config.begin,
        *config.teardown,
    )
    yield from config.headers.values()
    for call in calls:
        if call is not None:
            yield call.path
            yield from call.headers.values()
            yield from call.form.values()
            if call.body is not None:
                yield call.body
