"""What Locust's processes have to know, laid down in a folder before they start.

Owns that folder: the plan of frames and of probes, the pictures, the addresses. Part
of the shell. Knows nothing of Locust; tokens and keys are in the environment alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.driving.picture_store import PictureStore, write_store
from bench.records import ArrivalPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.swarm.probes import ProbePicture

__all__ = [
    "FOLDER_VARIABLE",
    "HEADERS_VARIABLE",
    "Brief",
    "Laid",
    "read_brief",
    "write_brief",
]

# By these the processes find the folder, and what must not lie in it.
FOLDER_VARIABLE = "LFR_SWARM_FOLDER"
HEADERS_VARIABLE = "LFR_SWARM_HEADERS"

_PROBES = "probes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """One sitting of Locust.

    Attributes:
        urls: The matchers; camera `k` is the business of number `k` modulo theirs.
        clock_offsets_ns: Of each, what to take from its stamps to get ours.
        pids: Of those on this machine.
        adapter: An adapter's settings as JSON; empty for our own dialect.
        media_type: Of the frames.
        sizes: Of each camera's pictures, in the order of the plan.
        frame_name, identify_name: What Locust's tables call the requests.
        timeout_s: Longest wait for an answer.
        null_url: A service that does nothing, for the null run.
        n_identify: Users who post probes.
    """

    urls: tuple[str, ...]
    clock_offsets_ns: tuple[int, ...]
    pids: tuple[int, ...]
    adapter: str
    media_type: str
    sizes: tuple[tuple[int, int], ...]
    frame_name: str
    identify_name: str
    timeout_s: float
    null_url: str
    n_identify: int


def write_brief(
    folder: Path,
    brief: Brief,
    *,
    plan: ArrivalPlan,
    pictures: Mapping[str, Iterable[bytes]],
    probe_plan: ArrivalPlan,
    probes: Sequence[ProbePicture],
) -> None:
    """Lay down a brief.

    Args:
        folder: There already, and empty.
        brief: The sitting.
        plan: When frames are due.
        pictures: Of each camera of the plan, in its order.
        probe_plan: When probes are due; its cameras are the identify users.
        probes: Posted in turn.
    """
    for name, each in (("frames", plan), ("probes", probe_plan)):
        np.savez(
            folder / f"{name}.npz",
            camera_ids=np.array(each.camera_ids, dtype=np.str_),
            offset_ns=each.offset_ns,
            camera=each.camera,
            frame_index=each.frame_index,
        )
    for name, series in (
        ("pictures", pictures),
        ("faces", {_PROBES: [probe.content for probe in probes]}),
    ):
        (folder / name).mkdir()
        write_store(folder / name, series)
    (folder / "brief.json").write_text(json.dumps(asdict(brief)), encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Laid:
    """A brief with everything that lies beside it.

    Attributes:
        folder: Where results go as well.
        brief: The sitting.
        plan, probe_plan: When frames and probes are due.
        pictures: The frames.
        faces: The probes.
    """

    folder: Path
    brief: Brief
    plan: ArrivalPlan
    probe_plan: ArrivalPlan
    pictures: PictureStore
    faces: PictureStore

    def probe(self, row: int) -> bytes:
        """Return the probe that a row of the probe plan posts."""
        return self.faces.picture(_PROBES, row % self.faces.n_pictures(_PROBES))


def read_brief(folder: Path) -> Laid:
    """Read what `write_brief` laid down."""
    told = json.loads((folder / "brief.json").read_text(encoding="utf-8"))
    plan, probe_plan = (_read_plan(folder / f"{n}.npz") for n in ("frames", "probes"))
    return Laid(
        folder=folder,
        brief=Brief(
            **{
                **told,
                "urls": tuple(told["urls"]),
                "clock_offsets_ns": tuple(told["clock_offsets_ns"]),
                "pids": tuple(told["pids"]),
                "sizes": tuple((w, h) for w, h in told["sizes"]),
            }
        ),
        plan=plan,
        probe_plan=probe_plan,
        pictures=PictureStore(folder / "pictures", plan.camera_ids),
        faces=PictureStore(folder / "faces", (_PROBES,)),
    )


def _read_plan(path: Path) -> ArrivalPlan:
    with np.load(path, allow_pickle=False) as held:
        return ArrivalPlan(
            camera_ids=tuple(str(name) for name in held["camera_ids"]),
            offset_ns=held["offset_ns"],
            camera=held["camera"],
            frame_index=held["frame_index"],
        )
