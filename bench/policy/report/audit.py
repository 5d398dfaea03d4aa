"""The audit pack: one archive with which somebody else gets the same numbers.

Owns the archive: the scenario, the evidence, the results, the versions, and a hash of
every file. Equal inputs make equal archives, byte for byte. Part of the shell: it
reads and writes files. Knows nothing of how results are computed; whoever verifies a
pack brings the means.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import BenchError, OutputFolderError
from bench.policy.report.content import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "AuditPackError",
    "Mismatch",
    "Verification",
    "export_audit_pack",
    "verify_audit_pack",
]

_MANIFEST = "pack.json"
# The oldest moment that an archive can hold: a pack has no time of its own.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class AuditPackError(BenchError):
    """The archive is no audit pack, or was damaged."""

    def __init__(self, *, path: Path, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(
            f"an audit pack must be an archive that `harness policy` has exported, "
            f"got '{reason}' in {path}; export it again"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A file that is not what the pack says.

    Attributes:
        name: In the pack.
        expected, found: SHA-256; empty if the file is missing.
    """

    name: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of running a pack again.

    Attributes:
        n_files: In the pack, beside its manifest.
        damaged: Files whose hash is not the manifest's.
        reproduced: Result files that came out the same, byte for byte.
        different: Result files that did not.
        versions: Packages and their versions, as packed and as here, where they
            differ.
    """

    n_files: int
    damaged: tuple[Mismatch, ...]
    reproduced: tuple[str, ...]
    different: tuple[Mismatch, ...]
    versions: tuple[tuple[str, str, str], ...]

    @property
    def is_good(self) -> bool:
        """Nothing was damaged, and every number came out the same."""
        return not self.damaged and not self.different and bool(self.reproduced)


def export_audit_pack(
    path: Path,
    *,
    inputs: Mapping[str, str],
    evidence: Mapping[str, Path],
    results: Path,
    numbers: tuple[str, ...],
    settings: Mapping[str, object],
    versions: Mapping[str, str],
) -> Path:
    """Write an audit pack.

    Args:
        path: Of the archive.
        inputs: Text by name, such as the resolved scenario.
        evidence: Files by name.
        results: Folder of a finished run.
        numbers: Its files that hold numbers alone.
        settings: What else a re-run must be told, as plain values.
        versions: Of the packages that could change a figure.

    Raises:
        AuditPackError: If the run lacks a file.
        OutputFolderError: If the archive cannot be written.
    """
    files = {f"inputs/{name}": text.encode() for name, text in inputs.items()}
    try:
        files |= {f"evidence/{name}": p.read_bytes() for name, p in evidence.items()}
        files |= {f"results/{name}": (results / name).read_bytes() for name in numbers}
    except OSError as error:
        raise AuditPackError(path=results, reason=str(error)) from error
    manifest = {
        "kind": "audit pack",
        "schema_version": 1,
        "settings": dict(settings),
        "versions": dict(versions),
        "numbers": list(numbers),
        "files": {name: _sha256(content) for name, content in files.items()},
    }
    files[_MANIFEST] = as_json(manifest).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(files):
                archive.writestr(zipfile.ZipInfo(name, _NO_TIME), files[name])
    except OSError as error:
        reason = error.strerror if error.strerror is not None else str(error)
        raise OutputFolderError(path=path.parent, reason=reason) from error
    return path


def verify_audit_pack(
    path: Path,
    *,
    work: Path,
    rerun: Callable[[Path, Mapping[str, object], Path], None],
    versions: Mapping[str, str],
) -> Verification:
    """Check every hash of a pack, run it again in a clean folder, and compare.

    Args:
        path: Of the archive.
        work: An empty folder; the pack and the new results stay there.
        rerun: Runs an unpacked pack (its folder, its settings) into a folder.
        versions: Of the packages here.

    Raises:
        AuditPackError: If the archive is no pack, or its folder is not empty.
    """
    manifest = _unpack(path, work / "pack")
    expected = {str(name): str(value) for name, value in _table(manifest, "files")}
    damaged = tuple(_mismatches(work / "pack", expected))
    again = work / "again"
    reproduced, different = [], []
    if not damaged:
        rerun(work / "pack", dict(_table(manifest, "settings")), again)
        wanted = {
            name.removeprefix("results/"): value
            for name, value in expected.items()
            if name.startswith("results/")
        }
        different = list(_mismatches(again, wanted))
        reproduced = sorted(set(wanted) - {each.name for each in different})
    packed = {str(name): str(value) for name, value in _table(manifest, "versions")}
    return Verification(
        n_files=len(expected),
        damaged=damaged,
        reproduced=tuple(reproduced),
        different=tuple(different),
        versions=tuple(
            (name, packed.get(name, "absent"), versions.get(name, "absent"))
            for name in sorted(packed.keys() | versions.keys())
            if packed.get(name) != versions.get(name)
        ),
    )


def _unpack(path: Path, folder: Path) -> dict[str, object]:
    if folder.exists() and any(folder.iterdir()):
        raise AuditPackError(path=folder, reason="the folder to unpack to is not empty")
    try:
        with zipfile.ZipFile(path) as archive:
            content: object = json.loads(archive.read(_MANIFEST))
            # extractall drops absolute names and steps upwards.
            archive.extractall(folder)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise AuditPackError(path=path, reason=str(error)) from error
    if not isinstance(content, dict) or content.get("kind") != "audit pack":
        raise AuditPackError(path=path, reason="its manifest is another's")
    return content


def _table(manifest: dict[str, object], name: str) -> list[tuple[str, object]]:
    table = manifest.get(name)
    return list(table.items()) if isinstance(table, dict) else []


def _mismatches(folder: Path, expected: Mapping[str, str]) -> list[Mismatch]:
    wrong = []
    for name, value in expected.items():
        file = folder / name
        found = _sha256(file.read_bytes()) if file.is_file() else ""
        if found != value:
            wrong.append(Mismatch(name=name, expected=value, found=found))
    return wrong


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
