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

__all__ = ["LANES", "cover_run", "prefetch"]

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


def _cover_run(  # noqa: PLR0913, PLR0917
    _: Any,
    flat: Any,
    at: Any,
    wa: Any,
    wb: Any,
    wc: Any,
    z: Any,
    wa_x: Any,
    wb_x: Any,
    wc_x: Any,
    z_x: Any,
    coarse: Any,
    owner: Any,
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], *arguments[:2])
        address = builder.bitcast(place, _RUN.as_pointer())

        def spread(word: Any) -> Any:
            single = builder.insert_element(ir.Constant(_RUN, None), word, _WORD(0))
            everywhere = ir.Constant(_RUN, [0] * LANES)
            return builder.shuffle_vector(single, single, everywhere)

        steps = ir.Constant(_RUN, list(range(LANES)))
        words = [spread(word) for word in arguments[2:]]
        sides = [
            builder.sub(start, builder.mul(steps, step))
            for start, step in zip(words[:3], words[4:7], strict=True)
        ]
        nearness = builder.add(words[3], builder.mul(steps, words[7]))
        key = builder.or_(builder.and_(nearness, words[8]), words[9])
        outside = builder.or_(builder.or_(*sides[:2]), sides[2])
        inside = builder.icmp_signed(">=", outside, ir.Constant(_RUN, [0] * LANES))
        before = builder.load(address, align=4)
        wins = builder.and_(inside, builder.icmp_signed(">", key, before))
        builder.store(builder.select(wins, key, before), address, align=4)
        return context.get_dummy_value()

    word = types.int32
    return types.void(flat, types.uint64, *[word] * 10), generate


# Begin to fetch an element, counted flat, of a C-contiguous array.
prefetch = cast(
    "Callable[[NDArray[np.generic], np.uint64], None]", intrinsic(_prefetch)
)
# Let a triangle have those of eight samples from `at` on that lie inside it and that
# nothing nearer has: where no edge function (wa, wb, wc) is negative; each falls by its
# step from sample to sample, nearness (z) grows by its own. A sample's word is the
# nearness, less its bits outside `coarse`, and the owner in their place.
cover_run = cast("Callable[..., None]", intrinsic(_cover_run))
