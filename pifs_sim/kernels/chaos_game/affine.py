"""All points of one word of maps at once, in vector registers, and their boxes; for d <= 3.

Meeting loads from tables, compilers keep to single numbers; so the instructions are written down. Nothing is fused:
each product and each sum is rounded, as in NumPy. `like` and `word` are tuples of which only the lengths count: d, and
the number k of maps in a word.

A point is width = 1, 2, 4 numbers for d = 1, 2, 3. A word is k width (d + 1) numbers: the first columns of its k maps
one after the other, the second columns, .., the offsets, each padded to the width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["advance", "place", "place_checked", "width"]

_I32 = ir.IntType(32)


def width(d: int) -> int:
    """Numbers kept for a point: 1, 2 or 4."""
    return 1 if d == 1 else 2 if d == 2 else 4


def _pick(builder: Any, vector: Any, places: Sequence[int]) -> Any:
    """The entries of a vector at these places."""
    mask = ir.Constant(ir.VectorType(_I32, len(places)), list(places))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _tiled(builder: Any, values: Sequence[Any], count: int) -> Any:
    """A vector of numbers, count times over."""
    vector = ir.Constant(ir.VectorType(values[0].type, len(values)), ir.Undefined)
    for i, value in enumerate(values):
        vector = builder.insert_element(vector, value, _I32(i))
    return _pick(builder, vector, list(range(len(values))) * count)


def _zeros(vector: Any) -> Any:
    return ir.Constant(vector.type, [0] * vector.type.count)


class _Memory:
    """Vectors in a Numba array."""

    def __init__(self, context: Any, builder: Any, array_type: Any, array: Any) -> None:
        self.builder, self.data = builder, context.make_array(array_type)(context, builder, array).data
        self.number, self.size = context.get_data_type(array_type.dtype), array_type.dtype.bitwidth // 8

    def _place(self, index: Any, count: int) -> Any:
        return self.builder.bitcast(
            self.builder.gep(self.data, [index]), ir.VectorType(self.number, count).as_pointer()
        )

    def load(self, index: Any, shift: int, count: int) -> Any:
        at = self.builder.add(index, ir.Constant(index.type, shift))
        return self.builder.load(self._place(at, count), align=self.size)

    def store(self, vector: Any, index: Any) -> None:
        self.builder.store(vector, self._place(index, vector.type.count), align=self.size)


def _images(builder: Any, maps: _Memory, row: Any, x: Any, sizes: tuple[int, int, int]) -> Any:
    """Images of x under the last maps of a word, side by side; sizes are d, k and how many are wanted."""
    d, k, wanted = sizes
    numbers = width(d)
    total = None
    for r in range(d + 1):
        column = maps.load(row, (r * k + k - wanted) * numbers, wanted * numbers)
        term = column if r == d else builder.fmul(column, _pick(builder, x, [r] * wanted * numbers))
        total = term if total is None else builder.fadd(total, term)
    return total


def _boxes(builder: Any, points: Any, grid: tuple[Any, Any, Any], checked: bool) -> Any:
    """Boxes of points side by side."""
    low, scale, bins = grid
    d = len(low)
    numbers, real = width(d), ir.DoubleType()
    k = points.type.count // numbers
    padding = [real(0.0)] * (numbers - d)
    if isinstance(points.type.element, ir.FloatType):
        points = builder.fpext(points, ir.VectorType(real, k * numbers))
    ends = [builder.uitofp(count, real) for count in bins]
    q = builder.fsub(points, _tiled(builder, low + padding, k))
    q = builder.fmul(q, _tiled(builder, scale + padding, k))
    last = _tiled(builder, [builder.fsub(end, real(1.0)) for end in ends] + padding, k)
    index = builder.fptosi(
        builder.select(builder.fcmp_ordered("<", q, last), q, last), ir.VectorType(_I32, q.type.count)
    )
    index = builder.select(builder.icmp_signed(">", index, _zeros(index)), index, _zeros(index))
    axes = [[numbers * j + r for j in range(k)] for r in range(d)]
    cell = _pick(builder, index, axes[0])
    for r in range(1, d):
        count = _tiled(builder, [builder.trunc(bins[r], _I32)], k)
        cell = builder.add(builder.mul(cell, count), _pick(builder, index, axes[r]))
    if not checked:
        return cell
    most = builder.trunc(bins[0], _I32)
    for count in bins[1:]:
        most = builder.mul(most, builder.trunc(count, _I32))
    within = builder.and_(
        builder.fcmp_ordered(">=", q, _zeros(q)), builder.fcmp_ordered("<=", q, _tiled(builder, ends + padding, k))
    )
    inside = _pick(builder, within, axes[0])
    for axis in axes[1:]:
        inside = builder.and_(inside, _pick(builder, within, axis))
    return builder.select(inside, cell, _tiled(builder, [most], k))


def _advance(_context: Any, table: Any, row: Any, state: Any, here: Any, like: Any, word: Any) -> Any:
    """advance(table, row, state, here, like, word): the point at state[here] takes the word at table[row]."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        maps, points = (_Memory(context, builder, signature.args[i], arguments[i]) for i in (0, 2))
        x = points.load(arguments[3], 0, width(like.count))
        points.store(_images(builder, maps, arguments[1], x, (like.count, word.count, 1)), arguments[3])
        return context.get_dummy_value()

    return types.void(table, row, state, here, like, word), emit


def _placing(checked: bool) -> Any:
    def place(
        _context: Any, table: Any, row: Any, state: Any, here: Any, low: Any, scale: Any, bins: Any, word: Any,
        cells: Any, first: Any,
    ) -> Any:  # fmt: skip
        """As `advance`, and the boxes of the word's k points go to cells[first], ..

        Boxes are those of the law, numbered row by row; checked, a point outside has the number after the last box's.
        """
        d, k = low.count, word.count

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            maps, points, found = (_Memory(context, builder, signature.args[i], arguments[i]) for i in (0, 2, 8))
            x = points.load(arguments[3], 0, width(d))
            images = _images(builder, maps, arguments[1], x, (d, k, k))
            points.store(_pick(builder, images, range(width(d) * (k - 1), width(d) * k)), arguments[3])
            corner, factor, counts = ([builder.extract_value(arguments[i], r) for r in range(d)] for i in (4, 5, 6))
            found.store(_boxes(builder, images, (corner, factor, counts), checked), arguments[9])
            return context.get_dummy_value()

        return types.void(table, row, state, here, low, scale, bins, word, cells, first), emit

    return intrinsic(place)


advance = intrinsic(_advance)
place, place_checked = _placing(False), _placing(True)
