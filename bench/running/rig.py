"""What a run is made with: the feeds of its cameras and the plan of their arrivals.

Owns the step from a crowd and `[load]` to what the driver sends. Part of the shell: it
reads clips and traces. Knows nothing of targets or of figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.load.feeds import Feed, feed_of, repeated, with_cameras
from bench.load.settings import LoadKind, LoadShape
from bench.load.sources import read_trace
from bench.load.watchlist import draw_changes
from bench.load.workload import draw_plan, replayed, resumed_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from bench.load.settings import LoadConfig
    from bench.records import ArrivalPlan
    from synthetic_crowds.records import Crowd

__all__ = ["Rig", "make_rig", "rig_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rig:
    """Everything that is fixed before the first frame goes.

    Attributes:
        crowd: What is true of the cameras that send, copies included.
        packets: Of each camera of the plan, the packet of each frame.
        plan: When each is captured.
    """

    crowd: Crowd
    packets: tuple[tuple[bytes, ...], ...]
    plan: ArrivalPlan


def make_rig(crowd: Crowd, load: LoadConfig, *, rng: np.random.Generator) -> Rig:
    """Read a crowd's clips and draw the plan of a load on them.

    Raises:
        BadInputError: If a clip or a trace cannot be read, or the load does not fit
            the clips.
    """
    return rig_of(crowd, [feed_of(clip) for clip in crowd.clips], load, rng=rng)


def rig_of(
    crowd: Crowd,
    rendered: Sequence[Feed],
    load: LoadConfig,
    *,
    rng: np.random.Generator,
) -> Rig:
    """Draw the plan of a load on feeds that were read before.

    Args:
        crowd: As generated.
        rendered: The feeds of its clips.
        load: How many cameras, for how long, and when.
        rng: The stream of the arrivals.
    """
    n_cameras = len(rendered) if load.cameras is None else load.cameras
    feeds = with_cameras(rendered, n_cameras)
    if load.shape is LoadShape.SOAK and load.duration_s is not None:
        wanted_s = load.duration_s
        feeds = tuple(
            repeated(f, math.ceil(wanted_s * f.clip.fps / f.clip.n_frames - 1e-9))
            for f in feeds
        )
    clips = tuple(feed.clip for feed in feeds)
    if load.kind is LoadKind.REPLAY and load.trace is not None:
        offset_ns, cameras = read_trace(load.trace)
        plan = replayed(clips, offset_ns=offset_ns, cameras=cameras)
    else:
        plan = draw_plan(clips, load, rng=rng)
    plan = resumed_at(plan, [feed.keyframes for feed in feeds])
    changes = draw_changes(
        load,
        [str(s.person_id) for s in crowd.watchlist.subjects],
        passers={str(person) for person in crowd.watchlist.mated},
        duration_s=float(plan.offset_ns.max(initial=0)) / 1e9,
        # After the frames: a change of the watchlist moves none of them.
        rng=rng,
    )
    return Rig(
        crowd=replace(crowd, clips=clips),
        packets=tuple(feed.packets for feed in feeds),
        plan=replace(plan, changes=changes),
    )
