"""Computes a capacity plan: what a node carries, what a site needs, what gives first.

Owns the order of the questions and the arithmetic between their answers. Knows
nothing of files, pages or terminals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.capacity import (
    Beyond,
    Carried,
    Figures,
    Question,
    Variation,
    beyond,
    carried,
    figures,
    peak_node,
    tables_of,
    tornado,
    without_stage,
)
from sim.fast import simulate_node
from sim.fleet import Day, Review, review_alerts, run_day
from sim.records import FrameEnd, StageIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.site import ReviewConfig

__all__ = ["CapacityPlan", "Failure", "Relief", "make_plan"]

# A worker killed by the system is back within this, as the engine's own tests hold.
_REPAIR_S = 2.0
_KILLED_AT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """What making one stage cost nothing would buy.

    Attributes:
        stage: Its name.
        share: Of the worker's time that it takes.
        cameras: A node would then carry.
    """

    stage: str
    share: float
    cameras: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Something that fails, and what follows.

    Attributes:
        what: In a few words.
        consequence: In one sentence, with figures.
        is_kept: Whether the site still keeps to its target.
    """

    what: str
    consequence: str
    is_kept: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CapacityPlan:
    """A plan with everything that it rests on.

    Attributes:
        question: What was asked.
        outside: Settings beyond what was measured.
        per_node: Cameras that a node carries.
        peak: One worker at the median of them, at its busiest; None if a node carries
            no camera.
        nodes: Needed, one spare included; None if a node carries no camera.
        nodes_low, nodes_high: By the interval of cameras per node.
        reliefs: By stage, the largest first.
        variations: The tornado.
        failures: What breaks first.
        years: Until the nodes are too few, at the stated growth; None without growth.
        day: The whole site over its hours; None if it was not asked for.
        review: How its alerts were reviewed.
    """

    question: Question
    outside: tuple[Beyond, ...]
    per_node: Carried
    peak: Figures | None
    nodes: int | None
    nodes_low: int | None
    nodes_high: int | None
    reliefs: tuple[Relief, ...]
    variations: tuple[Variation, ...]
    failures: tuple[Failure, ...]
    years: float | None
    day: Day | None
    review: Review | None

    @property
    def price_per_camera_gbp(self) -> float | None:
        """Price of all nodes over the cameras."""
        if self.nodes is None:
            return None
        price = self.nodes * self.question.hardware.price_gbp
        return price / self.question.site.cameras

    @property
    def watts_per_camera(self) -> float | None:
        """Power of all nodes over the cameras."""
        if self.nodes is None:
            return None
        return self.nodes * self.question.hardware.watts / self.question.site.cameras


def make_plan(
    question: Question,
    review: ReviewConfig,
    *,
    whole_day: bool,
    threads: int,
    progress: Callable[[str, int, int], None],
) -> CapacityPlan:
    """Answer everything that a plan is asked.

    Args:
        question: Site, node and target.
        review: Who looks at alerts.
        whole_day: Simulate all cameras over all hours.
        threads: For that.
        progress: Told a stage, how much of it is done, and of how much.
    """
    progress("cameras per node", 0, 1)
    per_node = carried(question)
    progress("cameras per node", 1, 1)
    n_workers = question.hardware.n_workers
    per_worker = per_node.median // n_workers
    peak = None
    reliefs: tuple[Relief, ...] = ()
    if per_worker > 0:
        peak = figures(
            peak_node(question, per_worker, key=question.seed),
            tables_of(question),
            key=question.seed,
        )
        reliefs = _reliefs(question, peak, progress)
    progress("what moves it", 0, 1)
    variations = tornado(question)
    progress("what moves it", 1, 1)
    nodes = _nodes(question, per_node.median)
    day = seen = None
    if whole_day and per_worker > 0:
        share = _per_worker_in_use(question, nodes)
        day = run_day(
            question,
            cameras_per_worker=share,
            threads=threads,
            progress=lambda done, of: progress("every camera, every hour", done, of),
        )
        seen = review_alerts(
            day.alert_s,
            operators=review.operators,
            review_s=review.review_s,
            span_s=question.site.hours * 3600.0,
            rng=np.random.default_rng([question.seed, 31]),
        )
    return CapacityPlan(
        question=question,
        outside=beyond(question),
        per_node=per_node,
        peak=peak,
        nodes=nodes,
        nodes_low=_nodes(question, per_node.high),
        nodes_high=_nodes(question, per_node.low),
        reliefs=reliefs,
        variations=variations,
        failures=_failures(question, per_node, nodes),
        years=_years(question, per_node, nodes),
        day=day,
        review=seen,
    )


def _nodes(question: Question, per_node: int) -> int | None:
    """Nodes for all cameras, and one more to take over when one fails."""
    if per_node == 0:
        return None
    return math.ceil(question.site.cameras / per_node) + 1


def _per_worker_in_use(question: Question, nodes: int | None) -> int:
    """Cameras of one worker when they are shared out over all nodes but the spare."""
    in_use = max((nodes if nodes is not None else 2) - 1, 1)
    workers = in_use * question.hardware.n_workers
    return max(math.ceil(question.site.cameras / workers), 1)


def _reliefs(
    question: Question, peak: Figures, progress: Callable[[str, int, int], None]
) -> tuple[Relief, ...]:
    """Ask of the three costliest stages what it would buy to be rid of them."""
    order = np.argsort(peak.stage_share)[::-1][:3].tolist()
    found = []
    for done, stage in enumerate(order):
        progress("bottleneck", done, len(order))
        found.append(
            Relief(
                stage=StageIndex(stage).name.lower(),
                share=peak.stage_share[stage],
                cameras=carried(
                    question, change=without_stage(StageIndex(stage))
                ).median,
            )
        )
    progress("bottleneck", len(order), len(order))
    return tuple(found)


def _years(question: Question, per_node: Carried, nodes: int | None) -> float | None:
    growth = question.site.growth_per_year
    if growth <= 0.0 or nodes is None:
        return None
    room = (nodes - 1) * per_node.median / question.site.cameras
    return math.log(room) / math.log1p(growth)


def _failures(
    question: Question, per_node: Carried, nodes: int | None
) -> tuple[Failure, ...]:
    if nodes is None or per_node.median == 0:
        return ()
    site = question.site
    in_use = nodes - 1
    load = site.cameras / in_use
    rows = [
        Failure(
            what="one node fails, the spare takes over",
            consequence=(
                f"the other {in_use} carry {load:.1f} cameras each, of "
                f"{per_node.median} that they can (95 %: {per_node.low} to "
                f"{per_node.high})"
            ),
            is_kept=load <= per_node.median,
        )
    ]
    if in_use > 1:
        crowded = site.cameras / (in_use - 1)
        rows.append(
            Failure(
                what="two nodes fail",
                consequence=(
                    f"{in_use - 1} nodes would have to carry {crowded:.1f} cameras "
                    f"each, of {per_node.median} that they can"
                ),
                is_kept=crowded <= per_node.median,
            )
        )
    rows.append(_worker_killed(question, max(per_node.median, 1)))
    rows.append(
        Failure(
            what="one camera fails at the busiest hour",
            consequence=(
                f"{60.0 * site.passages_per_min:,.0f} passages an hour are seen by "
                "nobody: nothing else in the system makes up for a camera"
            ),
            is_kept=False,
        )
    )
    return tuple(rows)


def _worker_killed(question: Question, per_node: int) -> Failure:
    """Kill one worker at its busiest and count what is lost."""
    per_worker = max(per_node // question.hardware.n_workers, 1)
    node = peak_node(question, per_worker, key=question.seed)
    tables = tables_of(question)
    up_s = _KILLED_AT_S + _REPAIR_S
    rules = node.rules._replace(
        down_worker=np.zeros(1, np.int32),
        down_s=np.array([_KILLED_AT_S]),
        up_s=np.array([up_s]),
    )
    whole = simulate_node(node, tables, key=question.seed)
    broken = simulate_node(node._replace(rules=rules), tables, key=question.seed)
    failed = int((broken.end == FrameEnd.FAILED).sum())
    missed = int(((whole.n_shots > 0) & (broken.n_shots == 0)).sum())
    at_risk = int(
        (
            (node.passages.t_in_s < up_s)
            & (node.passages.t_out_s > _KILLED_AT_S)
            & (whole.n_shots > 0)
        ).sum()
    )
    return Failure(
        what=f"a worker is killed and back after {_REPAIR_S:g} s",
        consequence=(
            f"{failed} frames fail; of {at_risk} passages in view {missed} are never "
            "searched, the others are searched before or after"
        ),
        is_kept=missed == 0,
    )
