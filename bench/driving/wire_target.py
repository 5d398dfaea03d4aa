"""A matcher in another process that gets its cameras over the network, as MPEG-TS.

Owns the target: what the driver issues is published by the station, and every frame
issued has its one outcome, also the one that the wire has lost. Knows nothing of when
frames are due, nor of how processes and sockets are opened. Part of the shell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import SystemGoneError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.driving.matcher_process import SystemLink
    from bench.driving.wire_ledger import WireLedger
    from bench.records import ArrivalPlan
    from bench.wire.proxy import Proxy
    from bench.wire.settings import NetworkConfig
    from bench.wire.station import Station, Transport
    from matcher.messages import GalleryChange
    from matcher.records import EncodedFrame

__all__ = ["Cameras", "WireTarget"]

# A frame that has not come out so long after the last sign of any is not coming.
_QUIET_S = 3.0
# Results of frames that have ended are here by then.
_LAST_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cameras:
    """What publishes, how, and over what network.

    Attributes:
        plan: When each frame is captured.
        packets: Of each camera of the plan, the packet of each frame.
        transport: What carries the transport streams.
        network: What befalls them.
        seed: Of the network's luck; each camera's derives from it.
        is_timed: Capture times are of this machine's clock; else they are the plan's
            own, from zero.
    """

    plan: ArrivalPlan
    packets: Sequence[Sequence[bytes]]
    transport: Transport
    network: NetworkConfig
    seed: int
    is_timed: bool

    def gaps_ns(self) -> dict[tuple[str, int], int]:
        """Say how long after each frame its camera's next one is captured."""
        gaps = {}
        for number, camera_id in enumerate(self.plan.camera_ids):
            rows = np.flatnonzero(self.plan.camera == number)
            for row, after in pairwise(rows.tolist()):
                gap_ns = self.plan.offset_ns[after] - self.plan.offset_ns[row]
                gaps[camera_id, int(self.plan.frame_index[row])] = int(gap_ns)
        return gaps


class WireTarget:
    """A `bench.driving.target.Target` whose frames travel as MPEG-TS.

    Args:
        link: To the matcher's process, for everything but frames.
        station: Publishes them.
        ledger: Which the link reports to.
        cameras: Whose they are.
        proxy: What they pass through; None if the wire is perfect.
    """

    def __init__(
        self,
        link: SystemLink,
        station: Station,
        ledger: WireLedger,
        cameras: Cameras,
        *,
        proxy: Proxy | None,
    ) -> None:
        self.pid = link.pid
        name = f"{link.system.name} over MPEG-TS/{cameras.transport.upper()}"
        self.system = replace(link.system, name=name)
        self._link = link
        self._station = station
        self._ledger = ledger
        self._gaps_ns = cameras.gaps_ns()
        self._proxy = proxy
        self._start_ns = -int(cameras.plan.offset_ns[0])
        self._has_begun = False
        wires = [cameras.network.of(c) for c in cameras.plan.camera_ids]
        longest_s = max(
            (o.until_s - o.from_s for w in wires for o in w.outages), default=0.0
        )
        self._quiet_s = _QUIET_S + longest_s + max(2.0 * w.delay_s for w in wires)

    @property
    def name(self) -> str:
        """What a report calls it."""
        return self.system.name

    def read_clock(self, asked_ns: int) -> int:
        """Read the matcher's clock, nanoseconds."""
        return self._link.read_clock(asked_ns)

    def issue(self, frame: EncodedFrame) -> None:
        """Publish one frame; one that its camera cannot send has failed."""
        if self._link.has_ended:
            raise SystemGoneError(reason=self._link.why_gone)
        if not self._has_begun:
            self._has_begun = True
            if self._proxy is not None:
                self._proxy.begin(self._start_ns + frame.capture_time_ns)
        self._ledger.left(frame)
        gap_ns = self._gaps_ns.get((frame.camera_id, frame.index))
        next_ns = None if gap_ns is None else frame.capture_time_ns + gap_ns
        cause = self._station.publish(frame, next_time_ns=next_ns)
        if cause:
            self._ledger.stayed(frame, cause)

    @property
    def carrier_pids(self) -> tuple[int, ...]:
        """The network's process: what it uses, the harness uses."""
        if self._proxy is None or self._proxy.pid is None:
            return ()
        return (self._proxy.pid,)

    def change(self, change: GalleryChange) -> None:
        """Hand a change of the watchlist over; it does not travel over the wire."""
        self._link.change(change)

    def flush(self) -> None:
        """Wait until every frame has ended, or can no longer be hoped for.

        Raises:
            SystemGoneError: If the matcher has gone.
        """
        if not self._ledger.settle(self._quiet_s):
            # What it holds ends first; what it does not hold by now was lost.
            self._link.flush()
            if not self._ledger.settle(_LAST_S):
                self._ledger.write_off()
