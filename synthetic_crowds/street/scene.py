"""The empty street as one camera sees it, under one light.

Owns which surface each pixel shows, how far away it is and how it is lit. Rendered
once per clip: nothing in it moves. Knows nothing of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from synthetic_crowds.raster.colour import linear_to_srgb
from synthetic_crowds.raster.rasteriser import Canvas, draw
from synthetic_crowds.street.decor import WALL_TOP_M, decorate
from synthetic_crowds.street.furniture import furnish
from synthetic_crowds.street.obstacle_shapes import stand_up
from synthetic_crowds.street.shadows import cast, ellipse_m, rigid, view_ground
from synthetic_crowds.street.sheets import fractal_noise, look_up
from synthetic_crowds.street.shopfront import open_shops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from synthetic_crowds.config import Setting
    from synthetic_crowds.raster.camera import Camera
    from synthetic_crowds.raster.optics import Optics
    from synthetic_crowds.records import MeshPart
    from synthetic_crowds.street.decor import Decor
    from synthetic_crowds.street.layout import Layout
    from synthetic_crowds.street.lighting import StreetLight
    from synthetic_crowds.street.settings import ObstacleConfig, ShopConfig
    from synthetic_crowds.street.sheets import Sheet

    # Parts in world axes, where they stand, and the outline of their foot.
    _Casting = tuple[Sequence[MeshPart], NDArray[np.float64], NDArray[np.float64]]

__all__ = ["Scene", "build_scene", "is_ground"]

_LUMINANCE_BGR = np.array([0.0722, 0.7152, 0.2126], np.float32)
_SIDE_DEPTH_M = 9.0
# Paint is finer than the camera's pixels from here on; nearer, grain hides its blur.
_SHARP_FROM_M = 27.0
# How far beyond its foot a thing darkens the ground.
_FOOT_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """An empty street, ready to put people into.

    Attributes:
        background_bgr: (h, w, 3) uint8, sRGB.
        depth_m: (h, w) float32, along the optical axis.
        ground: (h, w) bool, where nothing but the ground shows.
    light: As exposed.
    """

    background_bgr: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    ground: NDArray[np.bool_]
    light: StreetLight

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        self.background_bgr.setflags(write=False)
        self.depth_m.setflags(write=False)
        self.ground.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wall:
    """A flat surface that rays may hit.

    Attributes:
        axis: World axis along its normal.
        at_m: Where it stands on that axis.
        normal: (3,) outward.
        along: World axis and sign of the sheet's u.
        lower_m, upper_m: (3,) bounds in the world; hits outside pass through.
        sheet: Its paint.
        shade: Factor on its light, for places the sky does not reach.
    """

    axis: int
    at_m: float
    normal: NDArray[np.float64]
    along: tuple[int, float]
    lower_m: tuple[float, float, float]
    upper_m: tuple[float, float, float]
    sheet: Sheet
    shade: float


def build_scene(
    setting: Setting,
    light: StreetLight,
    camera: Camera,
    layout: Layout,
    optics: Optics,
    *,
    samples: int = 2,
    obstacles: Sequence[ObstacleConfig] = (),
    shops: Sequence[ShopConfig] = (),
    rng: Generator,
) -> Scene:
    """Paint, light, furnish and expose a street.

    Args:
        setting: Which kind of street.
        light: Before exposure.
        camera: The eye.
        layout: The plan that its walkers keep to.
        optics: The camera's lens.
        samples: Rays per pixel along each side.
        obstacles: What stands about, beside the street's own furniture.
        shops: What opens on the left.
        rng: Decides shops, wear and furniture.
    """
    px_per_m = camera.intrinsics.fx_px / _SHARP_FROM_M
    decor = decorate(setting, layout, px_per_m=px_per_m, rng=rng)
    if shops:
        # From a stream of its own, so that a shop changes nothing else.
        open_shops(decor.left, shops, rng=rng.spawn(1)[0])
    radiance, depth_m = _trace(decor, light, camera, layout, samples)
    radiance = _weather(radiance, depth_m, light, rng=rng)
    canvas = Canvas(
        bgr=radiance,
        depth_m=depth_m,
        owner=np.full(depth_m.shape, -1, np.int32),
    )
    furniture = furnish(setting, layout, rng=rng)
    standing = stand_up(obstacles, rng=rng)
    shadows: list[_Casting] = []
    for part, place_m in furniture:
        radius_m = np.abs(part.vertices[:, :2]).max(axis=0) + _FOOT_M
        foot = ellipse_m(place_m * (1, 1, 0), 0.0, (radius_m[0], radius_m[1]))
        shadows.append(((part,), place_m, foot))
    shadows += [(thing.parts, thing.place_m, thing.foot_m) for thing in standing]
    _shade_ground(canvas, shadows, light, camera)
    parts = [*furniture, *((p, t.place_m) for t in standing for p in t.parts)]
    for part, place_m in parts:
        draw(
            canvas,
            part,
            rotation=camera.rotation,
            translation_m=camera.to_camera(place_m),
            intrinsics=camera.intrinsics,
            light=light.seen_by(camera),
            owner=0,
        )
    metered = float((canvas.bgr @ _LUMINANCE_BGR).mean())
    # Auto-exposure: halfway, in stops, to what the meter would like.
    exposure = float(np.sqrt(light.metered_level / max(metered, 1e-3)))
    background = linear_to_srgb(canvas.bgr * np.float32(exposure))
    if optics.lens_blur_px > 0:
        soft = cv2.GaussianBlur(background, (0, 0), optics.lens_blur_px)
        background = np.asarray(soft, np.uint8)
    return Scene(
        background_bgr=background,
        depth_m=canvas.depth_m,
        ground=is_ground(canvas.depth_m, camera),
        light=light.exposed(exposure),
    )


def _shade_ground(
    canvas: Canvas, things: list[_Casting], light: StreetLight, camera: Camera
) -> None:
    """Let things cast shadows before they are drawn over them."""
    ground = is_ground(canvas.depth_m, camera)
    view = view_ground(light, camera)
    for parts, place_m, foot_m in things:
        to_world = np.column_stack((np.eye(3), place_m))[None]
        shadow = cast(rigid(parts), to_world, foot_m, view)
        if shadow is not None:
            shadow.dim(canvas.bgr, ground)


def _trace(
    decor: Decor, light: StreetLight, camera: Camera, layout: Layout, samples: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cast rays and average them: linear light (h, w, 3) and depth (h, w), metres."""
    rays = camera.rays(step_px=1.0 / samples).astype(np.float32)
    eye = camera.position_m.astype(np.float32)
    depth = np.full(rays.shape[:2], layout.end_x_m * 4, np.float32)
    up = np.clip(rays[..., 2:] / np.linalg.norm(rays, axis=2, keepdims=True), 0, 1)
    zenith = (light.sky_bgr * 1.2).astype(np.float32)
    horizon = light.horizon_bgr.astype(np.float32)
    radiance = horizon + (zenith - horizon) * np.sqrt(up)
    pixel = np.float32(1.0 / camera.intrinsics.fx_px / samples)
    for wall in _walls(decor, layout):
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (np.float32(wall.at_m) - eye[wall.axis]) / rays[..., wall.axis]
        hit = np.isfinite(reach) & (reach > 0) & (reach < depth)
        reach = np.where(hit, reach, np.float32(1.0))
        place = eye + rays * reach[..., None]
        for axis in range(3):
            if axis != wall.axis:
                hit &= (place[..., axis] >= wall.lower_m[axis]) & (
                    place[..., axis] <= wall.upper_m[axis]
                )
        if not hit.any():
            continue
        rows = np.flatnonzero(hit.any(axis=1))
        columns = np.flatnonzero(hit.any(axis=0))
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        place, mask = place[window], hit[window]
        lit = _shade(wall, place, reach[window], rays[window], light, pixel)
        np.copyto(radiance[window], lit, where=mask[..., None])
        np.copyto(depth[window], reach[window], where=mask)
    size = (camera.width_px, camera.height_px)
    return (
        cv2.resize(radiance, size, interpolation=cv2.INTER_AREA),
        np.ascontiguousarray(depth[samples // 2 :: samples, samples // 2 :: samples]),
    )


def _walls(decor: Decor, layout: Layout) -> tuple[_Wall, ...]:
    """The ground and every wall of the plan, near ones first."""
    far, top = layout.end_x_m, WALL_TOP_M
    y_low, y_high = layout.far_wall_y_m, layout.wall_y_m + _SIDE_DEPTH_M
    left, toward = np.array([0.0, -1.0, 0.0]), np.array([-1.0, 0.0, 0.0])
    gap = (layout.corner_near_x_m, layout.corner_far_x_m)

    def run(x_from: float, x_to: float) -> _Wall:
        return _Wall(
            axis=1, at_m=layout.wall_y_m, normal=left, along=(0, 1.0),
            lower_m=(x_from, 0, 0), upper_m=(x_to, 0, top),
            sheet=decor.left, shade=1.0,
        )  # fmt: skip

    def across(x_m: float, y_from: float, y_to: float, shade: float) -> _Wall:
        return _Wall(
            axis=0, at_m=x_m, normal=toward, along=(1, -1.0),
            lower_m=(0, y_from, 0), upper_m=(0, y_to, top),
            sheet=decor.end, shade=shade,
        )  # fmt: skip

    return (
        _Wall(
            axis=2, at_m=0.0, normal=np.array([0.0, 0.0, 1.0]), along=(0, 1.0),
            lower_m=(0, y_low, 0), upper_m=(far, y_high, 0),
            sheet=decor.ground, shade=1.0,
        ),
        run(0.0, gap[0]),
        run(gap[1], far),
        across(gap[1], layout.wall_y_m, y_high, 0.75),
        across(far, y_low, y_high, 1.0),
        _Wall(
            axis=1, at_m=y_low, normal=-left, along=(0, -1.0),
            lower_m=(0, 0, 0), upper_m=(far, 0, top),
            sheet=decor.right, shade=1.0,
        ),
    )  # fmt: skip


def _shade(
    wall: _Wall,
    place: NDArray[np.float32],
    reach: NDArray[np.float32],
    rays: NDArray[np.float32],
    light: StreetLight,
    pixel: np.float32,
) -> NDArray[np.float32]:
    """Linear light (h, w, 3) that comes from a wall at these places."""
    axis, sign = wall.along
    u = place[..., axis] * np.float32(sign)
    v = place[..., 1] if wall.axis == 2 else place[..., 2]
    # A pixel's length along u, stretched by how flatly the ray meets the surface.
    flatness = np.abs(rays[..., axis] / rays[..., wall.axis])
    footprint = reach * pixel * np.sqrt(1 + flatness**2)
    albedo, glow = look_up(wall.sheet, u, v, footprint)
    received = light.on(wall.normal).astype(np.float32) * np.float32(wall.shade)
    # Corners between wall and ground see less of the sky.
    if wall.axis == 2:
        corner = np.float32(1.0)
    else:
        corner = 1.0 - 0.35 * np.exp(-place[..., 2] / 0.35)[..., None]
    warm = np.array([0.62, 0.82, 1.0], np.float32) * np.float32(light.glow)
    return np.asarray(
        albedo * received * corner + glow[..., None] * warm, dtype=np.float32
    )


def is_ground(depth_m: NDArray[np.float32], camera: Camera) -> NDArray[np.bool_]:
    """Where each pixel's ray ends (h, w) at the height of the ground."""
    rise = camera.rays()[..., 2]
    return np.asarray(np.abs(camera.position_m[2] + rise * depth_m) < 0.02)


def _weather(
    radiance: NDArray[np.float32],
    depth_m: NDArray[np.float32],
    light: StreetLight,
    *,
    rng: Generator,
) -> NDArray[np.float32]:
    """Haze with distance, blur out of focus, and clouds' unevenness of light."""
    far = np.clip((depth_m - 14.0) / 40.0, 0.0, 1.0)[..., None]
    sigma = radiance.shape[1] / 1280 * 1.6
    soft = cv2.GaussianBlur(radiance, (0, 0), sigma)
    radiance = radiance + (soft - radiance) * np.minimum(far * 3.0, 1.0)
    radiance = radiance + (light.horizon_bgr.astype(np.float32) - radiance) * far * 0.08
    patches = cv2.GaussianBlur(
        fractal_noise(depth_m.shape, depth_m.shape[1] / 3, rng=rng),
        (0, 0),
        depth_m.shape[1] / 24,
    )
    # Surfaces have grain finer than any sheet holds.
    grain = rng.standard_normal(depth_m.shape, dtype=np.float32) * (1.0 - far[..., 0])
    tone = (1.0 + 0.10 * patches) * (1.0 + 0.05 * grain)
    return np.ascontiguousarray(radiance * tone[..., None], dtype=np.float32)
