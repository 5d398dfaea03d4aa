"""The one entry point of `synthetic_crowds`: settings and a seed in, a crowd out.

Owns the order of work: plan the walks, choose who is sought, make what the cache
lacks, read everything back. Knows nothing of matching, load or measurement.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthetic_crowds.errors import CorruptClipError
from synthetic_crowds.exchange.jupedsim import read_trajectories
from synthetic_crowds.film.cache import check, content_key, file_sha256, making
from synthetic_crowds.film.clips import (
    VIDEO_FILE,
    ClipTask,
    join_clip,
    n_frames,
    split,
)
from synthetic_crowds.film.crew import Job, work
from synthetic_crowds.film.photographs import survey
from synthetic_crowds.film.truth import ClipTruth, read_truth, truth_sha256
from synthetic_crowds.film.watchlist import (
    PortraitTask,
    describe,
    plan_images,
    read_watchlist,
    write_table,
)
from synthetic_crowds.people.population import IdentityDomain, draw_person
from synthetic_crowds.raster.gl_canvas import check_card
from synthetic_crowds.records import CameraId, Clip, Crowd, Renderer, Source
from synthetic_crowds.street.plan import plan_crowd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synthetic_crowds.camera_config import CameraConfig
    from synthetic_crowds.config import CrowdConfig, WatchlistConfig
    from synthetic_crowds.film.crew import Crew
    from synthetic_crowds.film.photographs import FaceFinder, Site
    from synthetic_crowds.records import PersonId, Subject
    from synthetic_crowds.street.plan import CameraPlan, CrowdPlan
    from synthetic_crowds.street.trajectories import Trajectories

__all__ = ["Progress", "make_crowd"]

# Called with a task's name, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]

_CLIPS, _PORTRAITS = "clips", "portraits"
# Portraits are dealt out in fixed shares, small enough to keep every worker busy.
_PORTRAITS_A_JOB = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folders:
    """Where a crowd lies in the cache."""

    clips: tuple[Path, ...]
    watchlist: Path


def make_crowd(
    crowd: CrowdConfig,
    cameras: tuple[CameraConfig, ...],
    watchlist: WatchlistConfig,
    *,
    seed: int,
    cache_dir: Path,
    workers: int,
    progress: Progress,
    domain: IdentityDomain = IdentityDomain.SCENARIO,
    crew: Crew | None = None,
    find_faces: FaceFinder | None = None,
) -> Crowd:
    """Make a crowd, or read it from the cache.

    The same settings and seed give the same truth everywhere, and the same bytes on
    one machine, however many workers there are and however often the work was
    interrupted: what is finished waits in the cache, killed or not.

    Args:
        crowd: The street and who walks there.
        cameras: At least one, with different ids.
        watchlist: Who is sought.
        seed: Decides everything that the settings leave open.
        cache_dir: Keeps clips and watchlists by content; made if it does not exist.
        workers: Processes to render with, from 1.
        progress: Called now and then while something is rendered.
        domain: What the identities may be used for; domains share nobody.
        crew: Who renders what the cache lacks; None for processes of this machine.
        find_faces: Looks at photographs that are to be streets; without one, none is
            let in.

    Returns:
        The crowd, with a note for every damaged folder that had to be made again.

    Raises:
        CrowdError: If the settings contradict each other, or a graphics card is asked
            for and there is none.
    """
    if crowd.renderer is Renderer.GL and crew is None:
        check_card()
    recordings = {
        placed.file: read_trajectories(Path(placed.file))
        for placed in crowd.trajectories
    }
    sites = [survey(camera, find_faces=find_faces) for camera in cameras]
    cameras = tuple(
        camera if site is None else site.camera
        for camera, site in zip(cameras, sites, strict=True)
    )
    sources = _sources(recordings, sites)
    plan = plan_crowd(
        crowd,
        cameras,
        watchlist,
        seed=seed,
        domain=domain,
        recordings=recordings,
    )
    keyed = _by_content(crowd, recordings)
    city = {
        index: describe(
            draw_person(crowd.demographics, seed=seed, domain=domain, index=index)
        )
        for index in sorted({*plan.walkers, *plan.sought})
    }
    folders = _Folders(
        clips=tuple(
            cache_dir
            / "clips"
            # A camera's walkers depend on the cameras before it, never after it.
            / content_key(keyed, *cameras[: number + 1], seed, domain.name)
            for number in range(len(cameras))
        ),
        watchlist=cache_dir
        / "watchlists"
        / content_key(
            crowd.demographics, _pictures(watchlist), *plan.sought, seed, domain.name
        ),
    )
    lacking, notes = _find_lacking((*folders.clips, folders.watchlist))
    with ExitStack() as drafts:
        jobs: list[Job] = []
        clips: list[tuple[CameraPlan, tuple[ClipTask, ...], Path]] = []
        for camera_plan, folder, site in zip(
            plan.cameras, folders.clips, sites, strict=True
        ):
            if folder in lacking:
                draft = drafts.enter_context(making(folder, seed=seed, sources=sources))
                pieces = split(crowd, camera_plan, seed=seed, domain=domain, site=site)
                clips.append((camera_plan, pieces, draft))
                jobs += [Job(title=_CLIPS, task=t, folder=draft) for t in pieces]
        if folders.watchlist in lacking:
            draft = drafts.enter_context(making(folders.watchlist, seed=seed))
            sought = [(index, city[index]) for index in plan.sought]
            images = plan_images(sought, watchlist, seed=seed, domain=domain)
            write_table([subject for _, subject in sought], images, draft)
            jobs.extend(_portrait_jobs(crowd, watchlist, plan, draft, seed, domain))
        if crew is None:
            work(jobs, workers=workers, progress=progress)
        else:
            crew(jobs, progress)
        for clip in clips:
            join_clip(*clip)
    made = _read(crowd, plan, city, folders, notes)
    return replace(made, sources=sources)


def _sources(
    recordings: Mapping[str, Trajectories], sites: Sequence[Site | None]
) -> tuple[Source, ...]:
    """Name the user's files that a crowd is made from."""
    walked = (
        Source(
            role="trajectories",
            name=recorded.name,
            sha256=recorded.sha256,
            detail=f"{recorded.n_people} people at {recorded.fps:g} fps",
        )
        for recorded in recordings.values()
    )
    return (*walked, *(site.source for site in sites if site is not None))


def _by_content(
    crowd: CrowdConfig, recordings: Mapping[str, Trajectories]
) -> CrowdConfig:
    """Settings that name files by what is in them, wherever they lie."""
    return crowd.model_copy(
        update={
            "trajectories": tuple(
                placed.model_copy(update={"file": recordings[placed.file].sha256})
                for placed in crowd.trajectories
            )
        }
    )


def _find_lacking(folders: tuple[Path, ...]) -> tuple[set[Path], tuple[str, ...]]:
    """Folders that must be made, and a note on each that was there but damaged."""
    lacking: set[Path] = set()
    notes: list[str] = []
    for folder in folders:
        try:
            whole = check(folder)
        except CorruptClipError as error:
            notes.append(str(error))
            shutil.rmtree(folder)
            whole = False
        if not whole:
            lacking.add(folder)
    return lacking, tuple(notes)


def _pictures(watchlist: WatchlistConfig) -> WatchlistConfig:
    """What of a watchlist decides its pictures, whoever is on it."""
    return watchlist.model_copy(update={"size": 1, "mated_share": 0.0})


def _portrait_jobs(
    crowd: CrowdConfig,
    watchlist: WatchlistConfig,
    plan: CrowdPlan,
    folder: Path,
    seed: int,
    domain: IdentityDomain,
) -> list[Job]:
    return [
        Job(
            title=_PORTRAITS,
            task=PortraitTask(
                demographics=crowd.demographics,
                watchlist=watchlist,
                people=plan.sought[start : start + _PORTRAITS_A_JOB],
                seed=seed,
                domain=domain,
            ),
            folder=folder,
        )
        for start in range(0, len(plan.sought), _PORTRAITS_A_JOB)
    ]


def _read(
    crowd: CrowdConfig,
    plan: CrowdPlan,
    city: dict[int, Subject],
    folders: _Folders,
    notes: tuple[str, ...],
) -> Crowd:
    """Read clips and watchlist back from the cache."""
    truths = tuple(read_truth(folder) for folder in folders.clips)
    clips = tuple(
        _clip(crowd, camera, truth, folder)
        for camera, truth, folder in zip(
            (camera_plan.camera for camera_plan in plan.cameras),
            truths,
            folders.clips,
            strict=True,
        )
    )
    mated: frozenset[PersonId] = frozenset(
        city[index].person_id for index in plan.mated
    )
    walkers = [city[index] for index in plan.walkers]
    return Crowd(
        subjects={subject.person_id: subject for subject in walkers},
        clips=clips,
        watchlist=read_watchlist(folders.watchlist, mated),
        truth_sha256=truth_sha256(truths),
        clips_sha256=hashlib.sha256(
            "".join(c.sha256 for c in clips).encode()
        ).hexdigest(),
        notes=notes,
    )


def _clip(
    crowd: CrowdConfig, camera: CameraConfig, truth: ClipTruth, folder: Path
) -> Clip:
    path = folder / VIDEO_FILE
    return Clip(
        camera_id=CameraId(camera.camera_id),
        path=path,
        sha256=file_sha256(path),
        fps=camera.fps,
        width_px=camera.width_px,
        height_px=camera.height_px,
        n_frames=n_frames(crowd, camera),
        passages=truth.passages,
        faces=truth.faces,
    )
