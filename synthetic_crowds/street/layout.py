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

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthetic_crowds.street.settings import WayIn

if TYPE_CHECKING:
    from synthetic_crowds.camera_config import CameraConfig

__all__ = ["Layout", "lay_out"]

_NO_WALL_M = 100.0
# How many come round the corner on the left; the others step in from the right.
_LEFT_SHARE = 0.55
_LEFT_SHARES = {WayIn.BOTH: _LEFT_SHARE, WayIn.LEFT: 1.0, WayIn.RIGHT: 0.0}


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
        lens_x_m, lens_y_m: Place below the lens.
        pan_rad: How far to the left of +x the camera looks.
        open_left: Whether there is no wall: people step in beyond the frame's edge.
        left_share: Of those who walk towards the camera, how many come from the left.
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
    lens_x_m: float = 0.0
    lens_y_m: float = 0.0
    pan_rad: float = 0.0
    open_left: bool = False
    left_share: float = _LEFT_SHARE

    def out_of_view_y_m(self, x_m: float) -> float:
        """A place on the right that the camera does not see, this far down."""
        slope = self.view_slope
        if self.pan_rad:
            slope = math.tan(math.atan(slope) - self.pan_rad)
        return self.lens_y_m - (slope * (x_m - self.lens_x_m) + 0.8)

    def way_out_y_m(self, x_m: float) -> float:
        """Where those end who walk away, this far down: on the right if they may."""
        if self.left_share == 1.0:
            return self.way_in_left_m(x_m)[0] + 1.0
        return self.out_of_view_y_m(x_m) - 1.0

    def way_in_left_m(self, x_m: float) -> tuple[float, float]:
        """Where those start who come from the left, and where they are in view."""
        if not self.open_left:
            return self.wall_y_m + 2.0, self.wall_y_m - 0.8
        slope = math.tan(math.atan(self.view_slope) + self.pan_rad)
        start = self.lens_y_m + slope * (x_m - self.lens_x_m) + 0.8
        return start, self.zone_half_width_m + 0.5


def lay_out(camera: CameraConfig) -> Layout:
    """Fit a stretch of street around a camera's zone of recognition."""
    half_width_m = camera.zone_width_m / 2
    photographed = camera.background is not None
    # A photograph's walls are not known: there are none within anybody's reach.
    wall_m = _NO_WALL_M if photographed else 0.0
    return Layout(
        zone_near_x_m=camera.zone_near_m,
        zone_far_x_m=camera.zone_far_m,
        zone_half_width_m=half_width_m,
        wall_y_m=half_width_m + 1.0 + wall_m,
        corner_near_x_m=camera.zone_far_m + 5.0,
        corner_far_x_m=camera.zone_far_m + 9.0,
        back_lane_y_m=-(half_width_m + 0.6),
        kerb_y_m=-(half_width_m + 1.3),
        far_wall_y_m=-(half_width_m + 10.0 + wall_m),
        end_x_m=camera.zone_far_m + 55.0,
        behind_x_m=camera.lens_x_m - 2.0,
        view_slope=camera.width_px / 2 / camera.focal_length_px,
        lens_x_m=camera.lens_x_m,
        lens_y_m=camera.lens_y_m,
        pan_rad=math.radians(camera.pan_deg),
        open_left=photographed,
        left_share=_LEFT_SHARES[camera.way_in],
    )
