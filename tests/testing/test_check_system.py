"""`check_system` accepts what is right in every form that systems come in, and names what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, exact_denoiser
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.diffusion.schedules import cosine
from pifs_sim.dynamics import Cocycle, Map, Tangent
from pifs_sim.testing import ConformanceError, check_system, subject, whole_orbits
from pifs_sim.testing.derived import Conjugate, Iterate, Reversed
from tests.dynamics import textbook as maps

STARTS = maps.henon_starts(3)


def test_henon_conforms_as_a_map_of_batches() -> None:
    check_system(maps.HENON_BATCH, STARTS, inverse=maps.henon_inverse)


@pytest.mark.parametrize("name", ["HENON", "HENON_ARRAYS", "HENON_TANGENT"])
def test_henon_conforms_in_every_compiled_form(name: str) -> None:
    """Single precision is compared with the reference in the kernel's tests."""
    check_system(getattr(maps, name), STARTS, inverse=maps.henon_inverse, single=False)


def test_henon_conforms_along_a_chaotic_orbit() -> None:
    """200 steps magnify rounding by e^84: orbits that are computed twice have nothing in common."""
    check_system(maps.HENON_BATCH, STARTS, steps=200, power=5, inverse=maps.henon_inverse)


def test_maps_of_one_and_three_dimensions_conform() -> None:
    points = np.random.default_rng(3).uniform(0.1, 0.9, (2, 3))
    logistic = Map(lambda x, n: 4 * x * (1 - x), lambda x, n: (4 - 8 * x)[:, :, None], dim=1)  # noqa: ARG005
    check_system(logistic, points[:, :1])
    rolled = Map(lambda x, n: np.sin(np.roll(x, 1, 1) * (2 - x)), rolled_jacobians, dim=3)  # noqa: ARG005
    check_system(rolled, points)
    check_system(maps.CAT, points[:, :2], inverse=lambda y, n: np.linalg.solve(maps.CAT_MATRIX, y.T).T % 1)  # noqa: ARG005


def rolled_jacobians(x: Any, n: int) -> Any:  # noqa: ARG001
    """Of x_i -> sin(x_{i-1} (2 - x_i))."""
    J = np.zeros((len(x), 3, 3), x.dtype)
    for i in range(3):
        slope = np.cos(x[:, i - 1] * (2 - x[:, i]))
        J[:, i, i], J[:, i, i - 1] = -slope * x[:, i - 1], slope * (2 - x[:, i])
    return J


def test_a_map_without_rank_conforms() -> None:
    check_system(maps.RANK_ONE_BATCH, np.array([[0.2, 0.3], [0.8, 0.15]]))


@given(dim=st.integers(1, 4), seed=st.integers(0, 2**32 - 1), size=st.floats(0.5, 3))
@settings(max_examples=15)
def test_driven_networks_conform(dim: int, seed: int, size: float) -> None:
    """x -> tanh(A x + b sin n), whose Jacobian is diag(1 - x'^2) A."""
    rng = np.random.default_rng(seed)
    A, b = size * rng.standard_normal((dim, dim)) / dim**0.5, rng.standard_normal(dim)

    def step(x: Any, n: int) -> Any:
        return np.tanh(x @ A.T.astype(x.dtype) + (b * np.sin(n)).astype(x.dtype))

    def jacobian(x: Any, n: int) -> Any:
        return (1 - step(x, n)[:, :, None] ** 2) * A.astype(x.dtype)

    check_system(Map(step, jacobian, dim=dim), rng.standard_normal((2, dim)), steps=8)


def test_cocycles_conform() -> None:
    rng = np.random.default_rng(1)
    A = rng.standard_normal((24, 4, 4))
    points = rng.standard_normal((2, 4))
    check_system(Cocycle(A), points, inverse=lambda y, n: np.linalg.solve(A[n], y.T).T)
    check_system(Cocycle(A[:10], periodic=True), 0 * points, steps=25, power=5)
    drawn = Cocycle.random(lambda rng, shape: rng.standard_normal((*shape, 3, 3)), dim=3, seed=4)
    check_system(drawn, np.zeros((3, 3)), by_orbit=False)


def test_a_tangent_system_conforms_with_differences() -> None:
    frames = np.random.default_rng(5).standard_normal((3, 2, 1))
    system = Tangent(maps.HENON_BATCH, 1, derivative="finite-difference")
    check_system(system, system.pack(STARTS, frames), steps=12, derivative_error=1e-9)


def test_a_diffusion_chain_conforms() -> None:
    rng = np.random.default_rng(6)
    root = rng.standard_normal((6, 6))
    schedule, denoiser = cosine(20), exact_denoiser(Gaussian(rng.standard_normal(6), root @ root.T))

    def inverse(y: Any, n: int) -> Any:
        return Chain(schedule.subsample([19 - n, 20 - n]), denoiser).invert(y)

    check_system(Chain(schedule, denoiser), rng.standard_normal((2, 6)), inverse=inverse)


class Wrong:
    """Hénon with one thing spoiled."""

    dim, length = 2, None

    def step(self, x: Any, n: int) -> Any:
        return maps.HENON_BATCH.step(x, n)

    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return maps.HENON_BATCH.tangent(x, n, V)


class WrongFirstResult(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        moved, pushed = super().tangent(x, n, V)
        return moved * (1 + 1e-9), pushed


class WrongTime(Wrong):
    """Driven by time, with the derivative of the next step."""

    def step(self, x: Any, n: int) -> Any:
        return super().step(x * (1 + 0.01 * np.sin(n)).astype(x.dtype), n)

    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return self.step(x, n), super().tangent(x, n, V * (1 + 0.01 * np.sin(n + 1)).astype(x.dtype))[1]


class Normalising(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        moved, pushed = super().tangent(x, n, V)
        return moved, pushed / np.linalg.norm(pushed, axis=1, keepdims=True)


class MixingColumns(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        moved, pushed = super().tangent(x, n, V)
        return moved, pushed + pushed.dtype.type(1e-6) * pushed[:, :, ::-1]


class SinglePrecision(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        moved, pushed = super().tangent(x, n, V)
        return moved, pushed.astype(np.float32).astype(x.dtype)


class AlwaysDouble(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return super().tangent(x.astype(float), n, V.astype(float))


class FirstOrbitsJacobian(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return self.step(x, n), super().tangent(np.broadcast_to(x[:1], x.shape), n, V)[1]


class MixingOrbits(Wrong):
    def step(self, x: Any, n: int) -> Any:
        return super().step(x, n) + x.dtype.type(1e-8) * x.mean(axis=0)

    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return self.step(x, n), super().tangent(x, n, V)[1]


class InPlace(Wrong):
    def step(self, x: Any, n: int) -> Any:
        x[:] = super().step(x, n)
        return x


class FrameInPlace(Wrong):
    def tangent(self, x: Any, n: int, V: Any) -> Any:
        moved, pushed = super().tangent(x, n, V)
        V[:] = pushed
        return moved, V


class Flat(Wrong):
    def step(self, x: Any, n: int) -> Any:
        return super().step(x, n).ravel()


class Counting(Wrong):
    """Remembers how often it was called."""

    calls = 0

    def step(self, x: Any, n: int) -> Any:
        self.calls += 1
        return super().step(x, n) + x.dtype.type(1e-3 * self.calls)


class WrongCotangent(Wrong):
    def cotangent(self, x: Any, n: int, U: Any) -> Any:
        return self.tangent(x, n, U)[1]


@pytest.mark.parametrize(
    ("system", "message"),
    [
        (WrongFirstResult(), "`step` must equal the first result of `tangent`: off by .* at step n=0, orbit"),
        (WrongTime(), "`tangent` must be the derivative of `step`, .*: off by .* at step n=0"),
        (Normalising(), "linear in V, column by column: off by"),
        (MixingColumns(), "linear in V, column by column: off by"),
        (SinglePrecision(), "linear in V, column by column: off by"),
        (AlwaysDouble(), r"`tangent` must return float32 for such points, got \['float64', 'float64'\]"),
        (FirstOrbitsJacobian(), "an orbit must do in a batch what it does alone, here Df V: off by .* orbit [12]"),
        (MixingOrbits(), r"an orbit must do in a batch what it does alone, here f\(x, n\): off by"),
        (InPlace(), "`step` must not write to its arguments"),
        (FrameInPlace(), "`tangent` must not write to its arguments"),
        (Flat(), r"`step` must return shapes \(\(3, 2\),\), got \(\(6,\),\)"),
        (Counting(), "`step` must give the same result when called again"),
        (WrongCotangent(), "`cotangent` must satisfy <Df.T U, V> = <U, Df V>: off by"),
        (Map(maps.henon_batch, lambda x, n: maps.henon_jacobians(x * 1.000001, n), dim=2), "derivative of `step`"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(system: Any, message: str) -> None:
    with pytest.raises(ConformanceError, match=message):
        check_system(system, STARTS)


def test_a_wrong_inverse_is_rejected() -> None:
    with pytest.raises(ConformanceError, match=r"`inverse` must lead back: off by .* at step n=0"):
        check_system(maps.HENON_BATCH, STARTS, inverse=lambda y, n: maps.henon_inverse(y * (1 + 1e-9), n))


@pytest.mark.parametrize(
    ("applies", "change", "message"),
    [
        (lambda s: True, [1e-7, 0], "sum of all exponents times steps must be the sum of ln"),  # noqa: ARG005
        (lambda s: s.length is not None, [1e-6, -1e-6], "the singular values of its product"),
        (lambda s: s.length is None, [1e-6, -1e-6], "iterate by m=2 must be m times those of the system"),
        (lambda s: isinstance(s.system, Iterate), [1e-6, -1e-6], "iterate by m=2 must be m times those of the system"),
        (lambda s: isinstance(s.system, Conjugate), [0.1, -0.1], "must not depend on coordinates"),
        (lambda s: isinstance(s.system, Reversed), [1e-6, -1e-6], "the inverse must be the negatives in reverse"),
    ],
)
def test_an_engine_that_breaks_a_rule_is_rejected(monkeypatch: Any, applies: Any, change: Any, message: str) -> None:
    """Exponents off by `change`, for the systems that `applies` to."""
    engine = subject.lyapunov_spectrum

    def spoiled(system: Any, *args: Any, **options: Any) -> Any:
        result = engine(system, *args, **options)
        if applies(system):
            result.per_orbit[:] += change
        return result

    monkeypatch.setattr(subject, "lyapunov_spectrum", spoiled)
    with pytest.raises(ConformanceError, match=message):
        check_system(maps.HENON_BATCH, STARTS, inverse=maps.henon_inverse)


def test_frames_whose_columns_know_of_later_ones_are_rejected(monkeypatch: Any) -> None:
    engine = whole_orbits.advance

    def spoiled(system: Any, x: Any, V: Any, **options: Any) -> Any:
        result = engine(system, x, V, **options)
        return result._replace(growth=result.growth + 1e-5 * V.shape[2])

    monkeypatch.setattr(whole_orbits, "advance", spoiled)
    with pytest.raises(ConformanceError, match="k=1 exponents must be the first k of d=2"):
        check_system(maps.HENON_BATCH, STARTS)


@pytest.mark.parametrize(
    ("x0", "options", "message"),
    [
        (np.zeros((2, 3)), {}, "`x0`"),
        (np.zeros((0, 2)), {}, "`x0`"),
        (np.array([[0.1, 0.1], [5.0, 5.0]]), {}, "`x0` must start .* stay finite for 64 steps"),
        (STARTS, {"steps": 0}, "`steps`"),
        (STARTS, {"power": 65}, "`power`"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_bad_arguments_are_refused_by_name(x0: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_system(maps.HENON_BATCH, x0, **options)
