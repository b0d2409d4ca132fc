"""The installed diffusers library, where there is one: its steps, and exported schedules run in its schedulers.

DDIM's step is linear for the exact denoiser of Gaussian data, so a basis pushed through the sampler gives the
whole output covariance, and its W2 distance to the data's law is what `gaussian_error` predicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pifs_sim.diffusion import exchange, geometry, schedules
from pifs_sim.diffusion.schedule import Schedule
from tests.diffusion.diffusers_cases import EXTRA, SD, cases, library
from tests.diffusion.test_exchange import quietly

pytestmark = pytest.mark.filterwarnings("ignore")
torch = pytest.importorskip("torch", reason="needs torch and diffusers")
diffusers = pytest.importorskip("diffusers", reason="needs torch and diffusers")

LAM = np.array([30.0, 3.0, 1.0, 0.3, 0.02, 1e-3])
ROTATION = np.linalg.qr(np.random.default_rng(7).standard_normal((6, 6)))[0]
EULER = schedules.from_sigma(np.append(0.0, schedules.karras(9, 0.0292, 14.6).sigma))


@pytest.mark.parametrize("name", EXTRA)
def test_steps_are_those_of_the_installed_library(name: str) -> None:
    for _, options, count in (case for case in cases() if case[0] == name and case[2] <= 50):
        try:
            timesteps, sigma = library(name, options, count)
        except (IndexError, ValueError, AssertionError, RuntimeError):
            continue
        if np.isnan(sigma).any():
            continue
        rest = {key: value for key, value in options.items() if key != "mu"}
        steps = quietly(exchange.diffusers_steps, {"_class_name": name, **rest}, count, mu=options.get("mu"))
        whole = (timesteps == np.round(timesteps)).all()
        assert_allclose(steps.timesteps, timesteps, rtol=0, atol=0 if whole else 7e-5)
        assert_allclose(steps.sigma, sigma, rtol=2e-5)


@pytest.mark.parametrize("name", ["DDIMScheduler", "EulerDiscreteScheduler"])
def test_the_library_makes_62_trailing_calls_of_61(name: str) -> None:
    timesteps, sigma = library(name, {**SD, "timestep_spacing": "trailing"}, 61)
    steps = quietly(exchange.diffusers_steps, {"_class_name": name, **SD, "timestep_spacing": "trailing"}, 61)
    assert timesteps[-1] == -1.0
    assert steps.timesteps.tolist() == timesteps.tolist()
    assert_allclose(steps.sigma, sigma, rtol=2e-5)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("to_one", [True, False])
@pytest.mark.parametrize("name", ["DDIMScheduler", "PNDMScheduler"])
def test_the_class_leaves_the_sample_at_the_next_angle(name: str, spacing: str, to_one: bool) -> None:
    """From x = 1 with noise 0 a step returns cos(next)/cos(angle): the library's own next angle."""
    options = {**SD, "timestep_spacing": spacing, "set_alpha_to_one": to_one}
    options |= {"clip_sample": False} if name == "DDIMScheduler" else {"skip_prk_steps": True}
    for count in (1, 7, 10, 50):
        scheduler = getattr(diffusers, name).from_config({"_class_name": name, **options})
        scheduler.set_timesteps(count)
        steps = exchange.diffusers_steps({"_class_name": name, **options}, count)
        for i, t in enumerate(scheduler.timesteps):
            one = torch.ones(1, 1, dtype=torch.float64)
            back = float(scheduler.step(one * 0, t, one).prev_sample)
            # PNDM's second call repeats the first step, from the first call's sample and angle
            start = steps.angle[0] if name == "PNDMScheduler" and i == 1 else steps.angle[i]
            if not (name == "PNDMScheduler" and i == 1 and spacing != "leading"):
                assert back == pytest.approx(np.cos(steps.next_angle[i]) / np.cos(start), rel=1e-5)


class ExactNoise(torch.nn.Module):
    """eps(x) = sin (cos^2 Sigma + sin^2)^-1 x at the angle of a timestep; velocity eps - x_0 for flows."""

    def __init__(self, sigma_of: Any, flow: bool) -> None:
        super().__init__()
        self.sigma_of, self.flow = sigma_of, flow

    def forward(self, x: Any, t: Any) -> Any:
        """Rows of x are points; x is on the sphere (cos, sin), for flows on the line (1 - tau, tau)."""
        phi = np.arctan(self.sigma_of(float(t)))
        cos, sin = np.cos(phi), np.sin(phi)
        scale = cos + sin if self.flow else 1.0
        noise = ROTATION * (sin / (cos**2 * LAM + sin**2)) @ ROTATION.T
        point = ROTATION * (cos * LAM / (cos**2 * LAM + sin**2)) @ ROTATION.T
        return x @ torch.tensor((noise - point if self.flow else noise) * scale, dtype=x.dtype)


def pushed(scheduler: Any, model: Any) -> np.ndarray:
    """The sampler's matrix: row i is what becomes of the i-th unit vector."""
    x = torch.eye(6, dtype=torch.float32)
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        x = scheduler.step(model(scaled, t), t, x).prev_sample
    return x.numpy().astype(np.float64)


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """W2 of N(0, a) and N(0, b)."""

    def root(c: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh((c + c.T) / 2)
        return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T

    return float(np.sqrt(max(0.0, np.trace(a + b - 2 * root(root(a) @ b @ root(a))))))


def measured(scheduler: Any, schedule: Schedule, kind: str) -> float:
    """W2 of the sampler's output from the exact marginal at the noisy end, against the data."""
    cos, sin = schedule.cos[-1], schedule.sin[-1]
    scale = {"sphere": 1.0, "ve": 1 / cos if cos else np.inf, "flow": 1 / (cos + sin)}[kind]
    start = ROTATION * ((cos**2 * LAM + sin**2) * scale**2) @ ROTATION.T
    if kind == "flow":
        model = ExactNoise(lambda t: (t / 1000) / max(1 - t / 1000, 1e-300), flow=True)
    else:
        table = np.tan(schedules.scaled_linear(1000).angles[1:])
        logs = np.log(table)
        model = ExactNoise(lambda t: np.exp(np.interp(t, np.arange(1000), logs)), flow=False)
    matrix = pushed(scheduler, model)
    return wasserstein(matrix.T @ start @ matrix, ROTATION * LAM @ ROTATION.T)


RUNS = [
    ("EulerDiscreteScheduler", SD, EULER, "ve"),
    ("DPMSolverMultistepScheduler", {**SD, "solver_order": 1}, EULER, "sphere"),
    ("DPMSolverSinglestepScheduler", {**SD, "solver_order": 1}, EULER, "sphere"),
    ("FlowMatchEulerDiscreteScheduler", {}, schedules.flow(10, 2.0), "flow"),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, schedules.flow(10, 2.0), "flow"),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, EULER, "flow"),
]


@pytest.mark.parametrize(("name", "options", "schedule", "kind"), RUNS)
def test_an_exported_schedule_has_the_predicted_error(name: str, options: Any, schedule: Schedule, kind: str) -> None:
    config = {"_class_name": name, **options}
    keyword = exchange.to_diffusers(schedule, name, config=config)
    scheduler = getattr(diffusers, name).from_config(config)
    scheduler.set_timesteps(**keyword)
    if "timesteps" in keyword:  # whole timesteps: the schedule that is run is the rounded one
        schedule = exchange.from_diffusers(config, **keyword)
    predicted = geometry.gaussian_error(schedule, LAM, metric="w2")
    value = measured(scheduler, schedule, kind)
    print(f"{name} {options}: W2 {value:.6g}, predicted {predicted:.6g}, ratio - 1 = {value / predicted - 1:.2e}")
    assert value == pytest.approx(predicted, rel=0.01)


@pytest.mark.parametrize(
    ("spacing", "count", "agrees"),
    [("trailing", 10, True), ("leading", 7, True), ("trailing", 7, False), ("linspace", 7, False)],
)
def test_ddim_has_the_error_of_the_schedule_it_means_only_on_the_right_grids(
    spacing: str, count: int, agrees: bool
) -> None:
    config = {"_class_name": "DDIMScheduler", **SD, "clip_sample": False, "timestep_spacing": spacing}
    scheduler = diffusers.DDIMScheduler.from_config(config)
    scheduler.set_timesteps(count)
    schedule = exchange.from_diffusers(config, count)
    predicted, value = geometry.gaussian_error(schedule, LAM, metric="w2"), measured(scheduler, schedule, "sphere")
    print(f"DDIM {spacing} {count}: W2 {value:.6g}, meant {predicted:.6g}")
    assert (abs(value / predicted - 1) < 0.01) is agrees
