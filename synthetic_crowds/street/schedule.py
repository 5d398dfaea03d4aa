"""How busy a street is from moment to moment: footfall as a factor over clip time.

Owns the shapes and the drawing of moments from them. Knows nothing of who comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthetic_crowds.config import FootfallShape

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.config import CrowdConfig

__all__ = ["draw_moments"]

# Knots (share of the clip, factor). A surge rises within a twentieth of the clip to six
# times what was before and ebbs away more slowly; its mean over the clip is 1.
_SURGE = (
    (0.0, 0.4),
    (0.30, 0.4),
    (0.35, 2.4),
    (0.50, 2.4),
    (0.70, 0.8),
    (1.0, 0.4),
)
# Hourly factors of pedestrians in a British town centre from midnight to midnight, in
# outline: few at night, a first peak on the way to work, the highest at lunch, one on
# the way home. The outline is chosen, its mean is 1.
_DIURNAL_HOURLY = (
    0.10, 0.06, 0.04, 0.04, 0.06, 0.15, 0.45, 0.95, 1.35, 1.20, 1.35, 1.65,
    2.10, 2.10, 1.85, 1.75, 1.80, 2.00, 1.65, 1.15, 0.85, 0.65, 0.45, 0.25, 0.10,
)  # fmt: skip
# Finely enough for shapes of a few knots.
_STEPS = 2000


def _knots(crowd: CrowdConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if crowd.footfall_schedule:
        times, factors = zip(*crowd.footfall_schedule, strict=True)
        return np.array(times), np.array(factors)
    if crowd.footfall_shape is FootfallShape.SURGE:
        shares, factors = zip(*_SURGE, strict=True)
    else:
        factors = _DIURNAL_HOURLY
        shares = tuple(np.linspace(0.0, 1.0, len(factors)).tolist())
    return np.array(shares) * crowd.duration_s, np.array(factors)


def draw_moments(
    crowd: CrowdConfig, rate_hz: float, first_s: float, last_s: float, *, rng: Generator
) -> NDArray[np.float64]:
    """Draw when something happens that follows the footfall.

    Args:
        crowd: Its schedule.
        rate_hz: How often while the factor is 1.
        first_s: From this moment of clip time; before the first knot its factor holds.
        last_s: To this one.
        rng: Consumed.

    Returns:
        Moments of an inhomogeneous Poisson process, rising.

    Source:
        Çinlar, Introduction to Stochastic Processes (1975), 4.7: the moments are those
        of a homogeneous process on the integral of the rate.
    """
    steady = crowd.footfall_shape is FootfallShape.STEADY
    if steady and not crowd.footfall_schedule:
        count = rng.poisson(rate_hz * (last_s - first_s))
        return np.sort(rng.uniform(first_s, last_s, count))
    grid = np.linspace(first_s, last_s, _STEPS + 1)
    factor = np.interp(grid, *_knots(crowd))
    risen = np.concatenate(
        ([0.0], np.cumsum((factor[1:] + factor[:-1]) / 2.0 * np.diff(grid)))
    )
    count = rng.poisson(rate_hz * risen[-1])
    return np.interp(np.sort(rng.uniform(0.0, risen[-1], count)), risen, grid)
