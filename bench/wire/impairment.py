"""What becomes of each packet on an imperfect wire: lost, late, or out of order.

Owns the fates, drawn from the seed in the order of the packets. Pure: times are given,
none is read. Knows nothing of sockets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from bench.wire.settings import WireConfig

__all__ = ["Fate", "Impairment"]

# Source: RFC 9293, 3.7.1: 1460 bytes on Ethernet, less 12 for time stamps.
_SEGMENT_BYTES = 1448
# Source: RFC 5681, 3.2: three later segments tell of a loss within a round trip. Else
# a timer does: Linux's TCP_RTO_MIN, 200 ms.
_TELLTALES = 3
_LEAST_TIMEOUT_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one packet.

    Attributes:
        leaves_s: When it comes out at the other end; infinite if never.
        is_late: It was lost and had to be sent again.
        overtakes: It came out ahead of those before it.
    """

    leaves_s: float
    is_late: bool = False
    overtakes: bool = False

    @property
    def is_lost(self) -> bool:
        """Whether it never comes out."""
        return math.isinf(self.leaves_s)


class Impairment:
    """One direction of one camera's wire.

    Args:
        config: What it is like.
        rng: Its own stream; three numbers are drawn for every packet, whatever the
            settings, so that changing one leaves the others' luck untouched.
        is_reliable: TCP: what is lost is sent again, and order is kept.
    """

    def __init__(
        self, config: WireConfig, *, rng: np.random.Generator, is_reliable: bool
    ) -> None:
        self._config = config
        self._rng = rng
        self._is_reliable = is_reliable
        self._link_free_s = -math.inf
        self._last_leaves_s = -math.inf

    def fate(self, *, now_s: float, n_bytes: int) -> Fate:
        """Decide about the next packet.

        Args:
            now_s: Of the run, when it enters the wire.
            n_bytes: How large it is; of TCP, a piece of the stream.
        """
        config = self._config
        loss, spread, order = self._rng.random(3).tolist()
        sent_s = self._sent(now_s, n_bytes)
        outage_ends_s = max(
            (o.until_s for o in config.outages if o.from_s <= now_s < o.until_s),
            default=None,
        )
        arrives_s = sent_s + config.delay_s + config.jitter_s * (2.0 * spread - 1.0)
        if self._is_reliable:
            return self._sent_again(arrives_s, loss, n_bytes, outage_ends_s)
        if outage_ends_s is not None or loss < config.loss:
            return Fate(leaves_s=math.inf)
        if order < config.reorder:
            return Fate(leaves_s=sent_s, overtakes=sent_s < self._last_leaves_s)
        return Fate(leaves_s=self._in_order(arrives_s))

    def _sent(self, now_s: float, n_bytes: int) -> float:
        """When the last bit is on the link."""
        if self._config.link_mbps is None:
            return now_s
        takes_s = n_bytes * 8 / (self._config.link_mbps * 1e6)
        self._link_free_s = max(self._link_free_s, now_s) + takes_s
        return self._link_free_s

    def _sent_again(
        self, arrives_s: float, luck: float, n_bytes: int, outage_ends_s: float | None
    ) -> Fate:
        """Let a piece of a TCP stream come through, however often it takes."""
        n_segments = math.ceil(n_bytes / _SEGMENT_BYTES)
        # Which segment, if any, is lost first: geometric, from one uniform number.
        loss = self._config.loss
        lost = int(math.log1p(-luck) / math.log1p(-loss)) if loss > 0.0 else n_segments
        is_late = lost < n_segments
        if is_late:
            round_trip_s = 2.0 * self._config.delay_s
            told = n_segments - lost > _TELLTALES
            arrives_s += (
                round_trip_s if told else max(_LEAST_TIMEOUT_S, 2.0 * round_trip_s)
            )
        if outage_ends_s is not None:
            arrives_s = max(arrives_s, outage_ends_s + self._config.delay_s)
        return Fate(leaves_s=self._in_order(arrives_s), is_late=is_late)

    def _in_order(self, arrives_s: float) -> float:
        self._last_leaves_s = max(self._last_leaves_s, arrives_s)
        return self._last_leaves_s
