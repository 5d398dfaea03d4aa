"""Two things that processors do and numba has no word for.

Owns fetching memory before it is needed, and a run of eight samples decided at once.
Loops that read here and there in arrays larger than a processor's caches wait for
memory more than they calculate; told early what they will read, memory brings it
meanwhile. Results depend on neither. Knows nothing of people.
"""

# Numba's and llvmlite's builders are untyped, and an intrinsic's arguments are types.
# ruff: noqa: ANN401, ARG001

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LANES", "cover_rows", "prefetch"]

# Samples that are decided at once; processors without registers as wide take turns.
LANES = 8
_WORD = ir.IntType(32)
_RUN = ir.VectorType(_WORD, LANES)


def _place(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any
) -> ir.Value:
    """Address of an element of a C-contiguous array, counted flat."""
    made = context.make_array(array_type)(context, builder, array)
    step = builder.mul(index, made.itemsize)
    return cgutils.pointer_add(builder, made.data, step)  # type: ignore[no-untyped-call]


def _prefetch(
    _: Any,
    array: Any,
    index: Any,
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments)
        address = builder.bitcast(place, cgutils.voidptr_t)
        call = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module,
            ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, _WORD, _WORD, _WORD]),
            "llvm.prefetch.p0",
        )
        # To read, into every cache, data.
        builder.call(call, [address, _WORD(0), _WORD(3), _WORD(1)])
        return context.get_dummy_value()

    return types.void(array, types.uint64), generate


def _cover_rows(
    _: Any,
    flat: Any,
    at: Any,
    stride: Any,
    rows: Any,
    starts: Any,
    steps: Any,
    falls: Any,
    coarse: Any,
    owner: Any,
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flat, at, stride, rows, starts, steps, falls, coarse, owner = arguments
        nothing = ir.Constant(_RUN, [0] * LANES)
        lanes = ir.Constant(_RUN, list(range(LANES)))

        def spread(word: Any) -> Any:
            single = builder.insert_element(ir.Constant(_RUN, None), word, _WORD(0))
            return builder.shuffle_vector(single, single, nothing)

        def keep(value: Any) -> Any:
            slot = cgutils.alloca_once(builder, value.type)  # type: ignore[no-untyped-call]
            builder.store(value, slot)
            return slot

        def unpack(words: Any) -> list[Any]:
            return [spread(builder.extract_value(words, i)) for i in range(4)]

        along = [builder.mul(lanes, step) for step in unpack(steps)]
        slots = [
            keep(builder.add(start, step))
            for start, step in zip(unpack(starts), along, strict=True)
        ]
        down, mask, name = unpack(falls), spread(coarse), spread(owner)
        index = keep(at)
        with cgutils.for_range(builder, rows):
            here = builder.load(index)
            place = _place(context, builder, signature.args[0], flat, here)
            address = builder.bitcast(place, _RUN.as_pointer())
            values = [builder.load(slot) for slot in slots]
            outside = builder.or_(builder.or_(values[0], values[1]), values[2])
            inside = builder.icmp_signed(">=", outside, nothing)
            key = builder.or_(builder.and_(values[3], mask), name)
            before = builder.load(address, align=4)
            wins = builder.and_(inside, builder.icmp_signed(">", key, before))
            builder.store(builder.select(wins, key, before), address, align=4)
            for slot, value, fall in zip(slots, values, down, strict=True):
                builder.store(builder.add(value, fall), slot)
            builder.store(builder.add(here, stride), index)
        return context.get_dummy_value()

    words = types.UniTuple(types.int32, 4)  # type: ignore[no-untyped-call]
    return types.void(
        flat, types.uint64, types.uint64, types.int64, words, words, words,
        types.int32, types.int32,
    ), generate  # fmt: skip


# Begin to fetch an element, counted flat, of a C-contiguous array.
prefetch = cast(
    "Callable[[NDArray[np.generic], np.uint64], None]", intrinsic(_prefetch)
)
# Let a triangle have those samples of some rows of eight, from `at` on and `stride`
# apart, that lie inside it and that nothing nearer has: where none of the three edge
# functions is negative. Those and nearness, four words each, start somewhere and change
# by a step from sample to sample and by another from row to row. A sample's word is the
# nearness, less its bits outside `coarse`, and the owner in their place.
cover_rows = cast("Callable[..., None]", intrinsic(_cover_rows))
