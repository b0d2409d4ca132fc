"""How near is the W2 distance of two chains' outputs to its bound by Lipschitz constants and one-step errors?

W1 <= W2 <= sum_t (prod_{u<t} Lip Phi'_u) sin Delta_t (E |v' - v''|^2)^(1/2), the constants of one chain, x along the
other from its p_T. Falsifier: a pair of laws on the line, where W2 is exact, with W2 above the bound. The bound with
constants and points of the same chain is measured beside it: there such pairs are expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Gaussian, Mixture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "w1_bridge_tightness"
VERSION = 1
CLAIMS = ("l2-w1-bridge", "l2-w1-bridge-one-chain")
_LAWS: dict[str, Any] = {
    "narrow": ([1.0], [0.0], [0.2]),
    "wide": ([1.0], [0.0], [3.0]),
    "shifted": ([1.0], [0.7], [0.5]),
    "two pieces": ([0.5, 0.5], [-1.0, 1.0], [0.2, 0.2]),
    "moved pieces": ([0.4, 0.6], [-1.0, 1.3], [0.3, 0.2]),
    "apart": ([0.5, 0.5], [-1.0, 1.0], [0.01, 0.01]),
    "scale mixture": ([0.7, 0.3], [0.0, 0.0], [0.1, 2.0]),
}
_CENTRED = ("narrow", "wide")
_NAMES = ["narrow", "wide", "shifted", "two pieces", "apart"]
GRIDS = {
    "smoke": {
        "pair": [f"{first} | {second}" for first, second in permutations(_NAMES, 2)],
        "schedule": ["uniform angle"],
        "steps": [1, 8],
    },
    "paper": {
        "pair": [f"{first} | {second}" for first, second in permutations(_LAWS, 2)],
        "schedule": ["uniform angle", "cosine", "log-linear"],
        "steps": [1, 2, 4, 8, 16, 32, 64],
    },
}
TOLERANCE = 1e-6
_NODES = 1201
_DEVIATIONS = 9.0

Array = npt.NDArray[np.float64]


def _law(name: str) -> Gaussian | Mixture:
    weights, means, variances = _LAWS[name]
    if len(weights) == 1:
        return Gaussian(np.array(means), np.array([variances]))
    return Mixture(weights, np.array(means)[:, None], variances)


def _schedule(name: str, steps: int) -> Schedule:
    if name == "log-linear":
        return schedules.log_linear(steps, 0.02, 80)
    return schedules.uniform_angle(steps) if name == "uniform angle" else schedules.cosine(steps, 0.008, max_beta=None)


def _slopes(chain: Chain, n: int, x: Array) -> tuple[Array, Array]:
    """Images and derivatives of a step, (N,)."""
    moved, slope = chain.tangent(x[:, None], n, np.ones((len(x), 1, 1)))
    return moved[:, 0], slope[:, 0, 0]


def _constant(chain: Chain, n: int, line: Array) -> float:
    """sup of the derivative of a step: on a line, and once more between the neighbours of the steepest point."""
    slope = _slopes(chain, n, line)[1]
    best = int(slope.argmax())
    near = np.linspace(line[max(0, best - 1)], line[min(len(line) - 1, best + 1)], 101)
    return float(max(slope.max(), _slopes(chain, n, near)[1].max()))


def _chained(constants: list[float], gaps: list[float]) -> float:
    """sum_t (prod_{u<t} constants_u) gaps_t, of lists from t = T to 1."""
    total, product = 0.0, 1.0
    for constant, gap in zip(constants[::-1], gaps[::-1], strict=True):
        total, product = total + product * gap, product * constant
    return total


def _ratio(distance: float, bound: float) -> float:
    """1 where both vanish, as after one step from pi/2, which gives every law of one mean its mean."""
    return distance / bound if bound > 1e-12 else 1.0


def run(*, pair: str, schedule: str, steps: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """W1, W2 and the bounds for "first | second": constants of the first chain, x along the second from its p_T."""
    del rng
    data = [_law(name) for name in pair.split(" | ")]
    first, second = (Chain(_schedule(schedule, steps), exact_denoiser(law)) for law in data)
    angle = float(first.schedule.angles[-1])
    x = np.linspace(-_DEVIATIONS, _DEVIATIONS, _NODES)
    x = x * float(np.sqrt(np.cos(angle) ** 2 * data[1].covariance[0, 0] + np.sin(angle) ** 2))
    weights = np.exp(second.denoiser.posterior(x[:, None], angle).log_density)
    weights /= weights.sum()
    line = np.linspace(-10.0, 10.0, 2001)

    def size(apart: Array) -> float:
        return float(np.sqrt(weights @ apart**2))

    along_other, along_own, constants, own, other = [], [], [], x, x
    for n in range(steps):
        constants.append(_constant(first, n, line))
        image = first.step(np.concatenate([own, other])[:, None], n)[:, 0]
        reference = second.step(np.concatenate([own, other])[:, None], n)[:, 0]
        gaps = image - reference
        along_own.append(size(gaps[: len(x)]))
        along_other.append(size(gaps[len(x) :]))
        own, other = image[: len(x)], reference[len(x) :]
    w1, w2 = float(weights @ np.abs(own - other)), size(own - other)
    bound, one = _chained(constants, along_other), _chained(constants, along_own)
    return [
        {
            "w1": w1,
            "w2": w2,
            "bound": bound,
            "tightness": _ratio(w2, bound),
            "tightness w1": _ratio(w1, bound),
            "tightness of one chain": _ratio(w2, one),
            "product of constants": float(np.prod(constants)),
        }
    ]


def _centred(row: Row) -> bool:
    return all(name in _CENTRED for name in str(row["pair"]).split(" | "))


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if W2 is within the bound everywhere, to 1e-6 of it; how tight it is, is said, not judged."""
    ratio = np.array([float(row["tightness"]) for row in rows])
    chains = [row for row in rows if int(row["steps"]) > 1 and not _centred(row)]
    loose = min(chains, key=lambda row: float(row["tightness"]))
    middle = float(np.median([float(row["tightness"]) for row in chains]))
    broken = sum(float(row["tightness of one chain"]) > 1 + 1e-6 for row in rows)
    least = min(float(row["tightness"]) for row in rows if _centred(row) or int(row["steps"]) == 1)
    text = (
        f"W2 is at most {ratio.max():.7f} of the bound, and at least {least:.7f} for one step or centred normal laws; "
        f"for other pairs {middle:.3f} in the median, down to {float(loose['tightness']):.2g} ({loose['pair']}, "
        f"{loose['schedule']}, T = {loose['steps']}). With one chain's constants and points {broken} of {len(rows)} "
        f"bounds fail."
    )
    numbers = {
        "largest ratio": float(ratio.max()),
        "least where attained": least,
        "median ratio": middle,
        "least ratio": float(loose["tightness"]),
        "one chain fails": broken / len(rows),
    }
    return Verdict("confirmed" if ratio.max() <= 1 + 1e-6 else "refuted", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Tightness over T for every pair, by the kind of pair, for the first schedule."""
    figure, axes = figures.canvas(4.4)
    groups = {"centred normal": 0, "normal": 1, "one in pieces": 2, "both in pieces": 3}
    shown: set[str] = set()
    for pair in dict.fromkeys(str(row["pair"]) for row in rows):
        mine = [row for row in rows if row["pair"] == pair and row["schedule"] == rows[0]["schedule"]]
        mine.sort(key=lambda row: int(row["steps"]))
        pieces = sum(len(_LAWS[name][0]) > 1 for name in pair.split(" | "))
        group = "centred normal" if _centred(mine[0]) else ("normal", "one in pieces", "both in pieces")[pieces]
        steps, ratio = ([row[name] for row in mine] for name in ("steps", "tightness"))
        label = None if group in shown else group
        shown.add(group)
        axes.plot(steps, ratio, "o-", color=figures.COLOURS[groups[group]], markersize=3, linewidth=0.9, label=label)
    axes.set(xscale="log", yscale="log", xlabel="steps T", ylabel="W₂ / bound")
    counts = sorted({int(row["steps"]) for row in rows})
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_title(str(rows[0]["schedule"]), fontsize=8)
    axes.legend(fontsize=7)
    return figure
