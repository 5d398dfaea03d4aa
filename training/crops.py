"""Cuts the detector's training images out of street frames and portraits.

Owns where to cut, the truth of what was cut, and which faces do not count. Knows
nothing of networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from training.augment import MIRRORED, DegradationConfig, exposed, recorded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.scenes_dataset import Scenes

__all__ = ["Crop", "CropConfig", "draw_crop"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]

# Frames come degraded already; portraits and enlarged crops do not.
_SPOILT = DegradationConfig(noise_levels=(0.0, 4.0), jpeg_quality=(40, 98))


class CropConfig(BaseModel):
    """How a crop is cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    height_px: int = Field(default=224, multiple_of=32, ge=32)
    width_px: int = Field(default=256, multiple_of=32, ge=32)
    scale: tuple[float, float] = Field(
        default=(0.6, 1.6), description="Of an image, log-uniform."
    )
    close_up_scale: tuple[float, float] = Field(
        default=(1.6, 4.0), description="Of a close-up, uniform."
    )
    close_ups: Share = Field(default=0.15, description="Share of crops enlarged.")
    on_a_face: Share = Field(default=0.75, description="Share placed about a face.")
    spoilt: Share = Field(default=0.5, description="Share exposed and recorded anew.")
    smallest_face_px: float = Field(
        default=9.0, gt=0.0, description="Smaller faces count neither way."
    )
    least_inside: Share = Field(
        default=0.6, description="A face less inside the crop counts neither way."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crop:
    """One training image and its truth.

    Attributes:
        image_bgr: (h, w, 3) uint8.
        boxes_xyxy: (m, 4) float32, its pixels.
        landmarks: (m, 5, 2) float32, its pixels.
        kinds: (m,) int64, 1 a face and -1 a region that counts neither way.
    """

    image_bgr: NDArray[np.uint8]
    boxes_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    kinds: NDArray[np.int64]


def _placed(
    scenes: Scenes, index: int, config: CropConfig, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the (2, 3) map from the image's pixels to the crop's."""
    low, high = np.log(config.scale)
    scale = float(np.exp(rng.uniform(low, high)))
    if rng.random() < config.close_ups:
        scale = float(rng.uniform(*config.close_up_scale))
    shape = np.array([config.width_px, config.height_px])
    boxes, faces = scenes.boxes_xyxy(index), np.flatnonzero(scenes.kinds(index) == 1)
    if len(faces) > 0 and rng.random() < config.on_a_face:
        x1, y1, x2, y2 = boxes[rng.choice(faces)]
        corner = scale * np.array([x1 + x2, y1 + y2]) / 2
        corner = corner - rng.uniform(0.1, 0.9, size=2) * shape
    else:
        height, width = scenes.size_px[index]
        corner = scale * rng.uniform(0.0, 1.0, size=2) * (width, height) - shape / 2
    matrix = np.array([[scale, 0.0, -corner[0]], [0.0, scale, -corner[1]]])
    if rng.random() < 0.5:
        matrix[0] = np.array([0.0, 0.0, config.width_px]) - matrix[0]
    return matrix


def _kind_in_crop(
    boxes: NDArray[np.float64], kinds: NDArray[np.int64], config: CropConfig
) -> NDArray[np.int64]:
    """Return 1, -1 or, for what lies outside, 0."""
    limit = np.array([config.width_px, config.height_px] * 2)
    inside = np.clip(boxes, 0, limit)
    area = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
    share = area / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    height = boxes[:, 3] - boxes[:, 1]
    counts = (share >= config.least_inside) & (height >= config.smallest_face_px)
    return np.where(share <= 0.0, 0, np.where(counts, kinds, -1))


def draw_crop(scenes: Scenes, config: CropConfig, *, rng: np.random.Generator) -> Crop:
    """Cut, scale, mirror and degrade a random part of a random image."""
    index = int(rng.integers(len(scenes)))
    matrix = _placed(scenes, index, config, rng)
    # From the records' pixel corners to OpenCV's pixel centres.
    sampled = matrix.copy()
    sampled[:, 2] += 0.5 * matrix[:, :2].sum(axis=1) - 0.5
    image = np.asarray(
        cv2.warpAffine(
            scenes.image(index), sampled, (config.width_px, config.height_px)
        ),
        dtype=np.uint8,
    )
    if rng.random() < config.spoilt:
        image = recorded(
            exposed(image, config=_SPOILT, rng=rng), config=_SPOILT, rng=rng
        )
    points = scenes.landmarks(index) @ matrix[:, :2].T + matrix[:, 2]
    if matrix[0, 0] < 0.0:
        points = points[:, MIRRORED]
    corners = scenes.boxes_xyxy(index).reshape(-1, 2, 2) @ matrix[:, :2].T
    corners = corners + matrix[:, 2]
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    kinds = _kind_in_crop(boxes, scenes.kinds(index), config)
    kept = np.flatnonzero(kinds)
    return Crop(
        image_bgr=image,
        boxes_xyxy=boxes[kept].astype(np.float32),
        landmarks=points[kept].astype(np.float32),
        kinds=kinds[kept],
    )
