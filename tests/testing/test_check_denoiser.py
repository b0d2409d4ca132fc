"""Every law's denoiser passes the conformance checks, and each rule catches what breaks it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import exact_denoiser
from pifs_sim.diffusion.denoisers import Doors
from pifs_sim.diffusion.measures import Gaussian, Measure, Mixture
from pifs_sim.dynamics.operators import Dense
from pifs_sim.testing import ConformanceError, check_denoiser
from pifs_sim.testing.strategies import LAWS, measures

LAW = Mixture([0.4, 0.6], [[-1.0, 0.0], [1.0, 2.0]], [[[1.0, 0.3], [0.3, 0.5]], [[0.2, 0.0], [0.0, 0.4]]])
X = np.array([[0.3, 1.0], [-2.0, 0.4]])


@pytest.mark.parametrize("kind", LAWS)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=12)
def test_exact_denoisers_conform(kind: str, data: st.DataObject, seed: int) -> None:
    law: Measure = data.draw(measures((kind,)))
    rng = np.random.default_rng(seed)
    check_denoiser(exact_denoiser(law), law.sample(3, rng) + 0.1 * rng.standard_normal((3, law.dim)))


class Changed:
    """A posterior with some attributes replaced by functions of the original and the angle."""

    def __init__(self, original: Any, x: Any, angle: Any, changes: dict[str, Callable[..., Any]]) -> None:
        self.original, self.x, self.angle, self.changes = original, x, angle, changes

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.original, name)
        return self.changes[name](value, self.x, self.angle) if name in self.changes else value


class Broken(Doors):
    """An exact denoiser with changed posteriors."""

    dim = 2

    def __init__(self, **changes: Callable[..., Any]) -> None:
        self.measure, self.exact, self.changes = LAW, exact_denoiser(LAW), changes

    def posterior(self, x: Any, angle: Any) -> Any:
        return Changed(self.exact.posterior(x, angle), x, angle, self.changes)


def skewed(operator: Any, *_: Any) -> Dense:
    matrices = operator.dense()
    return Dense(matrices + 1e-9 * np.array([[0, 1], [-1, 0]], matrices.dtype))


AT_END: Any = {"pi/2": math.pi / 2, "angle 0": 0.0}


def only(end: str, change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda value, _, angle: change(value) if np.ndim(angle) == 0 and angle == AT_END[end] else value


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("shape", {"mean": lambda m, *_: m[:, :1]}),
        ("float32", {"noise": lambda n, *_: n.astype(np.float64)}),
        ("cos mean", {"mean": lambda m, *_: m * (1 + 1e-9)}),
        ("cos J mean", {"mean_jacobian": lambda J, *_: J.affine(1.0 + 1e-8, 0.0)}),
        ("`mean_jacobian` must be the derivative", {
            "mean_jacobian": lambda J, *_: J.affine(1.0, 1e-4),
            "noise_jacobian": lambda J, _, a: J.affine(1.0, -1e-4 / math.tan(a) if np.ndim(a) == 0 else 0.0),
        }),
        ("`log_density`", {"log_density": lambda p, x, _: p + 1e-4 * x[:, 0]}),
        ("`covariance` must be symmetric", {"covariance": skewed}),
        ("positive semidefinite", {"covariance": lambda C, *_: C.affine(1.0, -10.0)}),
        ("cos/sin", {"covariance": lambda C, *_: C.affine(1.0 + 1e-8, 0.0)}),
        ("`weights` must not", {"weights": lambda w, *_: w * np.array([2.0, -1.0])}),
        ("`weights` must sum", {"weights": lambda w, *_: w / 2}),
        ("in a batch", {"mean": lambda m, _, a: m + 1e-6 * (np.ndim(a) > 0)}),
        ("at pi/2 `mean`", {"mean": only("pi/2", lambda m: m + 1e-9)}),
        ("at pi/2 `noise`", {"noise": only("pi/2", lambda n: n * (1 + 1e-9))}),
        ("at pi/2 `covariance`", {"covariance": only("pi/2", lambda C: C.affine(1 + 1e-9, 0.0))}),
        ("at angle 0 `noise`", {"noise": only("angle 0", lambda n: n + 1e-300)}),
        ("continuous at angle 0", {"mean": only("angle 0", lambda m: m + 1e-4)}),
    ],
)  # fmt: skip
def test_each_rule_catches_what_breaks_it(rule: str, changes: dict[str, Callable[..., Any]]) -> None:
    with pytest.raises(ConformanceError, match=rule.replace("(", r"\(")):
        check_denoiser(Broken(**changes), X)


class Tired(Broken):
    """Every estimate is smaller than the one before."""

    calls = 0

    def posterior(self, x: Any, angle: Any) -> Any:
        self.calls += 1
        shrunk = 0.5**self.calls
        return Changed(self.exact.posterior(x, angle), x, angle, {"mean": lambda m, *_: m * m.dtype.type(shrunk)})


class Clipping(Broken):
    """Clips what it is given, in place."""

    def posterior(self, x: Any, angle: Any) -> Any:
        return self.exact.posterior(np.clip(x, -1, 1, out=x), angle)


class Clamped(Broken):
    """The door of the noise alone keeps it within (-0.1, 0.1)."""

    def noise(self, x: Any, angle: Any) -> Any:
        return np.clip(super().noise(x, angle), -0.1, 0.1)


@pytest.mark.parametrize(
    ("denoiser", "rule"),
    [
        (Tired, "`mean` must be the same when asked for again, but it is not"),
        (Clipping, "`posterior` must not write to its arguments, but it does"),
        (Clamped, "`noise` must be `noise` of the posterior, but it is not"),
    ],
)
def test_what_the_posteriors_alone_do_not_show_is_caught(denoiser: type[Broken], rule: str) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_denoiser(denoiser(), X)


def test_a_denoiser_that_is_no_posterior_is_held_to_less() -> None:
    """x_hat = A x with A not symmetric: no law's, but a denoiser with the right derivatives."""
    matrix = np.array([[0.5, 0.2], [-0.1, 0.3]])

    class Linear(Doors):
        dim = 2

        def posterior(self, x: Any, angle: Any) -> Any:
            cos, sin = (np.asarray(f(angle), x.dtype).reshape(-1, 1) for f in (np.cos, np.sin))
            A = np.broadcast_to(matrix.astype(x.dtype), (len(x), 2, 2))

            class Posterior:
                mean = x @ matrix.T.astype(x.dtype)
                noise = (x - cos * mean) / sin
                mean_jacobian = Dense(A)
                noise_jacobian = Dense((np.eye(2, dtype=x.dtype) - cos[:, :, None] * A) / sin[:, :, None])

            return Posterior()

    check_denoiser(Linear(), X, exact=False)


@pytest.mark.parametrize("angles", [(), (0.0,), (math.pi / 2,), (0.3, -1.0), (math.nan,)], ids=str)
def test_angles_at_the_ends_are_refused(angles: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="`angles`"):
        check_denoiser(exact_denoiser(Gaussian([0.0], [[1.0]])), [[0.5]], angles=angles)
