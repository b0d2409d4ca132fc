"""Vectors of numbers, a sample in each lane, by instructions that are written down.

A compiler meets many loads from tables in loops over components or coordinates and does not see that samples could go
side by side. So an intrinsic of Numba emits LLVM's instructions for all of them: `Lanes` stands where these are put,
and loads, stores and loops; `Vector` is a value with Python's arithmetic. WIDTH bytes are one register.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils

__all__ = ["WIDTH", "Lanes", "Variable", "Vector"]

WIDTH = 64 if get_host_cpu_features().get("avx512f") else 32

# 2^f - 1 = f (q_0 + q_1 f + ..) for |f| <= 1/2, so that the relative error of 2^f is least (Remez): 2.6e-9, 1.8e-17
_POWERS = {
    "float": (0.69314724, 0.24022652, 0.0555031, 0.009617693, 0.0013406645, 0.00015594682),
    "double": (
        0.6931471805599457,
        0.24022650695910097,
        0.055504108664790386,
        0.009618129107607003,
        0.0013333558153441334,
        0.00015403530441572598,
        1.5252727383872463e-05,
        1.3215442675115585e-06,
        1.0180648196555812e-07,
        7.072570445469294e-09,
        4.077993856246354e-10,
    ),
}
_LEAST = {"float": -100.0, "double": -900.0}  # exponents, so that products with 2^y stay normal numbers
# Digits of a fraction, and the exponent of 1: 1.5 * 2^digits, added, leaves the nearest integer in the last bits.
_FORMATS = {"float": (23, 127), "double": (52, 1023)}


@dataclass(frozen=True)
class Vector:
    """A vector that the code before `builder` has made."""

    builder: Any
    value: Any

    def _by(self, operation: str, *others: Vector) -> Vector:
        return Vector(self.builder, getattr(self.builder, operation)(self.value, *(other.value for other in others)))

    def __add__(self, other: Vector) -> Vector:
        return self._by("fadd", other)

    def __sub__(self, other: Vector) -> Vector:
        return self._by("fsub", other)

    def __mul__(self, other: Vector) -> Vector:
        return self._by("fmul", other)

    def __truediv__(self, other: Vector) -> Vector:
        return self._by("fdiv", other)

    def __neg__(self) -> Vector:
        return self._by("fneg")

    def times_plus(self, factor: Vector, term: Vector) -> Vector:
        """self * factor + term, rounded once where the machine can."""
        kind, bits = self.value.type, 32 if self._name == "float" else 64
        shape = ir.FunctionType(kind, [kind] * 3)
        fused = cgutils.get_or_insert_function(self.builder.module, shape, f"llvm.fmuladd.v{kind.count}f{bits}")
        return Vector(self.builder, self.builder.call(fused, [self.value, factor.value, term.value]))

    def larger(self, other: Vector) -> Vector:
        """The larger of two; `other` where either is not a number."""
        more = self.builder.fcmp_ordered(">", self.value, other.value)
        return Vector(self.builder, self.builder.select(more, self.value, other.value))

    def exp2(self) -> Vector:
        """2^y for y <= 0 to about one rounding; 2^-100, in double precision 2^-900, where it is less; nan for nan."""
        builder, kind, (digits, bias) = self.builder, self.value.type, _FORMATS[self._name]
        integers = ir.VectorType(ir.IntType(32 if self._name == "float" else 64), kind.count)
        magic = self._copies(1.5 * 2.0**digits + bias)
        y = self._copies(_LEAST[self._name]).larger(self)
        shifted = y + magic
        f = y - (shifted - magic)
        coefficients = [self._copies(q) for q in (1.0, *_POWERS[self._name])]
        power = coefficients.pop()
        while coefficients:
            power = power.times_plus(f, coefficients.pop())
        exponent = builder.shl(builder.bitcast(shifted.value, integers), ir.Constant(integers, [digits] * kind.count))
        return power * Vector(builder, builder.bitcast(exponent, kind))

    @property
    def _name(self) -> str:
        return str(self.value.type.element)

    def _copies(self, number: float) -> Vector:
        kind = self.value.type
        return Vector(self.builder, ir.Constant(kind, [number] * kind.count))


@dataclass(frozen=True)
class Variable:
    """A vector that changes in loops: a register, in the end."""

    builder: Any
    slot: Any

    def get(self) -> Vector:
        """Its value."""
        return Vector(self.builder, self.builder.load(self.slot))

    def set(self, vector: Vector) -> None:
        """Change it."""
        self.builder.store(vector.value, self.slot)


class Lanes:
    """The place where instructions are put.

    Args:
        context: of Numba's code generation.
        builder: of LLVM's instructions.
        count: numbers in every vector.
    """

    def __init__(self, context: Any, builder: Any, count: int) -> None:
        self.context, self.builder, self.count = context, builder, count
        self.index = context.get_value_type(types.intp)

    def data(self, array: Any, value: Any) -> Any:
        """The address of the first number of an argument, an array of the Numba type `array`."""
        return self.context.make_array(array)(self.context, self.builder, value).data

    def place(self, pointer: Any, *steps: Any) -> Any:
        """The address so many numbers further, steps known now and integers of the program added up."""
        total = ir.Constant(self.index, sum(step for step in steps if isinstance(step, int)))
        for step in steps:
            if not isinstance(step, int):
                total = self.builder.add(step, total)
        return self.builder.gep(pointer, [total])

    def times(self, number: Any, factor: int) -> Any:
        """An integer of the program times one that is known now."""
        return self.builder.mul(number, ir.Constant(self.index, factor))

    def load(self, pointer: Any, *steps: Any) -> Vector:
        """The numbers from there on."""
        return Vector(self.builder, self.builder.load(self._vector(pointer, steps), align=self._size(pointer)))

    def store(self, vector: Vector, pointer: Any, *steps: Any) -> None:
        """Write the numbers from there on."""
        self.builder.store(vector.value, self._vector(pointer, steps), align=self._size(pointer))

    def spread(self, pointer: Any, *steps: Any) -> Vector:
        """Copies of the number there."""
        number, places = self.builder.load(self.place(pointer, *steps)), ir.VectorType(ir.IntType(32), self.count)
        nothing = ir.Constant(ir.VectorType(number.type, self.count), ir.Undefined)
        one = self.builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
        return Vector(self.builder, self.builder.shuffle_vector(one, nothing, ir.Constant(places, [0] * self.count)))

    def constant(self, real: Any, number: float) -> Vector:
        """Copies of a number that is known now, of the Numba type `real`."""
        kind = ir.VectorType(self.context.get_data_type(real), self.count)
        return Vector(self.builder, ir.Constant(kind, [number] * self.count))

    def variable(self, start: Vector) -> Variable:
        """A vector that changes in loops."""
        slot = cgutils.alloca_once(self.builder, start.value.type)
        self.builder.store(start.value, slot)
        return Variable(self.builder, slot)

    @contextmanager
    def loop(self, count: Any) -> Iterator[Any]:
        """What is put inside, so many times; yields the number of the turn."""
        with cgutils.for_range(self.builder, count) as turns:
            yield turns.index

    def _vector(self, pointer: Any, steps: tuple[Any, ...]) -> Any:
        kind = ir.VectorType(pointer.type.pointee, self.count)
        return self.builder.bitcast(self.place(pointer, *steps), kind.as_pointer())

    @staticmethod
    def _size(pointer: Any) -> int:
        return 4 if str(pointer.type.pointee) == "float" else 8
