"""Textbook maps in every form that systems come in, compiled once for all tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from pifs_sim.dynamics import Map

HENON_EXPONENTS = (0.419218, -1.623190)  # parameters 1.4 and 0.3; the first with an error of 4e-6, the sum ln 0.3


def henon_step(x: Any, n: int) -> Any:  # noqa: ARG001
    return 1 - 1.4 * x[0] * x[0] + x[1], 0.3 * x[0]


def henon_jacobian(x: Any, n: int) -> Any:  # noqa: ARG001
    return (-2.8 * x[0], 1.0), (0.3, 0.0)


def henon_batch(x: Any, n: int) -> Any:  # noqa: ARG001
    return np.stack([1 - x.dtype.type(1.4) * x[:, 0] ** 2 + x[:, 1], x.dtype.type(0.3) * x[:, 0]], axis=1)


def henon_jacobians(x: Any, n: int) -> Any:  # noqa: ARG001
    J = np.zeros((len(x), 2, 2), x.dtype)
    J[:, 0, 0], J[:, 0, 1], J[:, 1, 0] = -2.8 * x[:, 0], 1, 0.3
    return J


def henon_inverse(y: Any, n: int) -> Any:  # noqa: ARG001
    x = y[:, 1] / 0.3
    return np.stack([x, y[:, 0] - 1 + 1.4 * x**2], axis=1)


def henon_arrays(x: Any, n: int) -> Any:  # noqa: ARG001
    out = np.empty(2)
    out[0], out[1] = 1 - 1.4 * x[0] * x[0] + x[1], 0.3 * x[0]
    return out


def henon_array_jacobian(x: Any, n: int) -> Any:  # noqa: ARG001
    out = np.empty((2, 2))
    out[0, 0], out[0, 1], out[1, 0], out[1, 1] = -2.8 * x[0], 1.0, 0.3, 0.0
    return out


def henon_write(x: Any, n: int, out: Any) -> None:  # noqa: ARG001
    first = x[0]
    out[0] = 1 - 1.4 * first * first + x[1]
    out[1] = 0.3 * first


def henon_write_jacobian(x: Any, n: int, out: Any) -> None:  # noqa: ARG001
    out[0, 0], out[0, 1], out[1, 0], out[1, 1] = -2.8 * x[0], 1.0, 0.3, 0.0


def henon_write_tangent(x: Any, n: int, V: Any, out: Any) -> None:  # noqa: ARG001
    for c in range(V.shape[1]):
        out[0, c] = -2.8 * x[0] * V[0, c] + V[1, c]
        out[1, c] = 0.3 * V[0, c]


HENON = Map.compiled(henon_step, henon_jacobian, dim=2)
HENON_BATCH = Map(henon_batch, henon_jacobians, dim=2)
HENON_ARRAYS = Map.compiled(henon_arrays, henon_array_jacobian, dim=2)
HENON_WRITING = Map.compiled(henon_write, henon_write_jacobian, dim=2)
HENON_TANGENT = Map.compiled(henon_write, dim=2, tangent=henon_write_tangent)


def henon_starts(count: int, seed: int = 0) -> np.ndarray:
    """Points whose orbits stay near the attractor: (0.1, 0.1) moved by at most 0.1."""
    return np.random.default_rng(seed).uniform(0.0, 0.2, (count, 2))


LOGISTIC = Map.compiled(lambda x, n: 4 * x[0] * (1 - x[0]), lambda x, n: 4 - 8 * x[0], dim=1)  # noqa: ARG005


def lattice_write(x: Any, n: int, out: Any) -> None:
    """Three coupled logistic maps, driven by the time."""
    r = 3.9 + 0.05 * (n % 2)
    for i in range(3):
        a, b = x[i], x[(i + 1) % 3]
        out[i] = 0.8 * r * a * (1 - a) + 0.2 * r * b * (1 - b)


def lattice_write_jacobian(x: Any, n: int, out: Any) -> None:
    r = 3.9 + 0.05 * (n % 2)
    for i in range(3):
        for j in range(3):
            out[i, j] = 0.0
        out[i, i] = 0.8 * r * (1 - 2 * x[i])
        out[i, (i + 1) % 3] = 0.2 * r * (1 - 2 * x[(i + 1) % 3])


LATTICE = Map.compiled(lattice_write, lattice_write_jacobian, dim=3)

CAT_MATRIX = np.array([[2.0, 1.0], [1.0, 1.0]])
CAT = Map(
    lambda x, n: x @ CAT_MATRIX.astype(x.dtype) % 1,  # noqa: ARG005
    lambda x, n: np.broadcast_to(CAT_MATRIX.astype(x.dtype), (len(x), 2, 2)),  # noqa: ARG005
    dim=2,
)
CAT_EXPONENT = float(np.log((3 + 5**0.5) / 2))


def folded_step(x: Any, n: int) -> Any:  # noqa: ARG001
    s = 0.5 * (x[0] + x[1])
    return 4 * s * (1 - s), 4 * s * (1 - s)


def folded_jacobian(x: Any, n: int) -> Any:  # noqa: ARG001
    slope = 2 - 2 * (x[0] + x[1])
    return (slope, slope), (slope, slope)


def folded_batch(x: Any, n: int) -> Any:
    return np.stack(folded_step(x.T, n), axis=1)


def folded_jacobians(x: Any, n: int) -> Any:
    return np.moveaxis(np.array(folded_jacobian(x.T, n)), 2, 0)


RANK_ONE = Map.compiled(folded_step, folded_jacobian, dim=2)  # (x, y) -> (g, g), g = 4 s (1 - s), s = (x + y)/2
RANK_ONE_BATCH = Map(folded_batch, folded_jacobians, dim=2)


def ring(dim: int, r: float = 3.99, coupling: float = 0.1) -> Map:
    """A ring of logistic maps g, x_i -> (1 - c) g(x_i) + c/2 (g(x_{i-1}) + g(x_{i+1})), on batches."""

    def couple(y: Any) -> Any:
        return (1 - coupling) * y + coupling / 2 * (np.roll(y, 1, axis=1) + np.roll(y, -1, axis=1))

    return Map(
        lambda x, n: couple(r * x * (1 - x)),  # noqa: ARG005
        tangent=lambda x, n, V: couple(r * (1 - 2 * x)[:, :, None] * V),  # noqa: ARG005
        dim=dim,
    )
