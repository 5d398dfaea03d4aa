"""Asks the judges, shard by shard, and keeps what they said.

Owns the files between rendering and statistics. Whole shards are kept, so that an
interrupted run goes on where it stopped. Knows nothing of what the answers mean.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from multiprocessing import get_context
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.progress import track

from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.people.population import IdentityDomain
from training.realism.judges import DlibEmbedder, YuNet
from training.realism.views import EXPERIMENTS, RealismConfig
from training.streets import draw_camera, draw_crowd
from training.truth import found_faces, frames_with_truth

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from training.realism.views import View

__all__ = ["Answers", "ask", "ask_streets", "read"]

_PER_SHARD = 25
_VECTOR = 128


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What the judges said, one row a picture or a face on the street.

    Attributes:
        subject: (n,) int64, number in the experiment; of the street, for streets.
        condition: (n,) str.
        day: (n,) int64.
        sex, group: (n,) str.
        ancestry: (n,) int64, the largest share.
        tone: (n,) int64, Monk.
        is_twin: (n,) bool.
        yaw_deg, height_px: (n,) float32, of the true face.
        contrast: (n,) float32, standard deviation of brightness within the face.
        found: (n,) bool, whether the detector found the face.
        extra: (n,) int64, detections on no face in the same picture.
        vector: (n, 128) float32; zeros where there is none.
    """

    subject: NDArray[np.int64]
    condition: NDArray[np.str_]
    day: NDArray[np.int64]
    sex: NDArray[np.str_]
    group: NDArray[np.str_]
    ancestry: NDArray[np.int64]
    tone: NDArray[np.int64]
    is_twin: NDArray[np.bool_]
    yaw_deg: NDArray[np.float32]
    height_px: NDArray[np.float32]
    contrast: NDArray[np.float32]
    found: NDArray[np.bool_]
    extra: NDArray[np.int64]
    vector: NDArray[np.float32]

    def where(self, rows: NDArray[np.bool_]) -> Answers:
        """Return the rows for which this holds."""
        return Answers(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


class _Judges:
    """The judges of one process, made when they are first asked."""

    yunet: YuNet | None = None
    dlib: DlibEmbedder | None = None


def ask(
    name: str, config: RealismConfig, *, folder: Path, yunet: Path, workers: int
) -> None:
    """Have every missing shard of an experiment judged.

    Args:
        name: Of the experiment.
        config: Its size and seed.
        folder: Where shards lie.
        yunet: The detector's weights.
        workers: Processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = EXPERIMENTS[name].subjects(config)
    tasks = [
        (name, config, first, min(first + _PER_SHARD, count), path, yunet)
        for first in range(0, count, _PER_SHARD)
        if not (path := folder / f"{name}_{first:06d}.npz").exists()
    ]
    with get_context("spawn").Pool(workers, initializer=leave_with_parent) as pool:
        done = pool.imap_unordered(_judge_shard, tasks)
        for _ in track(done, total=len(tasks), description=f"{name:12}"):
            pass


def _judge_shard(task: tuple[str, RealismConfig, int, int, Path, Path]) -> None:
    name, config, first, last, path, weights = task
    cv2.setNumThreads(1)
    experiment = EXPERIMENTS[name]
    if _Judges.yunet is None:
        _Judges.yunet = YuNet(weights)
    if experiment.embeds and _Judges.dlib is None:
        _Judges.dlib = DlibEmbedder()
    embedder = _Judges.dlib if experiment.embeds else None
    rows = [
        _judge(view, number, _Judges.yunet, embedder)
        for number in range(first, last)
        for view in experiment.views(config, number)
    ]
    _write(rows, path)


def _judge(
    view: View, number: int, yunet: YuNet, embedder: DlibEmbedder | None
) -> dict[str, object]:
    image, box = view.portrait.image_bgr, view.portrait.box_xyxy
    faces = yunet.detect(image)
    pair = found_faces(faces[:, :4], box[None])
    found = bool(pair[0] >= 0)
    vector = np.zeros(_VECTOR, np.float32)
    if found and embedder is not None:
        vector = embedder.embed(image, faces[pair[0], 4:].reshape(5, 2))
    left, top, right, bottom = np.clip(np.rint(box), 0, 256).astype(int)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[top:bottom, left:right]
    person = view.person
    return {
        "subject": number,
        "condition": view.condition,
        "day": view.day,
        "sex": str(person.sex),
        "group": person.group,
        "ancestry": int(np.argmax(person.ancestry_shares)),
        "tone": person.monk_tone,
        "is_twin": person.is_twin,
        "yaw_deg": view.yaw_deg,
        "height_px": float(box[3] - box[1]),
        "contrast": float(grey.std()),
        "found": found,
        "extra": len(faces) - int(found),
        "vector": vector,
    }


def ask_streets(
    config: RealismConfig, *, folder: Path, cache_dir: Path, yunet: Path
) -> None:
    """Have the detector look at whole frames of streets, a shard a street."""
    folder.mkdir(parents=True, exist_ok=True)
    judge = YuNet(yunet)
    for index in track(range(config.streets), description="streets     "):
        path = folder / f"streets_{index:06d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((config.seed, 0, index))
        crowd = make_crowd(
            draw_crowd(index, duration_s=20.0, rng=rng),
            (draw_camera("cam1", fps=1.5, rng=rng),),
            WatchlistConfig(size=1, mated_share=0.0),
            seed=config.seed * 1000 + index,
            cache_dir=cache_dir,
            workers=1,
            progress=lambda _task, _done, _total: None,
            domain=IdentityDomain.REALISM,
        )
        rows: list[dict[str, object]] = []
        for frame in frames_with_truth(crowd.clips[0], every=1):
            faces = judge.detect(frame.image_bgr)
            pair = found_faces(faces[:, :4], frame.boxes_xyxy)
            extra = len(faces) - int((pair >= 0).sum())
            rows += [
                {
                    "subject": index,
                    "condition": "street",
                    "day": frame.index,
                    "sex": "",
                    "group": "",
                    "ancestry": -1,
                    "tone": 0,
                    "is_twin": False,
                    "yaw_deg": float(frame.yaw_deg[face]),
                    "height_px": float(frame.face_height_px[face]),
                    "contrast": 0.0,
                    "found": bool(pair[face] >= 0),
                    "extra": extra if number == 0 else 0,
                    "vector": np.zeros(_VECTOR, np.float32),
                }
                for number, face in enumerate(
                    np.flatnonzero(frame.visibility >= 0.9).tolist()
                )
            ]
        _write(rows, path)


_TYPES = {
    "subject": np.int64,
    "day": np.int64,
    "ancestry": np.int64,
    "tone": np.int64,
    "extra": np.int64,
    "is_twin": np.bool_,
    "found": np.bool_,
    "yaw_deg": np.float32,
    "height_px": np.float32,
    "contrast": np.float32,
}


def _write(rows: list[dict[str, object]], path: Path) -> None:
    columns = {}
    for field in fields(Answers):
        values = [row[field.name] for row in rows]
        if field.name == "vector":
            columns[field.name] = np.array(values, np.float32).reshape(-1, _VECTOR)
        else:
            columns[field.name] = np.array(values, _TYPES.get(field.name, np.str_))
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **columns)  # type: ignore[arg-type]  # stubs take a name for a flag
    partial.rename(path)


def read(name: str, folder: Path) -> Answers | None:
    """Read what was said in an experiment so far; `None` where nothing was."""
    paths = sorted(folder.glob(f"{name}_??????.npz"))
    if not paths:
        return None
    shards = [np.load(path) for path in paths]
    return Answers(
        **{
            f.name: np.concatenate([shard[f.name] for shard in shards])
            for f in fields(Answers)
        }
    )
