"""Random numbers with addresses: what is drawn depends on where, never on when.

Owns the hash behind them. Every item has a key, every purpose of an item has words of
its own, and a word is cut into parts, so that the SimPy model and the kernel draw the
same in whatever order they come by. Knows nothing of what is drawn.
"""

from __future__ import annotations

import numpy as np

from sim.compiled import compiled

__all__ = ["PARTS", "mix", "own_key", "part", "uniform", "unit", "word"]

# Parts of a word: sixteen bits each, enough for a quantile.
PARTS = 4

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_LOW = np.uint64(0xFFFF)


@compiled()
def mix(value: np.uint64) -> np.uint64:
    """Scramble 64 bits.

    Source:
        Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA
        2014 (the finaliser of SplitMix64).
    """
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


@compiled()
def own_key(key: np.uint64, item: int) -> np.uint64:
    """Return the key of one item's own draws."""
    return mix(key + _GOLDEN * np.uint64(item + 1))


@compiled()
def word(own: np.uint64, purpose: int) -> np.uint64:
    """Return an item's 64 bits for one purpose, always the same."""
    return mix(own + _GOLDEN * np.uint64(purpose + 1))


@compiled()
def part(whole: np.uint64, which: int) -> float:
    """Cut one of `PARTS` numbers in (0, 1) out of a word."""
    bits = (whole >> np.uint64(16 * which)) & _LOW
    return (float(bits) + 0.5) * 2.0**-16


@compiled()
def unit(own: np.uint64, purpose: int) -> float:
    """Return an item's number in (0, 1) for one purpose, to 53 bits."""
    # Shifted by half a step: never 0, never 1.
    return (float(word(own, purpose) >> _S11) + 0.5) * 2.0**-53


@compiled()
def uniform(key: np.uint64, item: int, purpose: int) -> float:
    """Return a number in (0, 1), always the same at one address."""
    return unit(own_key(key, item), purpose)
