r"""Which variances a step expands
==============================

On Gaussian data the DDIM step from :math:`t` to :math:`t-1` multiplies a direction of variance :math:`\lambda` by the
diagonal expansion function :math:`f_t(\lambda)`. It is larger than 1 exactly above the step threshold
:math:`\lambda^*_t`. No model is needed: a schedule alone decides.
"""

from experiments import figures
from pifs_sim.diffusion import geometry, schedules

cosine = schedules.cosine(1000)
figure = figures.expansion_map(cosine)
figure.set_label(
    "Logarithm of the expansion over time and variance: red above the curve of step thresholds, blue below. The curve "
    "is lowest in the middle of the chain and rises at both ends."
)

# %%
# The threshold is not monotone in :math:`t`: a direction slightly wider than the least threshold expands in a window
# of steps only.

threshold = geometry.step_threshold(cosine)
print(f"least {threshold.min():.6f} at t = {threshold.argmin() + 1}; at t = 1: {threshold[0]:.3f}")
