"""What was measured of a network, in the layout of the paper's tables, and what it says in sentences.

One row a step, the noisiest first; a bound follows its value in brackets. viol. and exp. count patches whose mean
margin is negative, that of the row sum and that of <v_k, [J Phi_t]_kk v_k>; loss is E|eps_hat - eps|^2/d of the network
and of the Gaussian with the data's moments. (The paper's tables: Dooms 2026, arXiv:2603.13069, as summarised.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.tables import grid, layout
from pifs_sim.diffusion import ensemble_mean
from pifs_sim.networks import Measurement

__all__ = ["cells", "excess", "markdown", "rows", "sentences", "summary"]

_COLUMNS = {
    "t": ("t", 0),
    "φ_t": ("angle", 3),
    "κ": ("kappa", 4),
    "κ ≤": ("kappa_upper", 4),
    "δ": ("delta", 4),
    "δ ≤": ("delta_upper", 4),
    "1−κ−δ": ("margin", 4),
    "viol.": ("patches_violating", 0),
    "S": ("suppression", 4),
    "±": ("suppression_stderr", 4),
    "entropy": ("entropy", 3),
    "loss": ("error", 4),
    "Gauss": ("gaussian_error", 4),
    "ρ(λ,κ)": ("spearman_kappa", 3),
    "ρ(λ,S)": ("spearman_suppression", 3),
    "ρ(λ,m)": ("spearman_margin", 3),
    "exp.": ("patches_expanding", 0),
}


def rows(found: Measurement) -> list[dict[str, Any]]:
    """One row a step, t = 1..T, with standard errors over the points."""
    schedule, value = found.schedule, found.value
    columns: dict[str, Any] = {"t": np.arange(1, schedule.steps + 1), "angle": schedule.angles[1:]}
    columns |= {"sigma": schedule.sigma[1:]}
    measured = {
        "kappa": value.kappa,
        "kappa_lower": found.lower.kappa,
        "kappa_upper": found.upper.kappa,
        "delta": value.delta,
        "delta_lower": found.lower.delta,
        "delta_upper": found.upper.delta,
        "row_sum": value.row_sum,
        "margin": value.margin,
        "norm": value.norm,
        "suppression": found.suppression.mean(axis=2),
        "deviation": found.deviation,
        "error": found.error,
        "gaussian_error": found.gaussian_error,
    }
    if found.entropy.shape[2]:
        measured["entropy"] = found.entropy.mean(axis=2)
    for name, values in measured.items():
        columns[name], columns[f"{name}_stderr"] = ensemble_mean(values)
    columns["patches_violating"] = (value.patch_margin.mean(axis=1) <= 0).sum(axis=1)
    columns["patches_expanding"] = (found.margins < 0).sum(axis=1)
    columns["largest_expansion"] = found.expansion.max(axis=1)
    for name, (rho, p) in found.correlations.items():
        columns[f"spearman_{name}"], columns[f"spearman_{name}_p"] = rho, p
    return [{name: np.asarray(column[i]).item() for name, column in columns.items()} for i in range(schedule.steps)]


def cells(found: Measurement) -> list[list[str]]:
    """The head and at most 15 rows of the table."""
    return layout(rows(found), _COLUMNS)


def excess(found: Measurement) -> tuple[float, float]:
    """Mean over steps and points of the network's loss less the Gaussian's, and its standard error over the points."""
    each = (found.error - found.gaussian_error).mean(axis=0)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(each.size)) if each.size > 1 else float("nan")


def summary(found: Measurement) -> dict[str, Any]:
    """What is counted over the whole chain."""
    value, T, M = found.value, found.schedule.steps, found.lam.size
    kappa, delta = value.kappa.mean(axis=1), value.delta.mean(axis=1)
    facts: dict[str, Any] = {
        "steps": T,
        "points": int(found.error.shape[1]),
        "patches": M,
        "leading_variances": [float(found.lam.min()), float(found.lam.max())],
        "method": found.method,
        "confidence": found.confidence,
        "pairs": int(found.pairs.max()),
        "products": int(found.columns.sum()),
        "pc_steps": int((value.violations == 0).sum()),
        "row_sum_steps": int((value.row_violations == 0).sum()),
        "kappa_largest": {"t": int(kappa.argmax()) + 1, "value": float(kappa.max())},
        "delta_largest": {"t": int(delta.argmax()) + 1, "value": float(delta.max())},
        "released_at": found.release.tolist(),
        "windows": [[list(window) for window in patch] for patch in found.windows],
        "loss_over_gaussian": dict(zip(("value", "stderr"), excess(found), strict=True)),
    }
    together = found.entropy_and_coupling
    if together is not None:
        facts["entropy_delta"] = {"spearman": float(together.value), "p": float(together.pvalue)}
    order = found.monotonicity
    if order is not None:
        facts |= {"monotone_steps": int(order.holds.sum()), "reversed_steps": int(order.fails.sum())}
        facts["tested_steps"] = len(order.holds)
    for name, (rho, p) in found.correlations.items():
        known = ~np.isnan(rho)
        if known.any():
            best = int(np.nanargmax(rho))
            facts[f"spearman_{name}"] = {
                "least": float(np.nanmin(rho)),
                "largest": float(rho[best]),
                "largest_at": best + 1,
                "significant": int((p[known] < 0.05).sum()),
            }
    if found.lyapunov is not None:
        facts["lyapunov"] = {"exponents": found.lyapunov.exponents.tolist(), "stderr": found.lyapunov.stderr.tolist()}
    return facts


def sentences(found: Measurement) -> list[str]:
    """The summary in words."""
    facts = summary(found)
    T, M, kappa, delta = facts["steps"], facts["patches"], facts["kappa_largest"], facts["delta_largest"]
    over = facts["loss_over_gaussian"]
    how = (
        "Norms of exact Jacobians."
        if facts["method"] == "exact"
        else f"Norms by {facts['method']}, at most {facts['pairs']} pairs of products for κ; upper bounds hold with "
        f"probability {facts['confidence']:g} each."
    )
    better = "better" if over["value"] < 0 else "no better"
    lines = [
        f"κ is largest, {kappa['value']:.4f}, at t = {kappa['t']}, δ, {delta['value']:.4f}, at t = {delta['t']}; "
        f"κ + δ < 1 at all points of {facts['pc_steps']} of {T} steps, row sum < 1 of {facts['row_sum_steps']}.",
        how,
        f"The network is {better} than the Gaussian of the data: its loss is {abs(over['value']):.4f} ± "
        f"{over['stderr']:.4f} {'below' if over['value'] < 0 else 'above'} that of the Gaussian, a mean over steps "
        "and points.",
    ]
    if "entropy_delta" in facts:
        lines.append(
            f"Spearman of attention entropy and δ over the steps: {facts['entropy_delta']['spearman']:.3f}, "
            f"p = {facts['entropy_delta']['p']:.2g}."
        )
    if "tested_steps" in facts:
        lines.append(
            f"Margins increase with λ_k ({found.lam.min():.3g} to {found.lam.max():.3g}) beyond doubt at "
            f"{facts['monotone_steps']} of {facts['tested_steps']} steps; some pair is reversed at "
            f"{facts['reversed_steps']}."
        )
    words = {"kappa": "κ_k", "suppression": "S_k", "margin": "m_k"}
    ranks = [(word, facts[f"spearman_{name}"]) for name, word in words.items() if f"spearman_{name}" in facts]
    if ranks:
        each = [
            f"{word} {rank['least']:.3f} to {rank['largest']:.3f} (at t = {rank['largest_at']}; p < 0.05 at "
            f"{rank['significant']} steps)"
            for word, rank in ranks
        ]
        lines.append(f"Spearman with λ_k over the patches: {', '.join(each)}.")
    released = [t for t in facts["released_at"] if t]
    when = f", at t = {max(released)} to {min(released)}" if released else ""
    lines.append(f"Released: {len(released)} of {M} patches{when}.")
    if "lyapunov" in facts:
        values = zip(facts["lyapunov"]["exponents"], facts["lyapunov"]["stderr"], strict=True)
        shown = ", ".join(f"{T * value:.3f} ± {T * error:.3f}" for value, error in values)
        lines.append(f"Leading exponents of the whole chain: {shown}.")
    return lines


def markdown(sections: Mapping[str, tuple[str, Measurement]], command: str, heading: str) -> str:
    """Tables and sentences on one page; `sections`: title -> what it is of, and what was measured."""
    lines: list[str] = [f"# {heading}", "", f"Made by `{command}`.", "", *_EXPLAINED, ""]
    for title, (about, found) in sections.items():
        lines += [
            f"## {title}",
            "",
            about,
            "",
            *grid(cells(found)),
            "",
            *[f"- {line}" for line in sentences(found)],
            "",
        ]
    return "\n".join(lines)


_EXPLAINED: Sequence[str] = (
    "Means over points x_t of the exact marginals; ≤ marks upper bounds. S against the patchwise Gaussian of the data,",
    "with its standard error ±; ρ are Spearman's rank correlations over the patches, m = 1 − E⟨v_k, [JΦ_t]_kk v_k⟩;",
    "viol. and exp. count patches whose mean margin is negative, that of the row sum and m; entropy of the attention",
    "maps in nats, a mean over layers; loss E|ε̂ − ε|²/d of the network and of the Gaussian with the data's moments.",
)
