"""Trains the reference embedder on degraded renders of synthetic people.

Owns the schedule and the loop.

    python -m training.train_embedder --epochs 12
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
import typer
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from training.augment import CLEAN, STREET, degraded_chip
from training.faces_dataset import FaceViews, load_faces
from training.losses import MarginHead
from training.networks import FaceEmbedder
from training.processes import joined, spread
from training.verification import Separation, pair_scores, separation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["EmbedderTraining", "embed_views", "train", "validate"]

_LOG = logging.getLogger(__name__)


class EmbedderTraining(BaseModel):
    """How the embedder is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0, description="Of every draw.")
    epochs: int = Field(default=12, ge=1, description="Passes over all views.")
    batch_size: int = Field(default=128, ge=8, description="Chips a step, in all.")
    processes: int = Field(default=1, ge=1, le=64, description="Single-threaded each.")
    learning_rate: float = Field(default=0.1, gt=0.0, description="At its peak.")
    warm_up: float = Field(default=0.08, ge=0.0, le=1.0, description="Share of steps.")
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    scale: float = Field(default=28.0, gt=0.0, description="Of the cosines.")
    margin: float = Field(default=0.35, ge=0.0, lt=1.0, description="Cosine, in full.")
    margin_ramp: tuple[float, float] = Field(
        default=(0.1, 0.5), description="Shares of steps: none before, full after."
    )
    n_validation: int = Field(
        default=200, ge=2, description="Identities at the end of the range, held out."
    )


class _Trainee(nn.Module):
    """Embedder and margin head as one module, so that one all-reduce serves both."""

    def __init__(self, config: EmbedderTraining, n_identities: int) -> None:
        super().__init__()
        self.embedder = FaceEmbedder()
        self.head = MarginHead(
            n_identities=n_identities,
            dimension=self.embedder.dimension,
            scale=config.scale,
        )

    def forward(self, chips: Tensor, identities: Tensor, margin: float) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            vectors = self.embedder(chips)
        return torch.as_tensor(self.head(vectors, identities, margin))


def _chips(
    faces: FaceViews, rows: NDArray[np.int64], *, chip_px: int, rng: np.random.Generator
) -> Tensor:
    """Degrade the views at `rows`; every second enrolment view stays nearly clean."""
    chips = np.empty((len(rows), chip_px, chip_px, 3), np.uint8)
    for chip, row in zip(chips, rows, strict=True):
        near = faces.enrolment[row] and rng.random() < 0.5
        chip[:], _ = degraded_chip(
            faces.images_bgr[row],
            faces.landmarks[row],
            float(faces.face_height_px[row]),
            config=CLEAN if near else STREET,
            chip_px=chip_px,
            rng=rng,
        )
    return torch.from_numpy(chips).permute(0, 3, 1, 2).float()


def embed_views(
    embedder: FaceEmbedder, faces: FaceViews, *, seed: int
) -> NDArray[np.float32]:
    """Embed every view as a street camera would deliver it.

    Args:
        embedder: In evaluation mode, of any state.
        faces: n views.
        seed: Of the degradations.

    Returns:
        (n, d) float32, unit length.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(99,)))
    vectors = []
    with torch.no_grad():
        for rows in np.array_split(np.arange(len(faces)), max(1, len(faces) // 256)):
            chips = _chips(faces, rows, chip_px=embedder.chip_px, rng=rng)
            both = embedder(chips) + embedder(chips.flip(3))
            vectors.append(torch.nn.functional.normalize(both).numpy())
    return np.concatenate(vectors)


def validate(
    embedder: FaceEmbedder, faces: FaceViews, *, seed: int
) -> dict[str, Separation]:
    """Measure separation on held-out people, same day and other day apart."""
    embedder.eval()
    vectors = embed_views(embedder, faces, seed=seed)
    same_day, other_day, non_mated = pair_scores(vectors, faces.person, faces.day)
    embedder.train()
    return {
        "same day": separation(same_day, non_mated),
        "other day": separation(other_day, non_mated),
    }


def _split(
    faces: FaceViews, n_validation: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and those of the last people, held out."""
    first_held_out = np.unique(faces.person)[-n_validation]
    return (
        np.flatnonzero(faces.person < first_held_out),
        np.flatnonzero(faces.person >= first_held_out),
    )


def _run(
    rank: int,
    config: EmbedderTraining,
    shards: Sequence[Path],
    out: Path,
) -> None:
    with joined(rank, config.processes, meeting_point=out / "meeting_point"):
        faces = load_faces(shards)
        train_rows, held_out = _split(faces, config.n_validation)
        people, label = np.unique(faces.person, return_inverse=True)
        torch.manual_seed(config.seed)
        trainee = _Trainee(config, len(people) - config.n_validation)
        for epoch, loss in _epochs(rank, config, trainee, faces, train_rows, label):
            if rank > 0:
                continue
            _LOG.info("epoch %d of %d, loss %.3f", epoch, config.epochs, loss)
            torch.save(trainee.embedder.state_dict(), out / "embedder.pt")
            if epoch % 6 == 0 or epoch == config.epochs:
                results = validate(
                    trainee.embedder, faces.take(held_out), seed=config.seed
                )
                for name, result in results.items():
                    _LOG.info("%s: %s", name, asdict(result))


def _epochs(
    rank: int,
    config: EmbedderTraining,
    trainee: _Trainee,
    faces: FaceViews,
    train_rows: NDArray[np.int64],
    label: NDArray[np.int64],
) -> Iterator[tuple[int, float]]:
    """Train epoch by epoch, yielding its number, from 1, and its mean loss."""
    trainee.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parallel = DistributedDataParallel(trainee, forward_sync_buffers=False)
    optimiser = torch.optim.SGD(
        trainee.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        nesterov=True,
    )
    batch_size = config.batch_size // config.processes
    per_epoch = len(train_rows) // config.batch_size
    n_steps = config.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=config.learning_rate,
        total_steps=n_steps,
        pct_start=config.warm_up,
        cycle_momentum=False,
    )
    for epoch in range(config.epochs):
        # Every process draws the same order and takes its own share of it.
        order = np.random.default_rng((config.seed, epoch)).permutation(train_rows)
        mine = order[rank :: config.processes]
        rng = np.random.default_rng((config.seed, epoch, rank + 1))
        total = 0.0
        for k in range(per_epoch):
            rows = mine[k * batch_size : (k + 1) * batch_size]
            chips = _chips(faces, rows, chip_px=trainee.embedder.chip_px, rng=rng)
            progress = (epoch * per_epoch + k) / n_steps
            loss = parallel(
                chips.contiguous(memory_format=torch.channels_last),
                torch.from_numpy(label[rows]),
                config.margin * float(np.interp(progress, config.margin_ramp, (0, 1))),
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        yield epoch + 1, total / per_epoch


def train(
    config: EmbedderTraining,
    *,
    shards: Sequence[Path],
    out: Path,
) -> Path:
    """Train the embedder and keep its state.

    Args:
        config: The schedule.
        shards: Folders of rendered views.
        out: Folder for the state, made anew each epoch.

    Returns:
        Path of the state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "meeting_point").unlink(missing_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    spread(_run, (config, shards, out), n_processes=config.processes)
    return out / "embedder.pt"


def main(
    shards: Annotated[list[Path], typer.Option()] = [  # noqa: B006  typer copies it
        Path("training/out/faces"),
        Path("training/out/faces_above"),
    ],
    out: Annotated[Path, typer.Option()] = Path("training/out/embedder"),
    epochs: Annotated[int, typer.Option()] = 12,
    processes: Annotated[int, typer.Option()] = 1,
) -> None:
    """Train the reference embedder on the shards of `training.faces_dataset`."""
    config = EmbedderTraining(epochs=epochs, processes=processes)
    typer.echo(train(config, shards=shards, out=out))


if __name__ == "__main__":
    typer.run(main)
