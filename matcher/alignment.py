"""From five landmarks to an upright chip, by one closed formula.

Owns the template that faces are laid on, the least-squares similarity, and the
resampling. Knows nothing of detectors, embedders or quality; training cuts its
chips with the same functions, so that a network meets in service what it learnt.

Coordinates are those of the records: continuous pixels whose origin is the top left
corner of the top left pixel, so the centre of that pixel is (0.5, 0.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["align", "fit_residuals", "fit_similarity", "template"]

# Right eye, left eye, nose tip, right and left mouth corner of the subject in a chip
# of 112 pixels, at pixel centres. Eyes are 35.2 px apart, 46 % of the way down.
# Source: Deng et al., ArcFace, CVPR 2019; insightface/utils/face_align.py.
_ARCFACE_112 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


def template(chip_px: int) -> NDArray[np.float64]:
    """Place the five landmarks in a chip of side `chip_px`: (5, 2), pixels."""
    return (_ARCFACE_112 + 0.5) * (chip_px / 112.0)


def fit_similarity(
    landmarks: NDArray[np.float32], *, chip_px: int
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Fit the similarity that lays landmarks on the template.

    With points as complex numbers a similarity of the plane is z -> a z + b, and
    least squares is one division. A robust estimator is unstable on five points.

    Args:
        landmarks: (n, 5, 2) pixels; the five points of a face must not coincide.
        chip_px: Side of the chip.

    Returns:
        The factors a, (n,), whose modulus is the scale from frame to chip, and the
        shifts b, (n,).

    Source:
        Umeyama, Least-squares estimation of transformation parameters, IEEE TPAMI
        13(4), 1991; in the plane the rotation is unimodular complex and the
        singular value decomposition falls away.
    """
    source = landmarks[..., 0] + 1j * landmarks[..., 1].astype(np.float64)
    target = template(chip_px) @ np.array([1.0, 1.0j])
    source_mean = source.mean(axis=1)
    spread = source - source_mean[:, None]
    power = np.maximum((spread.conj() * spread).real.sum(axis=1), np.finfo(float).tiny)
    factor = (spread.conj() * (target - target.mean())).sum(axis=1) / power
    return factor, target.mean() - factor * source_mean


def fit_residuals(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    """Measure how far faces are from the frontal template after the best similarity.

    Args:
        landmarks: (n, 5, 2) pixels.

    Returns:
        (n,) root mean square distance in eye distances of the template: 0 is the
        template itself; turning and nodding both raise it.
    """
    factor, shift = fit_similarity(landmarks, chip_px=112)
    fitted = factor[:, None] * (landmarks[..., 0] + 1j * landmarks[..., 1])
    target = template(112) @ np.array([1.0, 1.0j])
    error = np.abs(fitted + shift[:, None] - target)
    rms: NDArray[np.float64] = np.sqrt(np.mean(error**2, axis=1))
    rms /= abs(target[1] - target[0])
    return rms


def align(
    image: NDArray[np.uint8], landmarks: NDArray[np.float32], *, chip_px: int
) -> NDArray[np.uint8]:
    """Cut upright chips of one size out of an image.

    Args:
        image: (h, w, 3) uint8, or (h, w) if it is luma alone.
        landmarks: (n, 5, 2) pixels, the subject's right eye first; n may be 0.
        chip_px: Side of the chips.

    Returns:
        (n, chip_px, chip_px, 3) or (n, chip_px, chip_px) uint8. Beyond the image its
        edge is repeated.
    """
    chips = np.empty((len(landmarks), chip_px, chip_px, *image.shape[2:]), np.uint8)
    factors, shifts = fit_similarity(landmarks, chip_px=chip_px)
    for chip, factor, shift in zip(chips, factors, shifts, strict=True):
        _cut(image, complex(factor), complex(shift), out=chip)
    return chips


def _cut(
    image: NDArray[np.uint8],
    factor: complex,
    shift: complex,
    *,
    out: NDArray[np.uint8],
) -> None:
    """Warp one chip; shrink first where bilinear sampling would alias."""
    side = out.shape[0]
    source = image
    # Points that coincide give the factor 0; their chip is one colour, not an error.
    step = int(1.0 / abs(factor)) if abs(factor) * max(source.shape) > 1.0 else 1
    if step > 1:
        corners = (np.array([0, side, side * (1 + 1j), side * 1j]) - shift) / factor
        left, top = max(0, int(corners.real.min())), max(0, int(corners.imag.min()))
        right, bottom = int(corners.real.max()) + step, int(corners.imag.max()) + step
        region = image[top : max(bottom, 0), left : max(right, 0)]
        height, width = region.shape[0] // step, region.shape[1] // step
        if height > 0 and width > 0:
            source = np.empty((height, width, *image.shape[2:]), np.uint8)
            whole = region[: height * step, : width * step]
            cv2.resize(whole, (width, height), source, interpolation=cv2.INTER_AREA)
            shift += factor * complex(left, top)
            factor *= step
    # OpenCV puts the centre of the first pixel at (0, 0), the records at (0.5, 0.5).
    shift += (factor - 1.0) * (0.5 + 0.5j)
    matrix = np.array(
        [
            [factor.real, -factor.imag, shift.real],
            [factor.imag, factor.real, shift.imag],
        ]
    )
    cv2.warpAffine(
        source,
        matrix,
        (side, side),
        dst=out,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
