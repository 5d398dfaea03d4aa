"""The stretch of ground before a camera: where people may walk, and where walls are.

Owns the plan that walks and scenery share, so that nobody walks through a wall and
nobody appears out of thin air: people come round a corner on the left or step into
view from the right. Knows nothing of cameras' pixels, people or paint.

Plan, seen from above, camera at C looking along +x::

    y  wall ═══════════════════════ wall ══╗   ╔══ wall ═══ end
    │           zone of recognition        ║ ◄─╨─ corner
    C ─►        ┌────────────────┐
    │           └────────────────┘              way in from the right
    └ ─ ─ ─ ─ ─ way back (counterflow) ─ ─ ─ ─ ─ kerb ─ ─ ─ ─ ─ ─ x
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthetic_crowds.config import CameraConfig

__all__ = ["Layout", "lay_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Distances on the ground, metres; x along the street, y to the left.

    Attributes:
        zone_near_x_m, zone_far_x_m: Ends of the zone of recognition.
        zone_half_width_m: It reaches as far to either side of y = 0.
        wall_y_m: Face of the buildings on the left.
        corner_near_x_m, corner_far_x_m: The gap in them.
        back_lane_y_m: Middle of the lane of those who walk away.
        kerb_y_m: Where the pavement ends on the right.
        far_wall_y_m: Face of the buildings across the road.
        end_x_m: Where the street ends.
        behind_x_m: Where they are out of view who have passed the camera.
        view_slope: Half the width of view per metre of distance.
    """

    zone_near_x_m: float
    zone_far_x_m: float
    zone_half_width_m: float
    wall_y_m: float
    corner_near_x_m: float
    corner_far_x_m: float
    back_lane_y_m: float
    kerb_y_m: float
    far_wall_y_m: float
    end_x_m: float
    behind_x_m: float
    view_slope: float

    def out_of_view_y_m(self, x_m: float) -> float:
        """A place on the right that the camera does not see, `x_m` away from it."""
        return -(self.view_slope * x_m + 0.8)


def lay_out(camera: CameraConfig) -> Layout:
    """Fit a stretch of street around a camera's zone of recognition."""
    half_width_m = camera.zone_width_m / 2
    return Layout(
        zone_near_x_m=camera.zone_near_m,
        zone_far_x_m=camera.zone_far_m,
        zone_half_width_m=half_width_m,
        wall_y_m=half_width_m + 1.0,
        corner_near_x_m=camera.zone_far_m + 5.0,
        corner_far_x_m=camera.zone_far_m + 9.0,
        back_lane_y_m=-(half_width_m + 0.6),
        kerb_y_m=-(half_width_m + 1.3),
        far_wall_y_m=-(half_width_m + 10.0),
        end_x_m=camera.zone_far_m + 55.0,
        behind_x_m=-2.0,
        view_slope=camera.width_px / 2 / camera.focal_length_px,
    )
