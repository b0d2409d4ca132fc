"""Do trained networks show the two regimes of the paper's section 4, and do exact laws of the same data show them too?

The statements are those of experiments/statements.py, asked of each network along 50 of 1000 linear steps, at held-out
images. Falsifier of a statement: a network that beats the Gaussian's loss and against which a test decides at p < 0.05.
A network that does not beat it on all held-out images is left out by name. The same rows of the normal law, the mixture
and the points fitted to its training data are beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments import figures
from experiments.statements import STATEMENTS, asked, together
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ACROSS",
    "CLAIMS",
    "GRIDS",
    "NAME",
    "NEEDS",
    "TOLERANCE",
    "VERSION",
    "better",
    "measured_rows",
    "plot",
    "run",
    "verdict",
]

NAME = "network_regimes"
VERSION = 2
CLAIMS = ("two-regimes", "stratified-crossover", "entropy-coupling", "suppression-identity", "score-deviation-order")
NEEDS = ("torch", "safetensors", "sklearn", "skimage")
_NETWORKS = ["dit", "unet", "conv"]
GRIDS = {
    "smoke": {"data": ["digits"], "network": ["unet", "conv"], "patches": [4], "steps": [5], "samples": [4]},
    "paper": {"data": ["digits", "grey16"], "network": _NETWORKS, "patches": [0], "steps": [50], "samples": [16]},
}
TOLERANCE = 0.02  # float32 and many products: libraries round differently
ACROSS = 4  # patches from side to side where `patches` is 0
_COLUMNS = (
    "t",
    "angle",
    "kappa",
    "kappa_stderr",
    "delta",
    "delta_stderr",
    "suppression",
    "suppression_stderr",
    "entropy",
)


def measured_rows(name: str, *, patches: int, steps: int, samples: int, seed: int) -> tuple[Any, list[dict[str, Any]]]:
    """The measurement of a named network, and its rows with what the statements need."""
    from experiments import measured, subjects
    from pifs_sim import networks
    from pifs_sim.dynamics import Patches

    found = subjects.subject(name, steps=steps)
    side = patches or found.denoiser.shape[0] // ACROSS
    parts = Patches(found.denoiser.shape, side)
    result = networks.measure(found.denoiser, found.schedule, found.data, patches=parts, samples=samples, seed=seed)
    return result, measured.rows(result)


def run(
    *, data: str, network: str, patches: int, steps: int, samples: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """A row for each step of the network and of the exact laws; columns of one that another lacks are 0."""
    from experiments import datasets, laws, profiles, subjects
    from experiments.laws import Law

    seed, name = int(rng.integers(2**31)), f"{data}-{network}"
    result, table = measured_rows(name, patches=patches, steps=steps, samples=samples, seed=seed)
    order, noisy = result.monotonicity, max(2, steps // 5)
    slope = result.deviation_slope(range(steps - noisy + 1, steps + 1))
    facts = subjects.validation(name)
    facts |= {"slope": slope.value, "slope_low": slope.lower, "slope_high": slope.upper}
    found = [_row("network", row, int(order.fails[i]) if order else 0, facts) for i, row in enumerate(table)]
    training = datasets.images(data).training.astype(np.float64)
    for law in ("gaussian", "mixture", "points"):
        measure, about = laws.of_points(law, training)
        one = profiles.profile(
            Law(law, measure, result.patches, about), result.schedule, samples=samples, rng=np.random.default_rng(seed)
        )
        fails = one.monotonicity.fails if one.monotonicity else np.zeros(steps, bool)
        found += [_row(law, row, int(fails[i]), dict.fromkeys(facts, 0.0)) for i, row in enumerate(profiles.rows(one))]
    return found


def _row(of: str, row: Row, reversed_: int, facts: dict[str, float]) -> dict[str, Scalar]:
    kept = {name: float(row.get(name, 0.0)) for name in _COLUMNS} | {"t": int(row["t"])}
    ranks = {
        f"rank_{name}": float(np.nan_to_num(row.get(f"spearman_{name}", 0.0))) for name in ("kappa", "suppression")
    }
    sure = {f"{name}_p": float(np.nan_to_num(row.get(f"spearman_{name[5:]}_p", 1.0), nan=1.0)) for name in ranks}
    loss = {name: float(row.get(name, 0.0)) for name in ("error", "gaussian_error")}
    return {
        "of": of,
        **kept,
        **ranks,
        **sure,
        **loss,
        "reversed": reversed_,
        "attention": int("entropy" in row),
        **facts,
    }


def better(rows: Sequence[Row]) -> bool:
    """Whether a network's loss on the held-out images is below the Gaussian's by more than two standard errors."""
    return float(rows[0]["excess"]) + 2 * float(rows[0]["excess_stderr"]) < 0


def _networks(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["of"] == "network":
            found.setdefault(f"{row['data']}-{row['network']}", []).append(row)
    return found


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every statement is confirmed, refuted if one is refuted."""
    every = _networks(rows)
    beaten = [name for name, mine in every.items() if not better(mine)]
    found = {name: asked(mine, int(mine[0]["samples"])) for name, mine in every.items() if name not in beaten}
    numbers: dict[str, float] = {"networks": float(len(found)), "left out": float(len(beaten))}
    told, verdicts = [], set()
    for statement in STATEMENTS:
        answers = [mine[statement] for mine in found.values() if statement in mine]
        if not answers:
            continue
        values, held = [answer.number for answer in answers], [answer.holds for answer in answers]
        numbers |= {f"{statement}: {holds}": float(held.count(holds)) for holds in ("yes", "no", "open")}
        numbers |= {f"{statement}: least": min(values), f"{statement}: largest": max(values)}
        verdicts.add(together(answers))
        told.append(
            f"{statement} {together(answers)} ({held.count('yes')} for, {held.count('no')} against, of {len(held)}; "
            f"{min(values):.3g} to {max(values):.3g})"
        )
    out = f" Left out, no better than the Gaussian: {', '.join(beaten)}." if beaten else ""
    answer: Literal["confirmed", "refuted", "undecided"] = (
        "refuted" if "refuted" in verdicts else "confirmed" if verdicts == {"confirmed"} else "undecided"
    )
    T = max(int(row["t"]) for row in rows)
    text = f"Of {len(found)} networks over {T} steps, with the range of the number: {'; '.join(told)}.{out}"
    return Verdict(answer, text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """A column for each data: its networks, and the exact laws fitted to it."""
    columns: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in rows:
        of = str(row["network"] if row["of"] == "network" else row["of"])
        own = row["of"] == "network" or row["network"] == rows[0]["network"]  # laws come again with every network
        hidden = {"entropy"} if not row["attention"] else set()
        hidden |= {"error"} if row["of"] != "network" else set()
        if own:
            kept = {key: value for key, value in row.items() if key not in hidden}
            columns.setdefault(str(row["data"]), {}).setdefault(of, []).append(kept)
    ordered = {
        data: {of: sorted(mine, key=lambda row: int(row["t"])) for of, mine in curves.items()}
        for data, curves in columns.items()
    }
    return figures.networks(ordered, "Networks and exact laws of the same data")
