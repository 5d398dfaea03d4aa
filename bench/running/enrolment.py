"""The watchlist becomes a gallery, by the matcher's own detector and embedder.

Owns the reading of the portraits. Knows nothing of what the gallery is searched for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.errors import BenchError
from matcher.assembly import embedder_sha256, make_detector, make_picture_embedder
from matcher.gallery import enrol
from matcher.landmarks import make_refiner
from matcher.records import SubjectId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from matcher.config import MatcherConfig
    from matcher.gallery import Enrolment
    from synthetic_crowds.records import Watchlist

__all__ = ["enrol_watchlist"]


def enrol_watchlist(
    watchlist: Watchlist,
    matcher: MatcherConfig,
    *,
    progress: Callable[[str, int, int], None],
) -> Enrolment:
    """Enrol everyone on a watchlist; failures to enrol are listed, not raised.

    Args:
        watchlist: Subjects and their pictures.
        matcher: Names the detector and the embedder.
        progress: Told how many pictures were read.

    Raises:
        BadInputError: If a model or a picture cannot be read, or nobody enrols.
    """

    def images() -> Iterator[NDArray[np.uint8]]:
        n = len(watchlist.images)
        for done, image in enumerate(watchlist.images):
            progress("enrol watchlist", done, n)
            yield _read_image(image.path)
        progress("enrol watchlist", n, n)

    return enrol(
        images(),
        (SubjectId(image.person_id) for image in watchlist.images),
        detector=make_detector(matcher.detector),
        refiner=make_refiner(matcher.alignment),
        embedder=make_picture_embedder(matcher.embedder),
        embedder_sha256=embedder_sha256(matcher.embedder),
    )


def _read_image(path: Path) -> NDArray[np.uint8]:
    image_bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image_bgr is None:
        message = (
            f"a watchlist picture must be an image that OpenCV reads, got {path}; "
            "delete the watchlist from the cache to have it made again"
        )
        raise BenchError(message)
    return np.asarray(image_bgr, dtype=np.uint8)
