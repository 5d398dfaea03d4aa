"""One place in the crew of workers, and what whoever takes it is told.

Owns what the supervisor keeps of each place, across the deaths of those who held it.
Knows nothing of how messages travel.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matcher.ledger import Ledger

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess

    from matcher.ledger import FrameKey
    from matcher.messages import CameraMemory, FromWorker, ResourceUse, Routed, ToWorker
    from matcher.records import EncodedFrame

__all__ = ["Berth", "Orders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a worker is told when it starts.

    Attributes:
        number: Which of the crew it is, from 0.
        cpu: The core that it is to keep to; None if any will do.
        memories: Of the cameras of the worker in whose place it steps.
        frames: Of each of them, those since its last key frame.
    """

    number: int
    cpu: int | None
    memories: tuple[CameraMemory, ...]
    frames: tuple[EncodedFrame, ...]


@dataclass(slots=True)
class Berth:
    """One place in the crew, and whoever holds it.

    Attributes:
        number: Which place, from 0.
        ledger: What its holders owe.
        process, connection: The present holder's; None between two.
        is_ready: It takes frames.
        backlog: Frames that wait until it does.
        died_ns: When holders died, of late.
        use: What the last one used, once it has left.
    """

    number: int
    ledger: Ledger = field(default_factory=Ledger)
    process: ForkProcess | None = None
    connection: Connection[ToWorker, FromWorker] | None = None
    is_ready: bool = False
    backlog: deque[Routed] = field(default_factory=deque)
    died_ns: list[int] = field(default_factory=list)
    use: ResourceUse | None = None

    @property
    def owed(self) -> frozenset[FrameKey]:
        """Frames that were meant for it and have not ended."""
        waiting = {(r.frame.camera_id, r.frame.index) for r in self.backlog}
        return self.ledger.owed | waiting
