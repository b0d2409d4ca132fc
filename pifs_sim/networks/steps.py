"""One step of a measurement: everything of the points x_t = cos(phi_t) x_0 + sin(phi_t) eps of one angle.

Random numbers depend on (seed, t) alone and are drawn sample by sample, so that neither a resumed run nor the memory at
hand changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Chain, Leading
from pifs_sim.dynamics import Patches
from pifs_sim.networks.attention import attention_entropies
from pifs_sim.networks.coupling import Method, coupling
from pifs_sim.networks.deviation import FittedGaussian
from pifs_sim.networks.norms import diagonal_block_norms
from pifs_sim.networks.quotients import patch_quotients

__all__ = ["SUMS", "Options", "Run"]

Array = npt.NDArray[np.float64]

SUMS = ("own", "coupling", "norm")  # what is bounded from below and above


@dataclass(frozen=True)
class Options:
    """How norms are found, and how sure their bounds are."""

    tolerance: float
    most: int
    method: Method
    probes: int
    confidence: float

    @property
    def each(self) -> float:
        """Confidence of one bound where two must hold."""
        return (1 + self.confidence) / 2


@dataclass(frozen=True, eq=False)
class Run:
    """What the steps of a measurement share.

    Args:
        chain: with a network as its denoiser.
        patches: M patches.
        clean: (B, d) x_0.
        law: the Gaussian fitted to the data.
        leading: leading variances and directions of the patches of the data.
        options: see there.
        seed: of all random numbers.
        pieces: samples that are measured at once.
    """

    chain: Chain
    patches: Patches
    clean: Array
    law: FittedGaussian
    leading: Leading
    options: Options
    seed: int
    pieces: list[slice]

    @property
    def rounding(self) -> float:
        """Of the network's precision."""
        return float(np.finfo(self.chain.denoiser.dtype).eps)  # type: ignore[attr-defined]

    def points(self, t: int) -> tuple[Any, Array]:
        """x_t in the network's precision, and its noise."""
        eps = np.random.default_rng([self.seed, t, 0]).standard_normal(self.clean.shape)
        cos, sin = float(self.chain.schedule.cos[t]), float(self.chain.schedule.sin[t])
        return (cos * self.clean + sin * eps).astype(self.chain.denoiser.dtype), eps  # type: ignore[attr-defined]

    def step(self, t: int) -> dict[str, Any]:
        """Everything of one step, arrays that begin with the samples, and counts."""
        x, eps = self.points(t)
        rngs = {name: np.random.default_rng([self.seed, t, i]) for i, name in enumerate(("own", "norm", "coupling"), 1)}
        parts = [self._piece(t, x[rows], rngs) for rows in self.pieces]
        found: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for name in ("pairs", "columns"):
            found[name] = found[name].max() if name == "pairs" else found[name].sum()
        return found | self._network(t, x, eps)

    def _piece(self, t: int, x: Any, rngs: dict[str, np.random.Generator]) -> dict[str, Any]:
        options, patches = self.options, self.patches
        operator = self.chain.jacobian(x, self.chain.length - t)
        rates: dict[str, Any] = {"tolerance": options.tolerance, "most": options.most, "rounding": self.rounding}
        rates["confidence"] = options.each
        others = coupling(
            operator, patches, rng=rngs["coupling"], method=options.method, probes=options.probes, **rates
        )
        whole = diagonal_block_norms(operator, Patches(patches.dim, patches.dim), rng=rngs["norm"], **rates)
        found: dict[str, Any] = {"pairs": np.zeros(1, int), "columns": others.columns + whole.columns}
        bounds: dict[str, Any] = {"coupling": (others.value, others.lower, others.upper)}
        bounds["norm"] = tuple(part[:, 0] for part in (whole.value, whole.lower, whole.upper))
        if others.own is None:
            own = diagonal_block_norms(operator, patches, rng=rngs["own"], **rates)
            bounds["own"] = (own.value, own.lower, own.upper)
            found["pairs"], found["columns"] = np.array([own.pairs]), found["columns"] + own.columns
        else:
            bounds["own"] = (others.own, others.own, others.own)
        for name, three in bounds.items():
            found |= {f"{name}_{end}": part for end, part in zip(("value", "lower", "upper"), three, strict=True)}
        found["quotients"] = patch_quotients(operator, self.leading.directions)
        found["columns"] = np.array([found["columns"] + len(x) * patches.count])
        return found

    def _network(self, t: int, x: Any, eps: Array) -> dict[str, Any]:
        schedule, denoiser = self.chain.schedule, self.chain.denoiser
        angle, cos, sin = (float(part[t]) for part in (schedule.angles, schedule.cos, schedule.sin))
        noise = np.asarray(denoiser.posterior(x, angle).noise, dtype=np.float64)
        gaussian = self.law.noise(np.asarray(x, dtype=np.float64), cos, sin)
        layers = attention_entropies(denoiser, x, angle)  # type: ignore[arg-type]
        entropy = [layer.mean(axis=(1, 2)) for layer in layers]
        return {
            "entropy": np.stack(entropy, axis=1) if entropy else np.zeros((len(x), 0)),
            "deviation": np.linalg.norm(noise - gaussian, axis=1),
            "error": np.mean((noise - eps) ** 2, axis=1),
            "gaussian_error": np.mean((gaussian - eps) ** 2, axis=1),
        }
