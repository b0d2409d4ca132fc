r"""The Jacobian is a posterior covariance
======================================

For every data law with its exact denoiser, the Jacobian of a step is

.. math:: J\Phi_t = \sqrt{v_s/v_t}\, I + |b_t|\, \bar\alpha_t\, v_t^{-3/2}\, \operatorname{Cov}(x_0 \,|\, x_t),

symmetric and positive semidefinite (``tweedie-jacobian``). So a step expands a direction exactly where the posterior is
still wide along it: half-way between two clusters.
"""

import numpy as np
from matplotlib.figure import Figure

from pifs_sim.diffusion import Chain, exact_denoiser, geometry, measures, schedules

law = measures.Mixture([0.4, 0.3, 0.3], [[-1.2, -0.6], [1.2, -0.6], [0.0, 1.3]], [0.04, 0.04, 0.04])
schedule = schedules.cosine(20)
chain = Chain(schedule, exact_denoiser(law))
t = 11
side = np.linspace(-2, 2, 121)
grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
spectrum = chain.jacobian(grid, schedule.steps - t).spectrum()

figure = Figure(figsize=(5.6, 4.3), layout="constrained")
axes = figure.subplots()
mesh = axes.pcolormesh(side, side, np.log(spectrum[:, 0]).reshape(121, 121), cmap="RdBu_r", vmin=-0.15, vmax=0.15)
figure.colorbar(mesh, label="ln of the largest eigenvalue of JΦ (red expands)")
axes.contour(side, side, np.log(spectrum[:, 0]).reshape(121, 121), levels=[0], colors="black", linewidths=1)
axes.plot(*(schedule.cos[t] * law.means).T, "k+", markersize=10)
axes.set(title=f"step t = {t} of 20, three clusters (+)", aspect="equal")
figure.set_label(
    "Map of the largest eigenvalue of a step's Jacobian in the plane: the ridges between three clusters expand, "
    "the surroundings of each cluster contract."
)

# %%
# Both sides of the formula, and the threshold on the posterior variance above which the step expands:

x = grid[::997]
s_s, s_t = schedule.sin[t - 1], schedule.sin[t]
cov = chain.denoiser.posterior_covariance(x, schedule.angles[t]).dense()
formula = s_s / s_t * np.eye(2) + abs(schedule.b[t - 1]) * schedule.alpha_bar[t] / s_t**3 * cov
print(f"largest difference {np.abs(chain.jacobian(x, schedule.steps - t).dense() - formula).max():.1e}")
widest = np.linalg.eigvalsh(cov)[:, -1]
expands = chain.jacobian(x, schedule.steps - t).spectrum()[:, 0] > 1
print(bool((expands == (widest > geometry.posterior_threshold(schedule)[t - 1])).all()))
