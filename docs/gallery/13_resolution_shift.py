r"""The resolution shift, and where it holds
========================================

"Shift all logSNR by :math:`2\ln(64/d)` at :math:`d` pixels": exact for a fixed set of modes. But each octave of
resolution brings new ones, which want no shift. On spectra :math:`1/k^p` KL asks for :math:`1 - p/2` of the rule,
so for none of it at :math:`p = 2`, near which photographs lie; :math:`W_2` asks for a half and more.
"""

import numpy as np

from experiments import figures
from pifs_sim.diffusion import design

sizes = (32, 64, 128)


def slope(p: float, objective: str) -> float:
    """Best shift from 32 to 128 pixels, as a share of the rule."""
    found = []
    for d in sizes:
        k = np.arange(1.0, d)
        variances = 0.01 * d**2 * k**-p  # on k modes each
        if d == 32:
            base = design.optimal_schedule(
                variances, 12, multiplicities=k, objective=objective, sigma_min=0, sigma_max=np.inf
            )
        found.append(design.best_shift(base, variances, multiplicities=k, objective=objective))
    return (found[-1] - found[0]) / (2 * np.log(sizes[0] / sizes[-1]))


powers = np.array([1.0, 1.5, 2.0, 2.5, 3.0])
figure, axes = figures.canvas()
for objective, label, colour in (("kl", "KL", figures.COLOURS[0]), ("w2", "W₂", figures.COLOURS[1])):
    axes.plot(powers, [slope(p, objective) for p in powers], "o-", color=colour, label=f"{label}, measured")
axes.plot(powers, 1 - powers / 2, "--", color="black", linewidth=1, label="1 − p/2")
axes.axhline(1, color="black", linewidth=0.8)
axes.text(1.02, 1.03, "the rule 2 ln(64/d)", fontsize=9)
axes.set(xlabel="exponent p of the spectrum", ylabel="best shift / rule", ylim=(-0.7, 1.2))
axes.legend(loc="lower left")
figure.set_label(
    "Best shift as a share of the rule over the exponent of the spectrum. KL falls along the line 1 - p/2, from a half "
    "at p = 1 through zero at p = 2; W2 stays between one half and 0.9. The rule itself is the line at 1."
)
