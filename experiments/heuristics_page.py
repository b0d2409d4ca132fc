"""The page of `experiments.heuristics`: tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["render"]

_HEAD = """# Four heuristics, judged

Made by `python -m experiments.heuristics`. Data: the 8 × 8 × 3 patches of matplotlib's photograph (192 variances)
unless stated; Gaussian, exact denoiser, from the exact marginal. Figure: heuristics.svg.
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row) + " |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _offsets(found: Sequence[Any]) -> str:
    rows = []
    for curve in found:
        at = int(np.abs(curve.offset - 0.008).argmin())
        best = {name: int(getattr(curve, name).argmin()) for name in ("kl", "w2")}
        top = int(curve.share.argmax())
        rows.append(
            (
                curve.steps,
                f"{curve.offset[top]:.2g}",
                float(curve.share[top]),
                float(curve.share[at]),
                f"{curve.offset[best['kl']]:.2g}",
                float(curve.kl[at]),
                f"{curve.offset[best['w2']]:.2g}",
                float(curve.w2[at]),
            )
        )
    head = (
        "steps",
        "best offset, L*_1",
        "share there",
        "share at 0.008",
        "best, KL",
        "KL at 0.008",
        "best, W₂",
        "W₂ at 0.008",
    )
    text = "L*_1 as a share of the largest within the schedule's λ**; KL and W₂ by those without offset, from φ = 0.\n"
    return f"## Cosine offset\n\n{text}\n{_table(head, rows)}"


def _shifts(found: Sequence[Any]) -> str:
    rows = []
    for row in found:
        rule = 2 * np.log(64 / np.array(row.sizes))
        kl, w2 = (
            ", ".join(f"{d}: {a / b:.2f}" for d, a, b in zip(row.sizes, shift, rule, strict=True) if d != 64)
            for shift in (row.kl, row.w2)
        )
        rows.append((row.name, f"{row.power:.2f}", row.slope("kl"), 1 - row.power / 2, row.slope("w2"), kl, w2))
    head = ("picture", "p", "KL", "1 − p/2", "W₂", "KL by pixels", "W₂ by pixels")
    text = (
        "Best logSNR shift of the 64-pixel optimum (20 steps, φ from 0 to π/2) by the rule 2 ln(64/d): slope over all\n"
        "sizes, then at each. p: exponent of the spectrum, fitted up to half the finest frequency; modes of\n"
        "pictures are cosine coefficients of their middle square, averaged over shells.\n"
    )
    return f"## Resolution shift\n\n{text}\n{_table(head, rows)}"


def _weights(found: Sequence[Any]) -> str:
    rows = []
    for row in found:
        best, most = int(row.information.argmin()), int(row.dimension.argmin())
        five, none = int(np.abs(row.gamma - 5).argmin()), row.gamma.size - 1
        growth = [f"{row.dimension[i]:.2f}" for i in (most, five, none)] if row.data == "photograph" else ["–"] * 3
        gamma = f"{row.gamma[best]:.2g}" if best else "0"
        rows.append((row.chain, row.data, gamma, *(float(row.information[i]) for i in (best, five, none)), *growth))
    head = ("chain", "data", "best γ", "CV there", "γ = 5", "no weight", "dimension, least", "γ = 5", "no weight")
    text = (
        "Coefficient of variation of min(SNR, γ)/SNR times each step's information gain over t = 2..1000 (γ = 0 means\n"
        "1/SNR), then of that weight times its growth of the Kaplan–Yorke dimension: least over γ, at 5, without.\n"
    )
    return f"## Min-SNR\n\n{text}\n{_table(head, rows)}"


def _tables(found: Mapping[str, Mapping[str, Any]]) -> str:
    models = list(found)
    rows = []
    for family in found[models[0]]:
        fits = [found[model][family] for model in models]
        parameters = "; ".join(", ".join(f"{p:.3g}" for p in fit.parameters) or "–" for fit in fits)
        rows.append((family, len(fits[0].parameters), *(fit.variation for fit in fits), parameters))
    head = ("density", "parameters", *models, "best parameters")
    text = (
        "Coefficient of variation of the ten steps' shares in the best member of each family\n"
        "(`pifs_sim.diffusion.design.fits`); for the photograph the optimal density of its spectrum times a free\n"
        "factor. Parameters: logarithms (1/ρ for Karras).\n"
    )
    return f"## Align Your Steps\n\n{text}\n{_table(head, rows)}"


def render(
    offsets: Sequence[Any], shifts: Sequence[Any], weights: Sequence[Any], tables: Mapping[str, Mapping[str, Any]]
) -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, _offsets(offsets), _shifts(shifts), _weights(weights), _tables(tables)])
