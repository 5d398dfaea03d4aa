"""A service whose networks are stand-ins: faces are coloured squares.

Everything else is the service itself, on a real socket: blue, green and red are three
people, and blue is the only one on the watchlist `main`.
"""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import httpx
import numpy as np
from matcher_doubles import GREY, ColourDetector, ColourEmbedder, painted

from matcher.config import (
    BestShotConfig,
    DecisionConfig,
    EmbedderConfig,
    EngineConfig,
    MatcherConfig,
    QualityConfig,
    TrackerConfig,
)
from matcher.landmarks import AsDetected
from matcher.service.clocks import Clocks
from matcher.service.config import ServiceConfig
from matcher.service.lanes.stages import stages_of
from matcher.service.server import Server, listen
from matcher.service.service import make_service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from matcher.service.service import Service

MATCHER = MatcherConfig(
    quality=QualityConfig(min_quality=0.0),
    tracker=TrackerConfig(confirm_hits=2),
    best_shot=BestShotConfig(interval_s=0.3, min_gain=1.0, max_shots=3),
    # Colours have no calibration cohort: a threshold has to be given.
    embedder=EmbedderConfig(model_path=Path("colours"), model_sha256="c" * 64),
    decision=DecisionConfig(threshold=0.9),
    engine=EngineConfig(drop_policy="none"),
)
JPEG, PNG = {"Content-Type": "image/jpeg"}, {"Content-Type": "image/png"}
FACE = (50, 30, 100, 80)
BLUE, GREEN, RED = range(3)


def png(image_bgr: NDArray[np.uint8]) -> bytes:
    """Encode a picture without loss."""
    return cv2.imencode(".png", image_bgr)[1].tobytes()


def jpeg(image_bgr: NDArray[np.uint8]) -> bytes:
    """Encode a picture with some."""
    return cv2.imencode(".jpg", image_bgr)[1].tobytes()


def portrait(channel: int) -> bytes:
    """Take a picture of one of the three."""
    return png(painted(FACE, channel=channel))


def template(channel: int) -> NDArray[np.float32]:
    """Return about what the embedder makes of them."""
    vector = np.full(3, -GREY, np.float32)
    vector[channel] = 220 - GREY
    return vector / np.linalg.norm(vector)


def template_base64(channel: int) -> str:
    """Return it as it travels."""
    return base64.b64encode(template(channel).astype("<f4").tobytes()).decode()


class Turnstile(ColourEmbedder):
    """An embedder that stops whoever comes until it is told to let them pass."""

    def __init__(self):
        self.is_reached = threading.Event()
        self.may_pass = threading.Event()
        self.may_pass.set()
        self.batches = []

    def embed(self, chips_bgr):
        """Embed once it is let."""
        if len(chips_bgr) > 0:
            self.batches.append(len(chips_bgr))
            self.is_reached.set()
            assert self.may_pass.wait(30)
        return super().embed(chips_bgr)

    @contextmanager
    def closed(self):
        """Hold whoever comes until the block ends."""
        self.is_reached.clear()
        self.may_pass.clear()
        self.batches.clear()
        try:
            yield
        finally:
            self.may_pass.set()


class FakeCalendar:
    """Unix time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 1_800_000_000_000_000_000

    def __call__(self) -> int:
        """Read the clock, nanoseconds."""
        return self.now_ns


def colour_service(
    data: Path,
    *,
    matcher: MatcherConfig = MATCHER,
    clocks: Clocks | None = None,
    embedder: object | None = None,
    **settings: object,
) -> Service:
    """Put a service together whose detector and embedder see colours."""
    clocks = Clocks() if clocks is None else clocks
    plugins = (ColourDetector(), AsDetected(), embedder or ColourEmbedder())
    stages = stages_of(matcher, plugins, plugins, threads=(), clock=clocks.monotonic_ns)
    config = ServiceConfig.model_validate({"port": 0, **settings})
    return make_service(config, matcher, stages, data=data, clocks=clocks)


@contextmanager
def serving(service: Service, *, stocked: bool = True) -> Iterator[httpx.Client]:
    """Serve on a thread; yield a client. With `stocked`, blue is being looked for."""
    opened = listen(service.config)
    is_ready = threading.Event()
    server = Server(service, opened, on_ready=is_ready.set)
    thread = threading.Thread(target=server.run_to_end)
    thread.start()
    try:
        assert is_ready.wait(30)
        host, port = opened.getsockname()
        with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as client:
            if stocked:
                stock(client)
            yield client
    finally:
        server.leave()
        thread.join(30)
        assert not thread.is_alive()


def stock(client: httpx.Client, name: str = "main") -> None:
    """Make a watchlist with blue on it, and search it."""
    client.post("/v1/watchlists", json={"name": name}).raise_for_status()
    client.put(
        f"/v1/watchlists/{name}/subjects/blue", content=portrait(BLUE), headers=PNG
    ).raise_for_status()
    client.put("/v1/active-watchlist", json={"name": name}).raise_for_status()


def problem(response):
    """Take an answer for a refusal: its status and its code, nothing left out."""
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "code", "detail"}
    assert body["status"] == response.status_code
    assert len(body["detail"]) > 20
    return response.status_code, body["code"]


def identify(client, content, **query):
    return client.post("/v1/identify", content=content, headers=PNG, params=query)


def metric(client, name):
    for line in client.get("/metrics").text.splitlines():
        if line.rpartition(" ")[0] == name:
            return float(line.rpartition(" ")[2])
    return 0.0
