"""Asks a real detector and a real embedder whether our people have faces.

Owns the two experiments of `make realism`: YuNet's recall on street frames and
portraits, and how well dlib's ResNet tells our people apart. Neither network ever
saw a synthetic person. People come from the domain REALISM, used by nothing else.

    python -m training.realism
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from lfr_errors import BadInputError
from synthetic_crowds.config import WatchlistConfig
from synthetic_crowds.crowd import make_crowd
from synthetic_crowds.heads.build import build_head
from synthetic_crowds.people.appearance import draw_appearance
from synthetic_crowds.people.population import Demographics, IdentityDomain, draw_person
from synthetic_crowds.picture.portraits import draw_studio_light, render_head
from synthetic_crowds.picture.surroundings import draw_wall, with_wall
from synthetic_crowds.raster.pose import gaze_rotation
from training.intervals import wilson
from training.streets import draw_camera, draw_crowd
from training.truth import found_faces, frames_with_truth, is_fair
from training.verification import Separation, separation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from synthetic_crowds.people.person import Person
    from synthetic_crowds.records import Portrait

__all__ = [
    "DlibEmbedder",
    "Recall",
    "YuNet",
    "dlib_separation",
    "portrait_recall",
    "street_recall",
]

# Means of dlib's own face template over the points of each feature: right eye,
# left eye, nose tip, mouth corners; then a quarter of the face around it.
# Source: dlib/image_transforms/interpolation.h, mean_face_shape_x and _y.
_DLIB_TEMPLATE = np.array(
    [
        [0.22549, 0.21599],
        [0.75476, 0.21599],
        [0.49013, 0.51563],
        [0.25415, 0.78023],
        [0.72610, 0.78023],
    ]
)
_DLIB_CHIP_PX, _DLIB_PADDING = 150, 0.25

# OpenCV's default of 0.9 finds 62 % of faces at this quality; 0.6 is the value of
# the model's authors (opencv_zoo, face_detection_yunet/demo.py uses 0.6 to 0.9).
_YUNET_SCORE = 0.6

_SEED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """How many faces were found.

    Attributes:
        setting: Where the faces were.
        found, faces: Counts.
        false, frames: Detections on no face; images looked at.
    """

    setting: str
    found: int
    faces: int
    false: int
    frames: int


class YuNet:
    """OpenCV's face detector, with its weights from the OpenCV Zoo."""

    def __init__(self, weights: Path) -> None:
        if not weights.is_file():
            message = (
                f"realism needs YuNet's weights, found none at {weights}; fetch "
                "face_detection_yunet_2023mar.onnx from the OpenCV Zoo and pass "
                "its path as --yunet"
            )
            raise BadInputError(message)
        self._detector = cv2.FaceDetectorYN.create(
            str(weights), "", (320, 320), _YUNET_SCORE, 0.3, 500
        )

    def detect(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (n, 14): box xyxy and five landmarks, pixels."""
        self._detector.setInputSize((image_bgr.shape[1], image_bgr.shape[0]))
        _, rows = self._detector.detect(image_bgr)
        # OpenCV returns None where it finds nothing; its stubs do not say so.
        found = np.zeros((0, 15)) if rows is None else np.asarray(rows)
        faces: NDArray[np.float32] = found[:, :14].astype(np.float32)
        corners = faces[:, :2] + faces[:, 2:4]
        return np.concatenate([faces[:, :2], corners, faces[:, 4:]], axis=1)


class DlibEmbedder:
    """dlib's ResNet, trained on photographs of real people."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("face_recognition_models")
        if importlib.util.find_spec("dlib") is None or spec is None:
            message = (
                "realism needs dlib's embedder, found no dlib or no "
                "face_recognition_models; install the extra: pip install '.[dlib]'"
            )
            raise BadInputError(message)
        import dlib  # noqa: PLC0415  an extra: absent from most installations

        # Read beside the package, not through it: importing it needs pkg_resources.
        folder = Path(next(iter(spec.submodule_search_locations or ()))) / "models"
        weights = str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        self._network = dlib.face_recognition_model_v1(weights)  # type: ignore[attr-defined]  # dlib-bin ships no stubs

    def embed(
        self, image_bgr: NDArray[np.uint8], landmarks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Embed the face with these (5, 2) landmarks as (128,)."""
        target = (_DLIB_TEMPLATE + _DLIB_PADDING) / (2 * _DLIB_PADDING + 1)
        wanted = target @ (1, 1j) * _DLIB_CHIP_PX
        given = landmarks.astype(np.float64) @ (1, 1j)
        spread = given - given.mean()
        # Least-squares similarity as complex numbers; see matcher.alignment.
        turn = np.vdot(spread, wanted - wanted.mean()) / np.vdot(spread, spread)
        shift = wanted.mean() - turn * given.mean()
        matrix = np.array(
            [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
        )
        chip = cv2.warpAffine(
            image_bgr, matrix, (_DLIB_CHIP_PX, _DLIB_CHIP_PX), flags=cv2.INTER_AREA
        )
        rgb = np.ascontiguousarray(chip[:, :, ::-1])
        return np.array(self._network.compute_face_descriptor(rgb), np.float32)


def street_recall(yunet: YuNet, *, crowds: int, cache_dir: Path) -> Recall:
    """Count the fair faces that YuNet finds on frames of `crowds` streets."""
    found = faces = false = frames = 0
    for index in track(range(crowds), description="Streets"):
        rng = np.random.default_rng((_SEED, 0, index))
        crowd = make_crowd(
            draw_crowd(index, duration_s=20.0, rng=rng),
            (draw_camera("cam1", fps=1.5, rng=rng),),
            WatchlistConfig(size=1, mated_share=0.0),
            seed=_SEED * 1000 + index,
            cache_dir=cache_dir,
            workers=2,
            progress=lambda _task, _done, _total: None,
            domain=IdentityDomain.REALISM,
        )
        for frame in frames_with_truth(crowd.clips[0], every=1):
            rows = yunet.detect(frame.image_bgr)
            pair = found_faces(rows[:, :4], frame.boxes_xyxy)
            fair = is_fair(frame.face_height_px, frame.yaw_deg, frame.visibility)
            found += int((pair[fair] >= 0).sum())
            faces += int(fair.sum())
            false += len(rows) - int((pair >= 0).sum())
            frames += 1
    return Recall(
        setting="street frames", found=found, faces=faces, false=false, frames=frames
    )


def _portraits(
    person: Person,
    *,
    days: int,
    views: int,
    largest_yaw_deg: float,
    face_height_px: tuple[float, float],
    index: int,
) -> Iterator[tuple[int, Portrait]]:
    """Render `views` pictures of a person on each of `days` days."""
    rng = np.random.default_rng((_SEED, 1, index))
    for day in range(days):
        appearance = draw_appearance(person, rng=rng)
        head = build_head(person, appearance)
        for _ in range(views):
            wall = draw_wall(rng=rng)
            portrait = render_head(
                person,
                appearance,
                head,
                rotation=gaze_rotation(
                    float(rng.uniform(-largest_yaw_deg, largest_yaw_deg)),
                    float(rng.uniform(-12.0, 8.0)),
                    float(rng.normal(0.0, 4.0)),
                ),
                face_height_px=float(rng.uniform(*face_height_px)),
                size_px=(256, 256),
                light=draw_studio_light(rng=rng),
                background_bgr=wall,
            )
            yield day, with_wall(portrait, wall, rng=rng)


def _people(count: int) -> Iterator[tuple[int, Person]]:
    for index in track(range(count), description="People"):
        yield (
            index,
            draw_person(
                Demographics(),
                seed=_SEED,
                domain=IdentityDomain.REALISM,
                index=1_000_000 + index,
            ),
        )


def portrait_recall(yunet: YuNet, *, people: int) -> Recall:
    """Count the portraits, up to 45 degrees of yaw, in which YuNet finds the face."""
    found = faces = false = 0
    for index, person in _people(people):
        for _, portrait in _portraits(
            person,
            days=1,
            views=4,
            largest_yaw_deg=45.0,
            face_height_px=(46.0, 160.0),  # an average head's; the smallest has 40
            index=index,
        ):
            rows = yunet.detect(portrait.image_bgr)
            pair = found_faces(rows[:, :4], portrait.box_xyxy[None])
            found += int(pair[0] >= 0)
            false += len(rows) - int(pair[0] >= 0)
            faces += 1
    return Recall(
        setting="portraits", found=found, faces=faces, false=false, frames=faces
    )


def dlib_separation(
    yunet: YuNet, embedder: DlibEmbedder, *, people: int
) -> tuple[Separation, Separation]:
    """Let dlib tell people apart: four views of one day, two of another, yaw <= 20.

    Returns:
        Separation of mated pairs of the same day, and of different days.
    """
    vectors, who, when = [], [], []
    for index, person in _people(people):
        for day, portrait in _portraits(
            person,
            days=2,
            views=4,
            largest_yaw_deg=20.0,
            face_height_px=(80.0, 160.0),
            index=people + index,
        ):
            rows = yunet.detect(portrait.image_bgr)
            pair = found_faces(rows[:, :4], portrait.box_xyxy[None])
            if pair[0] < 0:
                continue
            landmarks = rows[pair[0], 4:].reshape(5, 2)
            vectors.append(embedder.embed(portrait.image_bgr, landmarks))
            who.append(index)
            when.append(day)
    stacked, people_of, day_of = np.stack(vectors), np.array(who), np.array(when)
    # dlib compares by Euclidean distance; negated, so that higher is closer.
    squares = (stacked**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2.0 * stacked @ stacked.T
    first, second = np.triu_indices(len(stacked), k=1)
    scores = -np.sqrt(np.maximum(distances[first, second], 0.0))
    mated = people_of[first] == people_of[second]
    same_day = day_of[first] == day_of[second]
    return (
        separation(scores[mated & same_day], scores[~mated]),
        separation(scores[mated & ~same_day], scores[~mated]),
    )


def _show(recalls: list[Recall], days: tuple[Separation, Separation]) -> Table:
    table = Table("experiment", "measured", "required", title="Realism (synthetic)")
    for recall in recalls:
        low, high = wilson(recall.found, recall.faces)
        table.add_row(
            f"YuNet finds faces on {recall.setting}, >= 40 px, |yaw| <= 45 deg",
            f"{recall.found}/{recall.faces} = {recall.found / recall.faces:.2%} "
            f"[{low:.2%}, {high:.2%}]",
            ">= 95 %",
        )
        table.add_row(
            f"YuNet's false detections on {recall.setting}",
            f"{recall.false} in {recall.frames} images",
            "",
        )
    for name, day, need in zip(
        ("same day", "other day"), days, ("d' >= 4.5, EER <= 1.5 %", ""), strict=True
    ):
        table.add_row(
            f"dlib's ResNet, yaw <= 20 deg, {name}",
            f"d' {day.d_prime:.2f}, EER {day.eer:.2%} "
            f"({day.n_mated} mated, {day.n_non_mated} non-mated pairs)",
            need,
        )
    return table


def main(
    yunet: Annotated[
        Path, typer.Option(help="YuNet's weights, of the OpenCV Zoo.")
    ] = Path("../shared/models/face_detection_yunet_2023mar.onnx"),
    people: Annotated[int, typer.Option(help="Identities for dlib.")] = 200,
    crowds: Annotated[int, typer.Option(help="Streets for YuNet.")] = 12,
    cache_dir: Annotated[Path, typer.Option()] = Path(".cache"),
) -> None:
    """Measure what networks trained on real faces make of ours."""
    console = Console()
    try:
        detector, embedder = YuNet(yunet), DlibEmbedder()
    except BadInputError as error:
        console.print(f"[red]{error}[/red]")
        raise typer.Exit(2) from error
    recalls = [
        street_recall(detector, crowds=crowds, cache_dir=cache_dir),
        portrait_recall(detector, people=people),
    ]
    console.print(_show(recalls, dlib_separation(detector, embedder, people=people)))


if __name__ == "__main__":
    typer.run(main)
