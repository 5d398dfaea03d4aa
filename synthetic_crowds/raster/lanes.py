"""Things that processors do and numba has no word for.

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

__all__ = ["LANES", "address_of", "cover_rows", "lowest", "prefetch", "winners"]

# Samples that are decided at once; processors without registers as wide take turns.
LANES = 8
_WORD = ir.IntType(32)
_LONG = ir.IntType(64)
_RUN = ir.VectorType(_WORD, LANES)


def address_of(
    context: Any, builder: Any, array_type: Any, array: Any, index: Any
) -> ir.Value:
    """Address of an element of a C-contiguous array, counted flat."""
    made = context.make_array(array_type)(context, builder, array)
    step = builder.mul(index, index.type(array_type.dtype.bitwidth // 8))
    return cgutils.pointer_add(builder, made.data, step)  # type: ignore[no-untyped-call]


def _prefetch(
    _: Any,
    array: Any,
    index: Any,
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = address_of(context, builder, signature.args[0], *arguments)
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


def _spread(builder: Any, word: Any) -> Any:
    """A run that holds one word eight times."""
    single = builder.insert_element(ir.Constant(_RUN, None), word, _WORD(0))
    return builder.shuffle_vector(single, single, ir.Constant(_RUN, [0] * LANES))


def _along(builder: Any, start: Any, step: Any) -> Any:
    """A run that starts with a word and grows by a step."""
    lanes = ir.Constant(_RUN, list(range(LANES)))
    return builder.add(
        _spread(builder, start), builder.mul(lanes, _spread(builder, step))
    )


def _four(builder: Any, words: Any) -> list[Any]:
    return [builder.extract_value(words, i) for i in range(4)]


def _wins(builder: Any, values: list[Any], coarse: Any, owner: Any, before: Any) -> Any:
    """What samples would hold, and whether they are inside and nothing is nearer."""
    outside = builder.or_(builder.or_(values[0], values[1]), values[2])
    inside = builder.icmp_signed(">=", outside, ir.Constant(_RUN, [0] * LANES))
    key = builder.or_(builder.and_(values[3], coarse), owner)
    return key, builder.and_(inside, builder.icmp_signed(">", key, before))


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

        def keep(value: Any) -> Any:
            slot = cgutils.alloca_once(builder, value.type)  # type: ignore[no-untyped-call]
            builder.store(value, slot)
            return slot

        slots = [
            keep(_along(builder, start, step))
            for start, step in zip(
                _four(builder, starts), _four(builder, steps), strict=True
            )
        ]
        down = [_spread(builder, fall) for fall in _four(builder, falls)]
        mask, name = _spread(builder, coarse), _spread(builder, owner)
        index = keep(at)
        with cgutils.for_range(builder, rows):
            here = builder.load(index)
            place = address_of(context, builder, signature.args[0], flat, here)
            address = builder.bitcast(place, _RUN.as_pointer())
            values = [builder.load(slot) for slot in slots]
            before = builder.load(address, align=4)
            key, wins = _wins(builder, values, mask, name, before)
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


def _winners(
    _: Any, flat: Any, at: Any, starts: Any, steps: Any, coarse: Any, owner: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        flat, at, starts, steps, coarse, owner = arguments
        place = address_of(context, builder, signature.args[0], flat, at)
        before = builder.load(builder.bitcast(place, _RUN.as_pointer()), align=4)
        values = [
            _along(builder, start, step)
            for start, step in zip(
                _four(builder, starts), _four(builder, steps), strict=True
            )
        ]
        _, wins = _wins(
            builder, values, _spread(builder, coarse), _spread(builder, owner), before
        )
        return builder.zext(builder.bitcast(wins, ir.IntType(LANES)), _LONG)

    words = types.UniTuple(types.int32, 4)  # type: ignore[no-untyped-call]
    return types.uint64(
        flat, types.uint64, words, words, types.int32, types.int32
    ), generate


def _lowest(_: Any, bits: Any) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


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
# Which samples of one row of eight such a triangle would have: a bit each.
winners = cast("Callable[..., np.uint64]", intrinsic(_winners))
# The number of the lowest bit that is set; there must be one.
lowest = cast("Callable[[np.uint64], np.uint64]", intrinsic(_lowest))
