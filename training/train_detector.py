"""Trains the reference detector on street frames and portraits.

Owns the schedule and the loop.

    python -m training.train_detector
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

from training.crops import Crop, CropConfig, draw_crop
from training.feeding import Batch, chosen_device, feed
from training.losses import assign, detection_loss
from training.networks import FaceDetector
from training.scenes_dataset import load_scenes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["DetectorTraining", "train"]

_LOG = logging.getLogger(__name__)


class DetectorTraining(BaseModel):
    """How the detector is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=2, ge=0, description="Of every draw.")
    steps: int = Field(default=7000, ge=1, description="Of the optimiser.")
    batch_size: int = Field(default=64, ge=1, description="Crops a step.")
    widths: tuple[int, int, int, int, int] = Field(
        default=(16, 32, 64, 96, 128), description="Channels at strides 2 to 32."
    )
    learning_rate: float = Field(default=3e-3, gt=0.0, description="At its peak.")
    weight_decay: float = Field(default=1e-3, ge=0.0)
    largest_gradient: float = Field(
        default=10.0, gt=0.0, description="Norm at which gradients are clipped."
    )
    crops: CropConfig = CropConfig()


def _batch(crops: Sequence[Crop]) -> Batch:
    """Stack crops, padding their faces to the same number with kind 0."""
    most = max(1, *(len(crop.kinds) for crop in crops))
    boxes = np.zeros((len(crops), most, 4), np.float32)
    points = np.zeros((len(crops), most, 5, 2), np.float32)
    kinds = np.zeros((len(crops), most), np.int64)
    for k, crop in enumerate(crops):
        n = len(crop.kinds)
        boxes[k, :n], points[k, :n] = crop.boxes_xyxy, crop.landmarks
        kinds[k, :n] = crop.kinds
    images = torch.from_numpy(np.stack([crop.image_bgr for crop in crops]))
    return (
        images,
        torch.from_numpy(boxes),
        torch.from_numpy(points),
        torch.from_numpy(kinds),
    )


def _loss(
    detector: FaceDetector,
    images_bgr: Tensor,
    boxes: Tensor,
    points: Tensor,
    kinds: Tensor,
) -> Tensor:
    # Channels last in memory: the layout in which these convolutions are fast.
    images = images_bgr.permute(0, 3, 1, 2).float()
    with torch.autocast(images.device.type, dtype=torch.bfloat16):
        maps = detector(images)
    targets = assign(boxes, kinds, height_px=images.shape[2], width_px=images.shape[3])
    return detection_loss(maps, boxes, points, targets)


def train(
    config: DetectorTraining,
    *,
    shards: Path,
    out: Path,
    workers: int,
    device: torch.device,
) -> Path:
    """Train the detector and keep its state.

    Args:
        config: The schedule.
        shards: Folder of scenes.
        out: Folder for the state, written anew every five hundred steps.
        workers: Processes that cut crops.
        device: Where the network learns.

    Returns:
        Path of the state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    scenes = load_scenes(shards)
    torch.manual_seed(config.seed)
    detector = FaceDetector(widths=config.widths)
    detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        detector.parameters(),
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
        crops = [
            draw_crop(scenes, config.crops, rng=rng) for _ in range(config.batch_size)
        ]
        return _batch(crops)

    batches = feed(make, range(config.steps), workers=workers, device=device)
    total = torch.zeros((), device=device)
    for step, (images, boxes, points, kinds) in enumerate(batches, start=1):
        loss = _loss(detector, images, boxes, points, kinds)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(detector.parameters(), config.largest_gradient)
        optimiser.step()
        schedule.step()
        total += loss.detach()
        if step % 500 == 0 or step == config.steps:
            _LOG.info("step %d of %d, loss %.3f", step, config.steps, total / 500)
            torch.save(detector.state_dict(), out / "detector.pt")
            total.zero_()
    return out / "detector.pt"


def main(
    shards: Annotated[Path, typer.Option()] = Path("training/out/scenes"),
    out: Annotated[Path, typer.Option()] = Path("training/out/detector"),
    steps: Annotated[int, typer.Option()] = 7000,
    workers: Annotated[int, typer.Option(help="Processes that cut crops.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Train the reference detector on the shards of `training.scenes_dataset`."""
    where = chosen_device(device)
    config = DetectorTraining(steps=steps)
    typer.echo(train(config, shards=shards, out=out, workers=workers, device=where))


if __name__ == "__main__":
    typer.run(main)
