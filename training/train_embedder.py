"""Trains the reference embedder on degraded renders of synthetic people.

Owns who is trained on what, in which order, and what is kept. Every loss that the
config names trains a network of its own on the same batches; the one that separates
held-out people best is kept. A second training begins with a network, not afresh.

    python -m training.train_embedder --epochs 13
    python -m training.train_embedder --start-from training/out/embedder/embedder.pt

An interrupted training goes on with the epoch in which it was stopped.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
import typer

from training.faces_dataset import FaceViews, Portion, load_faces, monk_tones
from training.feeding import Batch, chosen_device, feed
from training.networks import CHIP_PX, FaceEmbedder
from training.restored import exported_embedder, saved_embedder
from training.shown import as_input, chips_of, embed_views, validate
from training.trainee import EmbedderTraining, Loss, Trainee

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from training.verification import Separation

__all__ = ["SECOND", "rows_of_epoch", "train"]

_LOG = logging.getLogger(__name__)

# Of a network that has learnt once: smaller steps, the margin soon in full, a block
# more where there is room in the files, the layers that see edges and spots left as
# they are, which takes a quarter less time, and those shown twice whom the network
# before missed more often.
SECOND = EmbedderTraining(
    losses=(Loss.COSFACE,),
    depths=(0, 2, 4, 2),
    epochs=2,
    learning_rate=0.06,
    warm_up=0.05,
    margin_ramp=(0.0, 0.05),
    frozen_layers=4,
    twice_from_tone=7,
)
# Batches of chips on which the norms of an exported network are measured.
_BATCHES_TO_MEASURE = 8
_STEPS_A_LINE = 50
# One view in so many tells where a person's direction begins.
_VIEWS_TO_BEGIN = 12


def _split(
    faces: FaceViews, n_validation: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows to train on and those of the last people, held out."""
    first_held_out = np.unique(faces.person)[-n_validation]
    return (
        np.flatnonzero(faces.person < first_held_out),
        np.flatnonzero(faces.person >= first_held_out),
    )


def rows_of_epoch(
    rows: NDArray[np.int64], faces: FaceViews, *, twice_from_tone: int | None
) -> NDArray[np.int64]:
    """Repeat the rows of people of a Monk tone and darker, if one is given.

    Args:
        rows: (n,) views to train on.
        faces: All views.
        twice_from_tone: The lightest tone that is shown twice.
    """
    if twice_from_tone is None:
        return rows
    people, whose = np.unique(faces.person[rows], return_inverse=True)
    is_dark = monk_tones(people) >= twice_from_tone
    return np.concatenate([rows, rows[is_dark[whose]]])


def _maker(
    config: EmbedderTraining,
    faces: FaceViews,
    shown_rows: NDArray[np.int64],
    label: NDArray[np.int64],
) -> Callable[[int], Batch]:
    """Return what makes batch k: its epoch's own order, its own degradations."""
    per_epoch = len(shown_rows) // config.batch_size

    def make(number: int) -> Batch:
        epoch, k = divmod(number, per_epoch)
        order = np.random.default_rng((config.seed, epoch)).permutation(shown_rows)
        rows = order[k * config.batch_size : (k + 1) * config.batch_size]
        rng = np.random.default_rng((config.seed, epoch, k))
        chips = chips_of(faces, rows, chip_px=CHIP_PX, rng=rng)
        return chips, torch.from_numpy(label[rows])

    return make


def _epochs(
    trainees: dict[Loss, Trainee],
    batches: Iterator[Batch],
    *,
    per_epoch: int,
    n_steps: int,
    first: int,
) -> Iterator[tuple[int, dict[Loss, float]]]:
    """Train from step `first` on, yielding each epoch's number, from 1, and losses."""
    totals: dict[Loss, Tensor] = {}
    for step, (chips, identities) in enumerate(batches, first):
        shown = as_input(chips)
        for name, trainee in trainees.items():
            loss = trainee.step(shown, identities, step / n_steps)
            totals[name] = totals.get(name, torch.zeros_like(loss)) + loss
        epoch, k = divmod(step, per_epoch)
        if (step + 1) % _STEPS_A_LINE == 0:
            lately = {n: f"{float(t) / (k + 1):.3f}" for n, t in totals.items()}
            _LOG.info(
                "step %d of %d, losses of the epoch %s", step + 1, n_steps, lately
            )
        if k == per_epoch - 1:
            yield epoch + 1, {n: float(t) / per_epoch for n, t in totals.items()}
            totals = {}


def _missed(results: dict[str, Separation]) -> float:
    """Return the FNMR on another day at the smallest FMR that was resolved."""
    return results["other day"].fnmr_at_fmr[-1][1]


def _embedder(
    start_from: Path | None, make: Callable[[int], Batch], config: EmbedderTraining
) -> FaceEmbedder:
    """Return a fresh network, or the one that a file holds, as deep as is asked."""
    torch.manual_seed(config.seed)
    if start_from is None:
        return FaceEmbedder(depths=config.depths)
    if start_from.suffix == ".onnx":
        batches = [as_input(make(k)[0]) for k in range(_BATCHES_TO_MEASURE)]
        begun = exported_embedder(start_from, batches)
    else:
        begun = saved_embedder(start_from)
    return begun.deepened(config.depths)


def _place_centres(
    trainee: Trainee, faces: FaceViews, label: NDArray[np.int64], *, workers: int
) -> None:
    """Begin each centre where the network sees its person."""
    device = trainee.head.centres.device
    trainee.eval()
    vectors = embed_views(
        trainee.embedder,
        faces,
        seed=trainee.config.seed,
        workers=workers,
        device=device,
    )
    trainee.head.begin_at(
        torch.from_numpy(vectors).to(device), torch.from_numpy(label).to(device)
    )
    trainee.train()


def train(
    config: EmbedderTraining,
    *,
    shards: Sequence[Path],
    out: Path,
    workers: int,
    device: torch.device,
    start_from: Path | None = None,
) -> Path:
    """Train an embedder with each loss and keep the state of the best.

    Args:
        config: The schedule.
        shards: Folders of rendered views.
        out: Folder for the states, made anew each epoch.
        workers: Processes that degrade views.
        device: Where the networks learn.
        start_from: A state dictionary, or a file that `training.export` wrote, of a
            network to begin with; None begins afresh.

    Returns:
        Path of the best state dictionary.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(config.model_dump_json(indent=2))
    faces = load_faces(shards)
    train_rows, held_out_rows = _split(faces, config.n_validation)
    held_out = faces.take(held_out_rows)
    people, label = np.unique(faces.person, return_inverse=True)
    shown_rows = rows_of_epoch(
        train_rows, faces, twice_from_tone=config.twice_from_tone
    )
    per_epoch = len(shown_rows) // config.batch_size
    n_steps = config.epochs * per_epoch
    make = _maker(config, faces, shown_rows, label)
    trainees = {}
    for loss in config.losses:
        trainees[loss] = Trainee(
            config,
            loss,
            embedder=_embedder(start_from, make, config),
            n_identities=len(people) - config.n_validation,
            n_steps=n_steps,
        )
        trainees[loss].begin(device)
    recipe = f"{config.model_dump_json()} {start_from} {n_steps}"
    checkpoint = out / "checkpoint.pt"
    first = _go_on(trainees, checkpoint, recipe)

    def measure(trainee: Trainee) -> dict[str, Separation]:
        return validate(
            trainee.embedder, held_out, seed=config.seed, workers=workers, device=device
        )

    if start_from is not None and first == 0:
        rows = train_rows[::_VIEWS_TO_BEGIN]
        for loss, trainee in trainees.items():
            _LOG.info("%s, before: %s", loss, _described(measure(trainee)))
            _place_centres(trainee, faces.take(rows), label[rows], workers=workers)
    batches = feed(make, range(first, n_steps), workers=workers, device=device)
    states = {loss: out / f"embedder-{loss}.pt" for loss in trainees}
    for epoch, losses in _epochs(
        trainees, batches, per_epoch=per_epoch, n_steps=n_steps, first=first
    ):
        _LOG.info("epoch %d of %d, losses %s", epoch, config.epochs, losses)
        for loss, trainee in trainees.items():
            torch.save(trainee.embedder.state_dict(), states[loss])
        _keep(trainees, checkpoint, recipe, step=epoch * per_epoch)
    results = {loss: measure(trainee) for loss, trainee in trainees.items()}
    for loss, result in results.items():
        _LOG.info("%s: %s", loss, _described(result))
    best = min(results, key=lambda loss: _missed(results[loss]))
    _LOG.info("kept %s", best)
    shutil.copyfile(states[best], out / "embedder.pt")
    return out / "embedder.pt"


def _described(results: dict[str, Separation]) -> dict[str, dict[str, object]]:
    return {name: asdict(result) for name, result in results.items()}


def _keep(trainees: dict[Loss, Trainee], path: Path, recipe: str, *, step: int) -> None:
    """Write down how far training came; whole, or not at all."""
    partial = path.with_suffix(".partial")
    told = {
        "recipe": recipe,
        "step": step,
        "trainees": {
            str(loss): trainee.reached() for loss, trainee in trainees.items()
        },
    }
    torch.save(told, partial)
    partial.rename(path)


def _go_on(trainees: dict[Loss, Trainee], path: Path, recipe: str) -> int:
    """Take up what an interrupted training left, if it is the same; return its step."""
    if not path.exists():
        return 0
    told = torch.load(path, weights_only=True)
    if told["recipe"] != recipe:
        _LOG.info("%s is of another training: beginning anew", path)
        return 0
    for loss, trainee in trainees.items():
        trainee.go_on_from(told["trainees"][str(loss)])
    _LOG.info("going on from step %d", told["step"])
    return int(told["step"])


def main(
    shards: Annotated[
        list[Path] | None,
        typer.Option(help="Folders of views.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="For the states.", show_default=False)
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="A trained network, .pt or .onnx, to train on newcomers.",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(show_default=False)] = None,
    workers: Annotated[int, typer.Option(help="Processes that degrade views.")] = 2,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Train the reference embedder on the shards of `training.faces_dataset`."""
    where = chosen_device(device)
    is_second = start_from is not None
    config = SECOND if is_second else EmbedderTraining()
    if epochs is not None:
        config = config.model_copy(update={"epochs": epochs})
    portions = (Portion.NEWCOMERS,) if is_second else (Portion.FIRST, Portion.ABOVE)
    kept = train(
        config,
        shards=shards or [portion.folder for portion in portions],
        out=out
        or Path("training/out") / ("embedder_second" if is_second else "embedder"),
        workers=workers,
        device=where,
        start_from=start_from,
    )
    typer.echo(kept)


if __name__ == "__main__":
    typer.run(main)
