"""Measure a network along a chain, without forming a Jacobian: the same quantities as of an exact denoiser.

At step t the points are x_t = cos(phi_t) x_0 + sin(phi_t) eps, x_0 from the data. All that follows is of the operator
J Phi_t(x_t): norms of its diagonal blocks (`norms`), sums of those of the others (`coupling`), quotients (`quotients`);
and of the network itself: attention (`attention`) and its distance from the Gaussian (`deviation`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Chain, PatchContraction, Schedule
from pifs_sim.dynamics import LyapunovSpectrum, Patches, lyapunov_spectrum
from pifs_sim.dynamics.arrays import check_count, check_finite, check_points
from pifs_sim.dynamics.dimension import Estimate
from pifs_sim.networks import kept
from pifs_sim.networks.coupling import Method, chosen_method
from pifs_sim.networks.denoiser import NetworkDenoiser
from pifs_sim.networks.deviation import FittedGaussian
from pifs_sim.networks.finiteness import at_step
from pifs_sim.networks.measurement import Measurement
from pifs_sim.networks.memory import arrays_need, network_need, planned
from pifs_sim.networks.norms import check_rate
from pifs_sim.networks.quotients import patch_directions
from pifs_sim.networks.steps import SUMS, Options, Run

__all__ = ["measure"]

Array = npt.NDArray[np.float64]
Progress = Callable[[int, int], None] | None


def measure(
    denoiser: NetworkDenoiser,
    schedule: Schedule,
    data: npt.ArrayLike,
    *,
    patches: Patches,
    samples: int = 16,
    seed: int = 0,
    tolerance: float = 1e-3,
    most: int = 30,
    method: Method | None = None,
    probes: int = 64,
    confidence: float = 0.95,
    exponents: int = 0,
    orbits: int = 1,
    folder: str | Path | None = None,
    max_memory: float | None = None,
    progress: Progress = None,
) -> Measurement:
    """Measure a network at B points of every marginal of its data along a chain.

    Args:
        denoiser: the network.
        schedule: T steps; from pi/2 only where the network predicts data or velocity.
        data: (N, d), N >= 2: the Gaussian is fitted to all, and B of them are noised.
        patches: M patches of the d coordinates.
        samples: B.
        seed: of the choice of points, their noise, and first vectors.
        tolerance: of the norms, see `norms.block_norms_by_lanczos`.
        most: pairs of products for a norm.
        method: of the coupling, see `coupling`; the cheapest by default. By "exact", kappa is exact too.
        probes: of the coupling by "frobenius".
        confidence: of the upper bounds.
        exponents: leading Lyapunov exponents of the whole chain; 0 leaves them out.
        orbits: points behind these, from p_T.
        folder: keeps each step as a file, from which the same call goes on, with the same results.
        max_memory: bytes that tensors and arrays may take, beyond network and data; no limit by default.
        progress: called with (steps done, steps); the exponents count as one.

    Raises:
        ValueError: arguments that do not fit, too little memory, a folder of another measurement, or a network that
            gives NaN (naming step, angle and layer).
    """
    x0 = check_finite("data", check_points(data, denoiser.dim, "data"))
    if patches.dim != denoiser.dim:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={denoiser.dim}.")
    for name, value, low in (("samples", samples, 1), ("most", most, 1), ("probes", probes, 1), ("orbits", orbits, 1)):
        check_count(name, value, low, None)
    check_count("exponents", exponents, 0, denoiser.dim)
    check_rate("tolerance", tolerance)
    check_rate("confidence", confidence)
    chosen = chosen_method(patches, method, probes=probes, most=most)
    options = Options(tolerance, most, chosen, probes, confidence)
    with at_step(1, schedule.steps):
        need = network_need(denoiser, float(schedule.angles[1]))
    plan = planned(
        need,
        arrays_need(patches, most=most, method=chosen, probes=probes, points=len(x0)),
        samples=samples,
        chunk=denoiser.chunk,
        max_memory=max_memory,
    )
    denoiser = replace(denoiser, chunk=plan.chunk)
    rows = np.random.default_rng([seed]).choice(len(x0), samples, replace=samples > len(x0))
    run = Run(
        chain=Chain(schedule, denoiser),
        patches=patches,
        clean=np.asarray(x0[rows], dtype=np.float64),
        law=FittedGaussian.of(x0),
        leading=patch_directions(x0, patches),
        options=options,
        seed=seed,
        pieces=[slice(first, min(first + plan.samples, samples)) for first in range(0, samples, plan.samples)],
    )
    place = None if folder is None else Path(folder)
    key = _key(run, x0) if place else ""
    if place:
        place.mkdir(parents=True, exist_ok=True)
    total = schedule.steps + (exponents > 0)
    steps = []
    for t in range(1, schedule.steps + 1):
        with at_step(t, schedule.steps):
            steps.append(_once(place and place / f"step_{t:05d}.npz", key, lambda t=t: run.step(t)))  # type: ignore[misc]
        if progress:
            progress(t, total)
    spectrum = None
    if exponents:
        name = f"lyapunov_{exponents}_{orbits}.npz"
        spectrum = _unpacked(_once(place and place / name, key, lambda: _packed(run, exponents, orbits)))
        if progress:
            progress(total, total)
    return _gathered(run, steps, spectrum)


def _key(run: Run, data: Any) -> str:
    schedule, x, seen = run.chain.schedule, run.points(1)[0][:1], []
    for t in (1, (schedule.steps + 1) // 2):
        with at_step(t, schedule.steps):
            seen.append(run.chain.denoiser.posterior(x, float(schedule.angles[t])).noise)
    facts = asdict(run.options) | {"seed": run.seed, "samples": len(run.clean), "patches": asdict(run.patches)}
    return kept.key_of(facts, schedule.angles, data, *seen)


def _once(path: Path | None, key: str, found: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds; computed and written where there is none."""
    arrays = None if path is None else kept.load(path, key)
    if arrays is None:
        arrays = found()
        if path is not None:
            kept.save(path, key, arrays)
    return arrays


def _packed(run: Run, exponents: int, orbits: int) -> dict[str, Any]:
    x = run.points(run.chain.length)[0][np.arange(orbits) % len(run.clean)]
    rng = np.random.default_rng([run.seed, 0])
    found = lyapunov_spectrum(run.chain, x, run.chain.length, k=exponents, rng=rng)
    return {
        "exponents": found.exponents,
        "per_orbit": found.per_orbit,
        "stderr": found.stderr,
        "kaplan_yorke": np.array(found.kaplan_yorke),
        "facts": np.array([found.steps, found.dim]),
        "reasons": np.array(["" if reason is None else reason for reason in found.reasons]),
    }


def _unpacked(arrays: dict[str, Any]) -> LyapunovSpectrum:
    exponents, (steps, dim) = arrays["exponents"], arrays["facts"].tolist()
    return LyapunovSpectrum(
        exponents=exponents,
        per_orbit=arrays["per_orbit"],
        stderr=arrays["stderr"],
        history=np.empty((0, len(exponents))),
        history_steps=np.empty(0, dtype=np.int64),
        rank=int((exponents > -math.inf).sum()),
        steps=steps,
        finite_time=True,
        kaplan_yorke=Estimate(*arrays["kaplan_yorke"].tolist()),
        reasons=tuple(reason or None for reason in arrays["reasons"].tolist()),
        interval=0,
        dim=dim,
    )


def _gathered(run: Run, steps: list[dict[str, Any]], spectrum: LyapunovSpectrum | None) -> Measurement:
    stacked: dict[str, Any] = {name: np.stack([step[name] for step in steps]) for name in steps[0]}
    ends: dict[str, Any] = {
        end: PatchContraction(*(stacked.pop(f"{name}_{end}") for name in SUMS)) for end in ("value", "lower", "upper")
    }
    return Measurement(
        schedule=run.chain.schedule,
        patches=run.patches,
        lam=run.leading.values,
        method=run.options.method,
        confidence=run.options.confidence,
        lyapunov=spectrum,
        **ends,
        **stacked,
    )
