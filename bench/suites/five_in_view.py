"""The clips of the benchmarks of whole streams: five people in view, two cameras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.load.sources import demux
from bench.running.enrolment import enrol_watchlist
from matcher.gallery import Gallery
from matcher.records import CameraId, EncodedFrame, SubjectId
from scenarios import loader
from scenarios.streams import Stream, Streams
from synthetic_crowds.crowd import make_crowd

__all__ = [
    "FPS",
    "SCENARIO",
    "FiveInView",
    "five_in_view",
    "gallery_of",
    "unit_gallery",
]

FPS = 10.0
SCENARIO = Path(__file__).parent / "five_in_view.toml"
_CACHE = Path(".cache/crowds")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FiveInView:
    """Two clips, as packets, and their watchlist."""

    crowd: object
    packets: tuple

    @property
    def faces_a_frame(self):
        """Faces in view, the hidden ones too, in the mean."""
        clips = self.crowd.clips
        faces = sum(len(clip.faces.frame_index) for clip in clips)
        return faces / sum(clip.n_frames for clip in clips)

    def frame(self, camera, index, capture_time_ns):
        """The `index`-th frame of a camera; odd ones walk one clip, even the other."""
        clip = self.packets[camera % 2]
        # Each camera enters its clip elsewhere, at a key frame; ten frames apart.
        at = (index + 10 * (camera // 2)) % len(clip)
        return EncodedFrame(
            camera_id=CameraId(f"camera-{camera}"),
            index=index,
            capture_time_ns=capture_time_ns,
            packet=clip[at],
        )


def five_in_view(scenario=SCENARIO, *, seed=None):
    """Make the clips, or read them from the cache; another seed, other people."""
    settings = loader.load(str(scenario), seed=seed)
    crowd = make_crowd(
        settings.crowd,
        settings.cameras,
        settings.watchlist,
        seed=Streams(seed=settings.scenario.seed).seed_of(Stream.CROWD),
        cache_dir=_CACHE,
        workers=2,
        progress=lambda *_: None,
    )
    return FiveInView(crowd=crowd, packets=tuple(demux(c) for c in crowd.clips))


def gallery_of(clips, config):
    """Enrol the watchlist with the models of some settings."""
    return enrol_watchlist(
        clips.crowd.watchlist, config, progress=lambda *_: None
    ).gallery


def unit_gallery(dimension, *, n=300):
    """A gallery of nobody, where only the time of searching matters."""
    vectors = np.random.default_rng(5).standard_normal((n, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Gallery(
        templates=vectors.astype(np.float32),
        subject_ids=tuple(SubjectId(f"nobody-{row}") for row in range(n)),
        embedder_sha256="0" * 64,
    )
