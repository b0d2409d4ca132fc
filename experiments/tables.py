"""The tables of a profile, in the layout of the paper's, and what they say in sentences.

One row a step, the noisiest first. viol. and exp. count patches whose mean margin is negative: that of the row sum, and
that of <v_k, [J Phi_t]_kk v_k>. (The paper's tables: Dooms 2026, arXiv:2603.13069, as summarised.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.profiles import Profile, rows
from pifs_sim.diffusion import rank_correlation, release_windows, releases

__all__ = ["cells", "grid", "layout", "markdown", "sentences", "summary"]

_COLUMNS = {  # what people read -> row key, decimals
    "t": ("t", 0),
    "φ_t": ("angle", 3),
    "κ": ("kappa", 4),
    "δ": ("delta", 4),
    "ϱ": ("row_sum", 4),
    "1−κ−δ": ("margin", 4),
    "viol.": ("patches_violating", 0),
    "S": ("suppression", 4),
    "±": ("suppression_stderr", 4),
    "S own": ("suppression_own", 4),
    "S full": ("suppression_full", 4),
    "entropy": ("entropy", 3),
    "ρ(λ,κ)": ("spearman_kappa", 3),
    "ρ(λ,S)": ("spearman_suppression", 3),
    "ρ(λ,m)": ("spearman_margin", 3),
    "exp.": ("patches_expanding", 0),
}
_SHOWN = 15


def cells(found: Profile) -> list[list[str]]:
    """The head and at most 15 rows of the table."""
    return layout(rows(found), _COLUMNS)


def layout(steps: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, int]]) -> list[list[str]]:
    """The head and at most 15 of the rows, the noisiest first; `columns`: head -> key of a row, decimals."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(_SHOWN, len(steps))).round().astype(int))[::-1]
    shown = {name: place for name, place in columns.items() if place[0] in steps[0]}
    values = [[(steps[i][key], decimals) for key, decimals in shown.values()] for i in chosen]
    return [list(shown), *[[_shown(value, decimals) for value, decimals in row] for row in values]]


def _shown(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return "–" if text == "nan" else text.removeprefix("-") if float(text) == 0 else text


def summary(found: Profile) -> dict[str, Any]:
    """What is counted over the whole chain."""
    norms, margins, order = found.contraction, 1 - found.quotients.mean(axis=1), found.monotonicity
    windows = release_windows(margins)
    entropy, kappa, delta = (values.mean(axis=1) for values in (found.entropy, norms.kappa, norms.delta))
    facts: dict[str, Any] = {
        "pc_steps": int((norms.violations == 0).sum()),
        "row_sum_steps": int((norms.row_violations == 0).sum()),
        "kappa_largest": {"t": int(kappa.argmax()) + 1, "value": float(kappa.max())},
        "delta_largest": {"t": int(delta.argmax()) + 1, "value": float(delta.max())},
        "released_at": releases(margins).tolist(),
        "windows": [[list(window) for window in patch] for patch in windows],
    }
    if len(delta) > 1:
        facts["entropy_delta"] = dict(zip(("spearman", "p"), map(float, rank_correlation(entropy, delta)), strict=True))
    against = {"kappa": norms.own.mean(axis=1), "suppression": found.suppression.mean(axis=1), "margin": margins}
    if order is not None:
        below = found.schedule.cos[1:] > 0
        for name, values in against.items():
            rho, p = rank_correlation(found.lam, values[below])
            ranked = rho[~np.isnan(rho)]  # where all margins are equal there is no order
            if ranked.size:
                ends = {"least": float(ranked.min()), "largest": float(ranked.max())}
                facts[f"spearman_{name}"] = ends | {"significant": int((p < 0.05).sum())}
        facts["monotone_steps"], facts["reversed_steps"] = int(order.holds.sum()), int(order.fails.sum())
        facts["tested_steps"] = len(order.holds)
    return facts


def sentences(found: Profile) -> list[str]:
    """The summary in words."""
    facts, d, T, M = summary(found), found.dimensions, found.schedule.steps, found.lam.size
    kappa, delta = facts["kappa_largest"], facts["delta_largest"]
    lines = [
        f"κ + δ < 1 at all points of {facts['pc_steps']} of {T} steps, row sum < 1 of {facts['row_sum_steps']}; "
        f"κ is largest, {kappa['value']:.4f}, at t = {kappa['t']}, δ, {delta['value']:.4f}, at t = {delta['t']}."
    ]
    if "entropy_delta" in facts and not np.isnan(facts["entropy_delta"]["spearman"]):
        spearman, p = facts["entropy_delta"].values()
        lines.append(f"Spearman of entropy and δ over the steps: {spearman:.3f}, p = {p:.2g}.")
    if "tested_steps" in facts:
        lines.append(
            f"Margins increase with λ_k ({found.lam.min():.3g} to {found.lam.max():.3g}) beyond doubt at "
            f"{facts['monotone_steps']} of {facts['tested_steps']} steps; some pair is reversed at "
            f"{facts['reversed_steps']}."
        )
        words = {"kappa": "κ_k", "suppression": "S_k", "margin": "m_k"}
        ranks = {word: facts[f"spearman_{name}"] for name, word in words.items() if f"spearman_{name}" in facts}
        each = [
            f"{word} {rank['least']:.3f} to {rank['largest']:.3f} (p < 0.05 at {rank['significant']} steps)"
            for word, rank in ranks.items()
        ]
        lines.append(f"Spearman with λ_k over the patches: {', '.join(each)}.")
    released = [t for t in facts["released_at"] if t]
    runs = sum(len(windows) == 1 for windows in facts["windows"])
    when = (
        f", at t = {max(released)} to {min(released)}; for {runs} the expanding steps are one run" if released else ""
    )
    lines.append(f"Released: {len(released)} of {M} patches{when}.")
    effective = " ± ".join(f"{value:.3f}" for value in d["effective"].values())
    products = " ± ".join(f"{value:.3f}" for value in d["products"].values()) if "products" in d else "not measured"
    lines.append(
        f"Dimension of the Gaussian with these moments {d['gaussian']:.3f}, effective {effective}, by whole products "
        f"{products}; with leading eigenvalues for all directions {d['gaussian_leading']:.1f} and "
        f"{d['effective_leading']['value']:.1f}, of {found.law.patches.dim}."
    )
    return lines


def grid(table: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown for a head and rows."""
    head, *body = table
    return ["| " + " | ".join(row) + " |" for row in (head, ["--:"] * len(head), *body)]


def markdown(profiles: Sequence[Profile], command: str) -> str:
    """All tables on one page, with the command that made them."""
    lines = ["# Regimes along the chain", "", f"Made by `{command}`.", ""]
    lines += [
        "Means over the exact marginals p_t; S against the patchwise Gaussian with its standard error ±, over the"
    ]
    lines += ["chain's own samples (own), and against the Gaussian with the full covariance; ρ are Spearman's rank"]
    lines += [
        "correlations over the patches, m the margin 1 − E⟨v_k, [JΦ_t]_kk v_k⟩; viol. and exp. count patches whose"
    ]
    lines += ["mean margin is negative, that of the row sum ϱ and m; entropy of the posterior weights in nats.", ""]
    for found in profiles:
        lines += [f"## {found.law.name}", "", f"{found.law.about}; {found.schedule.name}.", "", *grid(cells(found))]
        lines += ["", *[f"- {line}" for line in sentences(found)], ""]
    return "\n".join(lines)
