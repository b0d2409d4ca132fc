"""Is self-attention needed for the contraction structure of a network's chain?

Two U-Nets of one size, with attention and without, are measured at the same points. Falsifier of the need: a network
without attention whose loss beats the Gaussian's and whose kappa and delta follow the same course, that is with a
Spearman correlation over the steps of at least 0.9 with those of the network with attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.studies.network_regimes import better, measured_rows
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "attention_or_convolution"
VERSION = 2
CLAIMS = ("attention-is-soft-pifs", "two-regimes", "patch-contraction")
NEEDS = ("torch", "safetensors", "sklearn", "skimage")
GRIDS = {
    "smoke": {"data": ["digits"], "patches": [4], "steps": [5], "samples": [4]},
    "paper": {"data": ["digits", "grey16"], "patches": [0], "steps": [50], "samples": [16]},
}
TOLERANCE = 0.02  # float32 and many products: libraries round differently
_COURSES = ("kappa", "delta", "suppression")
_SAME = 0.9


def run(*, data: str, patches: int, steps: int, samples: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """A row for each step of each of the two networks."""
    from experiments.subjects import validation

    seed, found = int(rng.integers(2**31)), []
    for network in ("unet", "conv"):
        name = f"{data}-{network}"
        result, table = measured_rows(name, patches=patches, steps=steps, samples=samples, seed=seed)
        margin, loss = result.value.row_margin.mean(axis=1), validation(name)
        for row, value in zip(table, margin.tolist(), strict=True):
            kept = {key: float(row[key]) for key in ("angle", "error", "gaussian_error")}
            kept |= {key + end: float(row[key + end]) for key in _COURSES for end in ("", "_stderr")}
            found.append({"network": network, "t": int(row["t"]), **kept, "row_margin": value} | loss)
    return found


def _pair(rows: Sequence[Row], data: str) -> dict[str, list[Row]]:
    mine = sorted((row for row in rows if row["data"] == data), key=lambda row: int(row["t"]))
    return {name: [row for row in mine if row["network"] == name] for name in ("unet", "conv")}


def verdict(rows: Sequence[Row]) -> Verdict:
    """Refuted if convolution alone follows the course somewhere, confirmed if nowhere; weak networks are left out."""
    from pifs_sim.diffusion import rank_correlation

    numbers: dict[str, float] = {}
    told, out, follows = [], [], []
    for data in dict.fromkeys(str(row["data"]) for row in rows):
        pair = _pair(rows, data)
        weak = [name for name, mine in pair.items() if not better(mine)]
        out += [f"{data}-{name}" for name in weak]
        of: dict[str, Any] = {
            name: {key: np.array([float(row[key]) for row in mine]) for key in (*_COURSES, "row_margin")}
            for name, mine in pair.items()
        }
        ranks = {key: float(rank_correlation(of["unet"][key], of["conv"][key]).value) for key in _COURSES}
        apart = {key: float(np.abs(of["unet"][key] - of["conv"][key]).max()) for key in _COURSES}
        numbers |= {f"{data}: rank of {key}": value for key, value in ranks.items()}
        numbers |= {f"{data}: apart in {key}": value for key, value in apart.items()}
        numbers |= {f"{data}: row margin, {name}": float(of[name]["row_margin"].mean()) for name in of}
        told.append(
            f"{data}: Spearman over {len(pair['unet'])} steps of kappa {ranks['kappa']:.3f}, of delta "
            f"{ranks['delta']:.3f}; at most {apart['kappa']:.3f} and {apart['delta']:.3f} apart; mean row margin "
            f"{of['unet']['row_margin'].mean():.3f} with attention, {of['conv']['row_margin'].mean():.3f} without"
        )
        if not weak:
            follows.append(min(ranks["kappa"], ranks["delta"]) >= _SAME)
    left = f" Left out, no better than the Gaussian: {', '.join(out)}." if out else ""
    answer: Any = "undecided" if not follows else "refuted" if any(follows) else "confirmed"
    return Verdict(answer, f"{'. '.join(told)}.{left}", numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """A column for each data."""
    named = {"unet": "with attention", "conv": "without"}
    columns: dict[str, Any] = {
        data: {named[name]: mine for name, mine in _pair(rows, data).items()}
        for data in dict.fromkeys(str(row["data"]) for row in rows)
    }
    return figures.networks(columns, "U-Nets of one size, with attention and without")
