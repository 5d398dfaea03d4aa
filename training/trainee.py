"""An embedder that learns: the network, what it is told, and the schedule.

Owns one step. Knows nothing of data files or of how batches are made.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from training.losses import AdaptiveMarginHead, MarginHead
from training.networks import EMBEDDER_DEPTHS

if TYPE_CHECKING:
    from torch import Tensor

    from training.networks import FaceEmbedder

__all__ = ["EmbedderTraining", "Loss", "Trainee"]


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
    depths: tuple[int, ...] = Field(
        default=EMBEDDER_DEPTHS,
        description="Residual blocks of each stage; what is begun with is deepened.",
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
    frozen_layers: int = Field(
        default=0, ge=0, description="First layers of the body that stay as they are."
    )
    twice_from_tone: int | None = Field(
        default=None,
        ge=1,
        le=10,
        description="People of this Monk tone and darker are shown twice an epoch: "
        "fewer of them are drawn, and their faces have less contrast.",
    )
    n_validation: int = Field(
        default=300, ge=2, description="Identities at the end of the range, held out."
    )


class Trainee(nn.Module):
    """Embedder, margin head, and the schedule that both follow."""

    def __init__(
        self,
        config: EmbedderTraining,
        loss: Loss,
        *,
        embedder: FaceEmbedder,
        n_identities: int,
        n_steps: int,
    ) -> None:
        super().__init__()
        self.config, self.n_steps = config, n_steps
        self.embedder = embedder
        self.head = _HEADS[loss](
            n_identities=n_identities,
            dimension=embedder.dimension,
            scale=config.scale,
        )

    def begin(self, device: torch.device) -> None:
        """Move to a device and start the optimiser there."""
        self.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.embedder.freeze(self.config.frozen_layers)
        self.optimiser = torch.optim.SGD(
            [weight for weight in self.parameters() if weight.requires_grad],
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

    def reached(self) -> dict[str, Any]:
        """Tell all that a later process needs to go on from here."""
        return {
            "networks": self.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def go_on_from(self, reached: dict[str, Any]) -> None:
        """Take up what `reached` told, after `begin`."""
        self.load_state_dict(reached["networks"])
        self.optimiser.load_state_dict(reached["optimiser"])
        self.schedule.load_state_dict(reached["schedule"])
