"""The three reference networks, as PyTorch modules.

Owns their layers and nothing else: no data, no losses, no training loop. All take
BGR pixels in 0..255 as they come from OpenCV and normalise inside, so that the
exported graphs need no companion code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = [
    "CHIP_PX",
    "EMBEDDER_DEPTHS",
    "STRIDES",
    "FaceDetector",
    "FaceEmbedder",
    "LandmarkRefiner",
]

# Strides of the detector's three maps, in network pixels.
STRIDES = (8, 16, 32)

# Side of the embedder's chips.
CHIP_PX = 80

# Residual blocks of the embedder's four stages when it is first trained.
EMBEDDER_DEPTHS = (0, 2, 3, 2)

_MEAN, _SPREAD = 127.5, 64.0


def _conv(c_in: int, c_out: int, *, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Return convolution, batch norm and ReLU (PReLU trains at half the speed here)."""
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


def _separable(c_in: int, c_out: int, *, stride: int = 1) -> nn.Sequential:
    """Return a pointwise and a depthwise 3x3 convolution with one norm after both.

    Source: Wu et al., YuNet, Machine Intelligence Research, 2023, section 3.1.
    """
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 1, bias=False),
        nn.Conv2d(c_out, c_out, 3, stride, 1, groups=c_out, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Two 3x3 convolutions beside an identity; the second norm starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.norm(self.second(self.first(x)))
        return out


class FaceEmbedder(nn.Module):
    """Chips to templates: a small residual network with a learned spatial pooling.

    Attributes:
        chip_px: Side of the square chips it takes, a multiple of 16.
        dimension: Length of its templates.
        depths: Residual blocks of each stage.
    """

    def __init__(
        self,
        *,
        chip_px: int = CHIP_PX,
        dimension: int = 128,
        widths: Sequence[int] = (32, 64, 128, 208),
        depths: Sequence[int] = EMBEDDER_DEPTHS,
    ) -> None:
        super().__init__()
        self.chip_px, self.dimension, self.depths = chip_px, dimension, tuple(depths)
        self.n_frozen = 0
        layers: list[nn.Module] = [_conv(3, widths[0], stride=2)]
        channels = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            if stage > 0:
                layers.append(_conv(channels, width, stride=2))
                channels = width
            layers += [_Residual(channels) for _ in range(depth)]
        self.body = nn.Sequential(*layers)
        # A weight per place and channel instead of the mean: in an aligned chip
        # each place has a meaning (MobileFaceNets, arXiv:1804.07573).
        self.pool = nn.Sequential(
            nn.Conv2d(channels, channels, chip_px // 16, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Flatten(),
            nn.Linear(channels, dimension, bias=False),
            nn.BatchNorm1d(dimension, affine=False),
        )

    def forward(self, chips: Tensor) -> Tensor:
        """Embed (n, 3, c, c) BGR chips, 0..255, as (n, d) vectors of any length."""
        templates: Tensor = self.pool(self.body((chips - _MEAN) / _SPREAD))
        return templates

    def deepened(self, depths: Sequence[int]) -> FaceEmbedder:
        """Return a network that computes the same, with blocks added to its stages.

        An added block passes on what it is given until it has learnt.

        Args:
            depths: Residual blocks of each stage, none fewer than here.

        Source:
            Chen et al., Net2Net, arXiv:1511.05641: growth that keeps the function.
        """
        deeper = FaceEmbedder(
            chip_px=self.chip_px, dimension=self.dimension, depths=depths
        )
        for here, there in zip(self._stages(), deeper._stages(), strict=True):
            for layer, twin in zip(here, there[: len(here)], strict=True):
                twin.load_state_dict(layer.state_dict())
        deeper.pool.load_state_dict(self.pool.state_dict())
        return deeper

    def _stages(self) -> list[list[nn.Module]]:
        """Split `body` where the picture shrinks."""
        stages: list[list[nn.Module]] = []
        for layer in self.body:
            if not isinstance(layer, _Residual):
                stages.append([])
            stages[-1].append(layer)
        return stages

    def freeze(self, n_layers: int) -> None:
        """Leave the first layers of `body` as they are, their norms as well."""
        self.n_frozen = n_layers
        self.body[:n_layers].requires_grad_(requires_grad=False)
        self.train(self.training)

    def train(self, mode: bool = True) -> FaceEmbedder:  # noqa: FBT001, FBT002
        """Set the mode of all layers that are not frozen."""
        super().train(mode)
        self.body[: self.n_frozen].eval()
        return self


class LandmarkRefiner(nn.Module):
    """Chips to the shifts of their landmarks: a few strided convolutions.

    Attributes:
        chip_px: Side of the square chips it takes, a multiple of 16.
    """

    def __init__(
        self,
        *,
        chip_px: int = 64,
        widths: Sequence[int] = (16, 32, 64, 96),
        depths: Sequence[int] = (0, 0, 1, 1),
    ) -> None:
        super().__init__()
        self.chip_px = chip_px
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in zip(widths, depths, strict=True):
            layers.append(_conv(channels, width, stride=2))
            layers += [_Residual(width) for _ in range(depth)]
            channels = width
        self.body = nn.Sequential(*layers)
        self.points = nn.Linear(channels * (chip_px // 16) ** 2, 10)
        # Begin with the detector's own landmarks.
        nn.init.zeros_(self.points.weight)
        nn.init.zeros_(self.points.bias)

    def forward(self, chips: Tensor) -> Tensor:
        """Find (n, 5, 2) shifts, in chip sides, on (n, 3, c, c) BGR chips, 0..255."""
        maps: Tensor = self.body((chips - _MEAN) / _SPREAD)
        shifts: Tensor = self.points(maps.flatten(1)).unflatten(1, (5, 2))
        return shifts


class FaceDetector(nn.Module):
    """Images to score, box and landmark maps at three strides.

    A depthwise-separable backbone with a top-down feature pyramid, in the manner
    of YuNet (Wu et al., Machine Intelligence Research, 2023), and one head for all
    three maps: a face looks the same at each, only its size in pixels differs.
    """

    def __init__(
        self, *, widths: Sequence[int] = (16, 32, 64, 96, 128), neck: int = 64
    ) -> None:
        super().__init__()
        w2, w4, w8, w16, w32 = widths
        self.to_4 = nn.Sequential(
            _conv(3, w2, stride=2), _conv(w2, w4, stride=2), _separable(w4, w4)
        )
        self.to_8 = nn.Sequential(
            _separable(w4, w8, stride=2), _separable(w8, w8), _separable(w8, w8)
        )
        self.to_16 = nn.Sequential(
            _separable(w8, w16, stride=2), _separable(w16, w16), _separable(w16, w16)
        )
        self.to_32 = nn.Sequential(_separable(w16, w32, stride=2), _separable(w32, w32))
        self.lateral = nn.ModuleList(_conv(w, neck, kernel=1) for w in (w8, w16, w32))
        self.smooth = nn.ModuleList(_separable(neck, neck) for _ in STRIDES)
        self.tower = nn.Sequential(_separable(neck, neck), _separable(neck, neck))
        self.score = nn.Conv2d(neck, 1, 1)
        self.box = nn.Conv2d(neck, 4, 1)
        self.points = nn.Conv2d(neck, 10, 1)
        # Faces are rare: begin at a score of 0.01, so that the first steps are not
        # spent on the background (Lin et al., arXiv:1708.02002, section 4.1).
        nn.init.constant_(torch.as_tensor(self.score.bias), -4.6)

    def forward(self, image: Tensor) -> tuple[tuple[Tensor, Tensor, Tensor], ...]:
        """Return (score logits, box, points) for each of `STRIDES`.

        Args:
            image: (n, 3, h, w) BGR, 0..255; h and w multiples of 32.

        Returns:
            Per stride s: logits (n, 1, h/s, w/s); distances left, top, right,
            bottom from the cell's centre, in s, all positive, (n, 4, h/s, w/s);
            x and y offsets of five landmarks from it, in s, (n, 10, h/s, w/s).
        """
        at_8 = self.to_8(self.to_4((image - _MEAN) / _SPREAD))
        at_16 = self.to_16(at_8)
        at_32 = self.to_32(at_16)
        p8, p16, p32 = (
            lateral(x)
            for lateral, x in zip(self.lateral, (at_8, at_16, at_32), strict=True)
        )
        p16 = p16 + nn.functional.interpolate(p32, scale_factor=2.0, mode="nearest")
        p8 = p8 + nn.functional.interpolate(p16, scale_factor=2.0, mode="nearest")
        maps = []
        for smooth, level in zip(self.smooth, (p8, p16, p32), strict=True):
            x = self.tower(smooth(level))
            # exp keeps distances positive; the clamp keeps early steps finite.
            maps.append(
                (
                    self.score(x),
                    torch.exp(self.box(x).clamp(-4.0, 4.0)),
                    self.points(x),
                )
            )
        return tuple(maps)
