"""How near is the collage bound |x - W x|/(1 - s) to the true distance |x - x*|, and its identity along a chain?

Falsifier: a coded image (maximum norm, s = max |s_k|) or a random PIFS (block-max norm, s its row sum) that is further
from its fixed point than the bound; or a chain's step with E|x_s - Phi_t(x_t)|^2 unlike sin^2 Delta_t E|v - v_hat|^2,
x_0 and eps the same in x_t and x_s: there the bound is attained, but it bounds one step, not the distance to a fixed
point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from experiments import figures
from experiments.study import Row, Scalar, Verdict
from pifs_sim.diffusion import Chain, exact_denoiser, schedules
from pifs_sim.diffusion.measures import Mixture
from pifs_sim.diffusion.spectra import default_photograph
from pifs_sim.dynamics import block_norms

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CLAIMS", "GRIDS", "NAME", "TOLERANCE", "VERSION", "plot", "run", "verdict"]

NAME = "collage_tightness"
VERSION = 1
CLAIMS = ("collage", "collage-identity")
_KINDS = ["image", "hard PIFS", "soft PIFS", "chain"]
GRIDS = {
    "smoke": {"kind": _KINDS, "level": [0.5, 0.95], "size": [4], "draws": [4]},
    "paper": {"kind": _KINDS, "level": [0.25, 0.5, 0.75, 0.9, 0.95, 0.98], "size": [4, 8], "draws": [16]},
}
TOLERANCE = 1e-6
_SIDE = 64  # of a piece of the photograph
_RANGES = 16  # of a random PIFS
_STEPS = 20

Array = npt.NDArray[np.float64]


def _piece(rng: np.random.Generator) -> Array:
    """A square of the photograph in grey, in [0, 1], at a place that is drawn."""
    with Image.open(default_photograph()) as image:
        grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
    row, column = (int(rng.integers(length - _SIDE + 1)) for length in grey.shape)
    return grey[row : row + _SIDE, column : column + _SIDE]


def _of_image(level: float, size: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """s, the bound and the distance of a piece that is coded with contrasts up to `level`."""
    from pifs_sim.fractals import encode  # 0.2 s to import, and only needed here

    piece = _piece(rng)
    found = encode(piece, size, contrast_limit=level).collage(piece)
    return found.factor, found.bound, found.distance


def _of_pifs(pairing: Literal["hard", "soft"], level: float, size: int, rng: np.random.Generator) -> Any:
    """The same of a random PIFS, at a point with normal coordinates about its fixed point."""
    from pifs_sim.fractals import random_pifs  # 0.2 s to import, and only needed here

    pifs = random_pifs(_RANGES, size, norm=level, pairing=pairing, rng=rng)
    x = pifs.fixed_point + rng.standard_normal(pifs.dim)
    factor = float(block_norms(pifs.matrix, pifs.patches).row_sum[0])

    def norm(y: Array) -> float:
        return float(np.linalg.norm(pifs.patches.split(y[None]), axis=2).max())

    return factor, norm(x - pifs.step(x[None], 0)[0]) / (1 - factor), norm(x - pifs.fixed_point)


def _of_chain(level: float, size: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """sin Delta, sin Delta |v - v_hat| and |x_s - Phi_t(x_t)| in the root mean square, for every step.

    The data are a mixture of four normals in `size` dimensions, with the share `level` of the variance within them.
    """
    means = np.sqrt(1 - level) * rng.standard_normal((4, size))
    measure = Mixture(np.full(4, 0.25), means, np.full(4, level))
    chain = Chain(schedules.cosine(_STEPS, 0.0, max_beta=None), exact_denoiser(measure))
    cos, sin, found = chain.schedule.cos, chain.schedule.sin, []
    for t in range(1, chain.length + 1):
        data, noise = measure.sample(200, rng), rng.standard_normal((200, size))
        x, earlier = cos[t] * data + sin[t] * noise, cos[t - 1] * data + sin[t - 1] * noise
        posterior: Any = chain.denoiser.posterior(x, float(chain.schedule.angles[t]))
        velocity = cos[t] * (noise - posterior.noise) - sin[t] * (data - posterior.mean)
        turn = float(np.sin(chain.schedule.increments[t - 1]))
        apart = earlier - chain.step(x, chain.length - t)
        own, whole = (float(np.sqrt((error**2).sum(axis=1).mean())) for error in (velocity, apart))
        found.append((turn, turn * own, whole))
    return found


def run(*, kind: str, level: float, size: int, draws: int, rng: np.random.Generator) -> list[dict[str, Scalar]]:
    """Bound and distance, a row for each draw, or for each step of a chain."""
    found: list[Any] = []
    if kind == "chain":
        found = _of_chain(level, size, rng)
    for _ in range(draws if kind != "chain" else 0):
        if kind == "image":
            found.append(_of_image(level, size, rng))
        else:
            found.append(_of_pifs("hard" if kind == "hard PIFS" else "soft", level, size, rng))
    return [
        {"factor": factor, "bound": bound, "distance": distance, "tightness": distance / bound}
        for factor, bound, distance in found
    ]


def verdict(rows: Sequence[Row]) -> Verdict:
    """Confirmed if no distance exceeds its bound and every step of a chain attains its own, to 1e-9."""
    ratio = {kind: [float(row["tightness"]) for row in rows if row["kind"] == kind] for kind in _KINDS}
    chain = max(abs(value - 1) for value in ratio["chain"])
    others = [value for kind in _KINDS if kind != "chain" for value in ratio[kind]]
    told = ", ".join(
        f"{kind} {float(np.median(ratio[kind])):.3f} ({min(ratio[kind]):.3f} to {max(ratio[kind]):.3f})"
        for kind in _KINDS
        if kind != "chain"
    )
    most = max({float(row["level"]) for row in rows})
    error = [float(row["tightness"]) / (1 - float(row["factor"])) for row in rows if row["kind"] != "chain"]
    tight = [float(row["tightness"]) for row in rows if row["kind"] == "image" and row["level"] == most]
    text = (
        f"Distance over bound, median (and range): {told}; of images with contrasts up to {most:g} "
        f"it is {float(np.median(tight)):.3f}. That is about 1 - s: in the median the "
        f"distance is {float(np.median(error)):.2f} of the collage error. The one-step identity "
        f"holds to {chain:.1g} along the chains."
    )
    numbers = {f"median of {kind}": float(np.median(ratio[kind])) for kind in _KINDS}
    numbers |= {"distance over error": float(np.median(error)), "largest": max(others), "off the identity": chain}
    return Verdict("confirmed" if max(others) <= 1 + 1e-9 and chain <= 1e-9 else "refuted", text, numbers)


def plot(rows: Sequence[Row]) -> Figure:
    """Distance over bound against s, of every draw; a chain's steps lie at 1."""
    figure, axes = figures.canvas(4.2)
    for kind, colour in zip(_KINDS, figures.COLOURS, strict=False):
        mine = [row for row in rows if row["kind"] == kind and kind != "chain"]
        factor, ratio = ([row[name] for row in mine] for name in ("factor", "tightness"))
        if mine:
            axes.plot(factor, ratio, "o", color=colour, markersize=2.5, label=kind)
    axes.axhline(1, color="black", linewidth=0.8, label="bound; attained by the chain's identity")
    axes.plot([0, 1], [1, 0], "--", color="black", linewidth=0.8, label="distance = collage error")
    axes.set(xlabel="contraction factor s", ylabel="distance / bound", ylim=(0, 1.08))
    axes.legend(fontsize=7)
    return figure
