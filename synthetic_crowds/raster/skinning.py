"""Bones that vertices follow, blended in vector registers (linear blend skinning).

Owns how bones lie in memory, a register to each, so that blending one more costs one
instruction; numba finds no vectors in loops so short. Knows nothing of people.
"""

# Numba's and llvmlite's builders are untyped, and an intrinsic's arguments are types.
# ruff: noqa: ANN401, ARG001

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from synthetic_crowds.raster.lanes import address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["MOST_BONES", "blended", "bone_rows"]

# As many bones move a vertex; those of no weight count, too.
MOST_BONES = 5
# A bone's row: where it takes the axes x, y, z and the origin, four numbers each.
_ROW = 16
_WORD, _INDEX, _NUMBER = ir.IntType(32), ir.IntType(64), ir.FloatType()
_VECTOR = ir.VectorType(_NUMBER, _ROW)


@njit(cache=True, nogil=True, error_model="numpy")
def bone_rows(
    rotations: NDArray[np.float64],
    offsets: NDArray[np.float64],
    turn: NDArray[np.float64],
    place: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Lay out bones (b, 16) for `blended`, seen from another frame.

    Args:
        rotations: (b, 3, 3), from rest to posed.
        offsets: (b, 3), where they take the origin.
        turn: (3, 3), from the posed to the other frame.
        place: (3,), the posed frame's origin in the other one.
    """
    rows = np.zeros((len(rotations), _ROW), np.float32)
    for bone in range(len(rotations)):
        for i in range(3):
            for j in range(3):
                total = 0.0
                for k in range(3):
                    total += turn[i, k] * rotations[bone, k, j]
                rows[bone, 4 * j + i] = total
            total = place[i]
            for k in range(3):
                total += turn[i, k] * offsets[bone, k]
            rows[bone, 12 + i] = total
    return rows


def _blended(
    _: Any, rows: Any, bones: Any, weights: Any, vertex: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def element(number: int, index: Any, kind: ir.Type) -> Any:
            array_type, array = signature.args[number], arguments[number]
            place = address_of(context, builder, array_type, array, index)
            return builder.load(builder.bitcast(place, kind.as_pointer()), align=1)

        first = builder.mul(arguments[3], _INDEX(MOST_BONES))
        nowhere = ir.Constant(_VECTOR, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(_WORD, _ROW), [0] * _ROW)
        blend = ir.Constant(_VECTOR, [0.0] * _ROW)
        for k in range(MOST_BONES):
            index = builder.add(first, _INDEX(k))
            bone = builder.zext(element(1, index, ir.IntType(8)), _INDEX)
            row = element(0, builder.mul(bone, _INDEX(_ROW)), _VECTOR)
            weight = builder.insert_element(
                nowhere, element(2, index, _NUMBER), _WORD(0)
            )
            weight = builder.shuffle_vector(weight, weight, everywhere)
            share = builder.fmul(row, weight, flags=("contract",))
            blend = builder.fadd(blend, share, flags=("contract",))
        numbers = [builder.extract_element(blend, _WORD(i)) for i in range(_ROW)]
        return context.make_tuple(builder, signature.return_type, numbers)

    numbers = types.UniTuple(types.float32, _ROW)  # type: ignore[no-untyped-call]
    return numbers(rows, bones, weights, types.uint64), generate


# The mean of rows (b, 16) of the bones that a vertex follows, `bones` (v, 5) uint8, by
# `weights` (v, 5) float32: sixteen numbers, laid out as a bone's row is.
blended = cast(
    "Callable[[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32], np.uint64],"
    " tuple[np.float32, ...]]",
    intrinsic(_blended),
)
