"""Runs the cells of a sweep on processes of this machine or on a Ray cluster.

Owns who runs which cell, what happens when a worker dies, and that a finished cell is
never computed twice: each is a file of its own from the moment it ends. Part of the
shell. Knows nothing of what a cell computes.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from bench.errors import BenchError
from bench.host.ray_cluster import ray_session
from sim.sweep import CellResult, Varied, run_sweep_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from sim.capacity import Question

__all__ = ["on_processes", "on_ray", "read_cells", "run_sweep", "write_table"]

# A cell whose worker dies this often is itself the killer.
_MAX_ATTEMPTS = 3
_RESULT = TypeAdapter(CellResult)


def run_sweep(
    question: Question,
    cells: Sequence[Varied],
    *,
    folder: Path,
    run: Callable[[Question, Sequence[Varied]], Iterator[CellResult]],
    progress: Callable[[str, int, int], None],
) -> tuple[CellResult, ...]:
    """Compute the cells that the folder lacks; write each as it ends.

    Args:
        question: The plan from which cells depart.
        cells: The grid.
        folder: Holds `cells/`; those of an interrupted sweep are kept.
        run: `on_processes` or `on_ray`, with its workers bound.
        progress: Told how many cells are there.

    Raises:
        BenchError: If a finished cell is one of another grid, or a cell keeps killing
            its worker.
    """
    done = read_cells(folder)
    for cell in cells:
        if cell.index in done and done[cell.index].settings != cell.settings:
            message = (
                f"a sweep must be resumed with its own grid, got "
                f"{dict(cell.settings)} where cell {cell.index} of {folder} has "
                f"{dict(done[cell.index].settings)}; start another folder"
            )
            raise BenchError(message)
    lacking = [cell for cell in cells if cell.index not in done]
    progress("sweep", len(cells) - len(lacking), len(cells))
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    for result in run(question, lacking):
        done[result.index] = result
        path = folder / "cells" / f"{result.index:05d}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
        part.replace(path)
        progress("sweep", len(done), len(cells))
    return tuple(done[cell.index] for cell in cells)


def read_cells(folder: Path) -> dict[int, CellResult]:
    """Read the cells that have ended, by index; half-written ones are not there."""
    found = (
        _RESULT.validate_json(path.read_bytes())
        for path in sorted((folder / "cells").glob("*.json"))
    )
    return {cell.index: cell for cell in found}


def write_table(results: Sequence[CellResult], path: Path) -> None:
    """Write a sweep as one Parquet table, a column per setting and figure."""
    rows: list[dict[str, Any]] = []
    for result in results:
        plain = asdict(result)
        settings = plain.pop("settings")
        rows.append({**dict(settings), **plain})
    pq.write_table(pa.Table.from_pylist(rows), path)


def on_processes(
    question: Question, cells: Sequence[Varied], *, workers: int
) -> Iterator[CellResult]:
    """Run cells on processes of this machine; a dead one costs only its own cell.

    Args:
        question: The plan.
        cells: To compute.
        workers: Processes.

    Yields:
        Results, in the order in which they end.

    Raises:
        BenchError: If a cell keeps killing its worker.
    """
    waiting = list(reversed(cells))
    attempts: dict[int, int] = {}
    busy: dict[Connection[Any, Any], tuple[SpawnProcess, Varied]] = {}
    idle: list[tuple[Connection[Any, Any], SpawnProcess]] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                link, process = idle.pop() if idle else _hire(question)
                cell = waiting.pop()
                link.send(cell)
                busy[link] = (process, cell)
            for ready in wait(list(busy)):
                link = next(each for each in busy if each is ready)
                process, cell = busy.pop(link)
                try:
                    result: CellResult = link.recv()
                except (EOFError, OSError):
                    process.join()
                    attempts[cell.index] = attempts.get(cell.index, 0) + 1
                    if attempts[cell.index] >= _MAX_ATTEMPTS:
                        message = (
                            f"a cell must outlive its computation, but "
                            f"{dict(cell.settings)} lost {_MAX_ATTEMPTS} workers, the "
                            f"last with exit code {process.exitcode}; narrow the sweep"
                        )
                        raise BenchError(message) from None
                    waiting.append(cell)
                    continue
                idle.append((link, process))
                yield result
    finally:
        for link, process in [*idle, *((k, v[0]) for k, v in busy.items())]:
            link.close()
            process.terminate()
            process.join()


def _hire(question: Question) -> tuple[Connection[Any, Any], SpawnProcess]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=True)
    process = context.Process(target=_serve, args=(theirs, question), daemon=True)
    process.start()
    # Ours to close: else its end would stay open here, and its death go unheard.
    theirs.close()
    return ours, process


def _serve(link: Connection[Any, Any], question: Question) -> None:
    """Be a worker: compute the cells that come, until nobody sends any more."""
    # Ctrl-C reaches the whole group; who hired us decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            link.send(run_sweep_cell(question, link.recv()))


def on_ray(
    question: Question, cells: Sequence[Varied], *, workers: int
) -> Iterator[CellResult]:
    """Run cells on a Ray cluster: the one that is configured, or a local one.

    Args:
        question: The plan.
        cells: To compute.
        workers: Processors of a local cluster, if none is configured.

    Yields:
        Results, in the order in which they end.

    Raises:
        BenchError: If Ray is not installed.
    """
    with ray_session(cpus=workers) as ray:
        remote = ray.remote(num_cpus=1, max_retries=_MAX_ATTEMPTS)(run_sweep_cell)
        told = ray.put(question)
        pending = [remote.remote(told, cell) for cell in cells]
        while pending:
            ended, pending = ray.wait(pending, num_returns=1)
            yield ray.get(ended[0])
