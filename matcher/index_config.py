"""The settings of the gallery indexes: the `[matcher.index]` table of a scenario.

Owns names, ranges and defaults. They stand here, not in the modules of
`matcher.indexes`, so that reading a scenario does not load FAISS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from matcher.settings import Settings

__all__ = [
    "FaissHnswConfig",
    "FaissIvfConfig",
    "FaissSqConfig",
    "IndexConfig",
    "ShardedConfig",
]

Codes = Literal["fp16", "8bit"]


class FaissSqConfig(Settings):
    """Exhaustive search of shortened templates (`matcher.indexes.faiss_sq`)."""

    codes: Codes = Field(
        default="fp16",
        description="How a number of a template is kept: fp16 halves the memory read, "
        "8bit quarters it.",
    )


class FaissHnswConfig(Settings):
    """Search along a graph of near neighbours (`matcher.indexes.faiss_hnsw`)."""

    links: int = Field(
        default=32,
        ge=4,
        le=256,
        description="Neighbours of a template on each level, M; memory grows with it.",
    )
    build_effort: int = Field(
        default=80,
        ge=8,
        le=2000,
        description="Candidates weighed when a template is linked, efConstruction.",
    )
    search_effort: int = Field(
        default=192,
        ge=1,
        le=100_000,
        description="Candidates kept while searching, efSearch: recall against time; "
        "192 finds 99 % of the nearest among a million.",
    )


class FaissIvfConfig(Settings):
    """Search of the nearest cells of a partition (`matcher.indexes.faiss_ivf`)."""

    codes: Codes = Field(
        default="8bit", description="How templates are kept in their cells."
    )
    templates_per_cell: int = Field(
        default=250,
        ge=1,
        le=100_000,
        description="Mean size of a cell; the number of cells follows the gallery.",
    )
    probed_share: float = Field(
        default=0.1,
        gt=0.0,
        le=1.0,
        description="Share of all cells that a probe is compared with.",
    )


class ShardedConfig(Settings):
    """A gallery in parts (`matcher.indexes.sharded`)."""

    shards: int = Field(
        default=4,
        ge=1,
        le=4096,
        description="Parts of nearly equal size; never more than there are templates.",
    )
    of: Literal["exact", "faiss_flat", "faiss_sq", "faiss_hnsw", "faiss_ivf"] = Field(
        default="faiss_flat", description="How each part is searched."
    )


class IndexConfig(Settings):
    """How the gallery is searched (`matcher.indexes`)."""

    name: str = Field(
        default="faiss_flat",
        description="Registered index: exact, faiss_flat, faiss_sq, faiss_hnsw, "
        "faiss_ivf or sharded; auto chooses by the gallery's size.",
    )
    folder: Path | None = Field(
        default=None,
        description="Where indexes are kept between runs; a graph over a million "
        "takes minutes to make. Absent, each run makes its own.",
    )
    blas_from_probes: int = Field(
        default=8,
        ge=1,
        le=1_000_000,
        description="Probes in one search from which faiss_flat and the cells of "
        "faiss_ivf multiply matrices; fewer are compared one after the other.",
    )
    rescored: int = Field(
        default=8,
        ge=1,
        le=10_000,
        description="Candidates of an index that keeps shortened templates which are "
        "compared again with the full ones.",
    )
    faiss_sq: FaissSqConfig = FaissSqConfig()
    faiss_hnsw: FaissHnswConfig = FaissHnswConfig()
    faiss_ivf: FaissIvfConfig = FaissIvfConfig()
    sharded: ShardedConfig = ShardedConfig()
