"""Fits the model of templates without pixels, so that millions can be drawn.

Owns the command: measure, fit, write, and tell how well drawn templates resemble
measured ones.

    python -m training.fit_templates
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.assembly import embedder_sha256
from matcher.config import EmbedderConfig
from synthetic_crowds.templates.model import SHIPPED, TemplateModel, save_model
from training.template_fit import goodness_of_fit
from training.template_measures import TemplatesConfig, measure
from training.template_moments import model_of_moments
from training.template_strengths import with_strengths

if TYPE_CHECKING:
    from training.template_measures import MeasuredTemplates

__all__ = ["fit"]


def fit(measured: MeasuredTemplates, *, embedder: str, seed: int) -> TemplateModel:
    """Fit the model.

    Args:
        measured: Templates.
        embedder: SHA-256 of the model that made them.
        seed: Of the people that are drawn on the way.
    """
    model = model_of_moments(measured, embedder=embedder)
    return with_strengths(model, measured, seed=seed)


def main(
    folder: Annotated[Path, typer.Option()] = Path("training/out/faces_templates"),
    identities: Annotated[int, typer.Option()] = 1500,
    workers: Annotated[int, typer.Option()] = 2,
    out: Annotated[Path, typer.Option()] = SHIPPED,
) -> None:
    """Measure templates, fit the model, write it, and print how well it fits."""
    config = TemplatesConfig(identities=identities)
    measured = measure(config, folder=folder, workers=workers)
    model = fit(measured, embedder=embedder_sha256(EmbedderConfig()), seed=config.seed)
    save_model(model, out)
    typer.echo(goodness_of_fit(model, measured, seed=1))


if __name__ == "__main__":
    typer.run(main)
