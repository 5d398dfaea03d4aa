"""Renders the streets and portraits that the detector learns from.

Owns which scenes are made and how their truth becomes faces, regions that count
neither way, and background. Frames are those of real clips, decoded from H.264 and
shrunk as the matcher shrinks them.

    python -m training.scenes_dataset
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.progress import track

from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.film.processes import leave_with_parent
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.habits import Habits
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.enrolment import enrolment_portrait
from synthetic_crowds.picture.portraits import render_portrait
from synthetic_crowds.picture.surroundings import draw_light, draw_wall, with_wall
from synthetic_crowds.records import CaptureQuality
from training.streets import draw_camera, draw_crowd
from training.truth import frames_with_truth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.records import Clip, Portrait

__all__ = [
    "Scenes",
    "ScenesConfig",
    "load_scenes",
    "make_scenes",
    "truth_kinds",
]


# More of what hides faces than a street shows: such faces are to be found, too.
_HABITS = Habits(face_mask_share=0.03, sunglasses_share=0.02, hat_factor=1.5)


class ScenesConfig(BaseModel):
    """How many scenes of which kind, and what counts as a face in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=3, ge=0, description="Of every draw.")
    crowds: int = Field(default=36, ge=1, description="Streets, two cameras each.")
    duration_s: float = Field(default=30.0, ge=2.0, description="Of each clip.")
    fps: float = Field(
        default=1.5, ge=1.0, description="Slow, since neighbouring frames are alike."
    )
    portraits: int = Field(default=1000, ge=0, description="Pictures of one person.")
    per_shard: int = Field(default=100, ge=1, description="Portraits a file.")
    first_person: int = Field(
        default=100_000, ge=0, description="Index of the first one portrayed."
    )
    width_px: int = Field(default=640, ge=64, description="Frames are shrunk to this.")
    height_px: int = Field(default=384, ge=64, description="Room below is black.")
    largest_yaw_deg: float = Field(
        default=70.0, gt=0.0, le=180.0, description="Beyond it faces do not count."
    )
    away_yaw_deg: float = Field(
        default=105.0, gt=0.0, le=180.0, description="Beyond it heads are background."
    )
    least_visibility: float = Field(
        default=0.4, ge=0.0, le=1.0, description="Below it faces do not count."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenes:
    """n images and the faces in them; rows of `faces_*` are sorted by image.

    Attributes:
        images_bgr: (n, h, w, 3) uint8; only the top left `size_px` is used.
        size_px: (n, 2) int64, height and width of each image.
        first_face: (n + 1,) int64; image i has rows first_face[i] to
            first_face[i + 1] of what follows.
        faces_xyxy: (m, 4) float32, pixels of the image.
        faces_landmarks: (m, 5, 2) float32, pixels.
        faces_kind: (m,) int64, 1 a face, -1 a region that counts neither way.
    """

    images_bgr: NDArray[np.uint8]
    size_px: NDArray[np.int64]
    first_face: NDArray[np.int64]
    faces_xyxy: NDArray[np.float32]
    faces_landmarks: NDArray[np.float32]
    faces_kind: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images_bgr)

    def _rows(self, index: int) -> slice:
        return slice(int(self.first_face[index]), int(self.first_face[index + 1]))

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return one image, (h, w, 3)."""
        height, width = self.size_px[index]
        return self.images_bgr[index, :height, :width]

    def boxes_xyxy(self, index: int) -> NDArray[np.float32]:
        """Return the face boxes of one image, (m, 4)."""
        return self.faces_xyxy[self._rows(index)]

    def landmarks(self, index: int) -> NDArray[np.float32]:
        """Return the landmarks of one image, (m, 5, 2)."""
        return self.faces_landmarks[self._rows(index)]

    def kinds(self, index: int) -> NDArray[np.int64]:
        """Return the kinds of one image's faces, (m,)."""
        return self.faces_kind[self._rows(index)]


def truth_kinds(
    yaw_deg: NDArray[np.float32],
    visibility: NDArray[np.float32],
    config: ScenesConfig,
) -> NDArray[np.int64]:
    """Return 1 for a face, -1 for one that counts neither way, 0 for background."""
    yaw = np.abs(yaw_deg)
    plain = (yaw <= config.largest_yaw_deg) & (visibility >= config.least_visibility)
    hidden = (yaw > config.away_yaw_deg) | (visibility <= 0.0)
    return np.where(plain, 1, np.where(hidden, 0, -1)).astype(np.int64)


_Row = tuple["NDArray[np.float32]", "NDArray[np.float32]", "NDArray[np.int64]"]
_Image = tuple["NDArray[np.uint8]", _Row]


def _frames(clip: Clip, config: ScenesConfig) -> Iterator[_Image]:
    """Take a clip's frames with the truth in network pixels."""
    factor = config.width_px / clip.width_px
    shape = (config.width_px, round(clip.height_px * factor))
    for frame in frames_with_truth(clip, every=1):
        image = cv2.resize(frame.image_bgr, shape, interpolation=cv2.INTER_AREA)
        kinds = truth_kinds(frame.yaw_deg, frame.visibility, config)
        rows = np.flatnonzero(kinds)
        yield (
            np.asarray(image, np.uint8),
            (
                frame.boxes_xyxy[rows] * np.float32(factor),
                frame.landmarks[rows] * np.float32(factor),
                kinds[rows],
            ),
        )


def _shrunk(portrait: Portrait, config: ScenesConfig) -> _Image:
    height, width = portrait.image_bgr.shape[:2]
    factor = min(1.0, config.height_px / height, config.width_px / width)
    image = cv2.resize(
        portrait.image_bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA
    )
    box = factor * portrait.box_xyxy[None]
    return np.asarray(image, np.uint8), (
        box.astype(np.float32),
        (factor * portrait.landmarks[None]).astype(np.float32),
        np.ones(1, np.int64),
    )


def _portraits(config: ScenesConfig, numbers: range) -> Iterator[_Image]:
    """Render portraits: two of three as for a watchlist, the rest turned heads."""
    for k in numbers:
        person = draw_person(
            Demographics(),
            seed=config.seed,
            domain=IdentityDomain.TRAINING,
            index=config.first_person + k,
        )
        rng = np.random.default_rng((config.seed, 1, k))
        if k % 3 < 2:
            quality = tuple(CaptureQuality)[k // 3 % len(CaptureQuality)]
            portrait = enrolment_portrait(person, rng=rng, quality=quality)
            yield _shrunk(portrait, config)
            continue
        wall = draw_wall(rng=rng)
        portrait = render_portrait(
            person,
            draw_appearance(person, rng=rng, habits=_HABITS),
            yaw_deg=float(rng.uniform(-60, 60)),
            pitch_deg=float(rng.uniform(-25, 20)),
            roll_deg=float(rng.normal(0.0, 8.0)),
            face_height_px=float(rng.uniform(60, 220)),
            size_px=(320, 320),
            light=draw_light(rng=rng),
            background_bgr=wall,
            rng=rng,
        )
        yield _shrunk(with_wall(portrait, wall, rng=rng), config)


def _save(images: list[_Image], path: Path, config: ScenesConfig) -> None:
    canvas = np.zeros((len(images), config.height_px, config.width_px, 3), np.uint8)
    for room, (image, _) in zip(canvas, images, strict=True):
        room[: image.shape[0], : image.shape[1]] = image
    truth = [rows for _, rows in images]
    counts = [len(kinds) for _, _, kinds in truth]
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        images_bgr=canvas,
        size_px=np.array([image.shape[:2] for image, _ in images], np.int64),
        n_faces=np.array(counts, np.int64),
        faces_xyxy=np.concatenate([boxes for boxes, _, _ in truth]),
        faces_landmarks=np.concatenate([points for _, points, _ in truth]),
        faces_kind=np.concatenate([kinds for _, _, kinds in truth]),
    )
    partial.rename(path)


_Task = tuple[ScenesConfig, int, "Path"]


def _render_portraits(task: _Task) -> None:
    config, shard, path = task
    first = shard * config.per_shard
    numbers = range(first, min(first + config.per_shard, config.portraits))
    _save(list(_portraits(config, numbers)), path, config)


def _render_street(task: _Task) -> None:
    config, index, path = task
    rng = np.random.default_rng((config.seed, 0, index))
    crowd = make_crowd(
        draw_crowd(index, duration_s=config.duration_s, rng=rng, habits=_HABITS),
        tuple(draw_camera(f"cam{k}", fps=config.fps, rng=rng) for k in (1, 2)),
        WatchlistConfig(size=1, mated_share=0.0),
        seed=config.seed * 1000 + index,
        cache_dir=path.parent / "cache",
        workers=1,
        progress=lambda _task, _done, _total: None,
        domain=IdentityDomain.TRAINING,
    )
    frames = [image for clip in crowd.clips for image in _frames(clip, config)]
    _save(frames, path, config)


def make_scenes(config: ScenesConfig, *, folder: Path, workers: int) -> None:
    """Render what the folder lacks: one shard a street, some for the portraits.

    Args:
        config: Which scenes; a folder holds those of one config.
        folder: Where the shards lie, and the crowds' own cache.
        workers: Processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.model_dump_json(indent=2))
    n_shards = -(-config.portraits // config.per_shard)
    streets = [
        (config, k, folder / f"street_{k:03d}.npz") for k in range(config.crowds)
    ]
    portraits = [
        (config, k, folder / f"portraits_{k:03d}.npz") for k in range(n_shards)
    ]
    # A crowd may start processes of its own, which a pool's daemons must not.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=leave_with_parent
    ) as pool:
        made = [
            pool.submit(render, task)
            for render, tasks in (
                (_render_street, streets),
                (_render_portraits, portraits),
            )
            for task in tasks
            if not task[2].exists()
        ]
        done = as_completed(made)
        for one in track(done, total=len(made), description="Rendering scenes"):
            one.result()


def load_scenes(folder: Path) -> Scenes:
    """Read every shard of a folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    paths = [
        *sorted(folder.glob("street_???.npz")),
        *sorted(folder.glob("portraits_???.npz")),
    ]
    if not paths:
        message = (
            f"training needs scenes, found no street_*.npz or portraits_*.npz in "
            f"{folder}; run python -m training.scenes_dataset first"
        )
        raise FileNotFoundError(message)
    shards = [np.load(path) for path in paths]

    def joined(name: str) -> NDArray[np.generic]:
        return np.concatenate([shard[name] for shard in shards])

    return Scenes(
        images_bgr=joined("images_bgr").astype(np.uint8, copy=False),
        size_px=joined("size_px").astype(np.int64, copy=False),
        first_face=np.concatenate([[0], np.cumsum(joined("n_faces"))]),
        faces_xyxy=joined("faces_xyxy").astype(np.float32, copy=False),
        faces_landmarks=joined("faces_landmarks").astype(np.float32, copy=False),
        faces_kind=joined("faces_kind").astype(np.int64, copy=False),
    )


def main(
    folder: Annotated[Path, typer.Option()] = Path("training/out/scenes"),
    crowds: Annotated[int, typer.Option()] = 36,
    portraits: Annotated[int, typer.Option()] = 1000,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 3,
    workers: Annotated[int, typer.Option()] = 2,
) -> None:
    """Render the detector's training scenes, of people in the training domain."""
    config = ScenesConfig(seed=seed, crowds=crowds, portraits=portraits)
    make_scenes(config, folder=folder, workers=workers)


if __name__ == "__main__":
    typer.run(main)
