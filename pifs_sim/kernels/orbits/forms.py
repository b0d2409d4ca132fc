"""Both forms of a rule's functions as functions that write, compiled by Numba."""

from __future__ import annotations

from typing import Any

from numba import njit, typeof, types
from numba.extending import overload

from pifs_sim.kernels.orbits.rule import Rule, parameters

__all__ = ["compiled", "first_of", "pushing", "writing"]


def compiled(function: Any, *, contract: bool = True) -> Any:
    """The function compiled to be inlined in kernels: IEEE division, no exceptions from it.

    Steps are not contracted: an orbit is then the same number for number whatever kernel it is in, and however the
    run is cut.
    """
    options = {"fastmath": {"contract"}} if contract else {}
    return njit(error_model="numpy", **options)(getattr(function, "py_func", function))


def _write(out: Any, value: Any) -> None:
    """Fill `out`, of shape (d,) or (d, d), with numbers, nested tuples or an array."""
    _write_overload(typeof(out), typeof(value))(out, value)


@overload(_write)
def _write_overload(out: Any, value: Any) -> Any:  # noqa: ARG001
    if isinstance(value, types.Number | types.Boolean):

        def write_number(out: Any, value: Any) -> None:
            out.flat[0] = value

        return write_number
    if isinstance(value, types.Tuple | types.UniTuple):
        if len(value) == 0:

            def write_nothing(out: Any, value: Any) -> None:
                pass

            return write_nothing
        if isinstance(value.types[0], types.Number | types.Boolean):

            def write_numbers(out: Any, value: Any) -> None:
                out[out.shape[0] - len(value)] = value[0]
                _write(out, value[1:])

            return write_numbers

        def write_rows(out: Any, value: Any) -> None:
            _write(out[out.shape[0] - len(value)], value[0])
            _write(out, value[1:])

        return write_rows

    if value.ndim == 1:

        def write_vector(out: Any, value: Any) -> None:
            for i in range(out.shape[0]):
                out[i] = value[i]

        return write_vector

    def write_matrix(out: Any, value: Any) -> None:
        for i in range(out.shape[0]):
            for j in range(out.shape[1]):
                out[i, j] = value[i, j]

    return write_matrix


def first_of(value: Any) -> Any:
    """A number itself, or the first entry of a tuple or array."""
    return _first_of(typeof(value))(value)


@overload(first_of)
def _first_of(value: Any) -> Any:
    if isinstance(value, types.Number | types.Boolean):

        def itself(value: Any) -> Any:  # annotated as above: Numba compares the two
            return value

        return itself

    def first(value: Any) -> Any:
        return value[0]

    return first


def writing(function: Any, dim: int, *, tuples: bool, contract: bool) -> Any:
    """f(x, n, out) of either form; the returning form is given a tuple if asked, for d <= 2."""
    inner = compiled(function, contract=contract)
    if parameters(function) == 3:
        return inner
    if dim == 1 and tuples:

        def write(x: Any, n: int, out: Any) -> None:
            _write(out, inner((x[0],), n))
    elif dim == 2 and tuples:

        def write(x: Any, n: int, out: Any) -> None:
            _write(out, inner((x[0], x[1]), n))
    else:

        def write(x: Any, n: int, out: Any) -> None:
            _write(out, inner(x, n))

    return njit(error_model="numpy")(write)


def pushing(rule: Rule, tuples: bool) -> Any:
    """push(x, n, V, jacobian, out): out = Df(x, n) V; `jacobian` is room for Df."""
    if rule.tangent is not None:
        tangent = compiled(rule.tangent)

        def push_tangent(x: Any, n: int, V: Any, jacobian: Any, out: Any) -> None:  # noqa: ARG001
            tangent(x, n, V, out)

        return njit(error_model="numpy")(push_tangent)
    fill = writing(rule.jacobian, rule.dim, tuples=tuples, contract=True)

    def push(x: Any, n: int, V: Any, jacobian: Any, out: Any) -> None:
        fill(x, n, jacobian)
        d, p = V.shape
        for i in range(d):
            for c in range(p):
                out[i, c] = 0.0
            for m in range(d):
                a = jacobian[i, m]
                for c in range(p):
                    out[i, c] += a * V[m, c]

    return njit(error_model="numpy", fastmath={"contract"})(push)
