"""Loads an adapter: the TOML file that describes a vendor's API.

Owns the complaint about a file that is not there. Knows nothing of what it says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.dialects.adapter_settings import AdapterConfig
from scenarios.document import read_document
from scenarios.errors import ScenarioSyntaxError

if TYPE_CHECKING:
    from pathlib import Path

    from scenarios.document import Document

__all__ = ["load_adapter"]


def load_adapter(path: Path) -> AdapterConfig:
    """Read and validate an adapter.

    Raises:
        ScenarioError: In one of its kinds, for anything that cannot be used.
    """
    if not path.is_file():
        raise ScenarioSyntaxError(path=str(path), detail="there is no such file")
    document: Document[AdapterConfig] = read_document(
        str(path), AdapterConfig, shipped={}, overrides=(), seed=None, seed_key=""
    )
    return document.settings
