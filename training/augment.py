"""Turns a clean render into what a street camera would have delivered.

Owns the degradations between a face and its chip: size, exposure, blur, noise,
compression, things in the way, and landmarks that miss. Knows nothing of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from matcher.alignment import align, fit_similarity, template

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "CLEAN",
    "DETECTED",
    "MIRRORED",
    "STREET",
    "DegradationConfig",
    "degraded_chip",
    "exposed",
    "recorded",
]

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Range = tuple[float, float]

# Right and left change places when an image is mirrored.
MIRRORED = np.array([1, 0, 2, 4, 3])


class DegradationConfig(BaseModel):
    """How badly a camera may treat a face; every range is drawn from uniformly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    face_height_px: Range = Field(
        default=(26.0, 110.0), description="face height in the frame, log-uniform"
    )
    gamma: Range = Field(default=(0.7, 1.4), description="exposure curve")
    gain: Range = Field(default=(0.7, 1.25), description="exposure factor")
    tint: float = Field(
        default=0.08, ge=0.0, le=0.5, description="largest gain error per channel"
    )
    lens_blur_px: Range = Field(default=(0.0, 1.1), description="Gaussian sigma")
    motion_share: float = Field(
        default=0.06, ge=0.0, le=0.5, description="longest smear, in face heights"
    )
    noise_levels: Range = Field(default=(0.0, 6.0), description="sigma, of 255")
    jpeg_quality: tuple[int, int] = Field(default=(30, 95), description="OpenCV's")
    landmark_jitter: Range = Field(
        default=(0.01, 0.08),
        description="sigma, in eye distances, of what is left after refining",
    )
    common_jitter: float = Field(
        default=0.0,
        ge=0.0,
        le=0.5,
        description="sigma, in eye distances, of an error that all landmarks share",
    )
    occlusion: Share = Field(default=0.15, description="share of faces partly covered")
    mirror: Share = Field(default=0.5, description="share of faces mirrored")


STREET = DegradationConfig()

# What the refiner is to mend; the detector's own error, measured, is 0.13.
DETECTED = DegradationConfig(landmark_jitter=(0.02, 0.2), common_jitter=0.06)

# An enrolment desk: near, still, well lit.
CLEAN = DegradationConfig(
    face_height_px=(90.0, 140.0),
    gamma=(0.85, 1.2),
    gain=(0.9, 1.1),
    tint=0.03,
    lens_blur_px=(0.0, 0.6),
    motion_share=0.0,
    noise_levels=(0.0, 2.0),
    jpeg_quality=(75, 98),
    landmark_jitter=(0.005, 0.03),
    occlusion=0.0,
)


def exposed(
    image: NDArray[np.uint8], *, config: DegradationConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Expose (h, w, 3) too much or too little, with a colour cast."""
    gain = rng.uniform(*config.gain) * (
        1.0 + rng.uniform(-config.tint, config.tint, size=3)
    )
    gamma = rng.uniform(*config.gamma)
    ramp = (np.arange(256) / 255.0) ** gamma
    table = np.clip(255.0 * ramp[:, None] * gain, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[None]), dtype=np.uint8)


def _covered(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lay a shoulder, a scarf or someone's head over one side, as a plain ellipse."""
    height, width = image.shape[:2]
    angle = rng.uniform(-0.2, np.pi + 0.2)  # from the sides and below, not above
    reach = rng.uniform(0.75, 1.05)
    centre = (
        round(width / 2 + reach * width / 2 * np.cos(angle)),
        round(height / 2 + reach * height / 2 * np.sin(angle)),
    )
    axes = (
        round(rng.uniform(0.2, 0.45) * width),
        round(rng.uniform(0.2, 0.45) * height),
    )
    covered = image.copy()
    colour = [float(c) for c in rng.uniform(10, 220, size=3)]
    cv2.ellipse(covered, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return covered


def _smeared(
    image: NDArray[np.uint8], length_px: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    if length_px < 1.0:
        return image
    # A line of unit mass through the kernel's centre, drawn on a finer grid.
    half = int(np.ceil(length_px / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    angle = rng.uniform(0, np.pi)
    along = np.linspace(-length_px / 2, length_px / 2, 4 * half + 1)
    rows = np.round(half + along * np.sin(angle)).astype(int)
    columns = np.round(half + along * np.cos(angle)).astype(int)
    np.add.at(kernel, (rows, columns), 1.0 / len(along))
    return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


def recorded(
    image: NDArray[np.uint8], *, config: DegradationConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add the sensor's noise and the codec's blocks to (h, w, 3)."""
    sigma = rng.uniform(*config.noise_levels)
    noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sigma)
    noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
    quality = int(rng.integers(*config.jpeg_quality))
    _, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), dtype=np.uint8)


def degraded_chip(
    image_bgr: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    face_height_px: float,
    *,
    config: DegradationConfig,
    chip_px: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Show a face as a camera would have delivered it, aligned as well as may be.

    Args:
        image_bgr: (h, w, 3) uint8, a clean render.
        landmarks: (5, 2) float32, its pixels.
        face_height_px: Height of the face in it.
        config: How bad camera and detector may be.
        chip_px: Side of the chip.
        rng: Source of every draw.

    Returns:
        The chip, (chip_px, chip_px, 3) uint8, and how far its landmarks lie from the
        chip's template, (5, 2) float32, in chip sides.
    """
    image, points = _degraded(
        image_bgr, landmarks, face_height_px, config=config, rng=rng
    )
    eye_distance = float(np.linalg.norm(points[1] - points[0]))
    sigma = rng.uniform(*config.landmark_jitter) * eye_distance
    missed = points + rng.normal(0.0, sigma, size=points.shape)
    missed += rng.normal(0.0, config.common_jitter * eye_distance, size=2)
    chip = align(image, missed[None].astype(np.float32), chip_px=chip_px)[0]
    factor, shift = fit_similarity(missed[None].astype(np.float32), chip_px=1)
    placed = factor * (points @ np.array([1.0, 1.0j])) + shift
    shifts = np.stack((placed.real, placed.imag), axis=-1) - template(1)
    return chip, shifts.astype(np.float32)


def _degraded(
    image_bgr: NDArray[np.uint8],
    landmarks: NDArray[np.float32],
    face_height_px: float,
    *,
    config: DegradationConfig,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return what the camera delivers, and the landmarks in it."""
    image, points = image_bgr, landmarks.astype(np.float64)
    if rng.random() < config.mirror:
        image = np.ascontiguousarray(image[:, ::-1])
        points = points[MIRRORED] * (-1.0, 1.0) + (image.shape[1], 0.0)
    image = exposed(image, config=config, rng=rng)
    wanted = np.exp(rng.uniform(*np.log(config.face_height_px)))
    factor = wanted / face_height_px
    if factor < 1.0:
        # Enlarging would only cost time: alignment resamples anyway.
        size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
        points = points * (size[0] / image.shape[1], size[1] / image.shape[0])
        image = np.asarray(
            cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8
        )
    if rng.random() < config.occlusion:
        image = _covered(image, rng)
    image = _smeared(image, rng.uniform(0, config.motion_share) * wanted, rng)
    sigma = rng.uniform(*config.lens_blur_px)
    if sigma > 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)
    image = recorded(image, config=config, rng=rng)
    return image, points
