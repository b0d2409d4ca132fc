r"""The Moran root of a schedule
============================

The exponent of the whole chain along a variance, :math:`\Lambda(\lambda) = \sum_t \ln f_t(\lambda)`, crosses zero once:
at the global expansion threshold :math:`\lambda^{**}`, the root of the discrete Moran equation
:math:`\prod_t f_t(\lambda) = 1`. It always exceeds 1 (proved for every schedule), by about
:math:`\sum_t \Delta_t^2/(v_T - v_0)`, and no schedule from 0 to :math:`\pi/2` has a smaller one than
:math:`\sec(\pi/2T)^{2T}`.
"""

import math

from experiments import figures
from pifs_sim.diffusion import geometry, schedules

chains = [schedules.linear(1000), schedules.cosine(1000), schedules.uniform_angle(1000)]
figure = figures.exponents(chains)
figure.set_label(
    "Exponent of three chains of 1000 steps over the variance. Above, all three look alike, negative below 1 and "
    "positive above; enlarged below, they cross zero at 1.0038 (linear) and 1.0025 (cosine, uniform angles)."
)

# %%
# The paper reports 1.0024 "on the CIFAR-10 training chain", which is linear; that is the value of the cosine chains.
# At the other end, one step to pure noise has no root at all:

for chain in chains:
    print(f"{chain.name:28} {geometry.moran_threshold(chain):.9f}")
print("least possible, T = 1000     ", f"{1 / math.cos(math.pi / 2000) ** 2000:.9f}")
print("one step from pi/2           ", geometry.moran_threshold(schedules.uniform_angle(1)))
