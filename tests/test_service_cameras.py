"""Cameras that the service reads itself, beside what is posted."""

from __future__ import annotations

import threading
import time

import pytest
from matcher_doubles import h264, painted
from service_doubles import colour_service, stock

from bench.wire.settings import NetworkConfig
from bench.wire.station import Transport, open_station
from lfr_errors import BadInputError
from matcher.records import CameraId, EncodedFrame
from matcher.service.cameras import reading_cameras
from matcher.service.server import Server, listen
from matcher.streams.capture_clock import this_boot
from matcher.streams.config import StreamConfig
from matcher.streams.room import distinct

BLUE = 0


def units(n: int) -> list[bytes]:
    """The blue subject, walking; a key frame every ten."""
    return [
        unit
        for first in range(0, n, 10)
        for unit in h264(
            painted((20 + k % 60, 30, 60 + k % 60, 70), channel=BLUE)
            for k in range(first, first + 10)
        )
    ]


def _wait_for(condition, seconds: float = 20.0) -> bool:
    """Look again until a condition holds, or it has taken far too long."""
    ends_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_s:
            return False
        threading.Event().wait(0.02)
    return True


def test_alerts_come_of_a_camera_that_the_service_reads(tmp_path):
    """MPEG-TS over TCP in, an alert out; the counts stand among the metrics."""
    import httpx

    service = colour_service(tmp_path)
    opened = listen(service.config)
    with open_station(
        ["east"],
        Transport.TCP,
        network=NetworkConfig(),
        udp_ports=(),
        clock_name=this_boot(),
        clock=time.perf_counter_ns,
    ) as (station, (port,)):
        stream = StreamConfig(camera_id="east", url=f"tcp://127.0.0.1:{port}")
        is_ready = threading.Event()
        server = Server(
            service,
            opened,
            beside=lambda: reading_cameras(service, [stream]),
            on_ready=is_ready.set,
        )
        thread = threading.Thread(target=server.run_to_end)
        thread.start()
        try:
            assert is_ready.wait(30)
            host, http_port = opened.getsockname()
            with httpx.Client(base_url=f"http://{host}:{http_port}") as client:
                stock(client)
                pictures = units(20)
                _wait_for(lambda: _publish(station, 0, pictures[0]) == "")
                for index in range(1, 20):
                    _publish(station, index, pictures[index])
                    threading.Event().wait(0.05)
                assert _wait_for(
                    lambda: client.get("/v1/alerts").json()["alerts"] != []
                )
                (alert, *_) = client.get("/v1/alerts").json()["alerts"]
                page = client.get("/metrics").text
        finally:
            server.leave()
            thread.join(30)
    assert alert["camera_id"] == "east"
    assert alert["subject_id"] == "blue"
    assert 'lfr_stream_events_total{event="frames"}' in page
    assert 'camera="' not in page


def _publish(station, index: int, unit: bytes) -> str:
    frame = EncodedFrame(
        camera_id=CameraId("east"),
        index=index,
        capture_time_ns=time.perf_counter_ns(),
        packet=unit,
    )
    return station.publish(frame, next_time_ns=None)


def test_two_cameras_of_one_name_are_refused():
    """Before anything is opened."""
    twice = [StreamConfig(camera_id="east", url=f"tcp://h:{k}") for k in (1, 2)]
    with pytest.raises(BadInputError, match="names of their own"):
        distinct(twice)
