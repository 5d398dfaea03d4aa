"""Three times what the service can do, for a minute: what it takes stays in time.

    python -m bench.suites.service_overload [identify|frames] [SECONDS]

First the capacity is measured, then latencies at half of it, then three times the
capacity is offered at planned times, then half again; at the end the capacity once
more, since a machine may change its speed meanwhile: goodput, which counts what was
answered in full within its limit, is held against the mean of both. All that was sent
must be accounted for.

Frames come from so many cameras that each sends less than one a second, at three times
the capacity too. Tracks do not live that long, so a frame costs the same however many
others are refused: a camera that is seen more often has more faces embedded, and its
frames cost up to twice as much.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from bench.load.feeds import feed_of
from bench.suites.service_client import post_always, post_at, request
from bench.suites.service_process import serving_small
from commands.crowd import crowd_of
from matcher.ingest import CameraDecoder
from matcher.records import CameraId, EncodedFrame
from scenarios import loader

_FACTOR, _LIMIT_S, _GOODPUT = 3.0, 1.0, 0.9
_CAPACITY_S, _HALF_S = 10.0, 10.0
_CONNECTIONS = 96
# The service takes 256; three times a capacity of 80 frames a second is one each.
_CAMERAS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is posted.

    Attributes:
        name: Of the endpoint.
        requests: Called with a service's address, returns what lays out the requests:
            given a number, its bytes.
        is_done: Whether an answer is one in full.
        closed: Requests under way that keep the service busy and no more.
    """

    name: str
    requests: object
    is_done: object
    closed: int


def identify_work(crowd):
    """Pictures of everybody on the watchlist, in turn."""
    pictures = [i.path.read_bytes() for i in crowd.watchlist.images]

    def requests(url):
        posts = [request(url, "/v1/identify", p, "image/png") for p in pictures]
        return lambda number: posts[number % len(posts)]

    return Work(
        name="identify",
        requests=requests,
        is_done=lambda reply: reply.status == 200,
        closed=16,
    )


def frames_work(crowd, *, n_cameras):
    """Stills of many cameras in turn, each camera some frames further in the clip."""
    feed = feed_of(crowd.clips[0])
    decoder = CameraDecoder()
    stills = []
    for index, packet in enumerate(feed.packets):
        frame = decoder.decode(
            EncodedFrame(
                camera_id=CameraId("any"), index=index, capture_time_ns=0, packet=packet
            )
        )
        stills.append(cv2.imencode(".jpg", frame.image_bgr)[1].tobytes())

    def requests(url):
        def one(number):
            turn, camera = divmod(number, n_cameras)
            still = stills[(turn + 7 * camera) % len(stills)]
            return request(
                url, f"/v1/frames?camera_id=camera-{camera}", still, "image/jpeg"
            )

        return one

    return Work(
        name="frames",
        requests=requests,
        is_done=lambda reply: (
            reply.status == 200
            and json.loads(reply.body)["outcome"]["outcome"] == "processed"
        ),
        closed=4,
    )


def measure(served, work, *, seconds):
    """Measure one endpoint; return its figures."""
    requests = work.requests(served.url)

    def capacity_hz():
        busy = post_always(
            served.url, requests, connections=work.closed, duration_s=_CAPACITY_S
        )
        return len([r for r in busy.all if work.is_done(r)]) / busy.wall_s

    post_always(served.url, requests, connections=work.closed, duration_s=3.0)
    capacity_before_hz = capacity_hz()

    def offered(rate_hz, duration_s):
        return post_at(
            served.url,
            requests,
            rate_hz=rate_hz,
            duration_s=duration_s,
            connections=_CONNECTIONS,
        )

    before = offered(capacity_before_hz / 2, _HALF_S)
    over = offered(_FACTOR * capacity_before_hz, seconds)
    rss_bytes = served.rss_bytes()
    after = offered(capacity_before_hz / 2, _HALF_S)
    capacity_after_hz = capacity_hz()
    done = [r for r in over.all if work.is_done(r)]
    latencies_s = np.array([r.ended_s - r.planned_s for r in done])
    return {
        "work": work.name,
        "capacity_hz": (capacity_before_hz + capacity_after_hz) / 2,
        "capacity_before_hz": capacity_before_hz,
        "capacity_after_hz": capacity_after_hz,
        "offered_hz": len(over.all) / seconds,
        "goodput_hz": np.count_nonzero(latencies_s <= _LIMIT_S) / over.wall_s,
        "p50_s": float(np.quantile(latencies_s, 0.5)),
        "p99_s": float(np.quantile(latencies_s, 0.99)),
        "statuses": over.statuses(),
        "n_done": len(done),
        "before_p99_s": _p99(before, work),
        "after_p99_s": _p99(after, work),
        "rss_bytes": rss_bytes,
    }


def _p99(replies, work):
    done = [r.ended_s - r.planned_s for r in replies.all if work.is_done(r)]
    return float(np.quantile(done, 0.99))


def main() -> None:
    """Print what was measured; exit 1 if a limit was missed."""
    words = sys.argv[1:]
    seconds = next((float(w) for w in words if w[0].isdigit()), 60.0)
    chosen = [w for w in words if not w[0].isdigit()] or ["identify", "frames"]
    cache = Path(os.environ.get("LFR_CACHE", ".cache/crowds"))
    crowd = crowd_of(
        loader.load("smoke"), cache=cache, workers=None, progress=lambda *_: None
    )
    console, missed = Console(), False
    for name in chosen:
        work = (
            identify_work(crowd)
            if name == "identify"
            else frames_work(crowd, n_cameras=_CAMERAS)
        )
        with serving_small() as served:
            found = measure(served, work, seconds=seconds)
        share = found["goodput_hz"] / found["capacity_hz"]
        console.print(
            f"{name}: capacity {found['capacity_before_hz']:.1f}/s before and "
            f"{found['capacity_after_hz']:.1f}/s after, offered "
            f"{found['offered_hz']:.1f}/s for {seconds:g} s; goodput "
            f"{found['goodput_hz']:.1f}/s = {share:.3f} of capacity; latency of "
            f"{found['n_done']:,} done: p50 {found['p50_s']:.3f} s, p99 "
            f"{found['p99_s']:.3f} s, limit {_LIMIT_S:g} s; answers "
            f"{found['statuses']}; p99 at half capacity {found['before_p99_s']:.4f} s "
            f"before, {found['after_p99_s']:.4f} s after; memory "
            f"{found['rss_bytes'] / 1e6:.0f} MB"
        )
        missed |= share < _GOODPUT or found["p99_s"] > _LIMIT_S
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
