"""Trains the reference embedder on degraded renders of synthetic people.

Owns the schedule and the loop. Every loss that the config names trains a network of its
own on the same batches; the one that separates held-out people best is kept.

    python -m training.train_embedder --epochs 13
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
import typer
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from training.augment import CLEAN, STREET, degraded_chip
from training.faces_dataset import FaceViews, load_faces
from training.feeding import Batch, chosen_device, feed
from training.losses import AdaptiveMarginHead, MarginHead
from training.networks import FaceEmbedder
from training.verification import Separation, pair_scores, separation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["EmbedderTraining", "Loss", "embed_views", "train", "validate"]

_LOG = logging.getLogger(__name__)
_VALIDATION_BATCH = 256


class Loss(StrEnum):
    """What separates identities in training."""

    COSFACE = "cosface"
    ADAFACE = "adaface"


_HEADS = {Loss.COSFACE: MarginHead, Loss.ADAFACE: AdaptiveMarginHead}


class EmbedderTraining(BaseModel):
    """How the embedder is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=1, ge=0, description="Of every draw.")
    losses: tuple[Loss, ...] = Field(
        default=(Loss.COSFACE, Loss.ADAFACE),
        min_length=1,
        description="A network each, on the same batches; the best is kept.",
    )
    epochs: int = Field(default=13, ge=1, description="Passes over all views.")
    batch_size: int = Field(default=512, ge=8, description="Chips a step.")
    learning_rate: float = Field(default=0.2, gt=0.0, description="At its peak.")
    warm_up: float = Field(default=0.08, ge=0.0, le=1.0, description="Share of steps.")
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    scale: float = Field(default=32.0, gt=0.0, description="Of the cosines.")
    margin: float = Field(default=0.35, ge=0.0, lt=1.0, description="Cosine, in full.")
    margin_ramp: tuple[float, float] = Field(
        default=(0.1, 0.5), description="Shares of steps: none before, full after."
    )
    n_validation: int = Field(
        default=300, ge=2, description="Identities at the end of the range, held out."
    )


class _Trainee(nn.Module):
    """Embedder, margin head, and the schedule that both follow."""

    def __init__(
        self, config: EmbedderTraining, loss: Loss, *, n_identities: int, n_steps: int
    ) -> None:
        super().__init__()
        torch.manual_seed(config.seed)
        self.config, self.n_steps = config, n_steps
        self.embedder = FaceEmbedder()
        self.head = _HEADS[loss](
            n_identities=n_identities,
            dimension=self.embedder.dimension,
            scale=config.scale,
        )

    def begin(self, device: torch.device) -> None:
        """Move to a device and start the optimiser there."""
        self.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.SGD(
            self.parameters(),
            lr=self.config.learning_rate,
            momentum=self.config.momentum,
            weight_decay=self.config.weight_decay,
            nesterov=True,
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            max_lr=self.config.learning_rate,
            total_steps=self.n_steps,
            pct_start=self.config.warm_up,
            cycle_momentum=False,
        )

    def step(self, chips: Tensor, identities: Tensor, progress: float) -> Tensor:
        """Learn from (n, 3, c, c) chips of (n,) identities; return the loss."""
        margin = float(np.interp(progress, self.config.margin_ramp, (0, 1)))
        with torch.autocast(chips.device.type, dtype=torch.bfloat16):
            vectors = self.embedder(chips)
        loss = self.head(vectors, identities, self.config.margin * margin)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.schedule.step()
        return torch.as_tensor(loss.detach())


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
    return torch.from_numpy(chips)


def _as_input(chips: Tensor) -> Tensor:
    """Turn (n, c, c, 3) bytes into (n, 3, c, c) floats, channels last in memory."""
    return chips.permute(0, 3, 1, 2).float()


def embed_views(
    embedder: FaceEmbedder,
    faces: FaceViews,
    *,
    seed: int,
    workers: int,
    device: torch.device,
) -> NDArray[np.float32]:
    """Embed every view as a street camera would deliver it.

    Args:
        embedder: In evaluation mode, of any state, on `device`.
        faces: n views.
        seed: Of the degradations.
        workers: Processes that degrade.
        device: Where to embed.

    Returns:
        (n, d) float32, unit length.
    """
    parts = range(0, len(faces), _VALIDATION_BATCH)

    def make(first: int) -> Batch:
        rows = np.arange(first, min(first + _VALIDATION_BATCH, len(faces)))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(99, first)))
        return (_chips(faces, rows, chip_px=embedder.chip_px, rng=rng),)

    vectors = []
    with torch.no_grad():
        for (chips,) in feed(make, parts, workers=workers, device=device):
            shown = _as_input(chips)
            both = embedder(shown) + embedder(shown.flip(3))
            vectors.append(nn.functional.normalize(both).cpu().numpy())
    return np.concatenate(vectors)


def validate(
    embedder: FaceEmbedder,
    faces: FaceViews,
    *,
    seed: int,
    workers: int,
    device: torch.device,
) -> dict[str, Separation]:
    """Measure separation on held-out people, same day and other day apart."""
    embedder.eval()
    vectors = embed_views(embedder, faces, seed=seed, workers=workers, device=device)
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


def _maker(
    config: EmbedderTraining,
    faces: FaceViews,
    train_rows: NDArray[np.int64],
    label: NDArray[np.int64],
    *,
    chip_px: int,
) -> Callable[[int], Batch]:
    """Return what makes batch k: its epoch's own order, its own degradations."""
    per_epoch = len(train_rows) // config.batch_size

    def make(number: int) -> Batch:
        epoch, k = divmod(number, per_epoch)
        order = np.random.default_rng((config.seed, epoch)).permutation(train_rows)
        rows = order[k * config.batch_size : (k + 1) * config.batch_size]
        rng = np.random.default_rng((config.seed, epoch, k))
        chips = _chips(faces, rows, chip_px=chip_px, rng=rng)
        return chips, torch.from_numpy(label[rows])

    return make


def _epochs(
    trainees: dict[Loss, _Trainee],
    batches: Iterator[Batch],
    *,
    per_epoch: int,
    n_steps: int,
) -> Iterator[tuple[int, dict[Loss, float]]]:
    """Train epoch by epoch, yielding its number, from 1, and the mean losses."""
    totals: dict[Loss, Tensor] = {}
    for step, (chips, identities) in enumerate(batches):
        shown = _as_input(chips)
        for name, trainee in trainees.items():
            loss = trainee.step(shown, identities, step / n_steps)
            totals[name] = totals.get(name, torch.zeros_like(loss)) + loss
        epoch, k = divmod(step, per_epoch)
        if k == per_epoch - 1:
            yield epoch + 1, {n: float(t) / per_epoch for n, t in totals.items()}
            totals = {}


def _missed(results: dict[str, Separation]) -> float:
    """Return the FNMR on another day at the smallest FMR that was resolved."""
    return results["other day"].fnmr_at_fmr[-1][1]


def train(
    config: EmbedderTraining,
    *,
    shards: Sequence[Path],
    out: Path,
    workers: int,
    device: torch.device,
) -> Path:
    """Train an embedder with each loss and keep the state of the best.

    Args:
        config: The schedule.
        shards: Folders of rendered views.
        out: Folder for the states, made anew each epoch.
        workers: Processes that degrade views.
        device: Where the networks learn.

    Returns:
        Path of the best state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    faces = load_faces(shards)
    train_rows, held_out_rows = _split(faces, config.n_validation)
    held_out = faces.take(held_out_rows)
    people, label = np.unique(faces.person, return_inverse=True)
    per_epoch = len(train_rows) // config.batch_size
    n_steps = config.epochs * per_epoch
    trainees = {
        loss: _Trainee(
            config,
            loss,
            n_identities=len(people) - config.n_validation,
            n_steps=n_steps,
        )
        for loss in config.losses
    }
    for trainee in trainees.values():
        trainee.begin(device)
    chip_px = next(iter(trainees.values())).embedder.chip_px
    make = _maker(config, faces, train_rows, label, chip_px=chip_px)
    batches = feed(make, range(n_steps), workers=workers, device=device)
    states = {loss: out / f"embedder-{loss}.pt" for loss in trainees}
    for epoch, losses in _epochs(
        trainees, batches, per_epoch=per_epoch, n_steps=n_steps
    ):
        _LOG.info("epoch %d of %d, losses %s", epoch, config.epochs, losses)
        for loss, trainee in trainees.items():
            torch.save(trainee.embedder.state_dict(), states[loss])
    missed = {}
    for loss, trainee in trainees.items():
        results = validate(
            trainee.embedder,
            held_out,
            seed=config.seed,
            workers=workers,
            device=device,
        )
        missed[loss] = _missed(results)
        for name, result in results.items():
            _LOG.info("%s, %s: %s", loss, name, asdict(result))
    best = min(missed, key=lambda loss: missed[loss])
    _LOG.info("kept %s; FNMR on another day %s", best, missed)
    shutil.copyfile(states[best], out / "embedder.pt")
    return out / "embedder.pt"


def main(
    shards: Annotated[list[Path], typer.Option()] = [  # noqa: B006  typer copies it
        Path("training/out/faces"),
        Path("training/out/faces_above"),
    ],
    out: Annotated[Path, typer.Option()] = Path("training/out/embedder"),
    epochs: Annotated[int, typer.Option()] = 13,
    workers: Annotated[int, typer.Option(help="Processes that degrade views.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Train the reference embedder on the shards of `training.faces_dataset`."""
    where = chosen_device(device)
    config = EmbedderTraining(epochs=epochs)
    typer.echo(train(config, shards=shards, out=out, workers=workers, device=where))


if __name__ == "__main__":
    typer.run(main)
