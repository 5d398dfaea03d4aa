"""Claims about a frame's way through the stages, with honest stand-ins for networks."""

import dataclasses

import numpy as np
import pytest
from matcher_doubles import (
    FRAME_NS,
    GREY,
    ColourDetector,
    ColourEmbedder,
    TickingClock,
    detections,
    encoded,
    frame,
    h264,
    painted,
)

from matcher.best_shot import (
    is_somebody_else,
    is_worth_embedding,
    no_shots,
    with_shot,
)
from matcher.config import (
    BestShotConfig,
    DecisionConfig,
    MatcherConfig,
    QualityConfig,
    TrackerConfig,
)
from matcher.decision import Decider
from matcher.fusion import fuse
from matcher.gallery import Gallery
from matcher.inbox import Waiting
from matcher.indexes.exact import ExactIndex
from matcher.landmarks import AsDetected
from matcher.live_gallery import LiveGallery
from matcher.pipeline import Pipeline
from matcher.quality import assess
from matcher.records import FrameResult, Outcome, Stage, SubjectId
from matcher.worker import Worker, unhurried

CONFIG = MatcherConfig(
    quality=QualityConfig(min_quality=0.0),
    tracker=TrackerConfig(confirm_hits=2),
    best_shot=BestShotConfig(interval_s=0.3, min_gain=1.0, max_shots=3),
)
SUBJECTS = (SubjectId("blue"), SubjectId("red"))


def _pipeline(config: MatcherConfig = CONFIG, threshold: float = 0.9) -> Pipeline:
    gallery = np.full((2, 3), -GREY, np.float32)
    gallery[0, 0], gallery[1, 2] = 220 - GREY, 220 - GREY
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    return Pipeline(
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        index=ExactIndex(gallery),
        subject_ids=SUBJECTS,
        decider=Decider(threshold, config.decision),
        config=config,
        clock=TickingClock(),
    )


def _walk(n: int, channel: int = 0) -> list[np.ndarray]:
    return [
        painted((10 + 4 * k, 30, 60 + 4 * k, 80), channel=channel) for k in range(n)
    ]


def _run(images: list[np.ndarray], **settings: object) -> list[FrameResult]:
    pipeline = _pipeline(**settings)  # type: ignore[arg-type]
    return [
        pipeline.process(frame(image, index), received_ns=0)
        for index, image in enumerate(images)
    ]


def test_enrolled_person_alerts_once_as_soon_as_the_track_is_trusted() -> None:
    """Second detection, first embedding, one alert however long the walk."""
    alerts = [alert for result in _run(_walk(20)) for alert in result.alerts]

    assert [(a.subject_id, a.frame_index) for a in alerts] == [("blue", 1)]
    assert alerts[0].comparison_score >= alerts[0].threshold == 0.9
    assert alerts[0].capture_time_ns == FRAME_NS


def test_stranger_is_searched_but_raises_no_alert() -> None:
    """Probes carry the first candidate and its score, whatever the threshold."""
    results = _run(_walk(8, channel=1))
    probes = [probe for result in results for probe in result.probes]

    assert probes
    assert max(p.comparison_score for p in probes) < 0.9
    assert not any(result.alerts for result in results)


def test_embedding_is_repeated_at_the_interval_until_enough_shots_are_kept() -> None:
    """Every 0.3 s, up to three; after that a face no better adds nothing."""
    results = _run(_walk(12))

    assert [p.frame_index for r in results for p in r.probes] == [1, 4, 7]
    assert [p.n_shots for r in results for p in r.probes] == [1, 2, 3]


def test_track_is_searched_once_it_has_min_shots() -> None:
    """Until then it is embedded without being searched."""
    config = CONFIG.model_copy(update={"decision": DecisionConfig(min_shots=2)})
    results = _run(_walk(12), config=config)

    assert [p.n_shots for r in results for p in r.probes] == [2, 3]


def test_every_stage_is_stamped_in_order_on_every_frame() -> None:
    """Also where there is no face: a stage's log must be complete."""
    after_decoding = [stage for stage in Stage if stage is not Stage.DECODE]
    for result in _run([painted(None), *_walk(4)]):
        assert [event.stage for event in result.events] == after_decoding
        stamps = [(e.enqueued_ns, e.started_ns, e.ended_ns) for e in result.events]
        assert stamps == sorted(stamps)
        assert all(a <= b <= c for a, b, c in stamps)
        assert result.outcome.done_ns == result.events[-1].ended_ns


def test_small_face_is_tracked_but_not_embedded() -> None:
    """Below `min_face_height_px` a template would say nothing."""
    images = [painted((10 + k, 30, 30 + k, 50)) for k in range(6)]
    results = _run(images)

    assert all(result.outcome.n_faces == 1 for result in results)
    assert results[-1].boxes[0][0] == 0
    assert not any(result.probes for result in results)


def test_same_frames_give_the_same_results() -> None:
    """Unhurried runs are reproducible to the last bit, stamps aside."""
    images = _walk(10) + _walk(10, channel=2)
    first, second = _run(images), _run(images)
    assert [(r.boxes, r.probes, r.alerts) for r in first] == [
        (r.boxes, r.probes, r.alerts) for r in second
    ]


def test_corrupt_packet_fails_its_frame_and_the_stream_goes_on() -> None:
    """A failed frame has a cause; later frames are processed again."""
    packets = h264(_walk(12))
    packets[3] = b"\x00\x00\x00\x01\x65" + b"\xff" * 40
    worker = Worker(_pipeline(), clock=TickingClock())
    frames = [encoded(index, packet) for index, packet in enumerate(packets)]
    results = list(unhurried(frames, worker, clock=TickingClock()))

    outcomes = [result.outcome.outcome for result in results]
    assert outcomes[:4] == [Outcome.PROCESSED] * 3 + [Outcome.FAILED]
    assert "undecodable" in results[3].outcome.cause
    assert outcomes[-1] is Outcome.PROCESSED
    assert [e.stage for e in results[3].events] == [Stage.DECODE]


@pytest.mark.parametrize("packet", [b"", b"\x00", b"hello" * 30], ids=repr)
def test_packet_that_is_no_video_fails_its_frame(packet: bytes) -> None:
    """Nothing that comes off the wire raises."""
    worker = Worker(_pipeline(), clock=TickingClock())
    (result,) = unhurried([encoded(0, packet)], worker, clock=TickingClock())

    assert result.outcome.outcome is Outcome.FAILED


def test_overtaken_frame_is_decoded_but_not_looked_at() -> None:
    """Its packet is needed by the next; its time is charged to decoding alone."""
    worker = Worker(_pipeline(), clock=TickingClock())
    packets = h264(_walk(3))
    waiting = [
        dataclasses.replace(w, overtaken_by=overtaken)
        for w, overtaken in zip(_waiting(packets), (0, 1, 0), strict=True)
    ]
    results = [result for w in waiting for result in worker.handle((w,))]

    assert [r.outcome.outcome for r in results] == ["processed", "skipped", "processed"]
    assert "1 newer frame" in results[1].outcome.cause
    assert [e.stage for e in results[1].events] == [Stage.DECODE]
    assert results[2].outcome.n_faces == 1


def _waiting(packets: list[bytes]) -> list[Waiting]:
    return [
        Waiting(frame=encoded(i, p), received_ns=0, arrival=i, overtaken_by=0)
        for i, p in enumerate(packets)
    ]


def test_worst_shot_makes_room_and_quality_weighs_the_rest() -> None:
    """At most `max_shots` are kept; the better one weighs by a power of its quality."""
    config = BestShotConfig(max_shots=2)
    shots = no_shots(2)
    for quality, template in ((0.2, [1, 0]), (0.8, [0, 1]), (0.4, [1, 0])):
        shots = with_shot(
            shots,
            template=np.array(template, np.float32),
            quality=quality,
            time_ns=0,
            config=config,
        )

    assert shots.qualities.tolist() == [0.8, 0.4]
    fused = fuse(shots.templates, shots.qualities, emphasis=2.0)
    assert np.allclose(fused, np.array([0.4**2, 0.8**2]) / np.hypot(0.4**2, 0.8**2))
    alike = fuse(shots.templates, shots.qualities, emphasis=0.0)
    assert np.allclose(alike, np.sqrt([0.5, 0.5]))


@pytest.mark.parametrize(
    ("quality", "time_s", "expected"),
    [(0.54, 0.1, False), (0.56, 0.1, True), (0.31, 0.5, True), (0.3, 0.5, False)],
    ids=["no gain", "clear gain", "due", "due but worst of a full set"],
)
def test_face_is_embedded_for_gain_or_when_due(
    quality: float, time_s: float, expected: bool
) -> None:
    """Kept are 0.3 and 0.5; a gain of 10 % counts, and so do 0.5 s."""
    config = BestShotConfig(max_shots=2, min_gain=0.1, interval_s=0.5)
    shots = no_shots(2)
    for kept in (0.3, 0.5):
        shots = with_shot(
            shots,
            template=np.array([1, 0], np.float32),
            quality=kept,
            time_ns=0,
            config=config,
        )
    worth = is_worth_embedding(
        shots, quality=quality, time_ns=round(time_s * 1e9), config=config
    )

    assert worth is expected


@pytest.mark.parametrize(
    ("template", "min_agreement", "expected"),
    [
        ([0.6, 0.8], 0.5, False),
        ([0.6, 0.8], 0.7, True),
        ([-0.6, 0.8], 0.5, True),
        ([-1.0, 0.0], -1.0, False),
    ],
    ids=["alike", "not alike enough", "opposed", "never asked"],
)
def test_template_unlike_all_that_is_kept_is_somebody_elses(
    template: list[float], min_agreement: float, expected: bool
) -> None:
    """What is kept is fused to (1, 0); a first face is never somebody else's."""
    config = BestShotConfig(min_agreement=min_agreement)
    vector = np.array(template, np.float32)
    shots = with_shot(
        no_shots(2),
        template=np.array([1, 0], np.float32),
        quality=0.5,
        time_ns=0,
        config=config,
    )

    assert is_somebody_else(shots, vector, config=config) is expected
    assert not is_somebody_else(no_shots(2), vector, config=config)


def test_track_that_passes_to_another_person_begins_anew() -> None:
    """Boxes cannot tell where two cross; both people alert, neither for the other."""
    images = [*_walk(12)[:6], *_walk(12, channel=2)[6:]]
    results = _run(images)
    alerts = [alert for result in results for alert in result.alerts]
    probes = [probe for result in results for probe in result.probes]

    assert {probe.track_id for probe in probes} == {0}
    assert [alert.subject_id for alert in alerts] == ["blue", "red"]
    assert [p.n_shots for p in probes if p.subject_id == "red"] == [1, 2]
    assert all(p.comparison_score > 0.9 for p in probes)


def test_quality_rises_with_each_of_its_measures() -> None:
    """Larger, sharper, more frontal, surer: each alone is better."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (1, 64, 64), dtype=np.uint8)
    smooth = np.broadcast_to(
        np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (1, 64, 64)
    ).copy()
    plain = detections([[0, 0, 40, 40]], [0.8])
    squeezed = dataclasses.replace(
        plain, landmarks=plain.landmarks * np.array([0.6, 1.0], np.float32)
    )

    def grade(faces: object, chips: np.ndarray) -> float:
        rows = np.zeros(1, np.int64)
        (quality,) = assess(faces, rows, chips, config=QualityConfig())  # type: ignore[arg-type]
        return float(quality)

    worse = grade(plain, smooth)
    assert grade(plain, noise) > worse
    assert grade(detections([[0, 0, 80, 80]], [0.8]), smooth) > worse
    assert grade(detections([[0, 0, 40, 40]], [0.9]), smooth) > worse
    assert grade(squeezed, smooth) < worse
    assert 0.0 < worse < 1.0


def test_subject_enrolled_while_frames_run_is_found_from_then_on() -> None:
    """And is found no more once withdrawn; no frame waits for either."""
    green, blue = np.eye(3, dtype=np.float32)[1], np.eye(3, dtype=np.float32)[0]
    gallery = Gallery(
        templates=blue[None].copy(),
        subject_ids=(SubjectId("somebody"),),
        embedder_sha256="0" * 64,
    )
    live = LiveGallery(gallery, ExactIndex(gallery.templates))
    pipeline = Pipeline(
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        index=live.index,
        subject_ids=live.subject_ids,
        decider=Decider(0.7, CONFIG.decision),
        config=CONFIG,
        clock=TickingClock(),
    )
    best = {}
    for index, image in enumerate(_walk(24, channel=1)):
        if index == 3:
            live.enrol([SubjectId("newcomer")], green[None])
        if index == 9:
            live.withdraw([SubjectId("newcomer")])
        result = pipeline.process(frame(image, index), received_ns=0)
        for probe in result.probes:
            best[index] = probe.subject_id

    assert {s for i, s in best.items() if i < 3} == {"somebody"}
    assert {s for i, s in best.items() if 3 <= i < 9} == {"newcomer"}
    assert {s for i, s in best.items() if i >= 9} <= {"somebody"}
