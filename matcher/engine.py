"""The matcher's processes: frames in by a pipe, results out by the same.

Owns threads, stamps of arrival, and the process's manners: it starts only on good
input, answers its clock at once, sends alerts at once, and leaves when the other end
hangs up. Knows nothing of what was planned or true.

`serve` is the process that the driver starts. It prepares what all workers share and
becomes their supervisor (`matcher.supervisor`); the workers do the work. In a worker
are two threads: one receives, so that a busy pipeline never hides what has come; the
other works. Both may send, one at a time.
"""

from __future__ import annotations

import gc
import logging
import resource
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING

import cv2
import faiss
import numpy as np

from lfr_errors import BadInputError
from matcher import gallery as galleries
from matcher.assembly import (
    Search,
    detector_sha256,
    embedder_sha256,
    prepare_search,
    wire,
)
from matcher.errors import EngineError, GalleryError
from matcher.inbox import Closed, Inbox, Waiting
from matcher.landmarks import refiner_name
from matcher.messages import (
    Changed,
    ClockProbe,
    ClockReading,
    Crashed,
    Flush,
    Flushed,
    FromWorker,
    GalleryChange,
    Parcel,
    Ready,
    Refused,
    ResourceUse,
    Results,
    Routed,
    Stop,
    Stopped,
    SystemDescription,
    ToWorker,
)
from matcher.outbox import Outbox
from matcher.records import EncodedFrame
from matcher.supervisor import Supervisor
from matcher.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from matcher.berth import Orders
    from matcher.config import EngineConfig, MatcherConfig
    from matcher.protocols import Detector, Embedder, GalleryIndex
    from matcher.worker import Handler

__all__ = [
    "converse",
    "limit_threads",
    "manners",
    "pack_parcel",
    "serve",
    "warm_up",
]

_log = logging.getLogger(__name__)

_SWITCH_S = 0.0005
_LIBRARIES = ("av", "faiss-cpu", "numpy", "onnxruntime", "opencv-python-headless")


def serve(
    connection: Connection[FromWorker, ToWorker],
    config: MatcherConfig,
    gallery_path: Path,
) -> None:
    """Be the matcher, from start to end; see `matcher.messages`.

    What all workers share is made here once, before they are forked.

    Args:
        connection: To the driver.
        config: Settings.
        gallery_path: As written by `matcher.gallery.save`.
    """
    clock = time.perf_counter_ns
    with manners(connection):
        threads = limit_threads()
        try:
            gallery = galleries.load(gallery_path)
            search = prepare_search(config, gallery)
        except BadInputError as error:
            connection.send(Refused(sentence=str(error)))
            return

        def work(connection: Connection[FromWorker, ToWorker], orders: Orders) -> None:
            _work_on(connection, orders, config, search, threads)

        # What is loaded by now stays: the collector need not walk it between frames,
        # nor, by marking it, part the pages that the workers share.
        gc.collect()
        gc.freeze()
        Supervisor(
            connection,
            work=work,
            config=config.engine,
            clock=clock,
            change=search.gallery.carry_out,
        ).run()


def _work_on(
    connection: Connection[FromWorker, ToWorker],
    orders: Orders,
    config: MatcherConfig,
    search: Search,
    threads: tuple[tuple[str, int], ...],
) -> None:
    """Be a worker process, from start to end."""
    clock = time.perf_counter_ns
    # The receiver must not wait Python's usual 5 ms for its turn to stamp a frame.
    sys.setswitchinterval(_SWITCH_S)
    with manners(connection):
        try:
            assembly = wire(config, search, clock=clock)
        except BadInputError as error:
            connection.send(Refused(sentence=str(error)))
            return
        warm_up(
            assembly.detector, assembly.embedder, config, index=assembly.gallery.index
        )
        worker = Worker(assembly.pipeline, clock=clock)
        worker.resume(orders.memories, orders.frames)
        gc.freeze()
        converse(
            connection,
            worker,
            system=_describe(config, search, threads),
            config=config.engine,
            clock=clock,
            change=search.gallery.carry_out,
            pack=partial(pack_parcel, worker),
        )


def pack_parcel(worker: Worker, results: Results) -> Parcel:
    """Pack results so that the supervisor can pass them on without reading them."""
    outcomes = [result.outcome for result in results.frames]
    cameras = dict.fromkeys(outcome.camera_id for outcome in outcomes)
    return Parcel(
        ended=tuple((o.camera_id, o.frame_index) for o in outcomes),
        memories=tuple(worker.memory_of(camera_id) for camera_id in cameras),
        payload=bytes(ForkingPickler.dumps(results)),
    )


@contextmanager
def manners(connection: Connection[FromWorker, ToWorker]) -> Iterator[None]:
    """Keep a worker process deaf to Ctrl-C, honest when it crashes, and tidy."""
    # Ctrl-C reaches the whole group; the driver decides when the worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    except (BrokenPipeError, ConnectionResetError):
        _log.info("the driver hung up; the worker leaves")
    except Exception as error:  # noqa: BLE001 — whatever it is, the driver must hear
        sentence = f"{type(error).__name__}: {error}"
        _log.exception("the worker crashed")
        connection.send(Crashed(sentence=sentence, traceback=traceback.format_exc()))
    finally:
        connection.close()


def converse(
    connection: Connection[FromWorker, ToWorker],
    handler: Handler,
    *,
    system: SystemDescription,
    config: EngineConfig,
    clock: Callable[[], int],
    change: Callable[[GalleryChange], None],
    pack: Callable[[Results], FromWorker] = lambda results: results,
) -> None:
    """Say Ready, handle frames until asked to stop, say Stopped.

    Args:
        connection: To the driver; if it hangs up, nothing more is said.
        handler: Brings frames to their end.
        system: What it is.
        config: Drop policy and batching.
        clock: Nanoseconds.
        change: Changes the gallery while frames are handled; raises GalleryError on
            what cannot be done.
        pack: What results travel in.
    """
    interval_ns = round(config.results_interval_s * 1e9)
    outbox = Outbox(connection, interval_ns=interval_ns, clock=clock, pack=pack)
    inbox = Inbox(config)
    receiver = threading.Thread(
        target=_receive, args=(connection, inbox, outbox, clock, change), daemon=True
    )
    begun_ns, begun_cpu_s = clock(), time.process_time()
    receiver.start()
    outbox.send(Ready(system=system))
    if _work(handler, inbox, outbox, config):
        use = ResourceUse(
            cpu_s=time.process_time() - begun_cpu_s,
            wall_s=(clock() - begun_ns) / 1e9,
            # Linux counts kibibytes.
            peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            n_frames=inbox.n_arrived,
        )
        outbox.send(Stopped(use=use))


def _receive(
    connection: Connection[FromWorker, ToWorker],
    inbox: Inbox,
    outbox: Outbox,
    clock: Callable[[], int],
    change: Callable[[GalleryChange], None],
) -> None:
    """Stamp what arrives and pass it on, until the driver stops or hangs up."""
    try:
        while True:
            message = connection.recv()
            received_ns = clock()
            match message:
                case Routed(frame=frame, received_ns=routed_ns):
                    inbox.put(frame, received_ns=routed_ns)
                case EncodedFrame():
                    inbox.put(message, received_ns=received_ns)
                case ClockProbe(sent_ns=sent_ns):
                    outbox.send(ClockReading(sent_ns=sent_ns, read_ns=received_ns))
                case GalleryChange():
                    # At once: a change waits for no frame, and no frame for it.
                    outbox.send(_followed(message, change, clock))
                case Flush():
                    inbox.request(message)
                case Stop():
                    inbox.request(message)
                    return
    except (EOFError, OSError):
        inbox.close(None)
    except Exception as error:  # noqa: BLE001 — the working thread must hear of it
        inbox.close(error)


def _followed(
    wanted: GalleryChange,
    change: Callable[[GalleryChange], None],
    clock: Callable[[], int],
) -> Changed:
    """Change the gallery and say so, or say why not; one worker numbers itself 0."""
    refusal = ""
    try:
        change(wanted)
    except GalleryError as error:
        refusal = str(error)
    return Changed(
        number=wanted.number, worker=0, in_effect_ns=clock(), refusal=refusal
    )


def _work(handler: Handler, inbox: Inbox, outbox: Outbox, config: EngineConfig) -> bool:
    """Handle frames until asked to stop; return whether anyone asked.

    Raises:
        EngineError: If the receiving thread failed.
    """
    while True:
        if inbox.is_empty:
            # Batches spare a busy worker; an idle one has no reason to hold back.
            outbox.empty()
        match inbox.take():
            case Waiting() as first:
                batch = inbox.take_company(
                    first, at_most=config.batch_frames, wait_s=config.batch_wait_s
                )
                for result in handler.handle(batch):
                    outbox.add(result)
            case Flush(token=token):
                outbox.empty()
                outbox.send(Flushed(token=token))
            case Stop():
                outbox.empty()
                return True
            case Closed(error=None):
                return False
            case Closed(error=error):
                message = f"messages to the worker must be readable, but: {error}"
                raise EngineError(message) from error


def limit_threads() -> tuple[tuple[str, int], ...]:
    """Keep each library to one thread; a worker is one core, and can be counted on.

    Returns:
        Library → threads it may use, as it says itself.
    """
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    faiss.omp_set_num_threads(1)
    return (
        ("decoder", 1),
        ("faiss", faiss.omp_get_max_threads()),
        ("onnxruntime", 1),
        ("opencv", cv2.getNumThreads()),
    )


def warm_up(
    detector: Detector,
    embedder: Embedder,
    config: MatcherConfig,
    *,
    index: GalleryIndex | None = None,
) -> None:
    """Run every network once at the sizes to come: first runs allocate."""
    width = config.detector.detection_width_px
    side = embedder.chip_px
    detector.detect(np.zeros((width * 9 // 16, width, 3), np.uint8))
    for n_chips in (1, 2, 4, 8):
        chips = np.zeros((n_chips, side, side, 3), np.uint8)
        embeddings = embedder.embed(chips)
        if index is not None:
            index.search(embeddings, k=1)


def _describe(
    config: MatcherConfig, search: Search, threads: tuple[tuple[str, int], ...]
) -> SystemDescription:
    return SystemDescription(
        name="matcher",
        detector=f"{config.detector.name}@{detector_sha256(config.detector)}",
        embedder=f"{config.embedder.name}@{embedder_sha256(config.embedder)}",
        index=search.name,
        gallery_size=len(search.gallery),
        threshold=search.threshold.value,
        threshold_origin=search.threshold.origin,
        threads=threads,
        versions=tuple((name, version(name)) for name in _LIBRARIES),
        n_cohort=search.threshold.n_cohort,
        refiner=refiner_name(config.alignment),
    )
