"""`harness indexes`: which index for a gallery of some size, and at what price."""

from __future__ import annotations

import time
from typing import Annotated

import faiss
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from bench.galleries.index_trade import measure_trades
from bench.galleries.template_world import fit_world
from lfr_errors import BadInputError
from matcher.calibration import load_cohort
from matcher.indexes.choice import choose_index
from matcher.weights import WEIGHTS, read_manifest, read_model

__all__ = ["indexes"]


def indexes(
    size: Annotated[
        int, typer.Option(min=100, max=5_000_000, help="Templates in the gallery.")
    ] = 10_000,
    probes: Annotated[
        int, typer.Option(min=32, max=100_000, help="Mated probes to search.")
    ] = 1000,
    rounds: Annotated[
        int, typer.Option(min=5, max=10_000, help="Searches to time.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of gallery and probes.")] = 1,
) -> None:
    """Measure every gallery index on synthetic templates, one thread.

    A graph over a million templates takes minutes to make.
    """
    shipped = read_manifest().calibration
    if shipped is None:
        message = "a calibration cohort must be shipped to draw templates like it"
        raise BadInputError(message)
    path = WEIGHTS / shipped.file
    cohort = load_cohort(read_model(path, sha256=shipped.sha256).content)
    faiss.omp_set_num_threads(1)
    table = Table(
        "index",
        "recall",
        "extra FNIR",
        "us a probe alone",
        "in 32",
        "bytes a template",
        "made in s",
        title=f"{size:,} synthetic templates, {probes:,} mated probes",
    )
    chosen = choose_index(size)
    for trade in measure_trades(
        fit_world(cohort),
        n=size,
        n_probes=probes,
        rounds=rounds,
        rng=np.random.default_rng(seed),
        clock=time.perf_counter_ns,
    ):
        is_chosen = trade.name in {chosen, f"{chosen} fp16"}
        table.add_row(
            trade.name,
            f"{trade.recall:.4f}",
            f"{trade.extra_fnir:.4f}",
            f"{1e6 * trade.single_s:.0f}",
            f"{1e6 * trade.batch_s:.0f}",
            f"{trade.bytes_per_template:.0f}",
            f"{trade.build_s:.1f}",
            style="bold" if is_chosen else None,
        )
    console = Console()
    console.print(table)
    console.print(f"index.name = 'auto' takes {chosen} at this size.")
