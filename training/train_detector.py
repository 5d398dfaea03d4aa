"""Trains the reference detector on street frames and portraits.

Owns the schedule and the loop.

    python -m training.train_detector --steps 1800
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
from torch.nn.parallel import DistributedDataParallel

from training.crops import Crop, CropConfig, draw_crop
from training.losses import assign, detection_loss
from training.networks import FaceDetector
from training.processes import joined, spread
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
    steps: int = Field(default=1800, ge=1, description="Of the optimiser.")
    batch_size: int = Field(default=48, ge=1, description="Crops a step, in all.")
    processes: int = Field(default=1, ge=1, le=64, description="Single-threaded each.")
    learning_rate: float = Field(default=3e-3, gt=0.0, description="At its peak.")
    weight_decay: float = Field(default=1e-3, ge=0.0)
    largest_gradient: float = Field(
        default=10.0, gt=0.0, description="Norm at which gradients are clipped."
    )
    crops: CropConfig = CropConfig()


class _Trainee(nn.Module):
    """Detector and loss as one module, so that one all-reduce serves both."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = FaceDetector()

    def forward(
        self, images: Tensor, boxes: Tensor, points: Tensor, kinds: Tensor
    ) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            maps = self.detector(images)
        targets = assign(
            boxes, kinds, height_px=images.shape[2], width_px=images.shape[3]
        )
        return detection_loss(maps, boxes, points, targets)


def _batch(crops: Sequence[Crop]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
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
        # Channels last in memory: the layout in which these convolutions are fast.
        images.float().permute(0, 3, 1, 2),
        torch.from_numpy(boxes),
        torch.from_numpy(points),
        torch.from_numpy(kinds),
    )


def _run(rank: int, config: DetectorTraining, shards: Path, out: Path) -> None:
    with joined(rank, config.processes, meeting_point=out / "meeting_point"):
        scenes = load_scenes(shards)
        torch.manual_seed(config.seed)
        rng = np.random.default_rng((config.seed, rank))
        trainee = _Trainee()
        trainee.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        parallel = DistributedDataParallel(trainee, forward_sync_buffers=False)
        optimiser = torch.optim.AdamW(
            trainee.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=config.learning_rate,
            total_steps=config.steps,
            pct_start=0.1,
        )
        total = 0.0
        for step in range(1, config.steps + 1):
            crops = [
                draw_crop(scenes, config.crops, rng=rng)
                for _ in range(config.batch_size // config.processes)
            ]
            loss = parallel(*_batch(crops))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trainee.parameters(), config.largest_gradient)
            optimiser.step()
            schedule.step()
            total += loss.item()
            if rank == 0 and (step % 100 == 0 or step == config.steps):
                _LOG.info("step %d of %d, loss %.3f", step, config.steps, total / 100)
                torch.save(trainee.detector.state_dict(), out / "detector.pt")
                total = 0.0


def train(config: DetectorTraining, *, shards: Path, out: Path) -> Path:
    """Train the detector and keep its state.

    Args:
        config: The schedule.
        shards: Folder of scenes.
        out: Folder for the state, written anew every hundred steps.

    Returns:
        Path of the state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "meeting_point").unlink(missing_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    spread(_run, (config, shards, out), n_processes=config.processes)
    return out / "detector.pt"


def main(
    shards: Annotated[Path, typer.Option()] = Path("training/out/scenes"),
    out: Annotated[Path, typer.Option()] = Path("training/out/detector"),
    steps: Annotated[int, typer.Option()] = 1800,
    processes: Annotated[int, typer.Option()] = 1,
) -> None:
    """Train the reference detector on the shards of `training.scenes_dataset`."""
    config = DetectorTraining(steps=steps, processes=processes)
    typer.echo(train(config, shards=shards, out=out))


if __name__ == "__main__":
    typer.run(main)
