"""The product of matrices that vectors of samples are multiplied by, a tile of ROWS x VECTORS registers at a time.

S_rw (+)= sum_j A_jr B_jw: the columns w are samples, VECTORS registers of them, the rows r ROWS outputs. A tile of S
stays in registers, each number of A is loaded once for all samples and each of B once for all rows: of 16 registers
none is left over. Every sample's sum is in the order of j, whoever its neighbours are.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pifs_sim.kernels.lanes import WIDTH, Lanes

__all__ = ["BYTES", "ROWS", "VECTORS", "add_products", "samples"]

ROWS, VECTORS = 4, 3
BYTES = VECTORS * WIDTH  # of a number of each sample
_UNROLLED = 4
_TURN = ir.Constant(ir.IntType(64), _UNROLLED)


def samples(itemsize: int) -> int:
    """The number of samples W of a tile, for numbers of so many bytes."""
    return BYTES // itemsize


def _add_products(
    _context: Any, table: Any, a: Any, columns: Any, b: Any, count: Any, sums: Any, c: Any, scale: Any, mode: Any
) -> Any:
    """add_products(table, a, columns, b, count, sums, c, scale, mode): one tile of S.

    A_jr is table[a + ROWS j + r], B_jw is columns[b + W j + w] and S_rw is sums[c + W r + w]. A `mode` of no numbers
    begins with 0, of one with S, of two with S times scale[w]; a mode (y, d, t) adds y[d + W r + w] t[w] to the latter.
    """
    size = 4 if columns.dtype == types.float32 else 8

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        width, stride = WIDTH // size, samples(size)
        code = Lanes(context, builder, width)
        rows, B, S, factors = (code.data(signature.args[i], arguments[i]) for i in (0, 2, 5, 7))
        S = code.place(S, arguments[6])
        if mode.count == 3:
            shift, first, factor = (builder.extract_value(arguments[8], i) for i in range(3))
            y, t = code.place(code.data(mode.types[0], shift), first), code.data(mode.types[2], factor)
        tile = [(r, u) for r in range(ROWS) for u in range(VECTORS)]
        total = {}
        for r, u in tile:
            start = code.constant(columns.dtype, 0.0) if not mode.count else code.load(S, r * stride + u * width)
            start = start * code.load(factors, u * width) if mode.count > 1 else start
            if mode.count == 3:
                start = code.load(y, r * stride + u * width).times_plus(code.load(t, u * width), start)
            total[r, u] = code.variable(start)

        def add(j: Any) -> None:
            column = code.place(B, arguments[3], code.times(j, stride))
            row = code.place(rows, arguments[1], code.times(j, ROWS))
            vectors = [code.load(column, u * width) for u in range(VECTORS)]
            for r in range(ROWS):
                entry = code.spread(row, r)
                for u in range(VECTORS):
                    total[r, u].set(entry.times_plus(vectors[u], total[r, u].get()))

        rest = builder.srem(arguments[4], _TURN)
        with code.loop(builder.sdiv(arguments[4], _TURN)) as turn:  # the end of a short loop is foreseen
            for n in range(_UNROLLED):
                add(builder.add(code.times(turn, _UNROLLED), ir.Constant(turn.type, n)))
        with code.loop(rest) as n:
            add(builder.add(builder.sub(arguments[4], rest), n))
        for r, u in tile:
            code.store(total[r, u].get(), S, r * stride + u * width)
        return context.get_dummy_value()

    return types.void(table, a, columns, b, count, sums, c, scale, mode), emit


add_products = intrinsic(_add_products)
