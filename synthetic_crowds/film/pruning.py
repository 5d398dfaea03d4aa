"""Keeping the cache of clips and portraits within bounds.

Owns what may go: whatever no running process reads or makes, least lately used first,
drafts of unfinished work included. Knows nothing of what the folders hold.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthetic_crowds.film.cache import DRAFT_LOCK, MANIFEST, lock

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Pruned", "prune"]

_ROOMS = ("clips", "watchlists")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What pruning did.

    Attributes:
        removed: Folders.
        freed_bytes: What they held.
        kept_bytes: What the cache still holds.
        in_use_bytes: How much of that some process reads or makes.
    """

    removed: tuple[Path, ...]
    freed_bytes: int
    kept_bytes: int
    in_use_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A folder of the cache.

    Attributes:
        folder: Where.
        guard: The file that its users lock.
        used_s: When it was last of use.
        size_bytes: Of all its files.
    """

    folder: Path
    guard: Path
    used_s: float
    size_bytes: int


def prune(cache_dir: Path, *, limit_bytes: int) -> Pruned:
    """Remove folders, least lately used first, until the cache is within a limit.

    Args:
        cache_dir: As given to `make_crowd`; nothing else may lie there.
        limit_bytes: What the cache may hold; 0 empties it but for what is in use.
    """
    entries = sorted(
        _entries(cache_dir), key=lambda entry: (entry.used_s, entry.folder)
    )
    held = sum(entry.size_bytes for entry in entries)
    removed: list[Path] = []
    freed = in_use = 0
    for entry in entries:
        descriptor = lock(entry.guard, shared=False) if entry.guard.exists() else -1
        if descriptor is None:
            in_use += entry.size_bytes
            continue
        try:
            if held - freed > limit_bytes:
                # A folder that we may not remove stays.
                shutil.rmtree(entry.folder, ignore_errors=True)
                if not entry.folder.exists():
                    removed.append(entry.folder)
                    freed += entry.size_bytes
        finally:
            if descriptor >= 0:
                os.close(descriptor)
    return Pruned(
        removed=tuple(removed),
        freed_bytes=freed,
        kept_bytes=held - freed,
        in_use_bytes=in_use,
    )


def _entries(cache_dir: Path) -> list[_Entry]:
    """Every folder of the cache, finished or not."""
    entries = []
    for room in _ROOMS:
        for folder in sorted((cache_dir / room).glob("*")):
            if not folder.is_dir():
                continue
            guard = folder / (DRAFT_LOCK if folder.name.startswith(".") else MANIFEST)
            sizes = [
                (path.stat().st_size, path.stat().st_mtime)
                for path in folder.rglob("*")
                if path.is_file()
            ]
            used = guard.stat().st_mtime if guard.exists() else folder.stat().st_mtime
            if folder.name.startswith("."):
                # A draft was last of use when its latest piece was finished.
                used = max((time_s for _, time_s in sizes), default=used)
            entries.append(
                _Entry(
                    folder=folder,
                    guard=guard,
                    used_s=used,
                    size_bytes=sum(size for size, _ in sizes),
                )
            )
    return entries
