r"""Two regimes, and what is left of them
=====================================

The paper describes two regimes: at high noise patches expand through their coupling :math:`\delta` while
:math:`\kappa \approx 1`; at low noise :math:`\kappa` grows. Here the steps' Jacobians are exact, for two laws fitted
to aligned views of one photograph. The first half is there: on the noisy half :math:`\kappa` stays within 3 % of 1
while :math:`\delta` grows to 0.1. The second is not: towards low noise :math:`\kappa` *falls* here. In the limit it
tends to :math:`r_t`, a little above 1, for a density, and to :math:`\sin\varphi_s/\sin\varphi_t < 1` for points (the
claims ``two-regimes`` and ``low-noise-expansion``).
"""

import numpy as np

from experiments import figures
from experiments.laws import fitted
from pifs_sim.diffusion import Chain, ensemble_mean, exact_denoiser, marginals, patch_contraction, schedules, spectra

chain_of = schedules.cosine(20)
figure, (top, bottom) = figures.canvas(5.2, rows=2)
for colour, name in zip(figures.COLOURS, ("scale-mixture", "points"), strict=False):
    law = fitted(name, spectra.default_photograph(), 4, across=2, aligned=True)
    chain = Chain(chain_of, exact_denoiser(law.measure))
    norms = patch_contraction(chain, marginals(chain, 12, np.random.default_rng(0)), law.patches)
    time = np.arange(1, 21) / 20
    for axes, values in ((top, norms.kappa), (bottom, norms.delta)):
        mean, error = ensemble_mean(values)
        axes.plot(time, mean, color=colour, label=name)
        axes.fill_between(time, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.2, linewidth=0)
top.axhline(1, color="black", linewidth=0.8)
top.set(ylabel="κ: own block", ylim=(0.6, 1.05), title="four patches of 4 × 4 pixels, 20 steps")
top.legend()
bottom.set(xlabel="t / T  (clean → noise)", ylabel="δ: coupling", ylim=(0, 0.8))
figure.set_label(
    "Above, the norm of a patch's own block: just above 1 on the noisy half and falling below 1 towards the data, for "
    "a scale mixture and for a cloud of points. Below, the coupling, near zero at pure noise and growing."
)
