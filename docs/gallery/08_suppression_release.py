r"""Suppression, and when a patch is released
=========================================

:math:`S_k` is by how much a step stretches patch :math:`k` less than a Gaussian of the same patch covariance would.
Its mean over the exact marginals is never negative (``mean-suppression``); its value at a point can be. A patch is
*released* at the largest :math:`t` at which its margin :math:`1 - E\langle v_k, [J\Phi_t]_{kk} v_k\rangle` turns
negative: from there on it expands, in one run of steps, and towards the data it contracts.
"""

import numpy as np

from experiments import figures
from experiments.laws import fitted
from pifs_sim.diffusion import (
    Chain,
    exact_denoiser,
    leading_directions,
    marginals,
    rayleigh_quotients,
    release_windows,
    schedules,
    spectra,
    suppression,
)  # fmt: skip

law = fitted("points", spectra.default_photograph(), 8, across=2)
chain = Chain(schedules.cosine(30), exact_denoiser(law.measure))
x = marginals(chain, 24, np.random.default_rng(0))
directions = leading_directions(law.measure.covariance, law.patches).directions
margins = 1 - rayleigh_quotients(chain, x, directions).mean(axis=1)
S = suppression(chain, x, law.patches)

figure, (top, bottom) = figures.canvas(5.2, rows=2)
t = np.arange(1, 31)
top.fill_between(t, S.min(axis=(1, 2)), S.max(axis=(1, 2)), color=figures.COLOURS[0], alpha=0.15, linewidth=0)
top.plot(t, S.mean(axis=(1, 2)), color=figures.COLOURS[0], label="mean, and range over points and patches")
top.axhline(0, color="black", linewidth=0.8)
top.set(ylabel="suppression S", ylim=(-0.15, 0.45))
top.legend(loc="upper right")
for k, (colour, windows) in enumerate(zip(figures.COLOURS, release_windows(margins), strict=False)):
    bottom.plot(
        t[1:-1],
        margins[1:-1, k],
        color=colour,
        label=f"patch {k}: expands at t = {windows[0].last}..{windows[-1].first}",
    )
bottom.axhline(0, color="black", linewidth=0.8)
bottom.set(xlabel="step t  (clean → noise)", ylabel="margin", ylim=(-0.08, 0.3))
bottom.legend(fontsize=8)
figure.set_label(
    "Above, the mean suppression of patches of a photograph's windows is positive at every step while its range dips "
    "below zero. Below, the margins of four patches: negative on the noisy half, positive towards the data."
)
print(f"least mean {S.mean(axis=(1, 2)).min():.1e}, least value {S.min():.2f}")
