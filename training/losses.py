"""What the two networks are trained to minimise.

Owns the margin head of the embedder and the assignment and losses of the detector.
Knows nothing of data files or schedules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from training.networks import STRIDES

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "AdaptiveMarginHead",
    "DetectionTargets",
    "MarginHead",
    "assign",
    "detection_loss",
]

# Face heights, in network pixels, that each stride answers for, and by how much a
# neighbour may trespass without being told that it is wrong.
_HEIGHTS_PX = ((0.0, 44.0), (44.0, 88.0), (88.0, float("inf")))
_TOLERANCE = 1.3


class MarginHead(nn.Module):
    """One weight vector per identity, compared by cosine with a margin.

    The loss pulls a template towards its own identity's vector until that cosine
    exceeds every other by `margin`.

    Source: Wang et al., CosFace, arXiv:1801.09414, equation 4.
    """

    def __init__(self, *, n_identities: int, dimension: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.centres = nn.Parameter(torch.empty(n_identities, dimension))
        # Short vectors turn easily: the step of a direction is that of the vector over
        # its squared length. They lengthen as they settle.
        nn.init.normal_(self.centres, std=0.05)

    def forward(self, vectors: Tensor, identities: Tensor, margin: float) -> Tensor:
        """Return the mean loss of (n, d) vectors of (n,) identities.

        Args:
            vectors: Templates of any length.
            identities: int64, row of `centres` of each.
            margin: Cosine by which the own identity must lead; ramped by training.

        Returns:
            A scalar.
        """
        vectors = vectors.float()
        cosine = nn.functional.linear(
            nn.functional.normalize(vectors), nn.functional.normalize(self.centres)
        )
        own = cosine.gather(1, identities[:, None]).squeeze(1)
        asked = self._asked(own, vectors.detach(), margin)
        logits = cosine.scatter(1, identities[:, None], asked[:, None])
        return nn.functional.cross_entropy(self.scale * logits, identities)

    def begin_at(self, vectors: Tensor, identities: Tensor) -> None:
        """Start from the mean directions of (n, d) vectors of (n,) identities.

        Source: Qi et al., arXiv:1712.07136, imprinted weights.
        """
        with torch.no_grad():
            length = self.centres.norm(dim=1).mean()
            sums = torch.zeros_like(self.centres)
            sums.index_add_(0, identities, nn.functional.normalize(vectors))
            self.centres.copy_(length * nn.functional.normalize(sums))

    def _asked(self, own: Tensor, vectors: Tensor, margin: float) -> Tensor:
        """Lower each own cosine by what it must lead with."""
        del vectors
        return own - margin


class AdaptiveMarginHead(MarginHead):
    """A margin that asks more of vectors that are long, which good pictures become.

    A template's length before it is scaled tells its picture's quality. Relative to
    the lengths of late, a good picture is asked for a larger lead among hard cases; a
    poor one, which may hold no identity at all, is not forced.

    Source: Kim et al., AdaFace, arXiv:2204.00964, equations 11 to 14.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        *,
        n_identities: int,
        dimension: int,
        scale: float,
        concentration: float = 0.333,
        memory: float = 0.99,
    ) -> None:
        super().__init__(n_identities=n_identities, dimension=dimension, scale=scale)
        self.concentration, self.memory = concentration, memory
        # Lengths of vectors whose numbers have unit variance, as after batch norm.
        self.register_buffer("mean", torch.tensor(dimension**0.5))
        self.register_buffer("deviation", torch.tensor(1.0))

    def _asked(self, own: Tensor, vectors: Tensor, margin: float) -> Tensor:
        lengths = vectors.norm(dim=1)
        if self.training:
            self.mean.lerp_(lengths.mean(), 1.0 - self.memory)
            self.deviation.lerp_(lengths.std(), 1.0 - self.memory)
        quality = (lengths - self.mean) / (self.deviation + 1e-3)
        quality = (quality * self.concentration).clamp(-1.0, 1.0)
        angle = torch.arccos(own.clamp(-1.0 + 1e-6, 1.0 - 1e-6)) - margin * quality
        # Beyond half a turn the cosine would rise again.
        return torch.cos(angle.clamp(1e-3, torch.pi - 1e-3)) - margin * (1.0 + quality)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectionTargets:
    """What the cells of all three maps should say, flattened stride by stride.

    Attributes:
        centres: (c, 2) cell centres, network pixels.
        strides: (c,) stride of each cell.
        face: (n, c) int64, row of the image's own face that a cell answers for,
            -1 for background, -2 where the score does not count.
    """

    centres: Tensor
    strides: Tensor
    face: Tensor


def _cells(
    height_px: int, width_px: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    centres, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(
            torch.arange(height_px // stride),
            torch.arange(width_px // stride),
            indexing="ij",
        )
        grid = (torch.stack([x, y], dim=-1).reshape(-1, 2).float() + 0.5) * stride
        centres.append(grid)
        strides.append(torch.full((len(grid),), float(stride)))
    return torch.cat(centres).to(device), torch.cat(strides).to(device)


def assign(
    boxes: Tensor, counts: Tensor, *, height_px: int, width_px: int
) -> DetectionTargets:
    """Decide which cell answers for which face.

    A face belongs to the stride of its height; there, the cells near its centre
    answer for it, the nearest face first. At a neighbouring stride whose range the
    height almost reaches, such cells do not count either way.

    Args:
        boxes: (n, m, 4) xyxy, network pixels; rows of `counts` 0 are padding.
        counts: (n, m) int64: 1 a face, -1 a region to ignore, 0 padding.
        height_px: Of the images.
        width_px: Of the images.

    Returns:
        The targets of every cell.

    Source:
        Centre sampling: Tian et al., FCOS, arXiv:1904.01355, section 3.2.
    """
    centres, strides = _cells(height_px, width_px, boxes.device)
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1.0)
    offset = (centres[None, None] - middle[:, :, None]).abs()
    height = size[..., 1:2]
    # At least one cell lies within 0.6 strides of any point, in both directions.
    reach = torch.clamp(0.25 * height, min=0.6 * strides, max=1.2 * strides)
    near = (offset <= reach[..., None]).all(-1)
    low, high = torch.tensor(_HEIGHTS_PX, device=boxes.device).T
    level = torch.log2(strides / STRIDES[0]).long()
    mine = (height >= low[level]) & (height < high[level])
    almost = (height * _TOLERANCE >= low[level]) & (height < high[level] * _TOLERANCE)

    is_face = (counts == 1)[..., None]
    inside = (offset <= size[:, :, None] / 2).all(-1)
    ignored = ((counts == -1)[..., None] & inside) | (is_face & near & almost & ~mine)
    distance = torch.where(is_face & near & mine, offset.sum(-1) / strides, torch.inf)
    best, row = distance.min(dim=1)
    face = torch.where(ignored.any(dim=1), -2, -1)
    face = torch.where(torch.isfinite(best), row, face)
    return DetectionTargets(centres=centres, strides=strides, face=face)


def _flat(maps: tuple[tuple[Tensor, Tensor, Tensor], ...]) -> tuple[Tensor, ...]:
    """Join the maps of all strides: (n, c), (n, c, 4), (n, c, 10), float32."""
    joined = [
        torch.cat([m[i].float().flatten(2).transpose(1, 2) for m in maps], dim=1)
        for i in range(3)
    ]
    return joined[0].squeeze(-1), joined[1], joined[2]


def _overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU of two (k, 4) sets of boxes, row by row.

    Source: Rezatofighi et al., arXiv:1902.09630.
    """
    area_a = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)
    area_b = (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)
    common = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    both = common.clamp(min=0).prod(-1)
    union = (area_a + area_b - both).clamp(min=1e-6)
    hull = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    hull_area = hull.prod(-1).clamp(min=1e-6)
    iou = both / union
    return iou, iou - (hull_area - union) / hull_area


def detection_loss(
    maps: tuple[tuple[Tensor, Tensor, Tensor], ...],
    boxes: Tensor,
    points: Tensor,
    targets: DetectionTargets,
) -> Tensor:
    """Join the losses of score, box and landmarks.

    Args:
        maps: What `FaceDetector` returns.
        boxes: (n, m, 4) xyxy, network pixels.
        points: (n, m, 5, 2), network pixels.
        targets: From `assign`.

    Returns:
        A scalar, per face of the batch.

    Source:
        Quality focal loss: Li et al., arXiv:2006.04388, equation 5, with beta 2.
    """
    logits, distances, offsets = _flat(maps)
    image, cell = torch.nonzero(targets.face >= 0, as_tuple=True)
    row = targets.face[image, cell]
    centre, stride = targets.centres[cell], targets.strides[cell, None]
    reach = distances[image, cell] * stride
    found = torch.cat([centre - reach[:, :2], centre + reach[:, 2:]], dim=-1)
    true_box = boxes[image, row]
    iou, giou = _overlap(found, true_box)

    quality = torch.zeros_like(logits)
    quality[image, cell] = iou.detach().clamp(min=0.0)
    error = nn.functional.binary_cross_entropy_with_logits(
        logits, quality, reduction="none"
    )
    focus = (torch.sigmoid(logits) - quality).abs().pow(2)
    score_loss = torch.where(targets.face == -2, 0.0, error * focus).sum()

    placed = offsets[image, cell].reshape(-1, 5, 2) * stride[..., None]
    placed = placed + centre[:, None]
    height = (true_box[:, 3] - true_box[:, 1]).clamp(min=1.0)[:, None, None]
    # In hundredths of a face height, so that the bend of the loss is at 1 %.
    miss = 100.0 * (placed - points[image, row]) / height
    point_loss = nn.functional.smooth_l1_loss(
        miss, torch.zeros_like(miss), reduction="none"
    )
    n_cells = max(len(row), 1)
    total = score_loss + 2.0 * (1.0 - giou).sum() + 0.1 * point_loss.mean((1, 2)).sum()
    return torch.as_tensor(total / n_cells)
