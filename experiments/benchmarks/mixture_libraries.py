"""A mixture's DDIM chain by the samplers of azula, smalldiffusion and diffusers, with its exact denoiser in torch.

Each sampler calls the denoiser once a step and moves the samples itself, as its users run it. azula takes any angles;
smalldiffusion divides by sigma and by sigma_T/x_T, so that its chain ends at tan(phi_T) = 10^4; diffusers steps on its
own grid of 1000 training steps (linear beta), so that its output is another chain's and only its time compares.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["library_peers"]

_END = math.atan(1e4)

Task = Callable[[], Any]


def _mean(law: Any, x: Any) -> Callable[[Any, Any, Any], Any]:
    """x_hat_0 of points at cos and sin of an angle, by matrix products."""
    torch = importlib.import_module("torch")
    w, mu, v = (torch.tensor(np.asarray(part, x.dtype)) for part in (law.weights, law.means, law.variances[:, 0]))
    norms, prior, d = (mu * mu).sum(dim=1), torch.log(w), x.shape[1]

    def mean(y: Any, c: Any, s: Any) -> Any:
        inverse = 1 / (v * c * c + s * s)
        distances = (y * y).sum(dim=1)[:, None] - 2 * c * (y @ mu.T) + c * c * norms
        r = torch.softmax(prior + 0.5 * d * torch.log(inverse) - 0.5 * distances * inverse, dim=1)
        gain = v * c * inverse
        return (r @ gain)[:, None] * y + (r * (1 - c * gain)) @ mu

    return mean


def _azula(law: Any, steps: Any, x: Any) -> Task:
    torch, noise, sample = (importlib.import_module(name) for name in ("torch", "azula.noise", "azula.sample"))
    denoise = importlib.import_module("azula.denoise")
    mean, points, T = _mean(law, x), torch.tensor(x), len(steps.turn)
    cos, sin = (torch.tensor(part.astype(x.dtype)) for part in (steps.cos, steps.sin))

    class Angles(noise.Schedule):  # type: ignore[name-defined]
        def __call__(self, t: Any) -> Any:
            i = round(float(t) * T)
            return cos[i], sin[i]

    class Exact(denoise.Denoiser):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.schedule = Angles()

        def forward(self, x_t: Any, t: Any, **_: Any) -> Any:
            return denoise.DiracPosterior(mean=mean(x_t, *self.schedule(t)))

    sampler = sample.DDIMSampler(Exact(), steps=T, silent=True)
    return lambda: sampler(points).numpy()


def _smalldiffusion(law: Any, steps: Any, x: Any) -> Task:
    torch, model, diffusion = (
        importlib.import_module(name) for name in ("torch", "smalldiffusion.model", "smalldiffusion.diffusion")
    )
    mean = _mean(law, x)
    angles = np.minimum(np.arctan2(steps.sin, steps.cos), _END)[::-1]
    sigmas = torch.tensor(np.tan(angles).astype(x.dtype))
    start = torch.tensor((x / np.cos(angles[0])).astype(x.dtype))

    class Exact(torch.nn.Module, model.ModelMixin):  # type: ignore[name-defined]
        input_dims = (x.shape[1],)

        def rand_input(self, batchsize: int) -> Any:
            return torch.randn((batchsize, *self.input_dims))

        def forward(self, y: Any, sigma: Any, cond: Any = None) -> Any:  # noqa: ARG002
            c = 1 / torch.sqrt(1 + sigma * sigma)
            return (y - mean(c * y, c, c * sigma)) / sigma

    exact = Exact()

    def run() -> Any:
        with torch.inference_mode():
            return list(diffusion.samples(exact, sigmas, xt=start))[-1].numpy()

    return run


def _diffusers(law: Any, steps: Any, x: Any) -> Task:
    torch, diffusers = (importlib.import_module(name) for name in ("torch", "diffusers"))
    scheduler = diffusers.DDIMScheduler(clip_sample=False, timestep_spacing="trailing")
    scheduler.set_timesteps(len(steps.turn))
    mean, points = _mean(law, x), torch.tensor(x)

    def run() -> Any:
        y = points
        with torch.inference_mode():
            for t in scheduler.timesteps:
                kept = scheduler.alphas_cumprod[t].to(points.dtype)
                c, s = torch.sqrt(kept), torch.sqrt(1 - kept)
                y = scheduler.step((y - c * mean(y, c, s)) / s, t, y).prev_sample
        return y.numpy()

    return run


_LIBRARIES = {"azula": _azula, "smalldiffusion": _smalldiffusion, "diffusers": _diffusers}


def library_peers(law: Any, steps: Any, x: Any) -> dict[str, Task]:
    """Tasks by name, of the libraries that are installed."""
    return {
        name: make(law, steps, x)
        for name, make in _LIBRARIES.items()
        if importlib.util.find_spec("torch") and importlib.util.find_spec(name)
    }
