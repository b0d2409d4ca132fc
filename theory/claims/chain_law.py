"""On N(mu, Sigma) the chain's output is Gaussian, and along a direction of variance lam its law is known exactly.

From the exact marginal p_T it is N(cos phi_0 mu, N_0 c^2), c = prod cos(psi_t - psi_s). From N(0, I) c is replaced by
q = c/sqrt(N_T), and the mean is off by -sqrt(N_0/N_T) c cos phi_T mu. Against p_{phi_0}, along each direction,
KL = (q^2 - 1 - ln q^2)/2 + (offset)^2/(2 N_0) and W_2^2 = N_0 (1 - q)^2 + (offset)^2, with q = c from the marginal.
For every T: theorem `chain_law` of theory/coq/ChainLaw.v.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, geometry, schedules
from pifs_sim.diffusion.measures import Gaussian
from pifs_sim.testing import strategies
from pifs_sim.testing.strategies import SpdMatrix
from theory.claim import Claim, Formula, Identity, Lemma, Obligation, Status, close
from theory.claims.telescoping import cosine, root
from theory.formulas import LAM, PHI_S, PHI_T, B, N, R, evaluate, steps_of
from theory.instruments import EPS, tangent_product

q, m = sp.symbols("q m", positive=True)  # m = cos phi_T mu from N(0, I), 0 from the marginal
N_0 = sp.Symbol("N_0", positive=True)
offset = -sp.sqrt(N_0) * q * m
kl, w2 = (q**2 - 1 - 2 * sp.log(q) + q**2 * m**2) / 2, N_0 * ((1 - q) ** 2 + q**2 * m**2)
weights = sp.symbols("w_1:4", positive=True)
turned = np.array([[0.8, -0.6], [0.6, 0.8]])
LAW = SpdMatrix(turned * np.array([4.0, 0.1]) @ turned.T, np.array([4.0, 0.1]), turned)

CLAIM = Claim(
    label="chain-law",
    source="derived here; from the marginal see Sun, Poor, Zhang 2026, arXiv:2601.13602",
    statement="Along a direction of variance λ the output has deviation √N_0 q, with q = c from p_T, and q = c/√N_T "
    "from N(0, I), then a mean that is off by −√N_0 q cos φ_T μ; against p_{φ_0}, KL = ½(q² − 1 − ln q² + q²m²) and "
    "W₂² = N_0 ((1 − q)² + q²m²), where m = cos φ_T μ from N(0, I) and 0 from p_T.",
    equation=(sp.Eq(sp.Symbol("KL"), kl), sp.Eq(sp.Symbol("W_2") ** 2, w2)),
    formula=sp.Tuple(offset, kl, w2),
    assumptions="0 <= phi_0 < ... < phi_T <= pi/2, positive definite covariance",
    scope="Gaussian data, any mean and covariance, exact denoiser, every chain",
    uses=("telescoping",),
    witness={
        "linear chain": {"schedule": schedules.linear(100), "law": LAW, "size": 2.0, "start": "marginal"},
        "linear chain from N(0, I)": {"schedule": schedules.linear(100), "law": LAW, "size": 2.0, "start": "normal"},
        "to pi/2": {"schedule": schedules.uniform_angle(5), "law": LAW, "size": 2.0, "start": "normal"},
    },
    mutants={
        "mean of N(0, I) not off": sp.Tuple(offset.subs(m, 0), kl.subs(m, 0), w2.subs(m, 0)),
        "mean off the other way": sp.Tuple(-offset, kl, w2),
        "divergence the other way": sp.Tuple(offset, kl.subs({q: 1 / q, m: -m * q}), w2),
        "variances compared in W_2": sp.Tuple(offset, kl, N_0 * ((1 - q**2) + q**2 * m**2)),
    },
    expects=Status.PROVED,
)

GIVEN: dict[str, Any] = {
    "schedule": strategies.schedules(max_steps=5, stop=1.3),
    "law": strategies.spd_matrices(3, least=0.1, largest=10.0),
    "size": st.floats(-3, 3),
    "start": st.sampled_from(["marginal", "normal"]),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """A step is affine about the scaled mean; divergences of one-dimensional Gaussians of deviation q sqrt(N_0)."""
    deviation, off = q * sp.sqrt(N_0), -q * sp.sqrt(N_0) * m
    moment = deviation**2 + off**2  # of the output about the mean of p_{phi_0}
    divergence = sp.log(sp.sqrt(N_0)) - sp.log(deviation) - sp.Rational(1, 2) + moment / (2 * N_0)
    transport = (sp.sqrt(N_0) - deviation) ** 2 + off**2
    true = (off, sp.expand_log(divergence), transport)
    yield Identity("three laws", sum(w * (a - b) for w, a, b in zip(weights, formula, true, strict=True)))
    x, mu = sp.symbols("x mu", positive=True)
    moved = R * x + B * sp.sin(PHI_T) * (x - sp.cos(PHI_T) * mu) / N(PHI_T)
    f = (LAM * sp.cos(PHI_S) * sp.cos(PHI_T) + sp.sin(PHI_S) * sp.sin(PHI_T)) / N(PHI_T)
    yield Identity("a step", moved - sp.cos(PHI_S) * mu - f * (x - sp.cos(PHI_T) * mu))
    yield Lemma("chain_law", "ChainLaw.v")


def observe(schedule: Schedule, law: SpdMatrix, mean: Any, start: Literal["marginal", "normal"]) -> tuple[Any, ...]:
    """Mean of the output less that of p_{phi_0}, KL and W_2^2 between the two as matrices, and 2000 samples."""
    chain = Chain(schedule, exact_denoiser(Gaussian(mean, law.matrix)))
    (c_0, c_T), (s_0, s_T) = schedule.cos[[0, -1]], schedule.sin[[0, -1]]
    eye = np.eye(mean.size)
    begun = (c_T * mean, c_T**2 * law.matrix + s_T**2 * eye) if start == "marginal" else (0 * mean, eye)
    tangent, wanted = tangent_product(chain), np.linalg.cholesky(c_0**2 * law.matrix + s_0**2 * eye)
    off, got = chain.run(begun[0][None])[0] - c_0 * mean, tangent @ np.linalg.cholesky(begun[1])  # roots of both
    divergence = np.sum(np.linalg.solve(wanted, got) ** 2) - mean.size + np.sum(np.linalg.solve(wanted, off) ** 2)
    divergence -= 2 * (np.linalg.slogdet(got)[1] - np.linalg.slogdet(wanted)[1])
    transport = np.sum(off**2) + np.sum(wanted**2) + np.sum(got**2) - 2 * np.linalg.norm(wanted.T @ got, "nuc")
    return off, divergence / 2, transport, chain.sample(2000, np.random.default_rng(7), start=start) - c_0 * mean


def holds(formula: Formula, schedule: Schedule, law: SpdMatrix, size: float, start: Any) -> float:
    """Matrices to their conditioning, the library to rounding, samples to five standard errors."""
    lam, rotation = law.eigenvalues, law.eigenvectors
    mean = rotation @ np.full(lam.size, size)  # `size` along every direction
    off, divergence, transport, samples = observe(schedule, law, mean, start)
    ends = schedule.angles[[0, -1]][:, None]
    first, last = evaluate(N(PHI_T), {PHI_T: ends, LAM: lam[None, :]})
    normal = start == "normal"
    ratio = evaluate(cosine(root), steps_of(schedule, lam)).prod(axis=0) / (np.sqrt(last) if normal else 1.0)
    values = {q: ratio, m: schedule.cos[-1] * size if normal else 0.0, N_0: first}
    offsets, divergences, transports = (evaluate(entry, values) for entry in formula)
    sizes = 1 + ratio**2 * (1 + size**2) + np.abs(np.log(ratio))
    rounding = 64 * EPS * schedule.steps * lam.size * float(lam.max() / lam.min())
    error = close("mean", rotation.T @ off, offsets, rounding, np.sqrt(first.max()) * sizes.max())
    close("KL", divergence, divergences.sum(), rounding, sizes.sum())
    close("W_2^2", transport, transports.sum(), rounding, first.max() * sizes.sum())
    offered = {"start": start, "mean": np.full(lam.size, abs(size))}
    close("library's KL", geometry.gaussian_error(schedule, lam, **offered), divergences.sum(), 1e-13, sizes.sum())
    library = geometry.gaussian_error(schedule, lam, metric="w2", **offered) ** 2
    close("library's W_2", library, transports.sum(), 1e-13, first.max() * sizes.sum())
    drawn, spread = samples @ rotation, np.sqrt(first) * ratio
    close("sampled mean", drawn.mean(axis=0), offsets, 5 / np.sqrt(2000), spread)
    close("sampled variance", drawn.var(axis=0), spread**2, 5 * np.sqrt(2 / 2000), spread**2)
    return error
