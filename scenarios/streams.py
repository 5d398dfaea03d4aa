"""The one place where randomness enters: a seed becomes named, independent streams.

Owns the names and their order. Knows nothing of what is drawn from a stream. New
names go last, so that old results survive.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

__all__ = ["Stream", "Streams"]


class Stream(IntEnum):
    """One concern, one stream; the number is part of every stored result."""

    CROWD = 0
    ARRIVALS = 1
    SERVICE = 2
    OPERATORS = 3
    OFFICERS = 4
    PROBES = 5
    NETWORK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """All randomness of one replication of one scenario.

    Attributes:
        seed: The scenario's seed, 0 or more.
        replication: Which repetition, from 0; each draws from its own seeds.
    """

    seed: int
    replication: int = 0

    def generator(self, stream: Stream) -> np.random.Generator:
        """Return a fresh generator at the start of `stream`."""
        return np.random.default_rng(self._sequence(stream))

    def seed_of(self, stream: Stream) -> int:
        """Return a 63-bit seed for a package that derives streams of its own."""
        return int(self._sequence(stream).generate_state(1, np.uint64)[0] >> 1)

    def _sequence(self, stream: Stream) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=(stream, self.replication))
