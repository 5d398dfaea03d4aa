"""Random numbers by address: the same question always gets the same answer.

Owns a counter-based generator for compiled loops. A draw is addressed by key,
replication, alert and purpose, so two policies that share an address share the draw,
however differently they went before: common random numbers without bookkeeping.
Knows nothing of what is drawn.

Source:
    Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA
    2014 (the finaliser of SplitMix64).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["exponential", "log_normal", "normal", "stream_key", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


def stream_key(seed: int, *address: int) -> int:
    """Return the 64-bit key of one concern of one replicated experiment.

    Args:
        seed: Of the scenario, 0 or more.
        address: Whole numbers, 0 or more, that name the concern.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=address)
    return int(sequence.generate_state(1, np.uint64)[0])


@njit(cache=True, nogil=True)
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@njit(cache=True, nogil=True)
def uniform(key: np.uint64, replication: int, item: int, purpose: int) -> float:
    """Return a number in (0, 1), the same for the same address."""
    state = _mix(key + _GOLDEN * np.uint64(replication + 1))
    state = _mix(state + _GOLDEN * np.uint64(item + 1))
    state = _mix(state + _GOLDEN * np.uint64(purpose + 1))
    # 53 bits, shifted by half a step: never 0, so that logarithms stay finite.
    return (float(state >> _S11) + 0.5) * 2.0**-53


@njit(cache=True, nogil=True)
def exponential(key: np.uint64, replication: int, item: int, purpose: int) -> float:
    """Return an exponential number with mean 1."""
    return -math.log(uniform(key, replication, item, purpose))


@njit(cache=True, nogil=True)
def normal(key: np.uint64, replication: int, item: int, purpose: int) -> float:
    """Return a standard normal number; takes `purpose` and `purpose + 1`."""
    radius = math.sqrt(-2.0 * math.log(uniform(key, replication, item, purpose)))
    turn = uniform(key, replication, item, purpose + 1)
    return radius * math.cos(2.0 * math.pi * turn)


@njit(cache=True, nogil=True)
def log_normal(
    key: np.uint64,
    replication: int,
    item: int,
    purpose: int,
    median: float,
    log_sd: float,
) -> float:
    """Return a log-normal number; takes `purpose` and `purpose + 1`."""
    return median * math.exp(log_sd * normal(key, replication, item, purpose))
