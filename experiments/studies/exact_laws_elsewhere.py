"""Is what networks show at held-out images the error of learning, or does an exact denoiser show it there as well?

The exact denoisers of laws fitted to training images (normal, a mixture, the points) are measured at noisy training
images and at noisy held-out ones, S against the patchwise Gaussian of the images it is measured at, along 50 of 1000
linear steps: all as networks are measured in network_regimes, with its statements. Falsifier of learnt error: a law
whose kappa grows towards the clean end, or whose mean suppression is negative at some step, at held-out images but not
at those that it was fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.statements import Answer, asked
from experiments.studies.network_regimes import ACROSS
from experiments.study import Row, Scalar, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "NEEDS", "TOLERANCE", "VERSION", "answers", "plot", "run", "verdict"]

NAME = "exact_laws_elsewhere"
VERSION = 1
CLAIMS = ("mean-suppression", "low-noise-expansion", "two-regimes")
NEEDS = ("sklearn", "skimage")
_LAWS, _PLACES = ["gaussian", "mixture", "points"], ["training", "held out"]
GRIDS = {
    "smoke": {"data": ["digits"], "law": ["gaussian"], "place": _PLACES, "steps": [5], "samples": [4]},
    "paper": {"data": ["digits", "grey16"], "law": _LAWS, "place": _PLACES, "steps": [50], "samples": [48]},
}
TOLERANCE = 1e-6
_ASKED = ("kappa", "suppressed")


def run(
    *, data: str, law: str, place: str, steps: int, samples: int, rng: np.random.Generator
) -> list[dict[str, Scalar]]:
    """A row for each step."""
    from experiments import datasets, laws, subjects
    from pifs_sim.diffusion import (
        Chain,
        ensemble_mean,
        exact_denoiser,
        geometry,
        leading_directions,
        margin_monotonicity,
        patch_contraction,
        rank_correlation,
        rayleigh_quotients,
        schedules,
    )
    from pifs_sim.dynamics import Patches

    found = datasets.images(data)
    training = found.training.astype(np.float64)
    cloud = training if place == "training" else found.validation.astype(np.float64)
    schedule = subjects.coarse(schedules.linear(1000), steps)
    chain = Chain(schedule, exact_denoiser(laws.of_points(law, training)[0]))
    patches = Patches(found.shape, found.shape[0] // ACROSS)
    clean = cloud[rng.choice(len(cloud), samples, replace=False)]
    cos, sin = schedule.cos[1:, None, None], schedule.sin[1:, None, None]
    x = cos * clean + sin * rng.standard_normal((steps, *clean.shape))
    norms = patch_contraction(chain, x, patches)
    leading = leading_directions(np.cov(cloud.T, bias=True), patches)
    quotients = rayleigh_quotients(chain, x, leading.directions)
    suppressed = geometry.diagonal_expansion(schedule, leading.values)[:, None, :] - quotients
    columns: dict[str, Any] = {"t": np.arange(1, steps + 1)}
    values = {"kappa": norms.kappa, "delta": norms.delta, "suppression": suppressed.mean(axis=2)}
    for name, each in values.items():
        columns[name], columns[f"{name}_stderr"] = ensemble_mean(each)
    rank = rank_correlation(leading.values, suppressed.mean(axis=1))
    columns |= {
        "rank_suppression": np.nan_to_num(rank.value),
        "rank_suppression_p": np.nan_to_num(rank.pvalue, nan=1.0),
    }
    columns["reversed"] = margin_monotonicity(quotients, leading.values).fails.astype(int)
    return [{name: np.asarray(column[i]).item() for name, column in columns.items()} for i in range(steps)]


def answers(rows: Sequence[Row]) -> dict[tuple[str, str, str], dict[str, Answer]]:
    """Data, law, place -> the statements' answers."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        case = (str(row["data"]), str(row["law"]), str(row["place"]))
        groups.setdefault(case, []).append({**row, "of": row["law"], "attention": 0})
    return {case: asked(mine, int(mine[0]["samples"])) for case, mine in groups.items()}


def verdict(rows: Sequence[Row]) -> Verdict:
    """Refuted if a law shows at held-out images alone what is taken for the error of learning."""
    found = answers(rows)
    numbers: dict[str, float] = {}
    told, elsewhere = [], []
    for data, law in dict.fromkeys(case[:2] for case in found):
        here, there = (found[data, law, place] for place in _PLACES)
        for statement in _ASKED:
            pair = here[statement].number, there[statement].number
            numbers |= {f"{data}, {law}, {place}: {statement}": x for place, x in zip(_PLACES, pair, strict=True)}
        grows = here["kappa"].holds != "yes" and there["kappa"].holds == "yes"
        negative = here["suppressed"].holds == "yes" and there["suppressed"].holds == "no"
        elsewhere += [f"{data}, {law}: {what}" for what, so in (("kappa", grows), ("S", negative)) if so]
        told.append(
            f"{data}, {law}: kappa gains {here['kappa'].number:.3g} ({there['kappa'].number:.3g} at held-out images), "
            f"least mean S {here['suppressed'].number:.2g} ({there['suppressed'].number:.2g})"
        )
    shown = f"By a test at held-out images alone: {'; '.join(elsewhere)}." if elsewhere else "None does so there."
    return Verdict("refuted" if elsewhere else "confirmed", f"{'. '.join(told)}. {shown}", numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """A column for each data: each law at both places."""
    columns: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for row in sorted(rows, key=lambda row: int(row["t"])):
        name = f"{row['law']}, {row['place']}"
        columns.setdefault(str(row["data"]), {}).setdefault(name, []).append(dict(row))
    return figures.networks(columns, "Exact denoisers at training and at held-out images")
