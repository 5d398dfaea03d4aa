"""Trains the network that corrects a detector's landmarks.

Owns the schedule and the loop. The views are those that the embedder learns from;
their landmarks are true to a fraction of a pixel, since they were rendered.

    python -m training.train_refiner
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
import typer
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from training.augment import DETECTED, degraded_chip
from training.faces_dataset import Portion, load_faces
from training.feeding import Batch, chosen_device, feed
from training.networks import LandmarkRefiner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from training.faces_dataset import FaceViews

__all__ = ["RefinerTraining", "landmark_error", "train"]

_LOG = logging.getLogger(__name__)
# Eyes are this far apart on a chip of side 1; see `matcher.alignment`.
_EYE_DISTANCE = 0.3146


class RefinerTraining(BaseModel):
    """How the refiner is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=4, ge=0, description="Of every draw.")
    steps: int = Field(default=3000, ge=1, description="Of the optimiser.")
    batch_size: int = Field(default=256, ge=1, description="Chips a step.")
    learning_rate: float = Field(default=3e-3, gt=0.0, description="At its peak.")
    weight_decay: float = Field(default=1e-3, ge=0.0)
    bend: float = Field(
        default=0.02,
        gt=0.0,
        description="Error, in chip sides, beyond which the loss grows linearly.",
    )
    n_validation: int = Field(
        default=200, ge=1, description="Identities at the end of the range, held out."
    )


def _batch(
    faces: FaceViews, rows: NDArray[np.int64], *, chip_px: int, rng: np.random.Generator
) -> Batch:
    """Degrade the views at `rows`, with a detector's errors: chips and true shifts."""
    chips = np.empty((len(rows), chip_px, chip_px, 3), np.uint8)
    shifts = np.empty((len(rows), 5, 2), np.float32)
    for k, row in enumerate(rows):
        chips[k], shifts[k] = degraded_chip(
            faces.images_bgr[row],
            faces.landmarks[row],
            float(faces.face_height_px[row]),
            config=DETECTED,
            chip_px=chip_px,
            rng=rng,
        )
    return torch.from_numpy(chips), torch.from_numpy(shifts)


def _refined(refiner: LandmarkRefiner, chips: Tensor) -> Tensor:
    """Find the shifts on (n, c, c, 3) bytes."""
    # Channels last in memory: the layout in which these convolutions are fast.
    return torch.as_tensor(refiner(chips.permute(0, 3, 1, 2).float()))


def landmark_error(
    refiner: LandmarkRefiner, faces: FaceViews, *, seed: int
) -> tuple[float, float]:
    """Measure the mean distance from the truth, before and after refining.

    Args:
        refiner: Of any state.
        faces: n views.
        seed: Of the degradations.

    Returns:
        Both in eye distances.
    """
    rng = np.random.default_rng((seed, 99))
    chips, shifts = _batch(
        faces, np.arange(len(faces)), chip_px=refiner.chip_px, rng=rng
    )
    device = next(refiner.parameters()).device
    refiner.eval()
    with torch.no_grad():
        left = shifts - _refined(refiner, chips.to(device)).cpu()
    refiner.train()
    before, after = (
        float(error.norm(dim=2).mean()) / _EYE_DISTANCE for error in (shifts, left)
    )
    return before, after


def train(
    config: RefinerTraining,
    *,
    shards: Sequence[Path],
    out: Path,
    workers: int,
    device: torch.device,
) -> Path:
    """Train the refiner and keep its state.

    Args:
        config: The schedule.
        shards: Folders of rendered views.
        out: Folder for the state.
        workers: Processes that degrade views.
        device: Where the network learns.

    Returns:
        Path of the state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    faces = load_faces(shards)
    first_held_out = np.unique(faces.person)[-config.n_validation]
    train_rows = np.flatnonzero(faces.person < first_held_out)
    held_out = faces.take(np.flatnonzero(faces.person >= first_held_out))
    torch.manual_seed(config.seed)
    refiner = LandmarkRefiner()
    refiner.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        refiner.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=config.learning_rate,
        total_steps=config.steps,
        pct_start=0.1,
    )

    def make(number: int) -> Batch:
        rng = np.random.default_rng((config.seed, number))
        rows = train_rows[rng.integers(len(train_rows), size=config.batch_size)]
        return _batch(faces, rows, chip_px=refiner.chip_px, rng=rng)

    batches = feed(make, range(config.steps), workers=workers, device=device)
    for step, (chips, shifts) in enumerate(batches, start=1):
        loss = nn.functional.huber_loss(
            _refined(refiner, chips), shifts, delta=config.bend
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 500 == 0 or step == config.steps:
            torch.save(refiner.state_dict(), out / "refiner.pt")
            _LOG.info("step %d of %d", step, config.steps)
    before, after = landmark_error(refiner, held_out, seed=config.seed)
    _LOG.info("landmarks off by %.4f eye distances, %.4f before", after, before)
    return out / "refiner.pt"


def main(
    shards: Annotated[list[Path], typer.Option()] = [  # noqa: B006  typer copies it
        Portion.FIRST.folder,
        Portion.ABOVE.folder,
    ],
    out: Annotated[Path, typer.Option()] = Path("training/out/refiner"),
    steps: Annotated[int, typer.Option()] = 3000,
    workers: Annotated[int, typer.Option(help="Processes that degrade views.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Train the landmark refiner on the shards of `training.faces_dataset`."""
    where = chosen_device(device)
    config = RefinerTraining(steps=steps)
    typer.echo(train(config, shards=shards, out=out, workers=workers, device=where))


if __name__ == "__main__":
    typer.run(main)
