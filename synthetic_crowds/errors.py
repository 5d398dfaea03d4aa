"""What can go wrong in a crowd, one sentence each, and each one mendable.

Owns the failures that a user of `synthetic_crowds` can bring about. Knows nothing
of how they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lfr_errors import BadInputError, LfrError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BackgroundError",
    "CorruptClipError",
    "CrowdError",
    "DuplicateCameraError",
    "EmptyCrowdError",
    "GraphicsError",
    "NoCamerasError",
    "PopulationTooSmallError",
    "StreetError",
    "SuppliedFolderError",
    "TemplateModelError",
    "TrajectoryFileError",
    "UnstampedError",
]


class CrowdError(BadInputError):
    """Any crowd that cannot be made as asked."""


class NoCamerasError(CrowdError):
    """A crowd without a camera shows nothing."""

    def __init__(self) -> None:
        super().__init__(
            "a crowd needs at least one camera, got none; add a [[cameras]] entry"
        )


class DuplicateCameraError(CrowdError):
    """Two cameras answer to one name."""

    def __init__(self, *, camera_id: str) -> None:
        self.camera_id = camera_id
        super().__init__(
            f"camera ids must differ, got '{camera_id}' more than once in "
            "[[cameras]]; rename one of them"
        )


class EmptyCrowdError(CrowdError):
    """Nobody walked past any camera."""

    def __init__(self, *, duration_s: float, footfall_per_min: float) -> None:
        self.duration_s = duration_s
        self.footfall_per_min = footfall_per_min
        super().__init__(
            "a crowd needs at least one passage, got none from "
            f"crowd.footfall_per_min={footfall_per_min:g} over "
            f"crowd.duration_s={duration_s:g}; raise either"
        )


class PopulationTooSmallError(CrowdError):
    """The city has too few people for its street and its watchlist."""

    def __init__(self, *, population_size: int, n_walkers: int, n_others: int) -> None:
        self.population_size = population_size
        self.n_walkers = n_walkers
        self.n_others = n_others
        super().__init__(
            f"crowd.population_size must be at least {n_walkers + n_others} "
            f"({n_walkers} who walk and {n_others} on the watchlist who do not), got "
            f"{population_size}; raise it or lower watchlist.size"
        )


class StreetError(CrowdError):
    """Obstacles or shops that the street before a camera has no room for."""

    def __init__(
        self, *, camera_id: str, required: str, arrived: str, remedy: str
    ) -> None:
        self.camera_id = camera_id
        super().__init__(
            f"{required} before camera '{camera_id}', got {arrived}; {remedy}"
        )


class SuppliedFolderError(CrowdError):
    """A folder that `harness crowd --export` did not make, or that has changed."""

    def __init__(self, *, path: Path, detail: str) -> None:
        self.path = path
        super().__init__(
            f"a supplied folder must be one that harness crowd --export made, but of "
            f"{path} it must be said: {detail}; export it again"
        )


class UnstampedError(CrowdError):
    """Pictures that do not say that they are synthetic."""

    def __init__(self, *, paths: tuple[Path, ...], n_pictures: int) -> None:
        self.paths = paths
        super().__init__(
            "pictures must bear the stamp of a synthetic crowd, but "
            f"{len(paths)} of {n_pictures} do not, first {paths[0]}; make them with "
            "harness crowd --export, or say --allow-unstamped, which every page of "
            "the report will repeat"
        )


class TemplateModelError(CrowdError):
    """A model of templates that cannot be used."""

    def __init__(self, *, detail: str) -> None:
        super().__init__(
            f"a template model must hold what training.fit_templates writes: {detail}"
        )


class TrajectoryFileError(CrowdError):
    """A recording of paths that cannot be read."""

    def __init__(self, *, path: Path, detail: str, remedy: str) -> None:
        self.path = path
        super().__init__(
            "crowd.trajectories.file must be a recording by JuPedSim (SQLite or text), "
            f"but of {path} it must be said: {detail}; {remedy}"
        )


class BackgroundError(CrowdError):
    """A photograph that cannot be a street."""

    def __init__(self, *, path: Path, camera_id: str, detail: str, remedy: str) -> None:
        self.path = path
        self.camera_id = camera_id
        super().__init__(
            f"the background of camera '{camera_id}' must be a photograph of an empty "
            f"site, but of {path} it must be said: {detail}; {remedy}"
        )


class GraphicsError(CrowdError):
    """A graphics card that cannot draw."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(
            "crowd.renderer = 'gl' needs moderngl (pip install '.[gl]') and EGL with "
            f"OpenGL 4.3, but this machine says: {detail}; install them, or leave "
            "crowd.renderer at 'cpu'"
        )


class CorruptClipError(LfrError, ValueError):
    """A cached file is not the one that was written; the cache makes it again."""

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(
            f"a cached file must keep the SHA-256 in its manifest, but {path} has "
            "changed; it will be made again"
        )
