"""Four heuristics of noise schedules, judged by numbers: cosine offset, resolution shift, min-SNR, Align Your Steps.

`python -m experiments.heuristics` writes experiments/results/heuristics.md and heuristics.svg. Claims: cosine-offset,
resolution-shift, fixed-mode-shift, min-snr, align-your-steps, ays-density. Photographs: matplotlib's and, if it is
installed, scikit-image's.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Schedule, geometry, schedules
from pifs_sim.diffusion.design import (
    chain_error,
    dimension_growth,
    information_gain,
    min_snr_weight,
    optimal_schedule,
    variation,
)
from pifs_sim.diffusion.design.first_step import longest_first_step
from pifs_sim.diffusion.design.fits import FAMILIES, DensityFit, fit_family
from pifs_sim.diffusion.design.published import ALIGN_YOUR_STEPS, align_your_steps
from pifs_sim.diffusion.design.resolution import ModeSpectrum, best_shift, mode_spectrum
from pifs_sim.diffusion.spectra import default_photograph, patch_spectrum

__all__ = ["SCIKIT", "Offsets", "Shifts", "Weights", "main", "offsets", "photographs", "shifts", "tables", "weights"]

Array = npt.NDArray[np.float64]
SIZES = (16, 32, 64, 128, 256, 512)
_RESULTS = Path(__file__).with_name("results")
SCIKIT = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)


class Offsets(NamedTuple):
    """At each offset: KL and W_2 by those without, and L*_1 by the largest within the schedule's lam**."""

    steps: int
    offset: Array
    kl: Array
    w2: Array
    share: Array


class Shifts(NamedTuple):
    """Best logSNR shift of the 64-pixel optimum at each size, less that at 64, by metric; exponent p."""

    name: str
    power: float
    sizes: tuple[int, ...]
    kl: Array
    w2: Array

    def slope(self, metric: str) -> float:
        """Least-squares slope over the rule 2 ln(64/d): 1 where the rule is right."""
        rule = 2 * np.log(64 / np.array(self.sizes))
        return float(np.polyfit(rule, getattr(self, metric), 1)[0])


class Weights(NamedTuple):
    """Variation of weighted growth at each gamma, of information and of dimension; inf stands for no weight."""

    chain: str
    data: str
    gamma: Array
    information: Array
    dimension: Array


def photographs() -> dict[str, Path]:
    """Photographs that installed packages ship, by file name."""
    found = [default_photograph()]
    package = importlib.util.find_spec("skimage")
    if package is not None and package.origin is not None:
        folder = Path(package.origin).parent / "data"
        found += [folder / name for name in SCIKIT if (folder / name).is_file()]
    return {path.name: path for path in found}


def offsets(steps: int, offset: Array, lam: Array) -> Offsets:
    """The cosine schedule of `steps` steps at each offset, on data with variances `lam`."""
    chains = [schedules.cosine(steps, value) for value in offset.tolist()]
    plain = schedules.cosine(steps, 0.0)
    kl, w2 = (
        np.array([chain_error(chain, lam, objective=metric) for chain in chains])
        / chain_error(plain, lam, objective=metric)
        for metric in ("kl", "w2")
    )
    least = [geometry.contraction_threshold(chain)[0] for chain in chains]
    best = [geometry.contraction_threshold(longest_first_step(chain))[0] for chain in chains]
    return Offsets(steps, offset, kl, w2, np.array(least) / np.array(best))


def _shift(spectra: Mapping[int, ModeSpectrum], objective: Any, steps: int = 20) -> Array:
    lam, counts = spectra[64]
    ends: dict[str, Any] = {"sigma_min": 0.0, "sigma_max": np.inf}
    base = optimal_schedule(lam, steps, multiplicities=counts, objective=objective, **ends)
    found = {size: best_shift(base, *spectrum, objective=objective) for size, spectrum in spectra.items()}
    return np.array([shift - found[64] for shift in found.values()])


def shifts(name: str, spectra: Mapping[int, ModeSpectrum]) -> Shifts:
    """Best shifts on the spectra of one picture at several sizes, 64 among them."""
    variances = spectra[max(spectra)].variances[1 : max(spectra) // 2]
    power = -float(np.polyfit(np.log(np.arange(2, variances.size + 2)), np.log(variances), 1)[0])
    return Shifts(name, power, tuple(spectra), _shift(spectra, "kl"), _shift(spectra, "w2"))


def of_picture(path: Path) -> Shifts:
    """Best shifts for a photograph at the sizes that it has."""
    from PIL import Image

    with Image.open(path) as image:
        picture = np.asarray(image.convert("RGB")) / 127.5 - 1
    return shifts(path.name, {d: mode_spectrum(picture, d) for d in SIZES if d <= min(picture.shape[:2])})


def of_power(power: float) -> Shifts:
    """Best shifts for variances 0.01 d^2 k^-p on k modes, k = 1..d-1."""
    spectra = {}
    for d in SIZES:
        k = np.arange(1.0, d)
        spectra[d] = ModeSpectrum(0.01 * d**2 * k**-power, k)
    return shifts(f"k^-{power:g}", spectra)


def weights(chain: Schedule, data: str, lam: Array, gamma: Array) -> Weights:
    """Variation of w_t times information gain and growth of dimension, over the steps but the first, at each gamma."""
    information, dimension = information_gain(chain, lam)[1:], dimension_growth(chain, lam)[1:]
    rows = [min_snr_weight(chain, float(g))[1:] if np.isfinite(g) else np.ones(chain.steps - 1) for g in gamma]
    growths = [np.array([variation(row * growth) for row in rows]) for growth in (information, dimension)]
    return Weights(chain.name, data, gamma, *growths)


def _of_spectrum(table: Schedule, lam: Array, objective: Any, grid: Array) -> DensityFit:
    """Shares in the optimal density of a spectrum times a free factor, whose ln is the parameter."""
    ends: dict[str, Any] = {"sigma_min": float(table.sigma[0]), "sigma_max": float(table.sigma[-1])}

    def shares(log_factor: float) -> Array:
        fine = optimal_schedule(lam * np.exp(log_factor), 160, objective=objective, **ends)
        return np.diff(np.interp(table.logsnr[::-1], fine.logsnr[::-1], np.linspace(1, 0, 161)))[::-1] * -1

    uneven = [variation(shares(log_factor)) for log_factor in grid]
    best = float(grid[int(np.argmin(uneven))])
    return DensityFit(np.array([best]), shares(best), min(uneven))


def tables(lam: Array, log_factors: Array) -> dict[str, dict[str, DensityFit]]:
    """Fits of every family, and of the optimal densities of the spectrum times factors, to each published table."""
    found: dict[str, dict[str, DensityFit]] = {}
    for model in ALIGN_YOUR_STEPS:
        table = align_your_steps(model)  # type: ignore[arg-type]
        fits = {family: fit_family(table, family) for family in FAMILIES}  # type: ignore[arg-type]
        for metric in ("kl", "w2"):
            fits[f"photograph, {metric}"] = _of_spectrum(table, lam, metric, log_factors)
        found[model] = fits
    return found


def main() -> None:
    """Compute everything and write the page and the figure."""
    from experiments import figures, heuristics_page
    from experiments.figures.heuristics import heuristics

    lam = patch_spectrum(default_photograph(), 8).eigenvalues
    fine = np.unique([0.0, 0.008, *np.geomspace(1e-5, 0.1, 41)])
    by_offset = [offsets(steps, fine, lam) for steps in (50, 100, 1000)]
    pictures = [*map(of_picture, photographs().values()), *map(of_power, (1.0, 1.5, 2.0, 2.5, 3.0, 3.5))]
    gamma = np.concatenate([np.geomspace(1e-3, 1e4, 141), [5.0, np.inf]])
    makers = (schedules.linear, schedules.scaled_linear, schedules.cosine)
    laws = {
        "photograph": lam,
        "variance 0.1": np.array([0.1]),
        "variance 1": np.ones(1),
        "variance 10": np.full(1, 10.0),
    }
    by_gamma = [weights(make(1000), name, law, gamma) for name, law in laws.items() for make in makers]
    by_table = tables(lam, np.linspace(-8.0, 14.0, 89))
    page = heuristics_page.render(by_offset, pictures, by_gamma, by_table)
    (_RESULTS / "heuristics.md").write_text(page, encoding="utf-8")
    write = partial(figures.save, path=_RESULTS / "heuristics.svg")
    write(heuristics(by_offset, pictures, by_gamma, by_table))


if __name__ == "__main__":
    main()
