"""How far apart the output laws of two chains are, from the L2 distance of their denoisers along one of them.

Run Phi^ from Phi^_t(x_t) and from Phi_t(x_t), x_t on the chain Phi: its Lipschitz constants times sin Delta_t |v^ - v|
bound how far the ends part. Add up from t = T to 1 and take L2 norms over x_T ~ p_T, which couples the outputs:

    W1 <= W2 <= sum_t (prod_{u<t} Lip Phi^_u) sin Delta_t (E |v^(x_t, t) - v(x_t, t)|^2)^{1/2},      x_t along Phi.

The constants are those of one chain, the points those of the other; `l2-w1-bridge-one-chain` is the pairing that
fails. On the line steps increase, so W2^2 = E (Phi^ - Phi)^2 and W1 = E |Phi^ - Phi| exactly. The bound is attained by
one step, and by centred normal laws on the line: errors add up with one sign. For data in several pieces it is loose,
as Lipschitz constants are those of the steepest point.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sympy as sp
from hypothesis import strategies as st

from pifs_sim.diffusion import Chain, Schedule, schedules
from pifs_sim.testing import strategies
from theory.claim import Claim, Formula, Identity, NotProved, Obligation, Status, Violation, close
from theory.marginals import Law, drawn_law, normal_law, two_normals

t, u, T = sp.symbols("t u T", integer=True)
Lip, gap = (sp.Function(name) for name in ("Lip_hat", "gap"))


@dataclass(frozen=True, eq=False)
class Laws:
    """The data of two chains on the line."""

    first: Law
    second: Law


class Pair(NamedTuple):
    """Two chains over the steps t = 1..T: their Lipschitz constants, and |sin Delta_t (v^ - v)| in L2."""

    constants: Sequence[Any]  # of the first chain
    along_other: Sequence[Any]  # gaps at points of the second chain
    along_own: Sequence[Any]  # of the first


Bound = Callable[[Pair], Any]


def chained(constants: Sequence[Any], gaps: Sequence[Any]) -> Any:
    """sum_t (prod_{u<t} constants_u) gaps_t."""
    total, product = 0, 1
    for constant, term in zip(constants, gaps, strict=True):
        total, product = total + product * term, product * constant
    return total


def bridge(pair: Pair) -> Any:
    """Constants of the first chain, gaps along the second."""
    return chained(pair.constants, pair.along_other)


def one_chain(pair: Pair) -> Any:
    """Constants and gaps of the first chain."""
    return chained(pair.constants, pair.along_own)


def centred(lam: float) -> Law:
    """N(0, lam)."""
    return normal_law([0.0], [[lam]])


NARROW, WIDE, SHIFTED = centred(0.2), centred(3.0), normal_law([0.7], [[0.5]])
PIECES, MOVED = two_normals(0.5, [-1.0, 1.0], [0.2, 0.2]), two_normals(0.4, [-1.0, 1.3], [0.3, 0.2])

CLAIM = Claim(
    label="l2-w1-bridge",
    source="Dooms 2026, arXiv:2603.13069, section 3, as summarised; the form with W₂ and the pairing are derived here",
    statement="From one law p_T, W₁ ≤ W₂ of the outputs of two chains are at most Σ_t (∏_{u<t} Lip Φ̂_u) sin Δ_t "
    "(E‖v̂′ − v̂″‖²)^{1/2}, the Lipschitz constants of one chain and x along the other; attained by one step, and by "
    "centred normal laws on the line.",
    equation=sp.Le(
        sp.Symbol("W_2"),
        sp.Sum(sp.Product(Lip(u), (u, 1, t - 1)) * sp.sin(sp.Function("Delta")(t)) * gap(t), (t, 1, T)),
    ),
    formula=bridge,
    assumptions="two chains on one schedule from one law p_T, Lipschitz steps, finite second moments",
    scope="any dimension; measured on the line, with p_T the marginal of the second chain's data, by quadrature",
    witness={
        "one step": {"laws": Laws(PIECES, WIDE), "schedule": schedules.uniform_angle(1, 0.1, 1.2), "attained": True},
        "the first chain's variance greater": {
            "laws": Laws(WIDE, NARROW),
            "schedule": schedules.uniform_angle(4),
            "attained": True,
        },
        "the second's": {"laws": Laws(NARROW, WIDE), "schedule": schedules.uniform_angle(4, 0.05), "attained": True},
        "three steps": {
            "laws": Laws(centred(0.05), centred(1.0)),
            "schedule": schedules.uniform_angle(3, 0.3, 1.3),
            "attained": True,
        },
        "another mean": {"laws": Laws(SHIFTED, NARROW), "schedule": schedules.linear(4), "attained": False},
        "two pieces": {"laws": Laws(PIECES, MOVED), "schedule": schedules.uniform_angle(6, 0.2), "attained": False},
    },
    mutants={
        "constants and points of one chain": one_chain,
        "no Lipschitz constants": lambda pair: chained([1] * len(pair.constants), pair.along_other),
        "the constant of the step itself too": lambda pair: chained(
            pair.constants, [a * b for a, b in zip(pair.constants, pair.along_other, strict=True)]
        ),
        "the root of the sum of squares": lambda pair: sp.sqrt(
            chained([c**2 for c in pair.constants], [g**2 for g in pair.along_other])
        ),
    },
    expects=Status.CHECKED,
)

DRAWN = st.builds(drawn_law, st.integers(0, 2**32 - 1), st.just(1), st.sampled_from([1, 2]))
CENTRED = st.floats(0.05, 5.0).map(centred)
GIVEN: dict[str, Any] = {
    "laws": st.builds(Laws, DRAWN, DRAWN) | st.builds(Laws, CENTRED, CENTRED),
    "schedule": strategies.schedules(max_steps=3, start=0.2),
    "attained": st.none(),
}

REGIONS: dict[str, Any] = {
    "several pieces": lambda laws, **_: len(laws.first.weights) > 1 or len(laws.second.weights) > 1,
    "centred normal laws": lambda laws, **_: not (laws.first.means.any() or laws.second.means.any()),
    "several steps": lambda schedule, **_: schedule.steps > 1,
}


def prove(formula: Formula) -> Iterator[Obligation]:
    """Two steps of centred normal laws, f_u and f_u + e_u: the bound is E|Phi^ - Phi|, over the deviation of x_T."""
    f, g, e, h = sp.symbols("f_1 f_2 e_1 e_2", positive=True)
    pair = Pair([f + e, g + h], [e * g, h], [e * (g + h), h])
    yield Identity("attained by ordered variances", (f + e) * (g + h) - f * g - formula(pair))
    yield NotProved("any chains", "coupling and Minkowski's inequality (a proof assistant)")


@lru_cache(maxsize=256)
def observe(laws: Laws, schedule: Schedule) -> tuple[tuple[float, float], Pair]:
    """W1 and W2 of the outputs, and what the bound is made of, measured on the two chains."""
    first, second = (Chain(schedule, law.denoiser) for law in (laws.first, laws.second))
    x, weights = laws.second.marginal(float(schedule.angles[-1])).nodes(80)
    points, gaps, constants, line = np.stack([x, x]), [], [], np.linspace(-9.0, 9.0, 241)[:, None]
    for n in range(schedule.steps):
        here = points.reshape(-1, 1)
        moved, slopes = first.tangent(np.concatenate([here, line]), n, np.ones((len(here) + len(line), 1, 1)))
        images, others = moved[: len(here)].reshape(points.shape), second.step(here, n).reshape(points.shape)
        gaps.append(np.sqrt(((images - others) ** 2)[:, :, 0] @ weights).tolist())
        constants.append(float(slopes.max()))
        points = np.stack([others[0], images[1]])
    apart = np.abs(points[1] - points[0])[:, 0]
    along_other, along_own = zip(*gaps[::-1], strict=True)
    return (float(weights @ apart), float(np.sqrt(weights @ apart**2))), Pair(constants[::-1], along_other, along_own)


def holds(formula: Bound, laws: Laws, schedule: Schedule, attained: bool | None) -> float:
    """W1 <= W2 <= the bound, to the quadrature's 1e-6; equality where it is attained, as for centred normal laws."""
    (w1, w2), pair = observe(laws, schedule)
    bound = float(formula(pair))
    size = 1e-6 + float(sum(pair.along_other) + sum(pair.along_own))
    if not w1 <= w2 + 1e-6 * size or not w2 <= bound + 1e-6 * size:
        raise Violation(f"W1, W2 = {w1!r}, {w2!r} with the bound {bound!r}")
    if attained is None:
        one_piece = all(len(law.weights) == 1 and not law.means.any() for law in (laws.first, laws.second))
        attained = schedule.steps == 1 or one_piece
    return close("W2 where the bound is attained", w2, bound, 1e-6, size) if attained else max(0.0, (w2 - bound) / size)
