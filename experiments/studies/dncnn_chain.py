"""Does a denoiser that nobody here trained behave, as a chain at low noise, as the exact theory says?

scico's DnCNN of 17 layers that takes sigma, on grey crops of held-out photographs, sigma from 0.1 down to 0.005 in
log-linear steps. Of an exact denoiser J Phi_t is symmetric with every eigenvalue at least sin phi_s/sin phi_t (the
contraction floor), so asymmetry |J - J^T|_F/|J|_F is 0. Falsifier: an asymmetry above 0.1 or eigenvalues of the
symmetric part below the floor by more than 0.1, in the mean over points at some step. Beside: kappa, delta, and whether
the chain takes its noise off (PSNR against the clean crop, before and after).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "dncnn_chain"
VERSION = 1
CLAIMS = ("tweedie-jacobian", "two-regimes", "patch-contraction")
NEEDS = ("torch", "safetensors", "sklearn", "skimage", "scico", "msgpack")
GRIDS = {
    "smoke": {"network": ["6N"], "side": [16], "steps": [2], "samples": [2]},
    "paper": {"network": ["6N", "17N"], "side": [16], "steps": [6], "samples": [4]},
}
TOLERANCE = 0.02  # float32 and many products: libraries round differently
_MOST = 0.1
_SIGMAS = 0.005, 0.1


def run(*, network: str, side: int, steps: int, samples: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """A row for each step, means over the points, from dense Jacobians."""
    from experiments.datasets import images
    from pifs_sim.diffusion import Chain, schedules
    from pifs_sim.dynamics import Patches, block_norms
    from pifs_sim.networks import dncnn

    data = (images("grey32").validation.reshape(-1, 32, 32)[:, :side, :side].reshape(-1, side * side) + 1) / 2
    clean = data[rng.choice(len(data), samples, replace=False)].astype(np.float64)
    chain = Chain(schedules.log_linear(steps, *_SIGMAS), dncnn(network, (side, side), dtype="float64"))
    schedule, patches, found = chain.schedule, Patches((side, side), side // 4), []
    for t in range(1, steps + 1):
        x = schedule.cos[t] * clean + schedule.sin[t] * rng.standard_normal(clean.shape)
        J = chain.jacobian(x, steps - t).dense()
        size = np.linalg.norm(J, axis=(1, 2))
        least = np.linalg.eigvalsh((J + J.transpose(0, 2, 1)) / 2)[:, 0]
        floor = float(schedule.sin[t - 1] / schedule.sin[t])
        norms = block_norms(J, patches)
        measured = {"kappa": norms.kappa, "delta": norms.delta, "row_sum": norms.row_sum}
        measured |= {"asymmetry": np.linalg.norm(J - J.transpose(0, 2, 1), axis=(1, 2)) / size, "below": floor - least}
        row: dict[str, Any] = {"t": t, "sigma": float(schedule.sigma[t]), "floor": floor}
        for name, values in measured.items():
            row |= {name: float(values.mean()), f"{name}_stderr": float(values.std(ddof=1) / np.sqrt(samples))}
        found.append(row)
    noisy = schedule.cos[-1] * clean + schedule.sin[-1] * rng.standard_normal(clean.shape)
    after = chain.run(noisy) / float(schedule.cos[0])
    ends = {"before": _psnr(noisy / float(schedule.cos[-1]), clean), "after": _psnr(after, clean)}
    return [row | ends for row in found]


def _psnr(x: Any, clean: Any) -> float:
    return float(-10 * np.log10(np.mean((x - clean) ** 2)))


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if symmetric and above the floor within a tenth at every step of every network."""
    numbers: dict[str, float] = {}
    told, sound = [], []
    for name in dict.fromkeys(str(row["network"]) for row in rows):
        mine = sorted((row for row in rows if row["network"] == name), key=lambda row: int(row["t"]))
        worst, below = (max(float(row[key]) for row in mine) for key in ("asymmetry", "below"))
        sound.append(worst <= _MOST and below <= _MOST)
        numbers |= {f"{name}: asymmetry": worst, f"{name}: below the floor": below}
        numbers |= {
            f"{name}: kappa, cleanest": float(mine[0]["kappa"]),
            f"{name}: kappa, noisiest": float(mine[-1]["kappa"]),
        }
        numbers |= {
            f"{name}: delta, cleanest": float(mine[0]["delta"]),
            f"{name}: delta, noisiest": float(mine[-1]["delta"]),
        }
        numbers |= {f"{name}: PSNR before": float(mine[0]["before"]), f"{name}: PSNR after": float(mine[0]["after"])}
        told.append(
            f"DnCNN {name}: asymmetry up to {worst:.3f}, eigenvalues up to {below:.3f} below the floor; kappa "
            f"{mine[-1]['kappa']:.3f} to {mine[0]['kappa']:.3f}, delta {mine[-1]['delta']:.3f} to "
            f"{mine[0]['delta']:.3f} towards the clean end; PSNR {mine[0]['before']:.1f} to {mine[0]['after']:.1f} dB"
        )
    return Verdict("confirmed" if all(sound) else "refuted", f"{'. '.join(told)}.", numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Norms, asymmetry and the distance below the floor over sigma."""
    figure, axes = figures.canvas(5.6, rows=2)
    for name, style in zip(dict.fromkeys(str(row["network"]) for row in rows), ("-", "--", ":"), strict=False):
        mine = sorted((row for row in rows if row["network"] == name), key=lambda row: int(row["t"]))
        sigma = [float(row["sigma"]) for row in mine]
        for axis, keys in zip(axes, (("kappa", "delta"), ("asymmetry", "below")), strict=True):
            for key, colour in zip(keys, figures.COLOURS, strict=False):
                label = {"kappa": "κ", "delta": "δ", "below": "below the floor"}.get(key, key)
                axis.plot(sigma, [float(row[key]) for row in mine], style, color=colour, label=f"{label}, DnCNN {name}")
    axes[0].set(xscale="log", ylabel="norm")
    axes[1].set(xscale="log", xlabel="σ_t in grey values", ylabel="distance from exact")
    for axis in axes:
        axis.legend(fontsize=7, frameon=False)
    return figure
