r"""Two chains from one noise
=========================

A diffusion model and a fractal decoder are both a rule :math:`x_{n+1} = f(x_n, n)`, iterated from noise until an image
is left. Above, forty DDIM steps with the exact denoiser of a cloud of points, which are 600 shifted views of one
photograph: the chain ends in one of them. Below, the decoder of the same picture, coded as a partitioned iterated
function system (a PIFS): each block of the image is a shrunken, dimmed copy of a larger block elsewhere in it.

Both start from the same noise, and both are a ``System`` with a tangent map, so that one engine measures both.
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.laws.windows import grey, views
from pifs_sim import fractals
from pifs_sim.diffusion import Chain, exact_denoiser, measures, schedules, spectra
from pifs_sim.dynamics import lyapunov_spectrum

rng = np.random.default_rng(4)
points = views(grey(spectra.default_photograph()), 64, reach=8, most=600, rng=rng)
noise = rng.standard_normal((1, 64 * 64))

# %%
# The diffusion chain, and the rows of its trajectory that are shown.

chain = Chain(schedules.cosine(40), exact_denoiser(measures.PointCloud(points)))
shown = [40, 32, 26, 20, 14, 8, 0]
diffusion = chain.trajectory(noise, at=shown)[:, 0].reshape(-1, 64, 64)

# %%
# The decoder: the image that the chain ended in is coded in 1 kB, and decoded from the chain's own noise.

image = np.clip((diffusion[-1] + 1) / 2, 0, 1)
code = fractals.encode(image, 4, domain_step=4)
start = np.clip(noise.reshape(64, 64) / 4 + 0.5, 0, 1)
decoded = [code.decode(start, iterations) for iterations in (0, 1, 2, 3, 4, 6, 12)]

# %%
# The picture, and the largest Lyapunov exponent of the decoder: how fast it forgets where it started.

figure = Figure(figsize=(8.4, 2.75))
grid = figure.subplots(2, 7, gridspec_kw={"wspace": 0.06, "hspace": 0.22})
figure.subplots_adjust(left=0.075, right=0.995, top=0.93, bottom=0.02)
for column, (t, iteration) in enumerate(zip(shown, (0, 1, 2, 3, 4, 6, 12), strict=True)):
    grid[0, column].imshow(diffusion[column], cmap="gray", vmin=-1 - 1.5 * (t > 30), vmax=1 + 1.5 * (t > 30))
    grid[1, column].imshow(decoded[column], cmap="gray", vmin=0, vmax=1)
    grid[0, column].set_title(f"t = {t}", fontsize=9, pad=3)
    grid[1, column].set_title(f"n = {iteration}", fontsize=9, pad=3)
for axes in grid.flat:
    axes.set_axis_off()
figure.text(0.012, 0.72, "diffusion", rotation=90, va="center", fontsize=10)
figure.text(0.012, 0.24, "fractal decoder", rotation=90, va="center", fontsize=10)
figure.set_label(
    "Two rows of seven images, both from the same noise on the left to the same portrait on the right. Above: DDIM "
    "steps 40 to 0 of a diffusion chain. Below: iterations 0 to 12 of the decoder of a fractal code of the portrait."
)

found = lyapunov_spectrum(code, start.reshape(1, -1), 60, k=1, transient=40)
print(f"{fractals.psnr(image, code.decode()):.1f} dB at {code.rate:.2f} bits per pixel")
print(f"largest exponent {found.exponents[0]:.3f} per step")
