"""From measured frames to the simulator's calibration.

Owns the fits: service time of every stage, its residuals, and the chance that a face
in view is embedded. Knows nothing of how loads were driven. Waiting times are never
read, except for the two gaps that are service in all but name: from a frame's end to
the next one's start while frames wait, and from an arrival to an idle worker's start.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.planning.observed import embedded_truth, observe
from bench.planning.replay import Replay, cut
from sim.calibration import Range, SearchFit, StageFit
from sim.estimators import batch_means
from sim.records import FrameEnd, StageIndex
from sim.service import (
    HEIGHT_EDGES_PX,
    N_STATES,
    fresh_memory,
    in_view,
    track_state,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.planning.observed import Observed
    from bench.planning.replay import Footage, Scene
    from bench.records import SentFrames
    from matcher.records import FrameResult

__all__ = [
    "N_QUANTILES",
    "CrowdFit",
    "Hazards",
    "Measured",
    "StageFits",
    "fit_crowd",
    "fit_gaps",
    "fit_hazards",
    "fit_stages",
    "measured",
]

N_QUANTILES = 201
# Pseudo-sightings at the state's own rate: a cell seen twice shall not say never.
_PRIOR_SIGHTINGS = 5.0
_SENDING_S = 2e-3
# Arrivals are counted in windows about as long as a group takes to come.
_WINDOW_S = 4.0
_OF_EMBEDDED = (StageIndex.EMBED, StageIndex.SEARCH, StageIndex.DECIDE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One load that was driven for real.

    Attributes:
        replay, scene: The load.
        observed: What became of its frames.
        n_faces: (n,) int64, faces in view of each frame, by the truth.
        sighted: (m, 3) int64, of every face in every processed frame: the state of
            its track, the bin of its height, and whether it was embedded.
        n_stray: Embeddings of nobody that the simulator knows of.
        pace_s: What a fixed piece of work took beside it (`bench.host.yardstick`).
    """

    replay: Replay
    scene: Scene
    observed: Observed
    n_faces: NDArray[np.int64]
    sighted: NDArray[np.int64]
    n_stray: int
    pace_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageFits:
    """The stages' fits, and their residuals at even levels.

    Attributes:
        stages: One each, in order.
        search: One per gallery size, ascending.
        residuals_s: (7, N_QUANTILES) float64.
    """

    stages: tuple[StageFit, ...]
    search: tuple[SearchFit, ...]
    residuals_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hazards:
    """Chances of an embedding, by state and height.

    Attributes:
        chance: (8, h) float64.
        n: (8, h) int64, sightings behind each.
        stray: Embeddings per processed frame of no visible face.
    """

    chance: NDArray[np.float64]
    n: NDArray[np.int64]
    stray: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrowdFit:
    """How people come past the cameras of some clips, and what the cameras send.

    Attributes:
        approaches: (a, 3) float64, as `sim.crowd.Walks` has them.
        views_hz: Views begun a second and camera.
        views_per_passage: Views of one passage.
        group_stop: Chance that a group ends with a member.
        packets: Mean bytes of key frames, of others, and their spread as a share.
    """

    approaches: NDArray[np.float64]
    views_hz: float
    views_per_passage: float
    group_stop: float
    packets: tuple[float, float, float]


def fit_crowd(footage: Sequence[Footage]) -> CrowdFit:
    """Fit the small crowd model to the clips' truth."""
    views, counts, seconds, n_passages = [], [], 0.0, 0
    key_bytes: list[int] = []
    other_bytes: list[int] = []
    for clip in footage:
        length_s = len(clip.packets) / clip.fps
        replay = Replay(n_cameras=1, fps=clip.fps, duration_s=length_s, gallery_size=1)
        seen = cut((clip,), replay).passages
        views.append(
            np.stack(
                [seen.t_out_s - seen.t_in_s, seen.inverse_height, seen.inverse_rate],
                axis=1,
            )
        )
        counts.append(np.bincount((seen.t_in_s / _WINDOW_S).astype(int))[1:-1])
        seconds += length_s
        n_passages += len(np.unique(clip.passage))
        sizes = [len(packet) for packet in clip.packets]
        key_bytes += sizes[:: clip.key_every]
        other_bytes += [n for k, n in enumerate(sizes) if k % clip.key_every]
    approaches = np.concatenate(views)
    # Geometric groups of mean m make counts m-fold over-dispersed: 2 m - 1.
    pooled = np.concatenate(counts)
    dispersion = max(float(pooled.var(ddof=1) / pooled.mean()), 1.0)
    return CrowdFit(
        approaches=approaches,
        views_hz=len(approaches) / seconds,
        views_per_passage=len(approaches) / n_passages,
        group_stop=2.0 / (dispersion + 1.0),
        packets=(
            float(np.mean(key_bytes)),
            float(np.mean(other_bytes)),
            float(np.std(other_bytes) / np.mean(other_bytes)),
        ),
    )


def measured(
    replay: Replay,
    scene: Scene,
    footage: Sequence[Footage],
    *,
    sent: SentFrames,
    results: Sequence[FrameResult],
    interval_s: float,
    max_shots: int,
    pace_s: float,
) -> Measured:
    """Join a driven load with its truth.

    Args:
        replay: The load.
        scene: The same, laid out.
        footage: Its clips.
        sent: What the driver did.
        results: What the matcher said.
        interval_s: After which a track's face is embedded again.
        max_shots: Faces kept per track.
        pace_s: Of the machine at the time.
    """
    observed = observe(scene, sent, results)
    embedded = Counter(
        (each.row, each.passage) for each in embedded_truth(scene, footage, results)
    )
    n_faces = np.zeros(len(scene.plan), np.int64)
    sighted: list[tuple[int, int, int]] = []
    n_explained = 0
    passages = scene.passages
    memory = fresh_memory(passages)
    for row, camera in enumerate(scene.frames.camera.tolist()):
        now_s = float(scene.frames.capture_s[row])
        views, places = in_view(camera, now_s, passages)
        n_faces[row] = len(views)
        if observed.end[row] != FrameEnd.PROCESSED:
            continue
        for view, place in zip(views.tolist(), places.tolist(), strict=True):
            is_due = now_s - float(memory.last_s[view]) >= interval_s
            state = track_state(
                memory.n_seen[view],
                memory.n_shots[view],
                memory.n_refused[view],
                is_due,
                max_shots,
            )
            memory.n_seen[view] += 1
            hit = embedded[row, int(scene.shown[view])] > 0
            if hit:
                memory.last_s[view] = now_s
                memory.n_shots[view] += 1
                memory.n_refused[view] = 0
                n_explained += 1
            elif is_due:
                memory.n_refused[view] += 1
            sighted.append((state, place, int(hit)))
    return Measured(
        replay=replay,
        scene=scene,
        observed=observed,
        n_faces=n_faces,
        sighted=np.array(sighted, np.int64).reshape(-1, 3),
        n_stray=int(observed.n_embedded.sum()) - n_explained,
        pace_s=pace_s,
    )


def fit_hazards(runs: Sequence[Measured]) -> Hazards:
    """Count how often faces of each state and height were embedded."""
    n = np.zeros((N_STATES, len(HEIGHT_EDGES_PX)), np.int64)
    k = np.zeros_like(n)
    n_processed = 0
    for run in runs:
        state, place, hit = run.sighted.T
        np.add.at(n, (state, place), 1)
        np.add.at(k, (state, place), hit)
        n_processed += int((run.observed.end == FrameEnd.PROCESSED).sum())
    overall = k.sum(1, keepdims=True) / np.maximum(n.sum(1, keepdims=True), 1)
    chance = (k + _PRIOR_SIGHTINGS * overall) / (n + _PRIOR_SIGHTINGS)
    stray = sum(run.n_stray for run in runs) / max(n_processed, 1)
    return Hazards(chance=chance, n=n, stray=stray)


def fit_stages(runs: Sequence[Measured]) -> StageFits:
    """Fit every stage's service time over all runs."""
    stages, residuals = [], np.zeros((len(StageIndex), N_QUANTILES))
    search: tuple[SearchFit, ...] = ()
    for stage in StageIndex:
        took_s, units, idle_s, left_s, size = _columns(runs, stage)
        if stage is StageIndex.SEARCH:
            search, fitted_s = _fit_search(took_s, units, size)
            base_s, per_unit_s = search[0].base_s, search[0].per_unit_s
        else:
            base_s, per_unit_s = _line(units, took_s)
            fitted_s = base_s + per_unit_s * units
        residual_s = took_s - fitted_s
        # The mean of the quantiles must be that of the sample, zero: else the model
        # would drift by what the interpolation loses in the long tail.
        quantiles = np.quantile(residual_s, np.linspace(0.0, 1.0, N_QUANTILES))
        trapezoid = (quantiles[1:] + quantiles[:-1]).mean() / 2.0
        residuals[stage] = quantiles - trapezoid
        mean = batch_means(took_s, n_batches=20)
        stages.append(
            StageFit(
                stage=stage.name.lower(),
                unit="byte" if stage is StageIndex.DECODE else "face",
                base_s=base_s,
                per_unit_s=per_unit_s,
                idle_s=idle_s,
                units=Range(low=float(units.min()), high=float(units.max())),
                n=len(took_s),
                mean_s=mean.mean,
                mean_low_s=mean.low,
                mean_high_s=mean.high,
                by_run_s=tuple(
                    float(residual_s[left_s == k].mean()) for k in np.unique(left_s)
                ),
            )
        )
    return StageFits(stages=tuple(stages), search=search, residuals_s=residuals)


def _columns(
    runs: Sequence[Measured], stage: StageIndex
) -> tuple[
    NDArray[np.float64],
    NDArray[np.float64],
    float,
    NDArray[np.float64],
    NDArray[np.float64],
]:
    """Gather time, units, run and gallery of each frame that a stage worked on."""
    took, units, which, size, idle = [], [], [], [], []
    usual_s = float(np.mean([run.pace_s for run in runs]))
    for k, run in enumerate(runs):
        seen = run.observed
        # At the machine's usual pace.
        stage_s = seen.stage_s[:, stage] * usual_s / run.pace_s
        rows = np.isfinite(stage_s)
        if stage is StageIndex.DECODE:
            amount = run.scene.frames.packet_bytes
        elif stage in _OF_EMBEDDED:
            amount = seen.n_embedded.astype(np.float64)
        else:
            amount = run.n_faces.astype(np.float64)
        if stage >= StageIndex.ALIGN:
            idle.append(stage_s[rows & (amount == 0)])
            rows &= amount > 0
        took.append(stage_s[rows])
        units.append(amount[rows])
        which.append(np.full(int(rows.sum()), float(k)))
        size.append(np.full(int(rows.sum()), float(run.replay.gallery_size)))
    resting = np.concatenate(idle) if idle else np.empty(0)
    idle_s = float(resting.mean()) if len(resting) else 0.0
    return (
        np.concatenate(took),
        np.concatenate(units),
        idle_s,
        np.concatenate(which),
        np.concatenate(size),
    )


def _line(
    units: NDArray[np.float64], took_s: NDArray[np.float64]
) -> tuple[float, float]:
    """Fit a line by least squares: its means are those of the sample."""
    if np.ptp(units) == 0.0:
        return float(took_s.mean()), 0.0
    per_unit_s, base_s = np.polyfit(units, took_s, 1)
    return float(base_s), float(per_unit_s)


def _fit_search(
    took_s: NDArray[np.float64], units: NDArray[np.float64], size: NDArray[np.float64]
) -> tuple[tuple[SearchFit, ...], NDArray[np.float64]]:
    fits = []
    fitted_s = np.zeros_like(took_s)
    for gallery_size in np.unique(size):
        mine = size == gallery_size
        base_s, per_unit_s = _line(units[mine], took_s[mine])
        fitted_s[mine] = base_s + per_unit_s * units[mine]
        fits.append(
            SearchFit(
                gallery_size=int(gallery_size),
                base_s=base_s,
                per_unit_s=per_unit_s,
                n=int(mine.sum()),
            )
        )
    return tuple(fits), fitted_s


def fit_gaps(runs: Sequence[Measured]) -> NDArray[np.float64]:
    """Take quantiles of turnaround, wake-up, and way to an idle and a busy worker.

    Returns:
        (4, N_QUANTILES) float64, seconds, in the order of `sim.service.Residual`.
    """
    turnaround, wake, way_idle, way_busy = [], [], [], []
    for run in runs:
        seen = run.observed
        rows = np.flatnonzero(np.isfinite(seen.start_s))
        rows = rows[np.argsort(seen.start_s[rows])]
        before, after = rows[:-1], rows[1:]
        waited = seen.received_s[after] <= seen.done_s[before]
        turnaround.append((seen.start_s[after] - seen.done_s[before])[waited])
        gap_s = float(np.median(turnaround[-1])) if waited.any() else 0.0
        free_s = seen.done_s + gap_s
        # A frame that comes while results are being sent off neither waits nor wakes.
        idle = seen.received_s[after] > seen.done_s[before] + _SENDING_S
        wake.append((seen.start_s[after] - seen.received_s[after])[idle])
        came = np.isfinite(seen.received_s)
        planned_s, way_s = (
            seen.planned_s[came],
            (seen.received_s - seen.planned_s)[came],
        )
        last = np.searchsorted(seen.start_s[rows], planned_s, side="right") - 1
        busy = (last >= 0) & (planned_s < free_s[rows[np.maximum(last, 0)]])
        way_idle.append(way_s[~busy])
        way_busy.append(way_s[busy])
    levels = np.linspace(0.0, 1.0, N_QUANTILES)
    return np.stack(
        [
            np.quantile(np.concatenate(each), levels)
            for each in (turnaround, wake, way_idle, way_busy)
        ]
    )
