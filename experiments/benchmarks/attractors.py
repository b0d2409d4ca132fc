"""Dimensions of what chains make of point clouds on fractals, beside the Kaplan-Yorke dimension of the chains.

Cantor's dust and Sierpinski's triangle, as points finer than the noise, scaled by k; sigma log-uniform from the noise
to 100 k. Outputs of exact starts are counted by balls (D_2) and boxes (D_0) above the noise that they keep, where a
fine chain shows about what the data show there, and below it, where every chain shows the plane's 2. Exponents are
means over orbits. Scaling by k adds ln k to all of them: d_KY runs from 0 to 2, while what is counted stays.

    python -m experiments.benchmarks.attractors [--output FILE]
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments import figures
from experiments.benchmarks.machine import arguments, publish
from pifs_sim.diffusion import Chain, Schedule, exact_denoiser, marginals
from pifs_sim.diffusion.measures import Measure, PointCloud, Product
from pifs_sim.dynamics import DimensionEstimate, box_counting_dimension, correlation_dimension, lyapunov_spectrum
from pifs_sim.fractals import gallery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["chain", "main", "outputs", "row", "slopes"]

SETS = {"dust": gallery.cantor_dust(), "triangle": gallery.sierpinski()}
FARTHEST = 100.0  # sigma_T over k
ABOVE, BELOW = (5.0, 80.0), (0.05, 0.5)  # windows, in units of the noise


def _cloud(name: str, size: float, finest: float) -> Measure:
    """The set as points, one for each piece smaller than `finest` times the set."""
    if name == "dust":
        line = gallery.cantor().ifs.deterministic(np.full((1, 1), 0.5), math.ceil(-math.log(finest) / math.log(3)))
        return Product([PointCloud(size * line)] * 2)
    depth = math.ceil(-math.log2(finest))
    return PointCloud(size * SETS[name].ifs.deterministic(np.full((1, 2), 0.5), depth))


def chain(name: str, *, size: float = 1.0, steps: int = 40, noise: float = 0.01) -> Chain:
    """The chain on a set of extent `size`, down to a sigma of `noise` times that."""
    sigma = size * np.geomspace(noise, FARTHEST, steps + 1)
    return Chain(Schedule(np.arctan(sigma)), exact_denoiser(_cloud(name, size, noise)))


def outputs(system: Chain, count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Exact starts and where the chain takes them, (count, 2) each, by hundreds to keep arrays small."""
    starts = marginals(system, count, rng)[-1]
    return starts, np.concatenate([system.run(part) for part in np.array_split(starts, -(-count // 500))])


def window(ends: tuple[float, float], noise: float) -> tuple[float, float]:
    """Lengths, from multiples of the noise."""
    return ends[0] * noise, ends[1] * noise


def above(y: Any, noise: float) -> tuple[DimensionEstimate, DimensionEstimate]:
    """Correlation and box-counting dimensions above the noise."""
    lengths = window(ABOVE, noise)
    return correlation_dimension(y, window=lengths), box_counting_dimension(y, window=lengths)


def row(name: str, *, size: float, steps: int, noise: float, count: int, rng: np.random.Generator) -> dict[str, Any]:
    """What is counted of `count` outputs, and the exponents of a tenth of the orbits with their dimensions."""
    system = chain(name, size=size, steps=steps, noise=noise)
    starts, y = outputs(system, count, rng)
    found = lyapunov_spectrum(system, starts[: count // 10], steps)
    seen = above(y, noise * size)
    low, high = np.quantile(found.dimensions, [0.05, 0.95])
    data = above(_cloud(name, size, noise).sample(count, rng), noise * size)
    return {
        "set": name,
        "D": SETS[name].dimension,
        "k": size,
        "T": steps,
        "data: D_2": data[0].value,
        "D_0": data[1].value,
        "outputs: D_2 above": seen[0].value,
        "D_0 above": seen[1].value,
        "D_2 below": correlation_dimension(y, window=window(BELOW, noise * size)).value,
        "d_KY": found.kaplan_yorke.value,
        "+-": found.kaplan_yorke.stderr,
        "mean of orbits'": float(found.dimensions.mean()),
        "5-95 %": f"{low:.2f}-{high:.2f}",
        "exponents": " ".join(f"{value * steps:.3f}" for value in found.exponents),
    }


def slopes(lines: Mapping[str, Sequence[DimensionEstimate]], noise: float, title: str) -> Figure:
    """Local slopes of the correlation sums over the radius in units of the noise, a panel a set."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.3), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(lines), sharey=True))
    for axes, (name, estimates) in zip(panels, lines.items(), strict=True):
        for steps, estimate, colour in zip(STEPS, estimates, figures.COLOURS, strict=False):
            middle = np.sqrt(estimate.scales[1:] * estimate.scales[:-1]) / noise
            shown = estimate.counts[:-1] >= 400
            axes.semilogx(middle[shown], estimate.local_slopes[shown], color=colour, label=f"T = {steps}")
        for value, style in ((2.0, ":"), (float(SETS[name].dimension or 0), "--")):
            axes.axhline(value, color="grey", linestyle=style, linewidth=0.8)
        axes.set(xlabel="r/σ₀", ylim=(0, 2.6), title=name)
    panels[0].set_ylabel("d ln C/d ln r of the outputs")
    panels[0].legend(fontsize=7)
    figure.suptitle(title, fontsize=9)
    return figure


STEPS = (2, 5, 10, 40)
CASES = [(1.0, steps) for steps in STEPS] + [(3.0, 40), (7.0, 40), (15.0, 40)]


def main() -> None:
    """Count, print, and write the results and the local slopes (.svg beside them) if asked to."""
    options, noise, rows, lines = arguments(__doc__, rounds=1), 0.004, [], {}
    for name in SETS:
        for size, steps in CASES:
            rng = np.random.default_rng(1)
            rows.append(row(name, size=size, steps=steps, noise=noise, count=4000, rng=rng))
        systems = [chain(name, steps=steps, noise=noise) for steps in STEPS]
        lines[name] = [correlation_dimension(outputs(system, 8000, np.random.default_rng(2))[1]) for system in systems]
    fine = {found["set"]: found for found in rows if found["T"] == 40 and found["k"] == 1}
    facts = {
        "D_2 above the noise of the data and of outputs, T = 40": ", ".join(
            f"{name} {found['data: D_2']:.3f} and {found['outputs: D_2 above']:.3f}" for name, found in fine.items()
        ),
        "d_KY over all k": f"{min(found['d_KY'] for found in rows):.2f} to {max(found['d_KY'] for found in rows):.2f}",
    }
    title = "Outputs of chains on fractals, noise k/250"
    publish(rows, facts, title, options.output)
    if options.output:
        figures.save(slopes(lines, noise, title), options.output.with_suffix(".svg"))


if __name__ == "__main__":
    main()
