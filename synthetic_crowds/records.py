"""What crosses the borders of `synthetic_crowds`: people, meshes, walks, truth.

Owns the shapes and units of every record that this package hands out. Refuses to
know how any of them is drawn, matched or measured.

Frames of reference
    local   a mesh's own: metres, x to the subject's left, y up, z forward (the
            way the subject faces). A head's origin is the top of its neck.
    world   the street: metres, x along the street, y across it, z up; z = 0 is
            the ground.
    camera  OpenCV's: metres, x right, y down, z into the scene.
    image   pixels, origin at the top left corner of the top left pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NewType

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "LANDMARKS",
    "NO_PASSAGE",
    "Ancestry",
    "CameraId",
    "CaptureQuality",
    "Clip",
    "Crowd",
    "EnrolmentImage",
    "FaceTruth",
    "MeshPart",
    "Passage",
    "PassageId",
    "PersonId",
    "Portrait",
    "Renderer",
    "Sex",
    "Source",
    "Subject",
    "Watchlist",
    "age_band",
]

PersonId = NewType("PersonId", str)
PassageId = NewType("PassageId", str)
CameraId = NewType("CameraId", str)

# The subject's own right eye comes first: it is the left one in a frontal image.
LANDMARKS = ("right_eye", "left_eye", "nose_tip", "mouth_right", "mouth_left")

# In place of a passage's index: the face of someone who never enters the zone.
NO_PASSAGE = -1


class Sex(StrEnum):
    """Recorded sex, as the census and the deployment records print it."""

    FEMALE = "female"
    MALE = "male"


class Ancestry(StrEnum):
    """The ends of MakeHuman's ancestry axes, in the order of every share vector."""

    AFRICAN = "african"
    ASIAN = "asian"
    EUROPEAN = "european"


class Renderer(StrEnum):
    """What draws people."""

    CPU = "cpu"
    GL = "gl"


class CaptureQuality(StrEnum):
    """What kind of picture somebody is enrolled by."""

    CUSTODY = "custody"
    PASSPORT = "passport"
    SOCIAL_MEDIA = "social_media"
    CCTV_STILL = "cctv_still"


AGE_BANDS: tuple[tuple[str, float], ...] = (
    ("0-17", 18.0),
    ("18-29", 30.0),
    ("30-44", 45.0),
    ("45-64", 65.0),
    ("65+", float("inf")),
)


def age_band(age_years: float) -> str:
    """Name the reporting band of an age, e.g. `"30-44"` for 37.5 years."""
    return next(name for name, end in AGE_BANDS if age_years < end)


def _freeze(array: NDArray[np.generic]) -> None:
    array.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeshPart:
    """One textured surface in its local frame; the record takes ownership.

    Attributes:
        vertices: (v, 3) float32, metres.
        normals: (v, 3) float32, unit length, outward.
        triangles: (t, 3) int32, indices into `vertices`.
        uv: (v, 2) float32 in [0, 1]; u to the right, v down the texture.
        texture_bgra: (h, w, 4) uint8, sRGB; alpha below 128 is a hole.
        occlusion: (v,) float32 in [0, 1]; 1 sees the whole sky.
        specular: Strength of the highlight, 0 for cloth, about 0.2 for skin.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    texture_bgra: NDArray[np.uint8]
    occlusion: NDArray[np.float32]
    specular: float = 0.0

    def __post_init__(self) -> None:
        """Check shapes, then make the arrays read-only.

        Raises:
            ValueError: If an array has another shape or type than documented.
        """
        v = len(self.vertices)
        expected = {
            "vertices": ((v, 3), np.float32),
            "normals": ((v, 3), np.float32),
            "triangles": ((len(self.triangles), 3), np.int32),
            "uv": ((v, 2), np.float32),
            "occlusion": ((v,), np.float32),
        }
        for name, (shape, dtype) in expected.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != dtype:
                message = (
                    f"MeshPart.{name} must be {shape} {np.dtype(dtype).name}, "
                    f"got {array.shape} {array.dtype.name}"
                )
                raise ValueError(message)
            _freeze(array)
        if self.texture_bgra.ndim != 3 or self.texture_bgra.shape[2] != 4:
            message = (
                f"MeshPart.texture_bgra must be (h, w, 4) uint8, got "
                f"{self.texture_bgra.shape} {self.texture_bgra.dtype.name}"
            )
            raise ValueError(message)
        _freeze(self.texture_bgra)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portrait:
    """One rendered picture of one person, with its truth.

    Attributes:
        person_id: Who it shows.
        image_bgr: (h, w, 3) uint8.
        box_xyxy: (4,) float32, pixels: hairline to chin, temple to temple.
        landmarks: (5, 2) float32, pixels, in the order of `LANDMARKS`.
    """

    person_id: PersonId
    image_bgr: NDArray[np.uint8]
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceTruth:
    """Every face in a clip, one row per face and frame, sorted by frame.

    Attributes:
        frame_index: (n,) int32, from 0.
        passage_index: (n,) int32, into the clip's `passages`; `NO_PASSAGE` for
            someone who never enters the zone of recognition.
        box_xyxy: (n, 4) float32, pixels, of the whole face, visible or not; may
            reach beyond the image.
        landmarks: (n, 5, 2) float32, pixels, in the order of `LANDMARKS`.
        yaw_pitch_roll_deg: (n, 3) float32, of the face relative to the line of
            sight; 0, 0, 0 looks into the lens.
        face_height_px: (n,) float32, height of `box_xyxy`.
        visibility: (n,) float32 in [0, 1], share of the face's own pixels that
            nothing nearer covers and that lie inside the image.
        body_box_xyxy: (n, 4) float32, pixels, of head and body together.
    """

    frame_index: NDArray[np.int32]
    passage_index: NDArray[np.int32]
    box_xyxy: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    yaw_pitch_roll_deg: NDArray[np.float32]
    face_height_px: NDArray[np.float32]
    visibility: NDArray[np.float32]
    body_box_xyxy: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One person's walk through one camera's zone of recognition.

    Attributes:
        passage_id: Unique in a run, e.g. `"cam1-0042"`.
        person_id: Who walked.
        camera_id: Past which camera.
        t_in_s: First moment with the face in the zone, seconds of clip time.
        t_out_s: Last such moment.
        n_frames: Frames in between that show the face.
        max_face_height_px: Largest face height in the zone.
        max_visibility: Best visibility of the face in the zone, in [0, 1].
        unoccluded_frames: Frames in the zone with visibility of 0.9 or more.
    """

    passage_id: PassageId
    person_id: PersonId
    camera_id: CameraId
    t_in_s: float
    t_out_s: float
    n_frames: int
    max_face_height_px: float
    max_visibility: float
    unoccluded_frames: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """One camera's H.264 video and what it shows.

    Attributes:
        camera_id: Which camera took it.
        path: The MP4 file in the cache.
        sha256: Of that file.
        fps: Frames per second.
        width_px, height_px: Of a frame.
        n_frames: How many frames it holds.
        passages: Every passage in it, by time of entry.
        faces: Truth per frame.
    """

    camera_id: CameraId
    path: Path
    sha256: str
    fps: float
    width_px: int
    height_px: int
    n_frames: int
    passages: tuple[Passage, ...]
    faces: FaceTruth


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What reports may say of one person: identity and groups, never pixels.

    Attributes:
        person_id: Who.
        sex: Recorded sex.
        age_years: Age on the day.
        ancestry: The largest of the person's ancestry shares.
        monk_tone: Skin tone on the Monk scale, 1 (lightest) to 10.
        siblings: People who share face coefficients with this one.
        is_twin: Whether those siblings are identical twins.
    """

    person_id: PersonId
    sex: Sex
    age_years: float
    ancestry: Ancestry
    monk_tone: int
    siblings: tuple[PersonId, ...] = ()
    is_twin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentImage:
    """One picture on a watchlist.

    Attributes:
        person_id: Whom it shows.
        path: The PNG.
        quality: What kind of picture it is.
        image_age_years: How long before the walk it was taken.
    """

    person_id: PersonId
    path: Path
    quality: CaptureQuality
    image_age_years: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """Who is sought, with the pictures to enrol them by.

    Attributes:
        folder: Where the pictures and `watchlist.csv` lie.
        subjects: Everyone on it, in order of enrolment.
        images: Their pictures, one subject's after another's, same order.
        mated: Those of them who walk past a camera in this crowd.
        sha256: Over ids and pictures, in order.
    """

    folder: Path
    subjects: tuple[Subject, ...]
    images: tuple[EnrolmentImage, ...]
    mated: frozenset[PersonId]
    sha256: str

    @property
    def image_paths(self) -> tuple[Path, ...]:
        """The first picture of each subject, in order."""
        first = {image.person_id: image.path for image in reversed(self.images)}
        return tuple(first[subject.person_id] for subject in self.subjects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of the user's that a crowd was made from.

    Attributes:
        role: What it was used for, e.g. `"trajectories"`.
        name: Of the file, without its folder.
        sha256: Of the file.
        detail: What a person should know of it, in a few words.
    """

    role: str
    name: str
    sha256: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """A generated crowd: everything that is true before measurement starts.

    Attributes:
        subjects: Everyone who walks, by id.
        clips: One per camera, in the order of the cameras.
        watchlist: Who is sought.
        truth_sha256: Over every passage and face truth of every clip.
        clips_sha256: Over the clips' files, in order.
        notes: What happened on the way that a person should know, e.g. that a
            corrupted clip in the cache was made again.
        sources: The user's own files that it was made from.
    """

    subjects: dict[PersonId, Subject]
    clips: tuple[Clip, ...]
    watchlist: Watchlist
    truth_sha256: str
    clips_sha256: str
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
