"""x <- A x + b for one of many orbits side by side, its coordinates in one vector register.

A compiler that meets this among loads from tables keeps to single numbers, at half the speed; so the instructions are
written down, for d <= 3. Nothing is fused: each product and each sum is rounded, as in NumPy.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["advance", "padded"]


def padded(d: int) -> int:
    """Numbers in a register that holds d: 1, 2 or 4."""
    return 1 if d == 1 else 2 if d == 2 else 4


def _advance(_context: Any, table: Any, row: Any, state: Any, lane: Any, lanes: Any, like: Any) -> Any:
    """advance(table, row, state, lane, lanes, like): the orbit `lane` takes the map that begins at table[row].

    The table holds the columns of A and then b, each padded; coordinate r of the orbit is state[lane + r lanes]; `like`
    is any tuple of d numbers.
    """
    d, width = like.count, padded(like.count)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        maps, points = (context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2))
        start, here, stride = arguments[1], arguments[3], arguments[4]
        real = context.get_data_type(table.dtype)
        size = 8 if table.dtype == types.float64 else 4
        vector = ir.VectorType(real, width)
        spread = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
        nothing = ir.Constant(vector, ir.Undefined)

        def column(r: int) -> Any:
            place = builder.gep(maps, [builder.add(start, ir.Constant(start.type, r * width))])
            return builder.load(builder.bitcast(place, vector.as_pointer()), align=size)

        places = [here]
        for _ in range(1, d):
            places.append(builder.add(places[-1], stride))
        places = [builder.gep(points, [place]) for place in places]
        total = None
        for r in range(d):
            number = builder.load(places[r], align=size)
            every = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
            term = builder.fmul(column(r), builder.shuffle_vector(every, nothing, spread))
            total = term if total is None else builder.fadd(total, term)
        total = builder.fadd(total, column(d))
        for r in range(d):
            builder.store(builder.extract_element(total, ir.Constant(ir.IntType(32), r)), places[r], align=size)
        return context.get_dummy_value()

    return types.void(table, row, state, lane, lanes, like), emit


advance = intrinsic(_advance)
