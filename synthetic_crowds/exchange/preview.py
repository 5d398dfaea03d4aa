"""A look at a crowd before it is made in full.

Owns what a person wants to see first: some seconds of each camera with the truth drawn
on, one frame of each, and the faces of those who walk. Knows nothing of settings; the
caller makes a short crowd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from synthetic_crowds.film.annotate import annotate
from synthetic_crowds.film.contact_sheet import contact_sheet
from synthetic_crowds.film.stamp import Stamp
from synthetic_crowds.film.video import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.config import CrowdConfig
    from synthetic_crowds.people.population import IdentityDomain
    from synthetic_crowds.records import Clip, Crowd

__all__ = ["write_preview"]

_ROWS, _COLUMNS = 5, 8
_CAPTION = "SYNTHETIC"


def write_preview(
    crowd: Crowd,
    folder: Path,
    *,
    config: CrowdConfig,
    cameras: Sequence[CameraConfig],
    seed: int,
    domain: IdentityDomain,
    progress: Callable[[str, int, int], None],
) -> None:
    """Write `<camera>.mp4`, `<camera>.png` and `people.png`.

    Args:
        crowd: A short one.
        folder: Where to; made if it is absent.
        config: Settings of its street.
        cameras: Of its clips, in order.
        seed: What it was made from.
        domain: Of the walkers' identities.
        progress: Told how many pictures are done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = len(crowd.clips) + 1
    photographs = {source.role: source.sha256 for source in crowd.sources}
    for done, (clip, camera) in enumerate(zip(crowd.clips, cameras, strict=True)):
        progress("preview", done, total)
        frames = list(_annotated(clip))
        behind = photographs.get(f"background of {clip.camera_id}")
        stamp = Stamp.of(seed, background_sha256=behind)
        encode(frames, camera, folder / f"{clip.camera_id}.mp4", stamp=stamp)
        cv2.imwrite(str(folder / f"{clip.camera_id}.png"), frames[_fullest(clip)])
    progress("preview", total - 1, total)
    people = contact_sheet(
        config.demographics,
        seed=seed,
        domain=domain,
        first=0,
        rows=_ROWS,
        columns=_COLUMNS,
    )
    cv2.imwrite(str(folder / "people.png"), people)
    progress("preview", total, total)


def _annotated(clip: Clip) -> Iterator[NDArray[np.uint8]]:
    """Decode a clip and draw its truth on every frame."""
    with av.open(str(clip.path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            image = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
            drawn = annotate(image, clip.faces, frame_index=index)
            scale = clip.width_px / 1280
            place = (round(16 * scale), round(36 * scale))
            cv2.putText(
                drawn,
                _CAPTION,
                place,
                cv2.FONT_HERSHEY_SIMPLEX,
                scale,
                (255, 255, 255),
                max(round(2 * scale), 1),
                cv2.LINE_AA,
            )
            yield drawn


def _fullest(clip: Clip) -> int:
    """Find the frame with most faces."""
    counts = np.bincount(clip.faces.frame_index, minlength=clip.n_frames)
    return int(counts.argmax())
