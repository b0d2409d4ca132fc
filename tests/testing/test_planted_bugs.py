"""The strategies and checks find each of thirteen planted bugs within 200 examples, most of them rare mistakes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.denoisers import Doors
from pifs_sim.diffusion.measures import Mixture
from pifs_sim.dynamics.operators import Dense
from pifs_sim.testing import ConformanceError, check_denoiser, check_schedule, check_system, strategies


def found(strategy: Any, check: Callable[[Any], None], examples: int = 200) -> bool:
    """Whether the check fails on one of so many drawn examples."""

    @settings(max_examples=examples, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(value: Any) -> None:
        check(value)

    try:
        run()
    except ConformanceError:
        return True
    return False


class BrokenSchedule:
    """A schedule with attributes replaced by functions of it."""

    def __init__(self, original: Schedule, **changes: Callable[[Schedule], Any]) -> None:
        self.original, self.changes = original, changes

    def __getattr__(self, name: str) -> Any:
        return self.changes[name](self.original) if name in self.changes else getattr(self.original, name)


def cancelling_logsnr(schedule: Schedule) -> Any:
    with np.errstate(divide="ignore"):
        return np.log(schedule.alpha_bar) - np.log(1 - schedule.alpha_bar)


def clamped_shift(schedule: Schedule) -> Any:
    return lambda amount: Schedule(np.maximum(schedule.shift(amount).angles, 1e-4 * np.arange(schedule.steps + 1)))


SCHEDULES: dict[str, dict[str, Callable[[Schedule], Any]]] = {
    "sigma capped at 10^4": {"sigma": lambda s: np.minimum(s.sigma, 1e4)},
    "logSNR by 1 - alpha_bar": {"logsnr": cancelling_logsnr},
    "increments the wrong way round": {"increments": lambda s: s.increments[::-1]},
    "b without its sign at the last step": {"b": lambda s: np.append(s.b[:-1], -s.b[-1])},
    "a shift that keeps angles above 10^-4 t": {"shift": clamped_shift},
}


@pytest.mark.parametrize("bug", SCHEDULES)
def test_bugs_of_schedules_are_found(bug: str) -> None:
    schedules = strategies.schedules()
    assert found(schedules, lambda schedule: check_schedule(BrokenSchedule(schedule, **SCHEDULES[bug])))


class Posterior:
    """A posterior with attributes replaced by functions of their value, the posterior, and the angle."""

    def __init__(self, original: Any, angle: Any, changes: dict[str, Callable[..., Any]]) -> None:
        self.original, self.angle, self.changes = original, angle, changes

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.original, name)
        return self.changes[name](value, self.original, self.angle) if name in self.changes else value


class BrokenDenoiser(Doors):
    """An exact denoiser of a law, or of another one, with changed posteriors."""

    def __init__(self, law: Any, used: Any = None, **changes: Callable[..., Any]) -> None:
        self.measure, self.exact, self.changes = law, exact_denoiser(used or law), changes

    @property
    def dim(self) -> int:
        return self.measure.dim

    def posterior(self, x: Any, angle: Any) -> Any:
        return Posterior(self.exact.posterior(x, angle), angle, self.changes)


def floored(law: Mixture) -> Mixture:
    return Mixture(law.weights, law.means, np.maximum(law.covariances, 1e-3))


def without_spread(J: Any, posterior: Any, angle: Any) -> Any:
    """Only the components' own variances: the spread of their means is forgotten."""
    del J, angle
    cov = posterior.covariance.dense()
    return Dense(np.diagonal(cov, axis1=1, axis2=2).min(axis=1)[:, None, None] * np.eye(cov.shape[-1], dtype=cov.dtype))


def divided(noise: Any, posterior: Any, angle: Any) -> Any:
    """(x - cos mean)/sin as it is written: 0/0 at angle 0."""
    sin, cos = np.sin(np.float64(angle)), np.cos(np.float64(angle))
    x = cos * posterior.mean + sin * noise
    with np.errstate(all="ignore"):
        return ((x - cos * posterior.mean) / sin).astype(noise.dtype) if np.ndim(angle) == 0 else noise


DENOISERS: dict[str, Callable[[Any], BrokenDenoiser]] = {
    "variances below 10^-3 raised to it": lambda law: BrokenDenoiser(law, floored(law)),
    "covariance without the spread of the means": lambda law: BrokenDenoiser(law, covariance=without_spread),
    "noise divided by the sine at angle 0": lambda law: BrokenDenoiser(law, noise=divided),
    "a mean pulled towards 0 beyond size 5": lambda law: BrokenDenoiser(
        law, mean=lambda m, *_: np.clip(m, -5.0, 5.0).astype(m.dtype)
    ),
}


LAWS = st.tuples(strategies.mixtures("isotropic"), st.integers(0, 2**32 - 1))


def judged(make: Callable[[Any], Any]) -> Callable[[Any], None]:
    def run(drawn: Any) -> None:
        law, rng = drawn[0], np.random.default_rng(drawn[1])
        check_denoiser(make(law), law.sample(2, rng) + 0.1 * rng.standard_normal((2, law.dim)), single=False)

    return run


@pytest.mark.parametrize("bug", DENOISERS)
def test_bugs_of_denoisers_are_found(bug: str) -> None:
    assert found(LAWS, judged(DENOISERS[bug]))


def test_a_sound_denoiser_is_not_accused() -> None:
    assert not found(LAWS, judged(BrokenDenoiser), examples=40)


class BrokenChain:
    """A chain with a changed rule."""

    def __init__(self, chain: Chain, **changes: Callable[..., Any]) -> None:
        self.chain, self.changes, self.dim, self.length = chain, changes, chain.dim, chain.length

    def step(self, x: Any, n: int) -> Any:
        return self.changes.get("step", Chain.step)(self.chain, x, n)

    def tangent(self, x: Any, n: int, V: Any) -> Any:
        return self.changes.get("tangent", Chain.tangent)(self.chain, x, n, V)


def late_tangent(chain: Chain, x: Any, n: int, V: Any) -> Any:
    """The Jacobian taken after the step."""
    moved = chain.step(x, n)
    return moved, chain.tangent(moved, n, V)[1]


def turned_tangent(chain: Chain, x: Any, n: int, V: Any) -> Any:
    """The derivative of the mirrored law's chain at the last step."""
    sign = -1.0 if n == chain.length - 1 else 1.0
    return chain.step(x, n), chain.tangent(sign * x, n, V)[1]


def forgetful_tangent(chain: Chain, x: Any, n: int, V: Any) -> Any:
    """Tangent vectors that only turn: r_t I, without the denoiser."""
    t = chain.length - n
    angles = chain.schedule.angles
    return chain.step(x, n), math.cos(angles[t] - angles[t - 1]) * V


def sharing_step(chain: Chain, x: Any, n: int) -> Any:
    """Samples that see their batch's mean once it lies beyond 2."""
    mean = x.mean(axis=0)
    return chain.step(x + (1e-6 * mean if np.abs(mean).max() > 2 else 0), n)


CHAINS: dict[str, dict[str, Callable[..., Any]]] = {
    "the Jacobian after the step": {"tangent": late_tangent},
    "the last step's Jacobian at -x": {"tangent": turned_tangent},
    "a tangent map without the denoiser": {"tangent": forgetful_tangent},
    "samples that see their batch": {"step": sharing_step},
}


SHORT = strategies.chains(("isotropic", "diagonal"), max_steps=3, start=0.3, stop=1.4, singular=False)


def followed(make: Callable[[Chain], Any]) -> Callable[[Chain], None]:
    def run(chain: Chain) -> None:
        points = 2 * np.random.default_rng(0).standard_normal((2, chain.dim))
        check_system(make(chain), points, power=1, single=False)

    return run


@pytest.mark.parametrize("bug", CHAINS)
def test_bugs_of_chains_are_found(bug: str) -> None:
    assert found(SHORT, followed(lambda chain: BrokenChain(chain, **CHAINS[bug])))


def test_a_sound_chain_is_not_accused() -> None:
    assert not found(SHORT, followed(lambda chain: BrokenChain(chain)), examples=20)
