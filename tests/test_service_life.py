"""Claims about alerts, what is kept, and how a service starts, leaves and goes on."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from matcher_doubles import ColourEmbedder, painted
from service_doubles import (
    BLUE,
    FACE,
    MATCHER,
    PNG,
    RED,
    Turnstile,
    colour_service,
    identify,
    metric,
    png,
    portrait,
    serving,
)

from matcher.config import DecisionConfig
from matcher.service.server import Server, listen


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with serving(colour_service(tmp_path_factory.mktemp("life") / "data")) as client:
        yield client


def log_of(tmp_path):
    """Read the audit log of a service."""
    lines = (tmp_path / "data" / "audit.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def post_walk(client, camera_id, channel=BLUE):
    """Somebody walks past a camera; return the alerts in the answers."""
    alerts = []
    for k in range(4):
        answer = client.post(
            "/v1/frames",
            content=png(painted((4 * k, 30, 50 + 4 * k, 80), channel=channel)),
            headers=PNG,
            params={
                "camera_id": camera_id,
                "capture_time_ns": k * 10**8,
                "unhurried": True,
            },
        )
        alerts += answer.json()["alerts"]
    return alerts


def test_alert_can_be_listened_to_read_and_decided_on(client):
    """One alert, one event, one decision; and the log has both."""
    events = []
    with client.stream("GET", "/v1/alerts/stream") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": listening"
        (raised,) = post_walk(client, "listened")
        while len(events) < 4:
            line = next(lines)
            if line:
                events.append(line)
            if line.startswith("data"):
                break
    heard = json.loads(events[-1].removeprefix("data: "))
    assert events[0] == "event: alert"
    assert events[1] == f"id: {heard['number']}"
    assert heard["alert_id"] == raised["alert_id"]
    assert heard["subject_id"] == "blue"
    assert heard["camera_id"] == "listened"

    kept = client.get(f"/v1/alerts/{raised['alert_id']}").json()
    assert kept == heard
    decision = {"decision": "confirmed", "reviewer": "ann"}
    path = f"/v1/alerts/{raised['alert_id']}/decision"
    assert client.post(path, json=decision).json()["decision"] == "confirmed"
    assert client.post(path, json=decision).status_code == 409


def test_listener_who_comes_back_misses_nothing(client):
    """The last id heard of says where to go on."""
    before = client.get("/v1/alerts").json()["alerts"]
    last = before[-1]["number"] if before else 0
    raised = [post_walk(client, f"missed{k}")[0]["alert_id"] for k in range(2)]
    heard = []
    with client.stream(
        "GET", "/v1/alerts/stream", headers={"Last-Event-ID": str(last)}
    ) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                heard.append(json.loads(line.removeprefix("data: "))["alert_id"])
            if len(heard) == 2:
                break
    assert heard == raised


def test_nothing_of_a_stranger_is_kept(tmp_path):
    """No picture, no template, no name: the log says that somebody was searched for."""
    service = colour_service(tmp_path / "data")
    picture = portrait(RED)
    with serving(service) as client:
        assert not identify(client, picture).json()["above_threshold"]
        assert post_walk(client, "cam1", channel=RED) == []
        client.delete("/v1/cameras")
        assert not service.stages.pipeline.remembers("cam1")
        assert service.load.held.n_bytes == 0

    template_of_them = ColourEmbedder().embed(painted(FACE, channel=RED)[None]).vectors
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    assert picture[50:200] not in kept
    assert template_of_them.tobytes() not in kept
    (identified,) = [e for e in log_of(tmp_path) if e["event"] == "identified"]
    assert identified["data"] == {
        "above_threshold": False,
        "version": 2,
        "watchlist": "main",
    }


def test_service_goes_on_after_a_restart_as_it_was(tmp_path):
    """Watchlist, threshold and alerts are there; changed settings are in the log."""
    with serving(colour_service(tmp_path / "data")) as client:
        client.put("/v1/active-watchlist", json={"name": "main", "threshold": 0.5})
        post_walk(client, "cam1")
        before = client.get("/v1/active-watchlist").json()
        alerts = client.get("/v1/alerts").json()

    matcher = MATCHER.model_copy(update={"decision": DecisionConfig(threshold=0.8)})
    again = colour_service(tmp_path / "data", matcher=matcher, frames={"rewind_s": 9.0})
    with serving(again, stocked=False) as client:
        assert client.get("/v1/active-watchlist").json() == before
        assert client.get("/v1/alerts").json() == alerts
        assert identify(client, portrait(BLUE)).json()["above_threshold"]

    changed = [e for e in log_of(tmp_path) if e["event"] == "configured"][-1]
    changed = changed["data"]["changed"]
    assert changed == {
        "matcher.decision.threshold": [0.9, 0.8],
        "service.frames.rewind_s": [5.0, 9.0],
    }


def test_without_watchlist_the_service_lives_but_is_not_ready(tmp_path):
    """And says what is lacking, whatever is asked of it."""
    with serving(colour_service(tmp_path / "data"), stocked=False) as client:
        assert client.get("/healthz").is_success
        ready = client.get("/readyz")
        assert (ready.status_code, ready.text) == (503, "no watchlist is active\n")
        answer = identify(client, portrait(BLUE))
        assert (answer.status_code, answer.json()["code"]) == (409, "no_watchlist")
        assert client.get("/v1/active-watchlist").status_code == 404


def test_leaving_service_ends_what_is_under_way_and_takes_nothing_more(tmp_path):
    """A request in the lane gets its answer; then the service is gone."""
    turnstile = Turnstile()
    with serving(colour_service(tmp_path / "data")):
        pass
    service = colour_service(tmp_path / "data", embedder=turnstile)
    opened = listen(service.config)
    is_ready = threading.Event()
    server = Server(service, opened, on_ready=is_ready.set)
    thread = threading.Thread(target=server.run_to_end)
    thread.start()
    assert is_ready.wait(30)
    base_url = "http://{}:{}".format(*opened.getsockname())
    with ThreadPoolExecutor(2) as pool, turnstile.closed():
        under_way = pool.submit(
            httpx.post, f"{base_url}/v1/identify", content=portrait(BLUE), headers=PNG
        )
        assert turnstile.is_reached.wait(10)
        server.leave()
        while not service.load.is_draining:
            pass
        assert not service.is_ready
        turnstile.may_pass.set()
        assert under_way.result().json()["above_threshold"]
    thread.join(30)
    assert not thread.is_alive()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{base_url}/healthz")
    assert log_of(tmp_path)[-1]["event"] == "stopped"


def test_fault_in_a_lane_is_told_counted_and_survived(tmp_path, caplog):
    """The one request is answered 500, without a word of the inside; the next, 200."""
    turnstile = Turnstile()
    service = colour_service(tmp_path / "data", embedder=turnstile)
    with serving(service) as client:
        embed = ColourEmbedder.embed
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Turnstile, "embed", lambda *_: 1 / 0)
            picture = identify(client, portrait(BLUE))
            frame = client.post(
                "/v1/frames?camera_id=cam1", content=portrait(BLUE), headers=PNG
            )
        assert embed is ColourEmbedder.embed
        for answer in (picture, frame):
            assert (answer.status_code, answer.json()["code"]) == (500, "internal")
            assert "ZeroDivision" not in answer.text
        assert metric(client, "lfr_internal_errors_total") == 2
        assert identify(client, portrait(BLUE)).is_success
        assert len(post_walk(client, "cam1")) == 1
    assert "ZeroDivisionError" in caplog.text
