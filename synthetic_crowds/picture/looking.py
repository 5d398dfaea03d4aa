"""Where a camera sees every vertex of a person who stands or walks.

Owns the way from bones and a turned head to the screen, in one pass, for it is the
first cost of every person in every frame. Knows nothing of what is drawn there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from synthetic_crowds.bodies.skeleton import applied, chained
from synthetic_crowds.raster.figure import View
from synthetic_crowds.raster.figure_meshes import SUBPIXELS
from synthetic_crowds.raster.figure_placing import place, place_skin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthetic_crowds.picture.actors import Posed
    from synthetic_crowds.picture.doubles import Double
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.figure_placing import Lens

__all__ = ["look"]


def look(posed: Posed, double: Double, camera: Camera, *, nearest_m: float) -> View:
    """Project body and head; nothing is taken to be nearer than `nearest_m`."""
    k, bones = camera.intrinsics, posed.bones
    screen, inverse, corners, boxes = _look(
        double.rest_m,
        double.rest_normals,
        double.bones,
        double.weights,
        bones.rotations,
        bones.offsets_m,
        posed.body_turn,
        posed.feet_m,
        double.head,
        posed.head_turn,
        posed.neck_m,
        double.figure.looks,
        camera.rotation,
        camera.position_m,
        (k.fx_px, k.fy_px, k.cx_px, k.cy_px),
        nearest_m,
    )
    return View(screen=screen, inverse=inverse, corners=corners, boxes_xyxy=boxes)


@njit(cache=True, nogil=True, error_model="numpy")
def _look(  # noqa: PLR0913, PLR0917
    rest: NDArray[np.float32],
    normals: NDArray[np.float32],
    bones: NDArray[np.uint8],
    weights: NDArray[np.float32],
    rotations: NDArray[np.float64],
    offsets: NDArray[np.float64],
    body_turn: NDArray[np.float64],
    feet: NDArray[np.float64],
    head: NDArray[np.float32],
    head_turn: NDArray[np.float64],
    neck: NDArray[np.float64],
    looks: NDArray[np.float32],
    rotation: NDArray[np.float64],
    eye: NDArray[np.float64],
    lens: Lens,
    nearest: float,
) -> tuple[
    NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]
]:
    """Compute the fields of `View`: of the body, then of the head."""
    n = looks.shape[1]
    screen = np.empty((n, 2), np.int32)
    inverse = np.empty(n, np.float32)
    corners = np.empty((n, 8), np.float32)
    boxes = np.empty((2, 4))
    turn = chained(rotation, body_turn)
    seen = screen, inverse, corners
    below = place_skin(
        rest, normals, bones, weights, rotations, offsets, turn,
        applied(rotation, feet - eye), lens, nearest, looks, seen, 0,
    )  # fmt: skip
    # The foot of the neck stays with the body.
    above = place(
        head, chained(rotation, head_turn), turn, applied(rotation, neck - eye), lens,
        nearest, looks, seen, len(rest),
    )  # fmt: skip
    for i in range(4):
        boxes[0, i], boxes[1, i] = below[i] / SUBPIXELS, above[i] / SUBPIXELS
    return screen, inverse, corners, boxes
