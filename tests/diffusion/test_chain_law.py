"""The law of the chain's output on Gaussian data: 1e6 samples against `chain-law`, within five standard errors.

Along an eigenvector of variance lam, with c = prod cos(psi_t - psi_s) and psi = atan2(sin phi, sqrt(lam) cos phi),
the output from p_T is N(c_0 m, N_0 c^2); from N(0, 1), c becomes c/sqrt(N_T) and the mean is off by
-sqrt(N_0/N_T) c cos(phi_T) m.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.diffusion.schedules import cosine, from_angles, uniform_angle

SAMPLES = 1_000_000
ROTATION = np.linalg.qr(np.random.default_rng(8).standard_normal((3, 3)))[0]
LAM = np.array([0.05, 1.0, 9.0])
LAW = Gaussian([1.0, -2.0, 0.5], ROTATION @ np.diag(LAM) @ ROTATION.T)
SCHEDULES = {
    "coarse, to pi/2": uniform_angle(3),
    "short of pi/2": from_angles([0.05, 0.3, 0.8, 1.2]),
    "cosine": cosine(5),
}


def law_along(schedule: Schedule, start: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the output along each eigenvector."""
    phi, mean = schedule.angles, LAW.mean @ ROTATION
    psi = np.arctan2(np.sin(phi), np.sqrt(LAM)[:, None] * np.cos(phi))
    c = np.prod(np.cos(np.diff(psi, axis=1)), axis=1)
    variance = LAM[:, None] * np.cos(phi) ** 2 + np.sin(phi) ** 2
    first, last = variance[:, 0], variance[:, -1]
    if start == "marginal":
        return math.cos(phi[0]) * mean, first * c**2
    shifted = math.cos(phi[0]) * mean - np.sqrt(first / last) * c * math.cos(phi[-1]) * mean
    return shifted, first * c**2 / last


@pytest.mark.parametrize("start", ["marginal", "normal"])
@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_samples_have_the_law_of_the_chain(schedule: Schedule, start: Any) -> None:
    chain = Chain(schedule, exact_denoiser(LAW))
    along = chain.sample(SAMPLES, np.random.default_rng(2026), start=start) @ ROTATION
    mean, variance = law_along(schedule, start)
    assert (np.abs(along.mean(axis=0) - mean) <= 5 * np.sqrt(variance / SAMPLES)).all()
    centred = along - mean
    covariance = centred.T @ centred / SAMPLES
    error = np.sqrt((np.outer(variance, variance) + np.diag(variance**2)) / SAMPLES)
    assert (np.abs(covariance - np.diag(variance)) <= 5 * error).all()
    kurtosis = (centred**4).mean(axis=0) / variance**2  # of a normal law 3, its standard error sqrt(96/n)
    assert (np.abs(kurtosis - 3) <= 5 * math.sqrt(96 / SAMPLES)).all()


def test_sampling_is_running_from_the_start() -> None:
    chain = Chain(from_angles([0.0, 0.5, 1.2]), exact_denoiser(LAW))
    start = np.random.default_rng(5).standard_normal((4, 3))
    assert np.array_equal(chain.sample(4, np.random.default_rng(5)), chain.run(start))


def test_samples_repeat_with_the_seed() -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    for start in ("normal", "marginal"):
        one, other = (chain.sample(4, np.random.default_rng(9), start=start) for _ in range(2))
        assert np.array_equal(one, other)
        assert not np.array_equal(one, chain.sample(4, np.random.default_rng(10), start=start))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [({"n": 0}, "n"), ({"n": -3}, "n"), ({"n": 2.5}, "n"), ({"n": 2, "start": "uniform"}, "start")],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(arguments: dict[str, Any], name: str) -> None:
    chain = Chain(cosine(5), exact_denoiser(LAW))
    with pytest.raises(ValueError, match=f"`{name}`"):
        chain.sample(rng=np.random.default_rng(0), **arguments)


def test_a_denoiser_without_a_law_cannot_start_a_sample() -> None:
    class Bare:
        dim = 1

        def posterior(self, x: Any, angle: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(ValueError, match="`measure`"):
        Chain(cosine(5), Bare()).sample(1, np.random.default_rng(0))
