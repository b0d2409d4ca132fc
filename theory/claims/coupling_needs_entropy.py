"""Patches are coupled by uncertainty: on K points delta_t is at most proportional to 1 - e^(-H_t), H_t their entropy.

The exact denoiser of points attends to them with the weights w, and delta_t is that of (G c/s^2) Cov_w(y), where
G = sin Delta/sin phi_t (`coupling-is-posterior-covariance`). A row of blocks sums to at most sqrt(p) sqrt((M - 1) q)
for the traces p of the patch's own and q of all other variances, p + q = tr Cov, so to sqrt(M - 1) tr Cov/2; and
tr Cov = (1/2) sum w_i w_j |y_i - y_j|^2 <= (diam^2/2)(1 - sum w^2) <= (diam^2/2)(1 - e^(-H)), as sum w^2 is the mean of
w and e^(-H) its geometric mean. A pair of points with equal weights attains it.

So a chain uncouples on its way to hard attention, H -> 0. Above the release of the points H falls while c/s^2 grows:
there entropy and coupling are anti-correlated, as reported of a trained network; below, where delta_t falls from its
largest value, they go together. Measured so in self-attention and on normal points, of one scale (on 300 drawn laws
rank correlations of -0.89 and below, then +0.96 and above); that of a whole chain is a matter of where its steps are.
It is no sign of a mechanism: that of self-attention at the temperature 1e4, where H varies by 2e-8 nats, is -1.000.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import AttentionDenoiser, schedules
from pifs_sim.dynamics import Patches
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Positive, Status, Violation
from theory.instruments import EPS

Array = npt.NDArray[np.float64]
BATCH, STEPS = 6, 12
delta, H, b, alpha_bar, v, diameter, M = sp.symbols("delta_t H_t b_t \\bar{\\alpha}_t v_t diam M", positive=True)


def bound(lost: Any, factor: Any, patches: Any) -> tuple[tuple[int, int, int], Any]:
    """Signs of the rank correlation of H and delta: on the chain, to the largest delta, from it on (0: unknown).

    And the bound of delta, from 1 - e^(-H) and |b| alpha_bar v^(-3/2) diam^2.
    """
    root = sp.sqrt(patches - 1) if isinstance(lost, sp.Expr) else np.sqrt(patches - 1)
    return (0, -1, 1), factor * root / 4 * lost


def scaled(signs: tuple[int, int, int], factor: Any) -> Formula:
    """Other signs, and the bound times a function of (1 - e^(-H), M)."""
    return lambda lost, size, patches: (signs, bound(lost, size, patches)[1] * factor(lost, patches))


SIGNS = (0, -1, 1)
CLAIM = Claim(
    label="coupling-needs-entropy",
    source="derived here",
    statement="With the exact denoiser of points δ_t ≤ |b_t| ᾱ_t v_t^{−3/2} (√(M−1)/4) diam² (1 − e^{−H_t}), H_t the "
    "entropy of their attention. On normal points H and δ are anti-correlated down to the largest δ, then correlated.",
    equation=sp.Le(
        delta, b * alpha_bar * v ** sp.Rational(-3, 2) * sp.sqrt(M - 1) / 4 * diameter**2 * (1 - sp.exp(-H))
    ),
    formula=bound,
    assumptions="finitely many points, M >= 2 patches, every x and step; signs: means over x_t = c x_0 + s eps",
    scope="the bound: any points; signs: measured on normal points and in self-attention, steps even in logSNR",
    uses=("coupling-is-posterior-covariance", "empirical-denoiser-is-attention"),
    witness={
        "a pair, two patches": {"kind": "pair", "seed": 0, "count": 2, "patches": 2},
        "a pair, three patches": {"kind": "pair", "seed": 0, "count": 2, "patches": 3},
        "a pair, five patches": {"kind": "pair", "seed": 0, "count": 2, "patches": 5},
        "twelve points": {"kind": "points", "seed": 1, "count": 12, "patches": 4},
        "self-attention": {"kind": "self", "seed": 2, "count": 6, "patches": 6},
    },
    mutants={
        "certainty couples": scaled(SIGNS, lambda lost, _: (1 - lost) ** 2),
        "without the number of patches": scaled(SIGNS, lambda _, patches: 1 / (patches - sp.Rational(1, 2)) ** 0.5),
        "half the bound": scaled(SIGNS, lambda *_: 0.5),
        "anti-correlated to the end": scaled((0, -1, -1), lambda *_: 1),
        "correlated from the start": scaled((0, 1, 1), lambda *_: 1),
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "kind": st.just("points"),
    "seed": st.integers(0, 2**32 - 1),
    "count": st.integers(4, 16),
    "patches": st.integers(3, 5),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """A pair attains the bound and has the signs; the inequalities on the way, in their smallest cases."""
    size, count = sp.symbols("F M", positive=True)
    signs, most = formula(sp.Rational(1, 2), size, count + 1)  # e^(-ln 2) = 1/2; size = F diam^2
    own, other = sp.sqrt(sp.Rational(1, 2)), sp.sqrt(1 / (2 * count))  # lengths of the M + 1 patches of y_1 - y_2
    wrong = sum((a - b) ** 2 for a, b in zip(signs, SIGNS, strict=True))
    yield Identity("a pair attains the bound", (most - size * own * count * other / 4) ** 2 + wrong)
    p, q, r = sp.symbols("p q r", positive=True)
    yield Identity("4 p q <= (p + q)^2", (p + q) ** 2 - 4 * p * q - (p - q) ** 2)
    yield Identity("(p + q)^2 <= 2 (p^2 + q^2)", 2 * (p**2 + q**2) - (p + q) ** 2 - (p - q) ** 2)
    total, places = p + q + r, sp.symbols("y_1:4", real=True)
    shares = [weight / total for weight in (p, q, r)]
    mean = sum(w * y for w, y in zip(shares, places, strict=True))
    variance = sum(w * (y - mean) ** 2 for w, y in zip(shares, places, strict=True))
    pairs = sum(shares[i] * shares[j] * (places[i] - places[j]) ** 2 for i in range(3) for j in range(i))
    yield Identity("tr Cov from pairs", variance - pairs)
    yield Positive("sum w^2 < 1", 1 - sum(w**2 for w in shares))
    yield NotProved("the geometric mean is at most the arithmetic one", "convexity (a proof assistant)")


def denoiser_of(kind: str, seed: int, count: int, patches: int) -> AttentionDenoiser:
    """Attention to points, one query for the whole of patches of 2; or of patches of 8 to each other."""
    if kind == "self":
        return AttentionDenoiser(Patches(patches * 8, 8))
    whole = Patches(patches * 2, patches * 2)
    points = np.random.default_rng(seed).standard_normal((count, whole.dim))
    if kind == "pair":  # the patches' lengths that attain the bound
        half = np.kron(np.sqrt([0.5, *[0.5 / (patches - 1)] * (patches - 1)]), [1.0, 0.0])
        points = np.stack([half, -half])
    return AttentionDenoiser(whole, points)


@lru_cache(256)  # the mutants ask at the same points
def observe(kind: str, seed: int, count: int, patches: int) -> tuple[Array, Array, Array]:
    """Entropy, coupling, and |b| alpha_bar v^(-3/2) diam^2 (nan in self-attention), (T, B), from t = T to 1.

    At x_t = c x_0 + s eps with the same x_0 and eps for all t; at 0 for a pair.
    """
    denoiser, schedule = denoiser_of(kind, seed, count, patches), schedules.log_linear(STEPS, 0.02, 20.0)
    rng, points = np.random.default_rng(seed + 1), denoiser.codebook
    noise, data = rng.standard_normal((BATCH, denoiser.dim)), rng.standard_normal((BATCH, denoiser.dim))
    square = np.nan
    if points is not None:
        data = points[rng.integers(len(points), size=BATCH)]
        square = np.max(np.sum((points[:, None] - points) ** 2, axis=-1))
    steps = slice(STEPS, 0, -1)
    cos, sin, earlier = schedule.cos[steps, None], schedule.sin[steps, None], schedule.increments[::-1, None]
    x = (cos[..., None] * data + sin[..., None] * noise) * (kind != "pair")
    posterior = denoiser.posterior(x.reshape(STEPS * BATCH, -1), np.repeat(schedule.angles[steps], BATCH))
    gain = np.sin(earlier) / sin
    blocks = posterior.mean_jacobian.dense().reshape(STEPS, BATCH, patches, -1, patches, denoiser.dim // patches)
    norms = np.linalg.norm(blocks.swapaxes(3, 4), 2, axis=(4, 5)) * ~np.eye(patches, dtype=bool)
    entropy = posterior.entropy.mean(axis=1).reshape(STEPS, BATCH)
    return entropy, gain * norms.sum(axis=3).max(axis=2), np.repeat(gain * cos / sin**2 * square, BATCH, axis=1)


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's, of series without ties."""
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


def holds(formula: Formula, kind: str, seed: int, count: int, patches: int) -> float:
    """Every coupling is within its bound, and the correlations of the means have the signs, over 4 steps or more."""
    entropies, couplings, factors = observe(kind, seed, count, patches)
    signs, most = formula(-np.expm1(-entropies), factors, patches)
    excess = couplings - np.asarray(most, dtype=np.float64)
    if np.any(excess > 64 * EPS * (1 + couplings)):
        raise Violation(f"delta exceeds its bound by {excess.max()!r}")
    series, coupling = entropies.mean(axis=1), couplings.mean(axis=1)
    peak = int(coupling.argmax())
    for sign, part, name in zip(
        signs,
        (slice(None), slice(0, peak + 1), slice(peak, None)),
        ("on the chain", "down to the largest delta", "from the largest delta on"),
        strict=True,
    ):
        if len(series[part]) < 4 or np.ptp(series[part]) == 0:
            continue
        correlation = rank_correlation(series[part], coupling[part])
        if sign * correlation < 0:
            raise Violation(f"entropy and delta have the rank correlation {correlation:.3f} {name}")
    return 0.0
