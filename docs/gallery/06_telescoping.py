r"""The telescoping product
=======================

Turn the plane by the variance: :math:`\psi_t = \operatorname{atan2}(\sin\varphi_t, \sqrt\lambda \cos\varphi_t)`. Then
the factors of a chain telescope,

.. math:: \prod_t f_t(\lambda) = \sqrt{N_0/N_T} \; \prod_t \cos(\psi_t - \psi_{t-1}).

The first factor is what the exact flow does. The product of cosines, :math:`c(\lambda) \le 1`, is the whole
discretisation error of DDIM: every step loses a little of the spread, and none can give it back.
"""

import numpy as np

from experiments import figures
from pifs_sim.diffusion import geometry, schedules

lam = np.geomspace(1e-3, 1e3, 241)
figure, axes = figures.canvas()
for colour, steps in zip(figures.COLOURS, (5, 10, 20, 50), strict=False):
    chain = schedules.uniform_angle(steps)
    flow = -0.5 * np.log(chain.noise_variance[-1] / lam)  # N_0 = lam at the clean end, N_T = 1
    c = np.exp(geometry.lyapunov_exponent(chain, lam) - flow)
    psi = np.arctan2(chain.sin[:, None], np.sqrt(lam) * chain.cos[:, None])
    product = np.cos(np.diff(psi, axis=0)).prod(axis=0)
    axes.semilogx(lam, product, color=colour, label=f"T = {steps}")
    axes.semilogx(lam[::20], c[::20], "o", color=colour, markersize=4)
    print(f"T = {steps:2}: largest difference of the two sides {np.abs(c - product).max():.1e}")
axes.set(xlabel="variance λ", ylabel="c(λ)", ylim=(0, 1.03), title="lines: product of cosines; dots: the chain")
axes.legend(loc="lower center")
figure.set_label(
    "The discretisation factor c over the variance for 5 to 50 equal steps of the angle: close to 1 around variance 1 "
    "and falling to both sides, less so with more steps. Dots from the chain's exponents lie on the lines."
)
