"""Photographs of empty sites that take the place of painted streets.

Owns reading a picture, calibrating the camera that took it, and the refusal of faces.
Knows nothing of how a face is found: whoever makes a crowd brings a finder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from synthetic_crowds.camera_config import CameraConfig
from synthetic_crowds.errors import BackgroundError
from synthetic_crowds.raster.calibration import solve_pose
from synthetic_crowds.raster.camera import mount
from synthetic_crowds.records import Source

if TYPE_CHECKING:
    from synthetic_crowds.raster.calibration import GroundPose

__all__ = ["FaceFinder", "Site", "survey"]

# Given a picture (h, w, 3) uint8, says where it shows faces: (n, 4), xyxy, pixels.
FaceFinder = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

# Points must come back to where they were seen within this share of the width.
_WORST_SHARE = 0.004
# Photograph and frames may differ so much in shape.
_SHAPE = 0.01
_FACE_M = 1.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """One camera's photograph, ready for people.

    Attributes:
        camera: As calibrated; `background` is the photograph's SHA-256.
        photo_bgr: (h, w, 3) uint8, as large as the camera's frames.
        source: What to tell of it.
    """

    camera: CameraConfig
    photo_bgr: NDArray[np.uint8]
    source: Source


def survey(camera: CameraConfig, *, find_faces: FaceFinder | None) -> Site | None:
    """Read and check the photograph that a camera's street is to be.

    Args:
        camera: Its settings.
        find_faces: Without one, no photograph is let in.

    Returns:
        `None` if the camera has none.

    Raises:
        BackgroundError: If there is no such picture, it shows a face, it is too small
            or of another shape than the frames, or its ground points do not say how
            the camera stood.
    """
    if camera.background is None:
        return None
    path = Path(camera.background)
    if find_faces is None:
        raise BackgroundError(
            path=path,
            camera_id=camera.camera_id,
            detail="nobody has looked for faces in it",
            remedy="give make_crowd a find_faces",
        )
    photo, sha256 = _read(path, camera)
    frame = np.asarray(
        cv2.resize(
            photo, (camera.width_px, camera.height_px), interpolation=cv2.INTER_AREA
        ),
        np.uint8,
    )
    _refuse_faces(path, camera, frame, find_faces)
    pose, detail = _calibrate(path, camera, (photo.shape[1], photo.shape[0]))
    stood = _as_solved(path, camera, pose, sha256)
    _check_view(path, stood)
    return Site(
        camera=stood,
        photo_bgr=frame,
        source=Source(
            role=f"background of {camera.camera_id}",
            name=path.name,
            sha256=sha256,
            detail=detail,
        ),
    )


def _read(path: Path, camera: CameraConfig) -> tuple[NDArray[np.uint8], str]:
    """Read a picture (h, w, 3) and its digest."""

    def refuse(detail: str, remedy: str) -> BackgroundError:
        return BackgroundError(
            path=path, camera_id=camera.camera_id, detail=detail, remedy=remedy
        )

    try:
        content = path.read_bytes()
    except OSError:
        raise refuse("there is no such file", "correct the path") from None
    flat = np.frombuffer(content, np.uint8)
    photo = cv2.imdecode(flat, cv2.IMREAD_COLOR) if len(flat) else None
    if photo is None:
        raise refuse("it is no picture", "name a PNG or JPEG")
    height, width = photo.shape[:2]
    if width < camera.width_px or height < camera.height_px:
        raise refuse(
            f"its {width} x {height} pixels are fewer than the frames' "
            f"{camera.width_px} x {camera.height_px}",
            "lower width_px and height_px",
        )
    stretch = width / height / (camera.width_px / camera.height_px)
    if abs(stretch - 1.0) > _SHAPE:
        raise refuse(
            f"its {width} x {height} pixels are of another shape than the frames' "
            f"{camera.width_px} x {camera.height_px}",
            "crop it, or change width_px or height_px",
        )
    return np.asarray(photo, np.uint8), hashlib.sha256(content).hexdigest()


def _refuse_faces(
    path: Path, camera: CameraConfig, frame: NDArray[np.uint8], find: FaceFinder
) -> None:
    """Let no picture in that shows anybody.

    Raises:
        BackgroundError: If it does.
    """
    boxes = find(frame)
    if not len(boxes):
        return
    x1, y1, x2, y2 = (round(float(v)) for v in boxes[0])
    raise BackgroundError(
        path=path,
        camera_id=camera.camera_id,
        detail=f"it shows a face, or what the detector takes for one, from pixel "
        f"({x1}, {y1}) to ({x2}, {y2}) of a frame of {camera.width_px} x "
        f"{camera.height_px}",
        remedy="photograph the site when nobody is there, or paint that place over",
    )


def _calibrate(
    path: Path, camera: CameraConfig, size_px: tuple[int, int]
) -> tuple[GroundPose | None, str]:
    """Solve the pose from ground points, where there are some; say how well."""
    if not camera.ground_points:
        return None, (
            f"calibrated by mount_height_m {camera.mount_height_m:g}, tilt_deg "
            f"{camera.tilt_deg:g}, hfov_deg {camera.hfov_deg:g}"
        )
    points = np.array(camera.ground_points, np.float64)
    outside = ((points[:, :2] < 0.0) | (points[:, :2] > size_px)).any(axis=1)
    if outside.any():
        x, y = points[outside][0, :2]
        raise BackgroundError(
            path=path,
            camera_id=camera.camera_id,
            detail=f"its ground point at pixel ({x:g}, {y:g}) is not among its "
            f"{size_px[0]} x {size_px[1]}",
            remedy="give pixel x, pixel y, x_m, y_m, in the photograph's own pixels",
        )
    pose = solve_pose(
        points[:, :2] * (camera.width_px / size_px[0]),
        points[:, 2:],
        size_px=(camera.width_px, camera.height_px),
        hfov_deg=None if camera.solve_hfov else camera.hfov_deg,
    )
    if pose is None:
        raise BackgroundError(
            path=path,
            camera_id=camera.camera_id,
            detail="no camera above the ground sees its ground_points so",
            remedy="spread them over the ground, and check their order: pixel x, pixel "
            "y, x_m, y_m",
        )
    worst_px = _WORST_SHARE * camera.width_px
    if pose.error_px > worst_px:
        raise BackgroundError(
            path=path,
            camera_id=camera.camera_id,
            detail=f"the reprojection error of its ground_points is "
            f"{pose.error_px:.1f} px, above the limit of {worst_px:.1f} px",
            remedy="measure them again, correct hfov_deg, or set solve_hfov = true",
        )
    return pose, (
        f"{len(points)} ground points, reprojection error {pose.error_px:.2f} px "
        f"(limit {worst_px:.1f}); lens {pose.height_m:.2f} m up at "
        f"({pose.lens_x_m:.2f}, {pose.lens_y_m:.2f}), tilt {pose.tilt_deg:.1f}, pan "
        f"{pose.pan_deg:.1f}, roll {pose.roll_deg:.1f}, hfov {pose.hfov_deg:.1f} deg"
    )


def _as_solved(
    path: Path, camera: CameraConfig, pose: GroundPose | None, sha256: str
) -> CameraConfig:
    """The camera as it stood, its photograph named by its digest."""
    said = camera.model_dump()
    said |= {"background": sha256, "ground_points": (), "solve_hfov": False}
    if pose is not None:
        said |= {
            "hfov_deg": pose.hfov_deg,
            "mount_height_m": pose.height_m,
            "tilt_deg": pose.tilt_deg,
            "pan_deg": pose.pan_deg,
            "roll_deg": pose.roll_deg,
            "lens_x_m": pose.lens_x_m,
            "lens_y_m": pose.lens_y_m,
        }
    try:
        return CameraConfig.model_validate(said)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        wrong = problem["msg"].removeprefix("Value error, ")
        raise BackgroundError(
            path=path,
            camera_id=camera.camera_id,
            detail=f"its ground_points make a camera that is none of ours: {name} "
            f"{wrong}".replace("  ", " "),
            remedy="measure them again, or set solve_hfov = true",
        ) from None


def _check_view(path: Path, camera: CameraConfig) -> None:
    """Require that faces show in the middle of both ends of the zone.

    Raises:
        BackgroundError: If they do not.
    """
    eye = mount(camera)
    ends = np.array(
        [(camera.zone_near_m, 0.0, _FACE_M), (camera.zone_far_m, 0.0, _FACE_M)]
    )
    seen = eye.to_camera(ends)
    if seen[:, 2].min() > 0.3:
        shown = eye.to_image(seen)
        size = np.array([camera.width_px, camera.height_px])
        if ((shown > 0.0) & (shown < size)).all():
            return
    raise BackgroundError(
        path=path,
        camera_id=camera.camera_id,
        detail=f"it does not show a face {_FACE_M:g} m high at both ends of the zone "
        f"(x_m {camera.zone_near_m:g} and {camera.zone_far_m:g}, y_m 0)",
        remedy="move zone_near_m and zone_far_m, or correct the ground points",
    )
