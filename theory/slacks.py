"""The inequalities of claims as slacks on boxes, for `theory.search`: (bound - quantity)/size, so 0 where attained.

Both sides are measured on pifs_sim as the claim's own checks do, but on points that an optimiser chooses. Claims that
are proved for every T by the proof assistant alone are here too: without it they are checked only.
"""

from __future__ import annotations

import math

import numpy as np

from pifs_sim.diffusion import AttentionDenoiser, Chain, Schedule, coupling_bound, geometry, quotient_spectrum
from pifs_sim.diffusion.schedules import from_angles
from pifs_sim.dynamics import Patches, block_norms, kaplan_yorke_dimension
from pifs_sim.fractals import IFS, AffinePIFS
from theory.claims import affinity_dimension as affinity
from theory.claims import ec_versus_pc, hutchinson, l2_w1_bridge, patch_contraction
from theory.claims.mean_suppression import step_margins
from theory.marginals import Array, Law
from theory.search import Inequality
from theory.suppression import Chains

__all__ = ["INEQUALITIES"]

HALF_PI = math.pi / 2
_STEPS = ((0.02, 1.0),) * 4  # shares of the way between two angles


def _plane(x: Array) -> Law:
    """Two components in the plane: weight, difference of the means (2,), two Cholesky factors (ln a, ln c, b)."""
    roots = np.array([[[math.exp(a), 0.0], [b, math.exp(c)]] for a, c, b in x[3:9].reshape(2, 3)])
    means = np.stack([0 * x[1:3], x[1:3]])
    return Law(np.array([x[0], 1 - x[0]]), means, roots @ roots.transpose(0, 2, 1))


_PLANE = ((0.05, 0.95), (-3.0, 3.0), (-3.0, 3.0), *((-0.9, 0.5), (-0.9, 0.5), (-1.0, 1.0)) * 2)


def _line(x: Array) -> Law:
    """Two components on the line: weight, means, logarithms of the variances."""
    return Law(np.array([x[0], 1 - x[0]]), x[1:3, None], np.exp(x[3:5])[:, None, None])


_LINE = ((0.1, 0.9), (-1.5, 1.5), (-1.5, 1.5), (-2.5, 1.5), (-2.5, 1.5))


def _between(low: float, high: float, shares: Array) -> Schedule:
    """Steps in the ratio of the shares, from one angle to another."""
    ends = np.concatenate([[0.0], np.cumsum(shares)]) / np.sum(shares)
    return from_angles([*(low + (high - low) * ends[:-1]), high])


def _mean_suppression(x: Array) -> float:
    """The least of a step's margins, over the Jacobian's size."""
    step = Chains(_plane(x), from_angles([x[9] * x[10], x[9]]), 1).steps[0]
    return min(float(np.min(margin)) for margin in step_margins(step).values()) / float(np.linalg.norm(step.gaussian))


def _suppressed_dimension(x: Array) -> float:
    """The least of d - d_eff and of the exponents' margins."""
    chains = Chains(_plane(x), _between(x[9] * x[10], x[9], x[11:13]), 1, per_axis=24)
    values, axes = np.linalg.eigh(chains.law.covariance)
    margins = []
    for lam, directions in (chains.leading, (values, axes.T)):
        stretch = [np.einsum("mi,nij,mj->nm", directions, step.jacobians, directions) for step in chains.steps]
        each = np.array([step.mean(np.log(quotients)) for step, quotients in zip(chains.steps, stretch, strict=True)])
        bound, found = geometry.lyapunov_exponent(chains.schedule, lam), quotient_spectrum(np.exp(each)[:, None, :])
        margins += [*(bound - found.exponents), kaplan_yorke_dimension(bound) - found.dimension.value]
    return float(min(margins))


def _bridge(x: Array) -> float:
    """1 - W_2/bound, over three steps."""
    laws, schedule = l2_w1_bridge.Laws(_line(x[:5]), _line(x[5:10])), _between(0.2, x[10], x[11:14])
    (_, w2), pair = l2_w1_bridge.observe.__wrapped__(laws, schedule)
    bound = float(l2_w1_bridge.bridge(pair))
    return 1 - w2 / bound if bound > 1e-3 else math.nan


def _hutchinson(x: Array) -> float:
    """1 - h(WA, WB)/(s h(A, B)): two maps of the plane, two points in each set."""
    matrices, (A, B) = x[:8].reshape(2, 2, 2), x[12:].reshape(2, 2, 2)
    factor, apart = float(np.linalg.norm(matrices, 2, axis=(1, 2)).max()), hutchinson.hausdorff(A, B)
    if not (0.05 < factor < 1 and apart > 0.05):
        return math.nan
    ifs = IFS(matrices, x[8:12].reshape(2, 2))
    return 1 - hutchinson.hausdorff(ifs.deterministic(A, 1), ifs.deterministic(B, 1)) / (factor * apart)


def _attention_coupling(x: Array) -> float:
    """The lesser of 1 - delta/(A + B) and 3 delta/(A + B) - 1 over three patches of two."""
    chain = Chain(from_angles([0.3, 0.3 + x[7]]), AttentionDenoiser(Patches(6, 2), temperature=math.exp(x[6])))
    found = coupling_bound(chain, x[None, :6], 0)
    delta, most = float(found.coupling.max()), float((found.weight + found.gradient).max())
    return min(1 - delta / most, 3 * delta / most - 1) if most > 1e-6 else math.nan


def _entropy(x: Array) -> float:
    """1 - delta/bound for three points in three patches of one coordinate."""
    points, where = x[:9].reshape(3, 3), x[9:12]
    found = AttentionDenoiser(Patches(3, 3), points).posterior(where[None], float(x[12]))
    slopes = np.abs(found.mean_jacobian.dense()[0]) * ~np.eye(3, dtype=bool)
    square = np.max(np.sum((points[:, None] - points) ** 2, axis=2))
    bound = math.cos(x[12]) / math.sin(x[12]) ** 2 * math.sqrt(2) / 4 * square * -math.expm1(-found.entropy.max())
    return 1 - float(slopes.sum(axis=1).max()) / bound if bound > 1e-6 else math.nan


def _schur(x: Array) -> float:
    """The lesser of 1 - |J|/sqrt(rho rho^T) and 1 - (kappa + delta)/(M |J|), two patches of two."""
    blocks = ec_versus_pc.in_blocks(x.reshape(4, 4), 2)
    norms = np.linalg.norm(blocks.swapaxes(1, 2), 2, axis=(2, 3)).tolist()
    whole, together = ec_versus_pc.observe(blocks)
    if whole < 0.05:
        return math.nan
    schur, spread = ec_versus_pc.bounds(norms, whole)
    return min(1 - whole / float(schur), 1 - together / float(spread))


def _affinity(x: Array) -> float:
    """Affinity less box-counting dimension of the carpets of 3 rows and 9 columns with six cells or fewer."""
    digits = tuple(sorted({divmod(min(int(value), 26), 3) for value in x}))
    if len(digits) < 2:
        return math.nan
    bound = affinity.root(affinity.singular_value_function, len(digits), (1 / 3, 1 / 9))
    return bound - affinity.observe(3, digits)


def _first_step(x: Array) -> float:
    """1 - min L* over sin(phi_0 + B/2)/cos(B/2), B the longest step."""
    schedule = _between(x[0], x[0] + x[1] * (HALF_PI - x[0]), x[2:])
    budget = float(schedule.increments.max())
    most = math.sin(x[0] + budget / 2) / math.cos(budget / 2)
    return 1 - float(geometry.contraction_threshold(schedule).min()) / most


def _stretches(x: Array) -> float:
    """Of a chain on three points of the line: its least slope over the floor, less 1; 1 - its largest over the most."""
    schedule = _between(x[5], x[6], np.ones(3))
    law = Law(np.array([x[3], x[4], 1.0]) / (1 + x[3] + x[4]), x[:3, None], np.zeros((3, 1, 1)))
    chain, places = Chain(schedule, law.denoiser), np.linspace(-4.0, 4.0, 161)[:, None]
    slopes = np.ones((len(places), 1, 1))
    for n in range(schedule.steps):
        places, slopes = chain.tangent(places, n, slopes)
    c, s, turn = schedule.cos[1:], schedule.sin, np.sin(schedule.increments)
    most = np.prod(s[:-1] / s[1:] + turn * c / s[1:] ** 3 * (np.ptp(law.means) / 2) ** 2)
    return min(float(slopes.min() * s[-1] / s[0] - 1), float(1 - slopes.max() / most))


def _density(x: Array) -> float:
    """The functional sum_k w_k A_k^2 of a density over that of the stationary one, less 1: two scales."""
    grid = np.linspace(math.log(0.02), math.log(80.0), 301)
    slope = 1 / (2 * np.cosh(grid[:, None] - x[:2] / 2))
    weight, measure = np.exp([0.0, x[2]]), np.full(grid.size, grid[1] - grid[0])

    def functional(rho: Array) -> tuple[float, Array]:
        gain = (measure / (rho / (measure @ rho))) @ slope**2
        return float(weight @ gain**2), gain

    rho = np.ones(grid.size)
    for _ in range(80):
        rho = np.sqrt((weight * functional(rho)[1] * slope**2).sum(axis=1))
    bumps = np.exp(-0.5 * (grid[:, None] - np.linspace(grid[0], grid[-1], 6)) ** 2)
    return functional(rho * np.exp(bumps @ x[3:]))[0] / functional(rho)[0] - 1


def _moran_excess(x: Array) -> float:
    """The lesser margin of theorem `moran_excess`, (1 - h^2/12) S <= e (1 + e) V and its converse, over S."""
    schedule = _between(x[0], x[0] + x[1] * (HALF_PI - x[0]), x[2:])
    e, h = geometry.moran_threshold(schedule) - 1, float(schedule.increments.max())
    V, S = float(np.diff(schedule.noise_variance[[0, -1]])[0]), float(np.sum(schedule.increments**2))
    if not math.isfinite(e):
        return math.nan
    other = (1 + e) - e * V / S * (1 - h / float(schedule.cos[[0, -1]].sum())) * math.cos(h)
    return min(e, e * (1 + e) * V / S - (1 - h**2 / 12), other)


def _moran_minimum(x: Array) -> float:
    """lam**/sec(pi/2T)^{2T} - 1 for five steps from 0 to pi/2."""
    return geometry.moran_threshold(_between(0.0, HALF_PI, x)) * math.cos(math.pi / 10) ** 10 - 1


def _one_scale(x: Array) -> float:
    """1 - c of a schedule over that of the schedule uniform in psi, four steps."""
    low, high, lam = x[0], x[0] + x[1] * (HALF_PI - x[0]), math.exp(x[2])
    turns = [float(np.arctan2(math.sin(phi), math.sqrt(lam) * math.cos(phi))) for phi in (low, high)]
    growth = float(geometry.lyapunov_exponent(_between(low, high, x[3:]), lam))
    inner = np.arctan(math.sqrt(lam) * np.tan(np.linspace(turns[0], turns[1], 5)[1:-1]))
    return -math.expm1(growth - float(geometry.lyapunov_exponent(from_angles([low, *inner, high]), lam)))


def _row_sum(x: Array) -> float:
    """1 - |J|/rho in the block-max norm, two patches of two."""
    pifs = AffinePIFS(x.reshape(4, 4), np.zeros(4), Patches(4, 2))
    rho = float(block_norms(pifs.matrix, pifs.patches).row_sum[0])
    if rho < 0.05:
        return math.nan
    return 1 - patch_contraction.observe(lambda y: pifs.step(y, 0), patch_contraction.stretched(pifs), 2) / rho


_MATRIX = ((-1.0, 1.0),) * 16
INEQUALITIES: dict[str, Inequality] = {
    "affinity-dimension": Inequality("s - dim_B", ((0.0, 27.0),) * 6, _affinity, 1e-12),
    "attention-coupling": Inequality(
        "1 - delta/(A + B), or 3 delta/(A + B) - 1",
        (*((-2.0, 2.0),) * 6, (-3.0, 3.0), (0.05, 1.2)),
        _attention_coupling,
    ),
    "attractor-dimension": Inequality(
        "slope/floor - 1, or 1 - slope/most",
        (*((-1.0, 1.0),) * 3, (0.1, 9.0), (0.1, 9.0), (0.2, 0.6), (0.7, 1.5)),
        _stretches,
    ),
    "coupling-needs-entropy": Inequality(
        "1 - delta/bound", (*((-1.0, 1.0),) * 9, *((-2.0, 2.0),) * 3, (0.2, 1.5)), _entropy
    ),
    "criterion-weakest-link": Inequality("1 - min L*/bound", ((0.0, 0.5), (0.2, 1.0), *_STEPS), _first_step, 1e-12),
    "ec-versus-pc": Inequality("1 - |J|/Schur's bound, or 1 - (kappa + delta)/(M |J|)", _MATRIX, _schur),
    "hutchinson": Inequality("1 - h(WA, WB)/(s h(A, B))", (*((-0.7, 0.7),) * 8, *((-3.0, 3.0),) * 12), _hutchinson),
    "l2-w1-bridge": Inequality("1 - W_2/bound", (*_LINE * 2, (0.5, 1.5), *_STEPS[1:]), _bridge, 1e-5),
    "mean-suppression": Inequality(
        "the least margin over |J|", (*_PLANE, (0.3, HALF_PI), (0.05, 0.95)), _mean_suppression, 1e-6
    ),
    "moran-above-one": Inequality(
        "margins of the order of lam** - 1", ((0.0, 0.8), (0.1, 0.95), *_STEPS), _moran_excess
    ),
    "moran-minimum": Inequality("lam**/least - 1", (*_STEPS, _STEPS[0]), _moran_minimum),
    "optimal-schedule-one-scale": Inequality(
        "1 - c/largest c", ((0.0, 0.5), (0.3, 1.0), (-3.0, 3.0), *_STEPS), _one_scale
    ),
    "optimal-step-density": Inequality("functional/least - 1", (*((-4.0, 4.0),) * 3, *((-1.5, 1.5),) * 6), _density),
    "patch-contraction": Inequality("1 - |J|/rho", _MATRIX, _row_sum),
    "suppressed-dimension": Inequality(
        "d - d_eff, or an exponent's margin",
        (*_PLANE, (0.5, HALF_PI), (0.2, 0.9), (0.2, 1.0), (0.2, 1.0)),
        _suppressed_dimension,
        1e-5,
    ),
}
