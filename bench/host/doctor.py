"""Looks at the machine before a run does: can it run, and will its figures hold?

Owns the checks behind `harness doctor`, each with a remedy. Knows nothing of how
they are shown.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from typing import TYPE_CHECKING

import av
import psutil

from matcher.errors import ModelFileError
from matcher.weights import WEIGHTS, read_manifest, read_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Check", "Health", "examine"]

PACKAGES = (
    "av",
    "faiss-cpu",
    "numba",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pyarrow",
    "simpy",
)


class Health(StrEnum):
    """How a check came out."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at.

    Attributes:
        name: What was looked at.
        health: A BAD check means that runs will fail; a WARNING that they may be
            slow or their figures poor.
        found: What was found.
        remedy: What to do about it; empty when it is good.
    """

    name: str
    health: Health
    found: str
    remedy: str = ""


def examine(*, cache_dir: Path, out_dir: Path) -> tuple[Check, ...]:
    """Look at everything that a run depends on, in the order of the run."""
    return (
        _python(),
        *_packages(),
        _cores(),
        _memory(),
        _load_average(),
        _clock(),
        _encoder(),
        _weights(),
        *(_folder("cache folder", cache_dir), _folder("output folder", out_dir)),
    )


def _python() -> Check:
    good = sys.version_info >= (3, 11)
    return Check(
        name="Python",
        health=Health.GOOD if good else Health.BAD,
        found=platform.python_version(),
        remedy="" if good else "install Python 3.11 or newer",
    )


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        try:
            yield Check(name=name, health=Health.GOOD, found=metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(
                name=name,
                health=Health.BAD,
                found="not installed",
                remedy="run `make install`",
            )


def _cores() -> Check:
    n = len(os.sched_getaffinity(0))
    good = n >= 2
    return Check(
        name="processor cores",
        health=Health.GOOD if good else Health.WARNING,
        found=str(n),
        remedy=""
        if good
        else "the driver and the matcher will share one core: expect INVALID runs",
    )


def _memory() -> Check:
    free_gib = psutil.virtual_memory().available / 2**30
    good = free_gib >= 2
    return Check(
        name="free memory",
        health=Health.GOOD if good else Health.WARNING,
        found=f"{free_gib:.1f} GiB",
        remedy="" if good else "close other programs: a run wants about 2 GiB",
    )


def _load_average() -> Check:
    busy, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    good = busy < 0.5 * cores
    return Check(
        name="other load",
        health=Health.GOOD if good else Health.WARNING,
        found=f"{busy:.1f} busy of {cores} cores in the last minute",
        remedy="" if good else "latencies will include what else runs here",
    )


def _clock() -> Check:
    resolution_ns = time.get_clock_info("perf_counter").resolution * 1e9
    good = resolution_ns <= 1000
    return Check(
        name="clock",
        health=Health.GOOD if good else Health.WARNING,
        found=f"resolution {resolution_ns:.0f} ns",
        remedy="" if good else "latencies cannot be told apart below this",
    )


def _encoder() -> Check:
    good = "libx264" in av.codecs_available
    return Check(
        name="H.264 encoder",
        health=Health.GOOD if good else Health.BAD,
        found="libx264" if good else "absent",
        remedy="" if good else "install the `av` wheel from constraints.txt",
    )


def _weights() -> Check:
    try:
        manifest = read_manifest()
        for entry in (manifest.detector, manifest.refiner, manifest.embedder):
            read_model(WEIGHTS / entry.file, sha256=entry.sha256)
    except ModelFileError as error:
        return Check(
            name="reference weights",
            health=Health.BAD,
            found=str(error),
            remedy="restore matcher/weights from the repository",
        )
    return Check(name="reference weights", health=Health.GOOD, found="SHA-256 match")


def _folder(name: str, path: Path) -> Check:
    nearest = path.resolve()
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK):
        return Check(
            name=name,
            health=Health.BAD,
            found=f"{path} cannot be written",
            remedy="name another one, or change its permissions",
        )
    free_gib = shutil.disk_usage(nearest).free / 2**30
    good = free_gib >= 1
    return Check(
        name=name,
        health=Health.GOOD if good else Health.WARNING,
        found=f"{path}, {free_gib:.0f} GiB free",
        remedy="" if good else "a minute of two cameras wants about 0.2 GiB",
    )
