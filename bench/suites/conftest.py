"""What the benchmarks share: one small crowd, and nobody's threads but one."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import cv2
import faiss
import pytest

from bench.load.sources import demux
from matcher.ingest import CameraDecoder
from matcher.records import CameraId, EncodedFrame
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd

_CACHE = Path(".cache/crowds")


@pytest.fixture(scope="session", autouse=True)
def _single_thread():
    cv2.setNumThreads(1)
    faiss.omp_set_num_threads(1)


@pytest.fixture(scope="session")
def crowd():
    settings = loader.load("smoke")
    return make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=_CACHE,
        workers=2,
        progress=lambda *_: None,
    )


@pytest.fixture(scope="session")
def encoded(crowd):
    clip = crowd.clips[0]
    return [
        EncodedFrame(
            camera_id=CameraId(clip.camera_id),
            index=index,
            capture_time_ns=round(index * 1e9 / clip.fps),
            packet=packet,
        )
        for index, packet in enumerate(demux(clip))
    ]


@pytest.fixture(scope="session")
def frames(encoded):
    decoder = CameraDecoder()
    return [decoder.decode(frame) for frame in encoded]


@pytest.fixture
def counting_clock():
    """A clock that ticks once per reading: stages cost no system call."""
    return count().__next__
