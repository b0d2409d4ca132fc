"""Do trained networks show the two regimes of the paper's section 4, and do exact laws of the same data show them too?

Eight statements are asked of each network along 50 of 1000 linear steps, at held-out images:

    noisy      kappa is within 0.05 of 1, a mean over the noisier half        (reported 1.0000 to 1.0026)
    kappa      kappa at the cleanest step exceeds that mean by 0.02           (reported 1.2111)
    delta      delta falls with t: Spearman < 0, p < 0.05                     (reported 0.0007 at t = 980, 0.1858 at 20)
    entropy    attention entropy and delta anti-correlate over the steps      (reported Spearman -1.000)
    suppressed S_kt >= 0, a mean over points and patches, beyond no doubt of 2 standard errors at any step
    ordered    S_kt increases with lam_k: Spearman > 0, p < 0.05, at some step (reported 0.953 near t = 601)
    released   margins increase with lam_k: no step with a pair reversed beyond doubt
    slope      ln|eps - eps_Gauss| against ln cos phi over the noisiest fifth has a slope in 0.88..1.02 (reported 0.95)

Falsifier of a statement: a network that beats the Gaussian's loss and does not show it. A network that does not beat it
is left out by name. The same rows of the normal law, the mixture and the points fitted to its training data are beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from experiments import figures
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "measured_rows", "plot", "run", "verdict"]

NAME = "network_regimes"
VERSION = 1
CLAIMS = ("two-regimes", "stratified-crossover", "entropy-coupling", "suppression-identity", "score-deviation-order")
NEEDS = ("torch", "safetensors", "sklearn", "skimage")
_NETWORKS = ["dit", "unet", "conv"]
GRIDS = {
    "smoke": {"data": ["digits"], "network": ["unet", "conv"], "patches": [4], "steps": [5], "samples": [4]},
    "paper": {"data": ["digits", "grey16"], "network": _NETWORKS, "patches": [0], "steps": [50], "samples": [8]},
}
TOLERANCE = 0.02  # float32 and many products: libraries round differently
_ACROSS = 4  # patches from side to side where `patches` is 0
_STATEMENTS = ("noisy", "kappa", "delta", "entropy", "suppressed", "ordered", "released", "slope")
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
    side = patches or found.denoiser.shape[0] // _ACROSS
    parts = Patches(found.denoiser.shape, side)
    result = networks.measure(found.denoiser, found.schedule, found.data, patches=parts, samples=samples, seed=seed)
    return result, measured.rows(result)


def run(
    *, data: str, network: str, patches: int, steps: int, samples: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """A row for each step of the network and of the exact laws; columns of one that another lacks are 0."""
    from experiments import datasets, laws, profiles
    from experiments.laws import Law
    from experiments.measured import excess

    seed = int(rng.integers(2**31))
    result, table = measured_rows(f"{data}-{network}", patches=patches, steps=steps, samples=samples, seed=seed)
    order, noisy = result.monotonicity, max(2, steps // 5)
    slope = result.deviation_slope(range(steps - noisy + 1, steps + 1))
    gain, error = excess(result)
    facts = {"excess": gain, "excess_stderr": error, "slope": slope.value}
    facts |= {"slope_low": slope.lower, "slope_high": slope.upper}
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


def _asked(mine: Sequence[Row]) -> dict[str, tuple[bool, float]]:
    """Each statement of one network or law: whether it holds, and the number."""
    from pifs_sim.diffusion import rank_correlation

    rows = sorted(mine, key=lambda row: int(row["t"]))
    of = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if not isinstance(rows[0][name], str)}
    half, T = slice(len(rows) // 2, None), len(rows)
    noisy = float(of["kappa"][half].mean())
    trend, joint = rank_correlation(np.arange(T), of["delta"]), rank_correlation(of["entropy"], of["delta"])
    best = int(of["rank_suppression"].argmax())
    surely = of["suppression"] + 2 * of["suppression_stderr"]
    asked = {
        "noisy": (abs(noisy - 1) <= 0.05, noisy),
        "kappa": (of["kappa"][0] > noisy + 0.02, float(of["kappa"][0])),
        "delta": (bool(trend.value < 0 and trend.pvalue < 0.05), float(trend.value)),
        "suppressed": (bool((surely >= 0).all()), float(of["suppression"].min())),
        "ordered": (
            bool(((of["rank_suppression"] > 0) & (of["rank_suppression_p"] < 0.05)).any()),
            float(of["rank_suppression"][best]),
        ),
        "released": (not of["reversed"].any(), float(of["reversed"].sum())),
    }
    if rows[0]["attention"]:
        asked["entropy"] = (bool(joint.value < 0 and joint.pvalue < 0.05), float(joint.value))
    if rows[0]["of"] == "network":
        asked["slope"] = (0.88 <= of["slope"][0] <= 1.02, float(of["slope"][0]))
    return asked


def _networks(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["of"] == "network":
            found.setdefault(f"{row['data']}-{row['network']}", []).append(row)
    return found


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if every statement holds of every network that beats the Gaussian, refuted if one holds of none."""
    every = _networks(rows)
    beaten = [
        name for name, mine in every.items() if float(mine[0]["excess"]) + 2 * float(mine[0]["excess_stderr"]) >= 0
    ]
    asked = {name: _asked(mine) for name, mine in every.items() if name not in beaten}
    numbers: dict[str, float] = {"networks": float(len(asked)), "left out": float(len(beaten))}
    told, verdicts = [], []
    for statement in _STATEMENTS:
        found = {name: answers[statement] for name, answers in asked.items() if statement in answers}
        if not found:
            continue
        held = sum(holds for holds, _ in found.values())
        values = [value for _, value in found.values()]
        numbers |= {f"{statement}: holds": float(held), f"{statement}: of": float(len(found))}
        numbers |= {f"{statement}: least": min(values), f"{statement}: largest": max(values)}
        verdicts.append(held / len(found))
        told.append(f"{statement} {held} of {len(found)} ({min(values):.3g} to {max(values):.3g})")
    out = f" Left out, no better than the Gaussian: {', '.join(beaten)}." if beaten else ""
    answer: Literal["confirmed", "refuted", "undecided"] = (
        "undecided"
        if not verdicts
        else "confirmed"
        if min(verdicts) == 1
        else "refuted"
        if min(verdicts) == 0
        else "undecided"
    )
    T = max(int(row["t"]) for row in rows)
    text = f"Of {len(asked)} networks over {T} steps, with the range of the number: {'; '.join(told)}.{out}"
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
