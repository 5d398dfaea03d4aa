"""Little services that know the truth: one keeps our contract, one speaks otherwise.

Both stand on the standard library alone, so that they share no code with the client.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
from bench_world import N_FRAMES, make_crowd, make_plan

from bench.driving.oracle import Oracle
from bench.host.machine import read_boot_id
from bench.running.rig import Rig
from matcher.config import MatcherConfig
from matcher.inbox import Waiting
from matcher.records import CameraId, EncodedFrame
from matcher.service.wire import to_wire

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDER = "e" * 64
TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens nothing


class TruthfulService(ThreadingHTTPServer):
    """Answers frames with the truth, and remembers what it was told.

    Attributes:
        enrolled: Watchlist → subjects.
        active: The watchlist that is searched.
        frames: Camera → indices of its frames, as they came.
        refusals: Of these frames (camera, index) the status to answer with.
        gate: Frames are answered while it is set.
    """

    daemon_threads = True
    # Else a burst of cameras waits for a second try of their kernel.
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.crowd = make_crowd()
        self.clock_ahead_ns = 0
        self.boot_id = read_boot_id()
        self.enrolled: dict[str, list[str]] = {"before": ["somebody"]}
        self.active: str | None = "before"
        self.frames: dict[str, list[int]] = {}
        self.refusals: dict[tuple[str, int], tuple[int, str]] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.measuring = True
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Begin afresh with all cameras."""
        self.oracle = Oracle(self.crowd, clock=self.clock)

    def clock(self) -> int:
        """Read this machine's clock, or one that is ahead of it."""
        return time.perf_counter_ns() + self.clock_ahead_ns

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def see(self, camera_id: str, index: int, capture_time_ns: int):
        """Say what is true of one frame."""
        frame = EncodedFrame(
            camera_id=CameraId(camera_id),
            index=index,
            capture_time_ns=capture_time_ns,
            packet=b"",
        )
        with self.lock:
            self.frames.setdefault(camera_id, []).append(index)
            (result,) = self.oracle.handle(
                [
                    Waiting(
                        frame=frame,
                        received_ns=self.clock(),
                        arrival=0,
                        overtaken_by=0,
                    )
                ]
            )
        return result


class _Handler(ABC, BaseHTTPRequestHandler):
    """What both dialects need of HTTP."""

    protocol_version = "HTTP/1.1"
    # Head and body in one write: else each answer waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: TruthfulService

    def log_message(self, *_arguments: object) -> None:
        """Say nothing on the terminal."""

    @cached_property
    def content(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def say(self, status: int, content: object = None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        self.__dict__.pop("content", None)
        super().handle_one_request()

    @abstractmethod
    def answer(self) -> None:
        """Answer one request."""

    do_GET = do_POST = do_PUT = do_DELETE = lambda self: self.answer()  # noqa: N815


class ContractHandler(_Handler):
    """Our contract, as far as a run needs it."""

    def answer(self) -> None:  # noqa: C901 - one case a route
        """Answer one request."""
        url = urlsplit(self.path)
        content, service = self.content, self.server
        match self.command, url.path.strip("/").split("/"):
            case "GET", ["v1", "clock"]:
                self.say(200, {"monotonic_ns": service.clock(), "unix_ns": 0})
            case "GET", ["v1", "system"]:
                self.say(200, self._system())
            case "POST", ["v1", "watchlists"]:
                service.enrolled[json.loads(content)["name"]] = []
                self.say(201, {})
            case "POST", ["v1", "watchlists", name, "subjects"]:
                self._enrol(name, json.loads(content))
            case "GET", ["v1", "watchlists", name, "subjects"]:
                ids = service.enrolled[name]
                self.say(200, {"subject_ids": ids, "next_after": None})
            case "DELETE", ["v1", "watchlists", name]:
                del service.enrolled[name]
                self.say(204)
            case "PUT", ["v1", "active-watchlist"]:
                previous, service.active = service.active, json.loads(content)["name"]
                self.say(200, self._active(previous))
            case "GET", ["v1", "active-watchlist"]:
                self.say(200, self._active(None))
            case "DELETE", ["v1", "cameras"]:
                service.forget()
                self.say(204)
            case "POST", ["v1", "frames"]:
                self._frame({k: v[0] for k, v in parse_qs(url.query).items()})
            case "POST", ["v1", "identify"]:
                self.say(200, self._identified())
            case _:
                self.say(404, _problem(404, "not_found"))

    def _frame(self, query: dict[str, str]) -> None:
        service = self.server
        camera_id, index = query["camera_id"], int(query["frame_index"])
        service.gate.wait(30.0)
        refusal = service.refusals.get((camera_id, index))
        if refusal is not None:
            self.say(refusal[0], _problem(*refusal))
            return
        result = service.see(camera_id, index, int(query["capture_time_ns"]))
        names = tuple(f"a{k}" for k in range(len(result.alerts)))
        full = query.get("detail") == "full"
        wire = to_wire(result, alert_ids=names, full=full)
        self.say(200, json.loads(wire.model_dump_json()))

    def _enrol(self, name: str, request: dict[str, object]) -> None:
        ids = [subject["subject_id"] for subject in request["subjects"]]
        failures = [i for i in ids if i == "zoe"]
        self.server.enrolled[name] += [i for i in ids if i != "zoe"]
        self.say(
            201,
            {
                "name": name,
                "version": 1,
                "n_subjects": len(self.server.enrolled[name]),
                "n_enrolled": len(ids) - len(failures),
                "failures": [{"subject_id": i, "cause": "no face"} for i in failures],
            },
        )

    def _active(self, previous: str | None) -> dict[str, object]:
        service = self.server
        return {
            "name": service.active,
            "version": 1,
            "n_subjects": len(service.enrolled[service.active]),
            "index": "truth",
            "threshold": 0.5,
            "threshold_origin": "the truth scores 1",
            "n_cohort": None,
            "previous": previous,
        }

    def _identified(self) -> dict[str, object]:
        best = {
            "rank": 1,
            "subject_id": "ann",
            "comparison_score": 0.9,
            "above_threshold": True,
        }
        return {
            "candidates": [best],
            "above_threshold": True,
            "threshold": 0.5,
            "box_xyxy": [0.0, 0.0, 9.0, 9.0],
            "n_faces": 1,
            "watchlist": "main",
            "watchlist_version": 1,
        }

    def _system(self) -> dict[str, object]:
        service = self.server
        active = service.active
        return {
            "name": "truthful",
            "detector": "truth",
            "embedder": "truth",
            "index": "truth",
            "gallery_size": 0 if active is None else len(service.enrolled[active]),
            "threshold": 0.5,
            "threshold_origin": "the truth scores 1",
            "threads": {},
            "versions": {},
            "n_cohort": None,
            "embedder_sha256": EMBEDDER,
            "template_dimension": 4,
            "settings": MatcherConfig().model_dump(mode="json")
            | {"tracker": {"confirm_hits": 3}},
            "hostname": "here",
            "boot_id": service.boot_id,
            "pid": os.getpid(),
            "measuring": service.measuring,
        }


class VendorHandler(_Handler):
    """Another dialect: the one on the page about adapters."""

    def answer(self) -> None:
        """Answer one request."""
        if self.headers.get("X-Api-Key") != TOKEN:
            self.say(401, {"error": "who are you?"})
            return
        service = self.server
        match self.command, urlsplit(self.path).path.strip("/").split("/"):
            case "POST", ["api", "lists", name]:
                service.enrolled[name] = []
                self.say(201, {})
            case "PUT", ["api", "lists", name, "people", person]:
                self._person(name, person)
            case "POST", ["api", "lists", name, "use"]:
                service.active = name
                self.say(200, {})
            case "DELETE", ["api", "lists", name]:
                service.enrolled.pop(name)
                self.say(200, {})
            case "POST", ["api", "reset"]:
                service.forget()
                self.say(200, {})
            case "POST", ["api", "look"]:
                self._look(json.loads(self.content))
            case "POST", ["api", "who"]:
                person = {"personId": "ann", "similarity": 90.0, "hit": True}
                self.say(200, {"best": person})
            case _:
                self.say(404, {"error": "no such thing"})

    def _person(self, name: str, person: str) -> None:
        is_form = self.headers["Content-Type"].startswith("multipart/form-data")
        if not is_form or b'filename="picture.png"' not in self.content:
            self.say(400, {"error": "a photo, please"})
        elif person == "zoe":
            self.say(409, {"error": "no face in this photo"})
        else:
            self.server.enrolled[name].append(person)
            self.say(200, {})

    def _look(self, asked: dict[str, object]) -> None:
        picture = base64.b64decode(asked["image"])
        camera_id, index = asked["camera"], asked["seq"]
        if not picture.startswith(b"\xff\xd8"):
            self.say(400, {"error": "not a JPEG"})
            return
        if (camera_id, index) in self.server.refusals:
            self.say(429, {"error": "busy"})
            return
        result = self.server.see(camera_id, index, time.perf_counter_ns())
        clip = next(c for c in self.server.crowd.clips if c.camera_id == camera_id)
        sides = np.array([clip.width_px, clip.height_px] * 2)
        scores = {p.track_id: p for p in result.probes}
        faces = [
            {
                "rect": _corner_and_size(np.array(box[1:]) / sides),
                "trackId": f"t-{box[0]}",
                "best": {
                    "personId": scores[box[0]].subject_id,
                    "similarity": 100.0 * scores[box[0]].comparison_score,
                },
                "hit": any(a.track_id == box[0] for a in result.alerts),
            }
            for box in result.boxes
        ]
        self.say(200, {"result": {"faces": faces}})


def _corner_and_size(xyxy: np.ndarray) -> dict[str, float]:
    x1, y1, x2, y2 = xyxy.tolist()
    return {"left": x1, "top": y1, "width": x2 - x1, "height": y2 - y1}


def _problem(status: int, code: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "No", "status": status, "code": code} | {
        "detail": "as the test wants it"
    }


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]):
    """Run a little service until the block ends."""
    service = TruthfulService(handler)
    thread = threading.Thread(target=service.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.gate.set()
        service.shutdown()
        service.server_close()
        thread.join(5.0)


def tiny_rig(folder: Path) -> Rig:
    """Make the tiny world's rig, with portraits and packets that a decoder can read."""
    crowd = make_crowd()
    images = tuple(
        replace(image, path=folder / image.path.name)
        for image in crowd.watchlist.images
    )
    for image in images:
        image.path.write_bytes(b"\x89PNG portrait")
    packets = _grey_packets()
    return Rig(
        crowd=replace(crowd, watchlist=replace(crowd.watchlist, images=images)),
        packets=(packets, packets),
        plan=make_plan(),
    )


def _grey_packets() -> tuple[bytes, ...]:
    """Encode a grey picture, over and over."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.framerate, encoder.time_base = 10, Fraction(1, 10)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    grey = av.VideoFrame.from_ndarray(np.full((360, 640, 3), 90, np.uint8), "bgr24")
    packets = []
    for k in range(N_FRAMES):
        grey.pts = k
        packets += [bytes(packet) for packet in encoder.encode(grey)]
    return tuple(packets)
