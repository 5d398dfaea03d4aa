"""The pictures of a run folder and what each of them shows.

Owns the index `pictures/pictures.json`: reading, writing, and its records. Knows
nothing of how a picture is made or laid out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from bench.errors import RunFolderError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FOLDER",
    "Album",
    "AlertPicture",
    "CameraPicture",
    "PersonNote",
    "read_album",
    "write_album",
]

FOLDER = "pictures"
_INDEX = "pictures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNote:
    """What a report says of one synthetic person.

    Attributes:
        person_id: Who.
        sex, age_years, ancestry, monk_tone: As generated.
        on_watchlist: The person is enrolled.
    """

    person_id: str
    sex: str
    age_years: float
    ancestry: str
    monk_tone: int
    on_watchlist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPicture:
    """One frame of one camera, with truth, tracks and alerts drawn on it.

    Attributes:
        camera_id: Which camera.
        file: Name in the folder of pictures.
        frame_index: Of the frame in its clip.
        time_s: Clip time of the frame.
        n_faces: Faces truly in the picture, at least half visible.
        n_tracks: Faces that the matcher followed in it.
        n_alerts: Of those, how many had raised an alert by then.
        width_px, height_px: Of the picture.
    """

    camera_id: str
    file: str
    frame_index: int
    time_s: float
    n_faces: int
    n_tracks: int
    n_alerts: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPicture:
    """What one alert looked like.

    Attributes:
        alert_index: Which alert.
        time_s: Clip time of the frame that raised it.
        probe_file: The face at the camera; None if its frame could not be read.
        reference_file: The watchlist picture of the subject named.
        named: The subject named; None if the watchlist has no such subject.
        seen: Whose face it was; None if there was no face.
    """

    alert_index: int
    time_s: float
    probe_file: str | None
    reference_file: str | None
    named: PersonNote | None
    seen: PersonNote | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """Every picture of a run folder.

    Attributes:
        cameras: One per camera that processed a frame, in scenario order.
        alerts: False alerts first, then true ones, each in order of time.
    """

    cameras: tuple[CameraPicture, ...] = ()
    alerts: tuple[AlertPicture, ...] = ()


_ALBUM = TypeAdapter(Album)


def write_album(run_folder: Path, album: Album) -> None:
    """Write the index beside its pictures."""
    path = run_folder / FOLDER / _INDEX
    path.write_bytes(_ALBUM.dump_json(album, indent=1))


def read_album(run_folder: Path) -> Album:
    """Read the index; a run without pictures has an empty album.

    Raises:
        RunFolderError: If there is an index and it cannot be read.
    """
    path = run_folder / FOLDER / _INDEX
    if not path.exists():
        return Album()
    try:
        return _ALBUM.validate_json(path.read_bytes())
    except ValidationError as error:
        reason = f"an index with {error.error_count()} faults"
        raise RunFolderError(path=path, reason=reason) from error
