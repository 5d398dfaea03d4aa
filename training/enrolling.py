"""A watchlist's pictures, enrolled as the matcher would.

Owns the reading of a synthetic watchlist into a gallery. Knows nothing of streets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from matcher.assembly import make_detector, make_picture_embedder
from matcher.gallery import enrol
from matcher.landmarks import make_refiner
from matcher.records import SubjectId
from matcher.weights import read_manifest

if TYPE_CHECKING:
    from matcher.config import MatcherConfig
    from matcher.gallery import Enrolment
    from synthetic_crowds.records import Watchlist

__all__ = ["enrol_watchlist"]


def enrol_watchlist(watchlist: Watchlist, config: MatcherConfig) -> Enrolment:
    """Enrol every picture of a watchlist with the shipped networks.

    Raises:
        GalleryError: If nobody could be enrolled.
    """
    return enrol(
        (np.asarray(cv2.imread(str(i.path)), np.uint8) for i in watchlist.images),
        (SubjectId(str(image.person_id)) for image in watchlist.images),
        detector=make_detector(config.detector),
        refiner=make_refiner(config.alignment),
        embedder=make_picture_embedder(config.embedder),
        embedder_sha256=read_manifest().embedder.sha256,
    )
