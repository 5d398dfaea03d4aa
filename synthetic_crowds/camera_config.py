"""Settings of one camera: where it hangs, its lens, its sensor, its encoder, its scene.

Owns ranges, units and defaults. Knows nothing of how a setting is carried out.
"""

from __future__ import annotations

import math
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthetic_crowds.street.settings import Share, WayIn

__all__ = ["CameraConfig"]


class CameraConfig(BaseModel):
    """One camera over one stretch of pavement, looking along it.

    The defaults are a van's camera on its mast with a longer lens: faces in the
    zone of recognition are some 35 to 85 pixels high.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    camera_id: str = Field(
        default="cam1",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$",
        description="Name of the camera: small letters, digits, hyphens.",
    )
    width_px: int = Field(default=1280, ge=160, le=3840, multiple_of=2)
    height_px: int = Field(default=720, ge=120, le=2160, multiple_of=2)
    fps: float = Field(default=10.0, ge=1.0, le=60.0, description="Frames per second.")
    mount_height_m: float = Field(
        default=2.8, ge=1.0, le=8.0, description="Height of the lens over the ground."
    )
    tilt_deg: float = Field(
        default=7.5, ge=-10.0, le=60.0, description="Downwards from the horizon."
    )
    hfov_deg: float = Field(
        default=33.0, ge=5.0, le=110.0, description="Horizontal field of view."
    )
    zone_near_m: float = Field(
        default=5.0,
        ge=1.0,
        le=60.0,
        description="Near edge of the zone of recognition, metres along the ground.",
    )
    zone_far_m: float = Field(
        default=12.0,
        ge=1.0,
        le=80.0,
        description="Far edge of the zone of recognition, metres along the ground.",
    )
    zone_width_m: float = Field(
        default=3.0, gt=0.4, le=30.0, description="Width of the zone of recognition."
    )
    exposure_s: float = Field(
        default=0.004,
        gt=0.0,
        le=0.2,
        description="Shutter time; longer means more motion blur.",
    )
    gain_db: float = Field(
        default=6.0, ge=0.0, le=48.0, description="Sensor gain; more means more noise."
    )
    lens_blur_px: float = Field(
        default=0.6,
        ge=0.0,
        le=5.0,
        description="Standard deviation of the lens's blur.",
    )
    pupil_mm: float = Field(
        default=0.0,
        ge=0.0,
        le=100.0,
        description="Width of the lens's pupil: focal length over f-number. The wider, "
        "the shallower the depth of field; 0 has everything in focus.",
    )
    focus_m: float = Field(
        default=8.0, ge=0.5, le=200.0, description="Where the lens is focused."
    )
    dirt: Share = Field(default=0.0, description="How dirty the glass is.")
    glare: Share = Field(
        default=0.0, description="How much light a lamp or the sun throws on the glass."
    )
    bitrate_mbps: float = Field(
        default=4.0, gt=0.05, le=100.0, description="Of the H.264 stream, Mbit/s."
    )

    background: str | None = Field(
        default=None,
        min_length=1,
        description="A photograph of an empty site, taken by this camera, in place of "
        "the painted street.",
    )
    ground_points: tuple[tuple[float, float, float, float], ...] = Field(
        default=(),
        max_length=200,
        description="Points on the ground that the photograph shows: pixel x, pixel y, "
        "x_m, y_m; at least 4. They say how the camera stood.",
    )
    solve_hfov: bool = Field(
        default=False,
        description="Whether ground_points say the field of view as well.",
    )
    way_in: WayIn = Field(
        default=WayIn.BOTH,
        description="From beyond which edge of the frame people come: not where the "
        "photograph has a wall.",
    )
    pan_deg: float = Field(
        default=0.0,
        ge=-80.0,
        le=80.0,
        description="To the left of the street; only before a photograph.",
    )
    roll_deg: float = Field(
        default=0.0,
        ge=-45.0,
        le=45.0,
        description="Clockwise, as seen from behind; only before a photograph.",
    )
    lens_x_m: float = Field(
        default=0.0,
        ge=-200.0,
        le=200.0,
        description="Place below the lens, metres; only before a photograph.",
    )
    lens_y_m: float = Field(
        default=0.0,
        ge=-200.0,
        le=200.0,
        description="Place below the lens, metres; only before a photograph.",
    )

    @model_validator(mode="after")
    def _check_background(self) -> Self:
        posed = (self.pan_deg, self.roll_deg, self.lens_x_m, self.lens_y_m)
        said = bool(self.ground_points) or any(posed) or self.way_in is not WayIn.BOTH
        if self.background is None and said:
            message = (
                "ground_points, way_in, pan_deg, roll_deg, lens_x_m, lens_y_m need a "
                f"background, got none for camera '{self.camera_id}'; name a photograph"
            )
            raise ValueError(message)
        fewest = 5 if self.solve_hfov else 4
        asked = bool(self.ground_points) or self.solve_hfov
        if asked and len(self.ground_points) < fewest:
            message = (
                f"ground_points must be at least {fewest}"
                f"{' with solve_hfov' if self.solve_hfov else ''}, got "
                f"{len(self.ground_points)} for camera '{self.camera_id}'; add some"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_geometry(self) -> Self:
        if self.zone_near_m >= self.zone_far_m:
            message = (
                f"zone_near_m must be below zone_far_m, got {self.zone_near_m:g} and "
                f"{self.zone_far_m:g} for camera '{self.camera_id}'; swap or widen them"
            )
            raise ValueError(message)
        if self.background is not None:
            # What a photograph shows is known when its points have been solved.
            return self
        bottom_deg = self.tilt_deg + self.vfov_deg / 2
        top_deg = self.tilt_deg - self.vfov_deg / 2
        face_deg = [
            math.degrees(math.atan2(self.mount_height_m - 1.6, edge_m))
            for edge_m in (self.zone_near_m, self.zone_far_m)
        ]
        if max(face_deg) > bottom_deg or min(face_deg) < top_deg:
            message = (
                f"camera '{self.camera_id}' must see a face 1.6 m high at both edges "
                f"of its zone ({min(face_deg):.1f} to {max(face_deg):.1f} deg down), "
                f"but sees {top_deg:.1f} to {bottom_deg:.1f}; change tilt_deg, "
                "mount_height_m or the zone"
            )
            raise ValueError(message)
        return self

    @property
    def focal_length_px(self) -> float:
        """Focal length in pixels, the same both ways (square pixels)."""
        return self.width_px / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    @property
    def vfov_deg(self) -> float:
        """Vertical field of view, degrees."""
        return math.degrees(2 * math.atan(self.height_px / 2 / self.focal_length_px))
