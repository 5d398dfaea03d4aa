"""Processes that work through tasks, count as they go, and leave with their parent.

Owns the pool, its counters, and how it ends. Knows nothing of what the tasks are.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

import cv2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ctypes import Array, c_longlong

__all__ = ["in_processes", "leave_with_parent"]

_POLL_S = 0.2

Task = TypeVar("Task")


class _Desk:
    """Where a worker finds its counters; set once, when its process starts."""

    counters: Array[c_longlong]


def in_processes(
    do: Callable[[Task, Callable[[], None]], None],
    tasks: Sequence[Task],
    done: Sequence[int],
    *,
    workers: int,
    report: Callable[[Sequence[int]], None],
) -> None:
    """Do all tasks, first ones first, and report meanwhile how far each of them is.

    Args:
        do: Takes a task and a call that counts one more step of it; both travel to
            another process.
        tasks: At least one, independent of each other.
        done: Steps that each task begins at.
        workers: How many processes to use.
        report: Called now and then with the steps done of each task.

    Raises:
        Exception: Whatever the first failing task raised.
    """
    # Spawned, not forked: the caller may hold threads and locks of other libraries.
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    counters = context.Array("q", list(done), lock=False)
    with ProcessPoolExecutor(
        max_workers=min(workers, len(tasks)),
        mp_context=context,
        initializer=_sit_down,
        initargs=(counters,),
    ) as pool:
        pending = {
            pool.submit(_do, do, number, task) for number, task in enumerate(tasks)
        }
        try:
            while pending:
                finished, pending = wait(pending, timeout=_POLL_S)
                report(list(counters))
                for future in finished:
                    future.result()
        except BaseException:
            # Ctrl-C too: nobody waits for what will be thrown away.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise


def _sit_down(counters: Array[c_longlong]) -> None:
    """Prepare a worker: one thread each, there is a process for every core."""
    # Ctrl-C reaches the whole group; whoever hired this process decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    _Desk.counters = counters
    leave_with_parent()


def _do(
    do: Callable[[Task, Callable[[], None]], None], number: int, task: Task
) -> None:
    def tick() -> None:
        _Desk.counters[number] += 1

    do(task, tick)


def leave_with_parent() -> None:
    """End this process with whoever hired it, soon after, however that ended.

    To be called once in each worker of a pool: a killed parent cannot tell anybody to
    stop.
    """
    threading.Thread(target=_wait_and_leave, daemon=True).start()


def _wait_and_leave() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
