"""Every camera's pictures on disk, for processes that post them.

Owns the layout: one file a camera, and where each picture begins. They are mapped into
memory, so that processes share one copy and none waits for a disk. Knows nothing of
what is in a picture.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

__all__ = ["PictureStore", "write_store"]


def write_store(
    folder: Path, pictures: Mapping[str, Iterable[bytes]]
) -> tuple[str, ...]:
    """Write pictures to a folder.

    Args:
        folder: There already, and empty.
        pictures: Of each camera, in order of the frames.

    Returns:
        The cameras, in the order by which their files are named.
    """
    for number, series in enumerate(pictures.values()):
        ends = [0]
        with (folder / f"{number}.bin").open("wb") as file:
            for picture in series:
                file.write(picture)
                ends.append(ends[-1] + len(picture))
        np.save(folder / f"{number}.npy", np.array(ends, dtype=np.int64))
    return tuple(pictures)


class PictureStore:
    """Reads what `write_store` wrote."""

    def __init__(self, folder: Path, camera_ids: Sequence[str]) -> None:
        """Map the files.

        Args:
            folder: As written.
            camera_ids: In the order in which they were.
        """
        self._ends = {
            camera_id: np.load(folder / f"{number}.npy", allow_pickle=False)
            for number, camera_id in enumerate(camera_ids)
        }
        self._content = {}
        for number, camera_id in enumerate(camera_ids):
            if self._ends[camera_id][-1] > 0:  # an empty file cannot be mapped
                with (folder / f"{number}.bin").open("rb") as file:
                    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._content[camera_id] = mapped

    def picture(self, camera_id: str, index: int) -> bytes:
        """Return one frame's picture."""
        ends = self._ends[camera_id]
        return self._content[camera_id][int(ends[index]) : int(ends[index + 1])]

    def n_pictures(self, camera_id: str) -> int:
        """Count a camera's pictures."""
        return len(self._ends[camera_id]) - 1
