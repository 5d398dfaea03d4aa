"""Folders named by what is in them: made once, checked whenever they are read.

Owns the key (settings, seed and the code that would make the folder again), the
manifest with the SHA-256 of every file, and writing that is all or nothing: what is
half done waits in a draft for whoever goes on. Knows nothing of what the files mean.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic_crowds.errors import CorruptClipError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pydantic import BaseModel

    from synthetic_crowds.records import Source

__all__ = [
    "DRAFT_LOCK",
    "MANIFEST",
    "PIECES",
    "check",
    "content_key",
    "file_sha256",
    "lock",
    "making",
    "put",
    "render_version",
]

MANIFEST = "manifest.json"
# In a draft: finished pieces of the work, none of which stay in the folder.
PIECES = "pieces"
DRAFT_LOCK = ".lock"
# Libraries that decide the value of a pixel or the bytes of a file.
_LIBRARIES = ("av", "numba", "numpy", "opencv-python-headless", "pyarrow", "scipy")


@lru_cache(maxsize=1)
def render_version() -> str:
    """Digest of this package's code and data and of the libraries under it.

    Any change re-renders: a cache that might be stale is worse than none. People
    without pixels are left out, for nothing that is rendered knows of them.
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted((*root.rglob("*.py"), *root.rglob("*.npz"))):
        if path.is_relative_to(root / "templates"):
            continue
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


class _Desk:
    """Locks on what this process reads: pruning leaves it alone until we exit."""

    held: dict[Path, int] = {}  # noqa: RUF012


def lock(path: Path, *, shared: bool) -> int | None:
    """Lock a file that exists.

    Returns:
        A file descriptor to close, or `None` if somebody else has locked it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def check(folder: Path) -> bool:
    """Whether a folder is there, and whole; then nobody prunes it while we live.

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
    _hold(manifest)
    for name, sha256 in files.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != sha256:
            _let_go(manifest)
            raise CorruptClipError(path=path)
    return True


def _hold(manifest: Path) -> None:
    """Keep pruning away and note when the folder was last of use."""
    if manifest not in _Desk.held:
        descriptor = lock(manifest, shared=True)
        if descriptor is not None:
            _Desk.held[manifest] = descriptor
    # A cache that others own may be read-only.
    with suppress(OSError):
        os.utime(manifest)


def _let_go(manifest: Path) -> None:
    """Leave a folder to whoever wants to remove it."""
    descriptor = _Desk.held.pop(manifest, None)
    if descriptor is not None:
        os.close(descriptor)


@contextmanager
def making(
    folder: Path, *, seed: int, sources: Sequence[Source] = ()
) -> Iterator[Path]:
    """Give a place to make a folder in; it appears, with a manifest, when all is done.

    After an exception, Ctrl-C or SIGKILL the draft stays, and the next who makes the
    same folder gets it. Whoever finds it taken works in a draft of their own.

    Args:
        folder: Where it shall appear.
        seed: Noted in the manifest.
        sources: Likewise, where there are any.

    Yields:
        A folder with a subfolder `PIECES`, which may hold finished pieces; see `put`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.parent / f".{folder.name}.draft"
    descriptor = _open(draft)
    if descriptor is None:
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        descriptor = _open(draft)
    try:
        yield draft
        shutil.rmtree(draft / PIECES)
        files = {
            path.relative_to(draft).as_posix(): file_sha256(path)
            for path in sorted(draft.rglob("*"))
            if path.is_file() and path.name != DRAFT_LOCK
        }
        manifest: dict[str, object] = {
            "synthetic": True,
            "seed": seed,
            "version": version("lfr-harness"),
            "render_version": render_version(),
            "libraries": {library: version(library) for library in _LIBRARIES},
            "files": files,
        }
        if sources:
            manifest["sources"] = [asdict(source) for source in sources]
        text = json.dumps(manifest, indent=2, sort_keys=True)
        (draft / MANIFEST).write_text(text + "\n", encoding="utf-8")
        draft.chmod(0o755)
        (draft / DRAFT_LOCK).unlink()
        try:
            draft.rename(folder)
        except OSError:
            # Another process finished the same folder first: its content is the same.
            shutil.rmtree(draft)
            check(folder)
        _hold(folder / MANIFEST)
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open(draft: Path) -> int | None:
    """Take a draft, or make it; `None` if somebody is at it."""
    (draft / PIECES).mkdir(parents=True, exist_ok=True)
    key = draft / DRAFT_LOCK
    key.touch()
    descriptor = lock(key, shared=False)
    if descriptor is not None:
        # What a killed process had begun to write.
        for path in draft.rglob("*.begun.*"):
            path.unlink()
    return descriptor


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Make a file that is whole or absent, whatever happens meanwhile.

    Args:
        path: Where it shall appear.
        write: Called with the place to write to, which ends like `path`.
    """
    begun = path.with_name(f"{path.stem}.begun{path.suffix}")
    write(begun)
    with begun.open("rb") as file:
        os.fsync(file.fileno())
    begun.replace(path)
