"""How much of the sky within reach each point of a mesh sees, by casting rays.

Owns the occlusion baked into the basis of bodies. `sky.py` looks at a whole mesh from
without; here only what lies within reach counts, as between an arm and a flank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fibonacci_sphere", "sky_share"]


@njit(cache=True)
def sky_share(
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    corners: NDArray[np.float64],
    rays: NDArray[np.float64],
    reach: float,
) -> NDArray[np.float64]:
    """Share of cosine-weighted rays above each point that no triangle stops.

    Plain brute force (Moeller-Trumbore): it runs once, by hand, in a minute.
    """
    result = np.zeros(len(points))
    for p in range(len(points)):
        total, free = 0.0, 0.0
        origin = points[p] + 3e-3 * normals[p]
        for ray in rays:
            cosine = (
                ray[0] * normals[p, 0] + ray[1] * normals[p, 1] + ray[2] * normals[p, 2]
            )
            if cosine <= 0.05:
                continue
            total += cosine
            stopped = False
            for t in range(len(corners)):
                e1 = corners[t, 1] - corners[t, 0]
                e2 = corners[t, 2] - corners[t, 0]
                h0 = ray[1] * e2[2] - ray[2] * e2[1]
                h1 = ray[2] * e2[0] - ray[0] * e2[2]
                h2 = ray[0] * e2[1] - ray[1] * e2[0]
                a = e1[0] * h0 + e1[1] * h1 + e1[2] * h2
                if abs(a) < 1e-14:
                    continue
                s0 = origin[0] - corners[t, 0, 0]
                s1 = origin[1] - corners[t, 0, 1]
                s2 = origin[2] - corners[t, 0, 2]
                u = (s0 * h0 + s1 * h1 + s2 * h2) / a
                if u < 0.0 or u > 1.0:
                    continue
                q0 = s1 * e1[2] - s2 * e1[1]
                q1 = s2 * e1[0] - s0 * e1[2]
                q2 = s0 * e1[1] - s1 * e1[0]
                v = (ray[0] * q0 + ray[1] * q1 + ray[2] * q2) / a
                if v < 0.0 or u + v > 1.0:
                    continue
                distance = (e2[0] * q0 + e2[1] * q1 + e2[2] * q2) / a
                if 1e-5 < distance < reach:
                    stopped = True
                    break
            if not stopped:
                free += cosine
        result[p] = free / total if total > 0.0 else 1.0
    return result


def fibonacci_sphere(n: int) -> NDArray[np.float64]:
    """Spread n directions evenly over the sphere."""
    k = np.arange(n) + 0.5
    z = 1.0 - 2.0 * k / n
    angle = np.pi * (1.0 + 5.0**0.5) * k
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)
