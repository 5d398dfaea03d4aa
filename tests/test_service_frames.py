"""Claims about frames over HTTP: the same answers as in process, in order, in time."""

from __future__ import annotations

import dataclasses
import time

import pytest
from matcher_doubles import ColourDetector, ColourEmbedder, encoded, h264, painted
from service_doubles import (
    BLUE,
    FACE,
    GREEN,
    MATCHER,
    PNG,
    RED,
    colour_service,
    png,
    serving,
)

from matcher.assembly import embedder_sha256, prepare_search
from matcher.decision import Decider
from matcher.gallery import enrol
from matcher.ingest import CameraDecoder
from matcher.landmarks import AsDetected
from matcher.pipeline import Pipeline
from matcher.records import SubjectId
from matcher.service.wire import FrameResultWire, from_wire
from matcher.worker import Worker, unhurried

H264 = {"Content-Type": "video/h264"}
FRAME_NS = 100_000_000


def walk(n, channel=BLUE):
    """Walk past, once, from left to right."""
    return [painted((4 * k, 30, 50 + 4 * k, 80), channel=channel) for k in range(n)]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service that looks for blue."""
    service = colour_service(tmp_path_factory.mktemp("frames") / "data")
    with serving(service) as client:
        yield client


@pytest.fixture(autouse=True)
def _unknown_cameras(client):
    """Every test begins with cameras that nobody knows."""
    assert client.delete("/v1/cameras").status_code == 204


def post(client, content, headers=PNG, **query):
    """Post one frame of the camera, unhurried unless said otherwise."""
    query = {"camera_id": "cam1", "unhurried": "true", "detail": "full", **query}
    return client.post("/v1/frames", content=content, headers=headers, params=query)


def results_of(client, bodies, headers):
    """Post frames in order, ten a second, and take the answers off the wire."""
    answers = [
        post(
            client,
            body,
            headers,
            frame_index=index,
            capture_time_ns=index * FRAME_NS,
        )
        for index, body in enumerate(bodies)
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return [
        from_wire(FrameResultWire.model_validate_json(answer.content))
        for answer in answers
    ]


def in_process(packets):
    """Bring the same frames to their ends without any HTTP."""
    gallery = enrol(
        [painted(FACE, channel=BLUE)],
        [SubjectId("blue")],
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        embedder_sha256=embedder_sha256(MATCHER.embedder),
    ).gallery
    pipeline = Pipeline(
        detector=ColourDetector(),
        refiner=AsDetected(),
        embedder=ColourEmbedder(),
        index=prepare_search(MATCHER, gallery).gallery.index,
        subject_ids=gallery.subject_ids,
        decider=Decider(0.9, MATCHER.decision),
        config=MATCHER,
        clock=time.perf_counter_ns,
    )
    worker = Worker(pipeline, clock=time.perf_counter_ns)
    frames = [encoded(index, packet) for index, packet in enumerate(packets)]
    return list(unhurried(frames, worker, clock=time.perf_counter_ns))


def told(results):
    """What people are told: how each frame ended, and who alerted on it."""
    return [
        (
            result.outcome.outcome,
            result.outcome.n_faces,
            [(a.subject_id, a.track_id, a.frame_index) for a in result.alerts],
        )
        for result in results
    ]


def without_stamps(results):
    """Leave out when: two runs can agree on everything but that."""

    def timeless(record):
        stamps = {
            f.name: 0
            for f in dataclasses.fields(record)
            if f.name.endswith("_ns") and f.name != "capture_time_ns"
        } | ({"alert_time_ns": 0} if hasattr(record, "alert_time_ns") else {})
        return dataclasses.replace(record, **stamps)

    return [
        dataclasses.replace(
            result,
            outcome=timeless(result.outcome),
            events=tuple(timeless(e) for e in result.events),
            probes=tuple(timeless(p) for p in result.probes),
            alerts=tuple(timeless(a) for a in result.alerts),
        )
        for result in results
    ]


@pytest.mark.parametrize("coding", ["stills", "packets"])
def test_posted_frames_end_as_they_do_in_process(client, coding):
    """Packets agree in every bit, stills in outcomes, faces and alerts, by frame."""
    packets = h264(walk(25) + walk(20, channel=RED))
    expected = in_process(packets)
    bodies, headers = packets, H264
    if coding == "stills":
        decoder = CameraDecoder()
        frames = [decoder.decode(encoded(0, packet)) for packet in packets]
        bodies, headers = [png(frame.image_bgr) for frame in frames], PNG

    results = results_of(client, bodies, headers)

    assert [a.subject_id for r in results for a in r.alerts] == ["blue"]
    if coding == "packets":
        assert without_stamps(results) == without_stamps(expected)
    else:
        # Brightness and the small view come from colours here, from the codec there.
        assert told(results) == told(expected)


def test_stages_are_stamped_on_the_clock_that_can_be_asked_for(client):
    """Seven stages, in order, between two readings of `/v1/clock`."""
    before = client.get("/v1/clock").json()["monotonic_ns"]
    (result,) = results_of(client, [png(walk(1)[0])], PNG)
    after = client.get("/v1/clock").json()["monotonic_ns"]

    stamps = [s for e in result.events for s in (e.started_ns, e.ended_ns)]
    assert stamps == sorted(stamps)
    assert before < result.outcome.received_ns <= stamps[0]
    assert stamps[-1] == result.outcome.done_ns < after


def test_what_concerns_nobody_is_told_only_where_it_is_measured(tmp_path):
    """Probes name the nearest candidate of strangers: not in operation."""
    service = colour_service(tmp_path / "data", measuring=False)
    with serving(service) as client:
        told = post(client, png(walk(1)[0]), detail="alerts").json()
        refused = post(client, png(walk(1)[0]), detail="full")

    assert told["probes"] is None
    assert told["events"] is None
    assert (refused.status_code, refused.json()["code"]) == (403, "not_measuring")


def test_frame_older_than_its_camera_s_newest_is_skipped(client):
    """It came late; tracks go on from the newer one."""
    frame = png(walk(1)[0])
    post(client, frame, capture_time_ns=5 * FRAME_NS)
    late = post(client, frame, capture_time_ns=4 * FRAME_NS).json()["outcome"]

    assert late["outcome"] == "skipped"
    assert late["cause"] == "late: a newer frame of the camera came first"


def test_camera_whose_clock_goes_back_begins_anew(client):
    """A restarted camera is looked at, under track numbers never used before."""
    first = results_of(client, [png(image) for image in walk(5)], PNG)
    post(client, png(walk(1)[0]), capture_time_ns=10**12)
    again = results_of(client, [png(image) for image in walk(5)], PNG)

    assert {r.outcome.outcome for r in again} == {"processed"}
    tracks = [{box[0] for r in run for box in r.boxes} - {-1} for run in (first, again)]
    assert tracks[0]
    assert tracks[1]
    assert max(tracks[0]) < min(tracks[1])
    # Who alerted before the clock went back may do so again.
    assert [a.subject_id for r in again for a in r.alerts] == ["blue"]


def test_too_old_frame_is_refused_unprocessed_and_counted(client):
    """A deadline that has passed is a 410; the camera's tracks know nothing of it."""
    now_ns = client.get("/v1/clock").json()["monotonic_ns"]
    refused = post(
        client,
        png(walk(1)[0]),
        unhurried="false",
        capture_time_ns=now_ns - 2_000_000_000,
    )
    patient = post(
        client,
        png(walk(1)[0]),
        unhurried="false",
        capture_time_ns=now_ns - 2_000_000_000,
        max_age_s=60,
    )

    assert (refused.status_code, refused.json()["code"]) == (410, "too_old")
    assert patient.json()["outcome"]["outcome"] == "processed"
    assert 'lfr_frames_total{outcome="too_old"} 1.0' in client.get("/metrics").text


def test_capture_in_the_future_is_refused(client):
    """It would make every frame after it late."""
    now_ns = client.get("/v1/clock").json()["monotonic_ns"]
    ahead = post(
        client,
        png(walk(1)[0]),
        unhurried="false",
        capture_time_ns=now_ns + 60_000_000_000,
    )

    assert (ahead.status_code, ahead.json()["code"]) == (422, "invalid")


def test_frame_without_time_or_number_gets_both(client):
    """Somebody at a keyboard need not count nanoseconds."""
    frame = png(walk(1)[0])
    query = {"camera_id": "cam1"}
    outcomes = [
        client.post("/v1/frames", content=frame, headers=PNG, params=query).json()[
            "outcome"
        ]
        for _ in range(3)
    ]

    assert [o["frame_index"] for o in outcomes] == [0, 1, 2]
    assert all(o["capture_time_ns"] == o["received_ns"] for o in outcomes)


def test_swap_takes_effect_between_two_frames(client):
    """Tracks go on; the next search meets the other watchlist."""
    client.post("/v1/watchlists", json={"name": "other"}).raise_for_status()
    client.put(
        "/v1/watchlists/other/subjects/green",
        content=png(painted((50, 30, 100, 80), channel=GREEN)),
        headers=PNG,
    ).raise_for_status()
    frames = [png(image) for image in walk(8, channel=GREEN)]
    before = results_of(client, frames[:4], PNG)
    swapped = client.put("/v1/active-watchlist", json={"name": "other"}).json()
    after = [
        post(client, frame, frame_index=k, capture_time_ns=k * FRAME_NS).json()
        for k, frame in enumerate(frames[4:], start=4)
    ]
    client.put("/v1/active-watchlist", json={"name": "main"}).raise_for_status()
    client.delete("/v1/watchlists/other").raise_for_status()

    assert (swapped["name"], swapped["previous"]) == ("other", "main")
    assert not any(r.alerts for r in before)
    (alert,) = [a for answer in after for a in answer["alerts"]]
    assert alert["subject_id"] == "green"
    assert alert["track_id"] in {box[0] for r in before for box in r.boxes}


def test_cameras_are_bounded_and_can_be_forgotten(tmp_path):
    """A client who invents camera names fills nothing but their own time."""
    service = colour_service(tmp_path / "data", frames={"max_cameras": 2})
    frame = png(walk(1)[0])
    with serving(service) as client:
        codes = [
            post(client, frame, camera_id=name).status_code for name in ("a", "b", "c")
        ]
        client.delete("/v1/cameras/a").raise_for_status()
        codes.append(post(client, frame, camera_id="c").status_code)

    assert codes == [200, 200, 409, 200]


def test_silent_camera_s_templates_are_dropped(tmp_path):
    """Nobody has to come by for a stranger's template to be let go."""
    service = colour_service(
        tmp_path / "data",
        frames={"idle_s": 0.001},
        privacy={"sweep_s": 0.02},
    )
    with serving(service) as client:
        results_of(client, [png(image) for image in walk(4, channel=RED)], PNG)
        for _ in range(500):
            if not service.stages.pipeline.remembers(camera_id="cam1"):
                break
            client.get("/healthz")

    assert not service.stages.pipeline.remembers(camera_id="cam1")
