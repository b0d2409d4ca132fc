"""A chain's mean logarithm of volume is the gain of entropy: E ln|det D Phi| = h(Phi_# p_T) - h(p_T), for x ~ p_T.

For injective Phi the image of p has the density q(Phi(x)) = p(x)/|det D Phi(x)|, so that h(q) = -E ln q(Phi(x)). Here
both entropies are those of the masses that a fine grid's cells hold, over the cells' lengths or areas and those of
their images: they know nothing of the tangent map.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, close
from theory.marginals import Array, Law, drawn_law, normal_law, two_normals

h_out, h_in, d = sp.symbols("h_out h_in d")
CELLS = {1: 400, 2: 40}  # an axis

CLAIM = Claim(
    label="volume-is-entropy",
    source="textbook: the change of variables, Cover, Thomas 2006, Elements of Information Theory, section 8.6",
    statement="For an injective chain and x ~ p_T, E ln|det DΦ(x)| = h(Φ_# p_T) − h(p_T), h the differential entropy.",
    equation=sp.Eq(
        sp.Symbol("{\\mathbb{E}\\ln|\\det D\\Phi|}"),
        sp.Add(sp.Symbol("{h(\\Phi_{\\sharp}p_T)}"), -sp.Symbol("{h(p_T)}"), evaluate=False),
    ),
    formula=h_out - h_in,
    assumptions="Phi injective and differentiable, both entropies finite, x ~ p_T",
    scope="every injective chain; measured on mixtures on the line and in the plane, entropies by cells of a grid",
    witness={
        "two components": {
            "law": two_normals(0.6, [-2.5, 2.5], [0.3, 0.3]),
            "schedule": schedules.uniform_angle(4, 0.1),
        },
        "a turned Gaussian": {
            "law": normal_law([1.0, 0.0], [[2.0, 0.9], [0.9, 1.0]]),
            "schedule": schedules.from_angles([0.1, 0.9]),
        },
        "three components in the plane": {"law": drawn_law(3, 2, 3), "schedule": schedules.uniform_angle(2, 0.2, 1.2)},
    },
    mutants={
        "entropy lost": h_in - h_out,
        "entropy of the output alone": h_out,
        "the sum": h_out + h_in,
    },
    expects=Status.CHECKED,
)

GIVEN: dict[str, Any] = {
    "law": st.builds(drawn_law, st.integers(0, 2**32 - 1), st.just(1), st.sampled_from([2, 3])),
    "schedule": st.sampled_from([0.05, 0.3, 0.7]).flatmap(lambda start: strategies.schedules(max_steps=3, start=start)),
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """The integrand of h(Phi_# p), pulled back: -(p/D) ln(p/D) D = -p ln p + p ln D."""
    p, D = sp.symbols("p D", positive=True)
    image, own = sp.expand_log(-(p / D) * sp.log(p / D) * D), -p * sp.log(p)
    yield Identity("integrands", formula.subs({h_out: image, h_in: own}) - p * sp.log(D))
    yield NotProved(
        "the substitution y = Phi(x) in the integral, every dimension", "measure theory (a proof assistant)"
    )


def cells(points: Array) -> Array:
    """Lengths (n - 1,) between points (n, 1), or areas of the quadrangles of a grid of points (n, n, 2)."""
    if points.shape[-1] == 1:
        return np.abs(np.diff(points[:, 0]))
    one, other = points[1:, 1:] - points[:-1, :-1], points[1:, :-1] - points[:-1, 1:]
    return np.asarray(np.abs(one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]) / 2)


def observe(law: Law, schedule: Schedule) -> tuple[float, float, float]:
    """E ln|det D Phi| by tangent maps, the entropy of the output and that of the input by cells."""
    chain, begun, n = Chain(schedule, law.denoiser), law.marginal(float(schedule.angles[-1])), CELLS[law.dim]
    spread = 6 * np.sqrt(np.diagonal(begun.covariances, axis1=1, axis2=2))
    axes = np.linspace((begun.means - spread).min(axis=0), (begun.means + spread).max(axis=0), n + 1)
    corners = np.stack(np.meshgrid(*axes.T, indexing="ij"), axis=-1)
    x = np.stack(np.meshgrid(*((axes[1:] + axes[:-1]) / 2).T, indexing="ij"), axis=-1).reshape(-1, law.dim)
    images = chain.run(corners.reshape(-1, law.dim)).reshape(corners.shape)
    sizes, moved = cells(corners).ravel(), cells(images).ravel()
    masses = begun.density(x) * sizes
    masses, kept = masses / masses.sum(), masses > 1e-12
    product = np.broadcast_to(np.eye(law.dim), (len(x), law.dim, law.dim))
    for step in range(chain.length):
        x, product = chain.tangent(x, step, product)
    logs = np.linalg.slogdet(product)[1]
    after, before = (-np.sum(masses[kept] * np.log(masses[kept] / size[kept])) for size in (moved, sizes))
    return float(masses @ logs), float(after), float(before)


def holds(formula: Formula, law: Law, schedule: Schedule) -> float:
    """To the grid's error: 2e-3 on the line, 5e-3 in the plane."""
    volume, after, before = observe(law, schedule)
    expected = float(formula.subs({h_out: after, h_in: before}))
    return close("E ln|det D Phi|", volume, expected, 2e-3 if law.dim == 1 else 5e-3, 1.0)
