"""What HTTP costs: processor time of `/v1/identify` beside the same call in process.

    python -m bench.suites.service_overhead

Both sides decode the same pictures, find, embed and search eight at a time. Blocks of
one and of the other take turns, so that a machine that drifts drifts under both.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from bench.running.enrolment import enrol_watchlist
from bench.suites.service_client import post_always, request
from bench.suites.service_process import serving_small
from commands.crowd import crowd_of
from matcher.assembly import make_detector, make_picture_embedder, prepare_search
from matcher.engine import limit_threads, warm_up
from matcher.landmarks import make_refiner
from matcher.photos import PhotoReader
from matcher.records import Embeddings
from scenarios import loader

_BATCH, _BLOCKS, _BLOCK_S = 8, 9, 6.0
_LIMIT = 1.15


def main() -> None:
    """Print both costs and their ratio; exit 1 if it is above 1.15."""
    config = loader.load("smoke").matcher
    cache = Path(os.environ.get("LFR_CACHE", ".cache/crowds"))
    crowd = crowd_of(
        loader.load("smoke"), cache=cache, workers=None, progress=lambda *_: None
    )
    pictures = [i.path.read_bytes() for i in crowd.watchlist.images]
    in_process = _InProcess(config, crowd)
    console = Console()
    with serving_small() as served:
        posts = [request(served.url, "/v1/identify", p, "image/png") for p in pictures]
        rows = []
        for block in range(_BLOCKS + 1):
            here = in_process.cost_s(pictures)
            there = _service_cost_s(served, posts)
            if block > 0:  # the first warms both
                rows.append((here, *there))
    ratios = np.array([there / here for here, there, _ in rows])
    here = np.median([row[0] for row in rows])
    there = np.median([row[1] for row in rows])
    batch = np.mean([row[2] for row in rows])
    console.print(
        f"in process {here * 1e3:.2f} ms a picture, as a service {there * 1e3:.2f} ms "
        f"(mean batch {batch:.2f}); ratio {np.median(ratios):.3f}, blocks "
        f"{ratios.min():.3f} to {ratios.max():.3f} (n = {len(ratios)}); limit {_LIMIT}"
    )
    sys.exit(0 if np.median(ratios) <= _LIMIT else 1)


class _InProcess:
    """The call without HTTP."""

    def __init__(self, config, crowd):
        limit_threads()
        detector, embedder = (
            make_detector(config.detector),
            make_picture_embedder(config.embedder),
        )
        warm_up(detector, embedder, config)
        gallery = enrol_watchlist(
            crowd.watchlist, config, progress=lambda *_: None
        ).gallery
        self._reader = PhotoReader(
            detector=detector,
            refiner=make_refiner(config.alignment),
            embedder=embedder,
        )
        self._index = prepare_search(config, gallery).gallery.index

    def cost_s(self, pictures):
        """Return processor time a picture, over one block."""
        ends_s, n = time.perf_counter() + _BLOCK_S, 0
        began_s = time.process_time()
        while time.perf_counter() < ends_s:
            batch = [pictures[(n + k) % len(pictures)] for k in range(_BATCH)]
            found = self._reader.read(batch)
            vectors = np.stack([photo.template for photo in found])
            self._index.search(Embeddings(vectors=vectors), k=5)
            n += _BATCH
        return (time.process_time() - began_s) / n


def _service_cost_s(served, posts):
    """Return the service's processor time a picture, and the mean batch."""
    before, batches = served.cpu_s(), served.metric("lfr_photo_batch_pictures_count")
    replies = post_always(
        served.url,
        lambda number: posts[number % len(posts)],
        # Eight are in the lane and eight wait for it.
        connections=2 * _BATCH,
        duration_s=_BLOCK_S,
    )
    assert set(replies.statuses()) == {200}, replies.statuses()
    n = len(replies.all)
    batches = served.metric("lfr_photo_batch_pictures_count") - batches
    return (served.cpu_s() - before) / n, n / batches


if __name__ == "__main__":
    main()
