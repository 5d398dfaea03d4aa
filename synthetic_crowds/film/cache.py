"""Folders named by what is in them: made once, checked whenever they are read.

Owns the key (settings, seed and the code that would make the folder again), the
manifest with the SHA-256 of every file, and writing that is all or nothing. Knows
nothing of what the files mean.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic_crowds.errors import CorruptClipError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

__all__ = ["MANIFEST", "check", "content_key", "file_sha256", "making"]

MANIFEST = "manifest.json"
# Libraries that decide the value of a pixel or the bytes of a file.
_LIBRARIES = ("av", "numba", "numpy", "opencv-python-headless", "pyarrow", "scipy")


@lru_cache(maxsize=1)
def render_version() -> str:
    """Digest of this package's code and data and of the libraries under it.

    Any change re-renders: a cache that might be stale is worse than none.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted((*root.rglob("*.py"), *root.rglob("*.npz"))):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    for library in (*_LIBRARIES, "lfr-harness"):
        digest.update(f"{library}=={version(library)}".encode())
    return digest.hexdigest()


def content_key(*settings: BaseModel | str | int) -> str:
    """Name a folder after everything that decides its content.

    Args:
        settings: Configs, names and numbers, in a fixed order.
    """
    plain = [
        value.model_dump(mode="json") if hasattr(value, "model_dump") else value
        for value in settings
    ]
    text = json.dumps([render_version(), plain], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def file_sha256(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(folder: Path) -> bool:
    """Whether a folder is there, and whole.

    Raises:
        CorruptClipError: If it is there but a file is missing or has changed.
    """
    if not folder.exists():
        return False
    manifest = folder / MANIFEST
    try:
        files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError):
        raise CorruptClipError(path=manifest) from None
    for name, sha256 in files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            raise CorruptClipError(path=path)
    return True


@contextmanager
def making(folder: Path, *, seed: int) -> Iterator[Path]:
    """Give a place to make a folder in; it appears, with a manifest, when all is done.

    An exception, Ctrl-C included, leaves nothing behind.

    Args:
        folder: Where it shall appear.
        seed: Noted in the manifest.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield draft
        files = {
            path.relative_to(draft).as_posix(): file_sha256(path)
            for path in sorted(draft.rglob("*"))
            if path.is_file()
        }
        manifest = {
            "synthetic": True,
            "seed": seed,
            "version": version("lfr-harness"),
            "render_version": render_version(),
            "libraries": {library: version(library) for library in _LIBRARIES},
            "files": files,
        }
        text = json.dumps(manifest, indent=2, sort_keys=True)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
        draft.chmod(0o755)
        try:
            draft.rename(folder)
        except OSError:
            # Another process finished the same folder first: its content is the same.
            check(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
