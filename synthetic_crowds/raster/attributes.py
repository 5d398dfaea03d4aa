"""Rows of eight numbers: mixed, copied, turned into columns, and laid on a plate.

Owns how vertices' attributes are worked on in a processor's own words: they are eight
numbers side by side, so three corners are mixed with a few instructions, and rows of
eight samples become columns that many samples are lit from at once. Knows nothing of
what the numbers mean.
"""

# Numba's and llvmlite's builders are untyped, and an intrinsic's arguments are types.
# ruff: noqa: ANN401, ARG001

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from synthetic_crowds.raster.lanes import LANES, address_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["copy_row", "lay_texels", "mix_rows", "turn_rows"]

_WORD = ir.IntType(32)
_ROW = ir.VectorType(ir.FloatType(), LANES)
# A sum of three products may be rounded once.
_LOOSE = ("contract", "nsz")


def _row(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> ir.Value:
    """Address of eight numbers of a flat array, from one on."""
    place = address_of(context, builder, array_type, array, at)
    return builder.bitcast(place, _ROW.as_pointer())


def _mix_rows(
    _: Any, rows: Any, corners: Any, weights: Any, mixed: Any, at: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, corners, weights, mixed, at = arguments
        total = None
        for i in range(3):
            first = builder.mul(
                builder.extract_value(corners, i), ir.IntType(64)(LANES)
            )
            row = builder.load(
                _row(context, builder, signature.args[0], rows, first), align=4
            )
            weight = builder.insert_element(
                ir.Constant(_ROW, ir.Undefined),
                builder.extract_value(weights, i),
                _WORD(0),
            )
            spread = builder.shuffle_vector(
                weight, weight, ir.Constant(ir.VectorType(_WORD, LANES), [0] * LANES)
            )
            product = builder.fmul(row, spread, flags=_LOOSE)
            total = (
                product if total is None else builder.fadd(total, product, flags=_LOOSE)
            )
        builder.store(
            total, _row(context, builder, signature.args[3], mixed, at), align=4
        )
        return context.get_dummy_value()

    return types.void(
        rows,
        types.UniTuple(types.uint64, 3),  # type: ignore[no-untyped-call]
        types.UniTuple(types.float32, 3),  # type: ignore[no-untyped-call]
        mixed,
        types.uint64,
    ), generate


def _copy_row(
    _: Any, rows: Any, start: Any, copies: Any, at: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, start, copies, at = arguments
        row = builder.load(
            _row(context, builder, signature.args[0], rows, start), align=4
        )
        builder.store(
            row, _row(context, builder, signature.args[2], copies, at), align=4
        )
        return context.get_dummy_value()

    return types.void(rows, types.uint64, copies, types.uint64), generate


def _turn_rows(
    _: Any, rows: Any, start: Any, apart: Any, columns: Any, at: Any, room: Any
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, start, apart, columns, at, room = arguments

        def shuffle(one: Any, other: Any, picks: list[int]) -> Any:
            return builder.shuffle_vector(
                one, other, ir.Constant(ir.VectorType(_WORD, LANES), picks)
            )

        turned = []
        for _ in range(LANES):
            turned.append(
                builder.load(
                    _row(context, builder, signature.args[0], rows, start), align=4
                )
            )
            start = builder.add(start, apart)
        # Swap halves, then quarters, then eighths, across the diagonal.
        for step, low, high in (
            (4, [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]),
            (2, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]),
            (1, [0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15]),
        ):
            for i in range(LANES):
                if not i & step:
                    one, other = turned[i], turned[i + step]
                    turned[i] = shuffle(one, other, low)
                    turned[i + step] = shuffle(one, other, high)
        for column in turned:
            builder.store(
                column, _row(context, builder, signature.args[3], columns, at), align=4
            )
            at = builder.add(at, room)
        return context.get_dummy_value()

    return types.void(
        rows, types.uint64, types.uint64, columns, types.uint64, types.uint64
    ), generate


def _lay_texels(
    _: Any,
    texels: Any,
    places: Any,
    shares: Any,
    lights: Any,
    at: Any,
    weight: Any,
    plate: Any,
    pixel: Any,
) -> tuple[Any, Callable[[Any, Any, Any, Any], Any]]:
    half = ir.VectorType(ir.FloatType(), LANES // 2)
    pair = ir.VectorType(ir.IntType(16), LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        texels, places, shares, lights, at, weight, plate, pixel = arguments

        def shuffle(one: Any, other: Any, picks: list[int]) -> Any:
            return builder.shuffle_vector(
                one, other, ir.Constant(ir.VectorType(_WORD, len(picks)), picks)
            )

        def spread(number: Any) -> Any:
            single = builder.insert_element(
                ir.Constant(half, ir.Undefined), number, _WORD(0)
            )
            return shuffle(single, single, [0] * 4)

        total = None
        for i in range(2):
            place = address_of(
                context, builder, signature.args[0], texels,
                builder.extract_value(places, i),
            )  # fmt: skip
            words = builder.load(builder.bitcast(place, pair.as_pointer()), align=8)
            wide = builder.zext(words, ir.VectorType(_WORD, LANES))
            tones = builder.sitofp(wide, _ROW)
            left, right = (builder.extract_value(shares, 2 * i + j) for j in range(2))
            share = shuffle(spread(left), spread(right), list(range(LANES)))
            mixed = builder.fmul(tones, share, flags=_LOOSE)
            total = mixed if total is None else builder.fadd(total, mixed, flags=_LOOSE)
        tone = builder.fadd(
            shuffle(total, total, [0, 1, 2, 3]),
            shuffle(total, total, [4, 5, 6, 7]),
            flags=_LOOSE,
        )
        light = builder.load(
            _row(context, builder, signature.args[3], lights, at), align=4
        )
        gain = shuffle(light, light, [0, 1, 2, 3])
        more = shuffle(light, light, [4, 5, 6, 7])
        seen = builder.fadd(builder.fmul(tone, gain, flags=_LOOSE), more, flags=_LOOSE)
        address = builder.bitcast(
            address_of(context, builder, signature.args[6], plate, pixel),
            half.as_pointer(),
        )
        added = builder.fmul(seen, spread(weight), flags=_LOOSE)
        before = builder.load(address, align=4)
        builder.store(builder.fadd(before, added, flags=_LOOSE), address, align=4)
        return context.get_dummy_value()

    return types.void(
        texels,
        types.UniTuple(types.uint64, 2),  # type: ignore[no-untyped-call]
        types.UniTuple(types.float32, 4),  # type: ignore[no-untyped-call]
        lights,
        types.uint64,
        types.float32,
        plate,
        types.uint64,
    ), generate


# Add up three rows of a table (n, 8), each with a weight, and put the sum into a flat
# array from `at` on.
mix_rows = cast("Callable[..., None]", intrinsic(_mix_rows))
# Copy eight numbers from `start` of a flat array to `at` of another.
copy_row = cast(
    "Callable[[NDArray[np.float32], np.uint64, NDArray[np.float32], np.uint64], None]",
    intrinsic(_copy_row),
)
# Turn eight rows of eight numbers, from `start` on and `apart` from each other, into
# columns, from `at` on and `room` apart.
turn_rows = cast("Callable[..., None]", intrinsic(_turn_rows))
# Mix four texels, of four words of sixteen bits each: those at two places of a flat
# array and the next after each, by four shares. Multiply the mixture with four numbers
# of another array, from `at` on, add the four after those, weigh the sum, and add it to
# a plate from `pixel` on.
lay_texels = cast("Callable[..., None]", intrinsic(_lay_texels))
