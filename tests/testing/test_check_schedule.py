"""Every schedule passes the conformance checks, and each rule catches what breaks it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from pifs_sim.diffusion import Schedule, schedules
from pifs_sim.testing import ConformanceError, check_schedule, strategies

COSINE = schedules.cosine(20, max_beta=None)


@given(strategies.schedules())
def test_schedules_conform(schedule: Schedule) -> None:
    check_schedule(schedule)


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.linear(1000),
        schedules.scaled_linear(1000),
        schedules.cosine(1000),
        schedules.karras(10, 0.002, 80),
        schedules.log_linear(10, 1e-4, 1e4),
        schedules.flow(50, 3.0),
        schedules.uniform_angle(1),
    ],
    ids=lambda schedule: schedule.name,
)
def test_named_schedules_conform(schedule: Schedule) -> None:
    check_schedule(schedule, step=ddim(schedule), tolerance=1e-9 if schedule.angles[-1] < 1.57 else np.inf)


def ddim(schedule: Schedule, ahead: int = 0) -> Any:
    """A sampler whose step i ends `ahead` steps too far."""

    def step(x: Any, eps: Any, i: int) -> Any:
        t = schedule.steps - i
        to, at = schedule.angles[max(0, t - 1 - ahead)], schedule.angles[t]
        return np.cos(to) / np.cos(at) * x - np.sin(at - to) / np.cos(at) * eps

    return step


@given(strategies.schedules(stop=1.5))
def test_a_sampler_that_follows_the_angles_conforms(schedule: Schedule) -> None:
    check_schedule(schedule, step=ddim(schedule))


def test_a_sampler_that_goes_a_step_too_far_is_found() -> None:
    schedule = schedules.uniform_angle(5, stop=1.5)
    with pytest.raises(ConformanceError, match=r"step 5 must leave the sample at the angle 1\.200000 .* at 0\.900000"):
        check_schedule(schedule, step=ddim(schedule, ahead=1))


def test_a_sampler_that_leaves_the_circle_is_found() -> None:
    schedule = schedules.uniform_angle(5, stop=1.5)
    with pytest.raises(ConformanceError, match="must be a DDIM step"):
        check_schedule(schedule, step=lambda x, eps, i: 1.01 * ddim(schedule)(x, eps, i))


class Changed:
    """A schedule with some attributes replaced."""

    def __init__(self, original: Schedule, **changes: Any) -> None:
        self.original, self.changes = original, changes

    def __getattr__(self, name: str) -> Any:
        return self.changes[name] if name in self.changes else getattr(self.original, name)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("T = steps", {"steps": 21}),
        ("increase strictly", {"angles": COSINE.angles[::-1]}),
        ("`alpha_bar`", {"alpha_bar": COSINE.cos}),
        ("`noise_variance`", {"noise_variance": COSINE.noise_variance * (1 + 1e-12)}),
        ("`sigma`", {"sigma": np.minimum(COSINE.sigma, 1e4)}),
        ("`logsnr`", {"logsnr": COSINE.logsnr / np.log(10)}),
        ("`increments`", {"increments": COSINE.increments[::-1]}),
        ("shape", {"r": COSINE.r, "increments": COSINE.increments[1:]}),
        ("inf and -inf", {"r": np.minimum(COSINE.r, 1e9)}),
        ("`r` cos", {"r": np.append(1 / COSINE.r[:-1], np.inf)}),
        ("`b` cos", {"b": np.append(-COSINE.b[:-1], -np.inf)}),
        ("`subsample`", {"subsample": lambda indices: Schedule(COSINE.angles[np.array(indices) - 1][1:])}),
        ("`shift", {"shift": lambda amount: COSINE.shift(-amount)}),
    ],
)
def test_each_rule_catches_what_breaks_it(rule: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_schedule(Changed(COSINE, **changes))


def test_other_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="got ndarray without 'angles'"):
        check_schedule(np.linspace(0, 1, 5))


class Scheduler:
    """DDIM as diffusers has it: after timestep t comes t - 1000 // n, whatever the grid."""

    def __init__(self, n: int, *, spacing: str, mended: bool = False) -> None:
        self.alphas_cumprod = schedules.linear(1000).alpha_bar[1:]
        self.timesteps = {
            "leading": np.arange(n)[::-1] * (1000 // n),
            "trailing": np.round(np.arange(1000, 0, -1000 / n)).astype(int) - 1,
        }[spacing]
        self.n, self.mended = n, mended

    def step(self, eps: Any, timestep: int, x: Any) -> tuple[Any]:
        later = self.timesteps[self.timesteps < timestep]
        previous = (later[0] if len(later) else -1) if self.mended else timestep - 1000 // self.n
        kept, to = self.alphas_cumprod[timestep], self.alphas_cumprod[previous] if previous >= 0 else 1.0
        clean = (x - np.sqrt(1 - kept) * eps) / np.sqrt(kept)
        return (np.sqrt(to) * np.clip(clean, -1, 1) + np.sqrt(1 - to) * eps,)


@pytest.mark.parametrize(
    ("n", "spacing", "mended"), [(7, "leading", False), (10, "trailing", False), (7, "trailing", True)]
)
def test_a_scheduler_that_follows_its_grid_conforms(n: int, spacing: str, mended: bool) -> None:
    check_schedule(Scheduler(n, spacing=spacing, mended=mended))


def test_the_wrong_step_of_a_scheduler_is_found() -> None:
    with pytest.raises(ConformanceError, match=r"step 1 of 7, at timestep 999, .* off by \+0\.00021"):
        check_schedule(Scheduler(7, spacing="trailing"))


def test_timesteps_that_do_not_decrease_are_found() -> None:
    scheduler = SimpleNamespace(timesteps=[3, 3, 1], alphas_cumprod=COSINE.alpha_bar, step=None)
    with pytest.raises(ConformanceError, match="decrease strictly"):
        check_schedule(scheduler)


class Euler:
    """Steps of dx/d sigma = eps, for samples scaled by 1/cos phi; steps are counted where the input is scaled."""

    def __init__(self, *, leap: float = 1.0) -> None:
        self.alphas_cumprod = schedules.linear(1000).alpha_bar[1:]
        self.timesteps = np.array([900, 600, 300])
        kept = self.alphas_cumprod[self.timesteps]
        self.sigmas = np.append(np.sqrt((1 - kept) / kept), 0.0)
        self.count, self.leap = -1, leap

    def scale_model_input(self, sample: Any, timestep: int) -> None:  # noqa: ARG002
        self.count += 1

    def step(self, eps: Any, timestep: int, x: Any) -> Any:  # noqa: ARG002
        sigma, to = self.sigmas[self.count : self.count + 2]
        return SimpleNamespace(prev_sample=x + self.leap * (to - sigma) * eps)


def test_a_scheduler_of_noise_levels_conforms_and_its_wrong_step_is_found() -> None:
    check_schedule(Euler())
    with pytest.raises(ConformanceError, match="step 1 of 3, at timestep 900,"):
        check_schedule(Euler(leap=0.99))


@pytest.mark.filterwarnings("ignore")
def test_the_installed_library_takes_a_wrong_step_with_trailing_spacing() -> None:
    diffusers = pytest.importorskip("diffusers", reason="needs torch and diffusers")
    for cls in (diffusers.DDIMScheduler, diffusers.EulerDiscreteScheduler):
        scheduler = cls(timestep_spacing="leading")
        scheduler.set_timesteps(7)
        check_schedule(scheduler)
    scheduler = diffusers.DDIMScheduler(timestep_spacing="trailing")
    scheduler.set_timesteps(7)
    with pytest.raises(ConformanceError, match=r"step 1 of 7, at timestep 999, .* off by \+0\.00021"):
        check_schedule(scheduler)
