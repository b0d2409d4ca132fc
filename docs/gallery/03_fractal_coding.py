r"""A photograph as a fractal
=========================

Each 8 × 8 block of the picture is described by a 16 × 16 block elsewhere: shrink it, turn it, scale its contrast by
:math:`s` with :math:`|s| < 1`, shift its brightness. These few numbers are all that is stored. The decoder iterates
the block map from any start; the error falls at least by :math:`\max|s|` a step (the claims ``collage`` and
``patch-contraction``).
"""

import numpy as np
from matplotlib.figure import Figure

from experiments.laws.windows import grey
from pifs_sim import fractals
from pifs_sim.diffusion import spectra

image = (grey(spectra.default_photograph())[20:276, 120:376] + 1) / 2
code = fractals.encode(image, 8, search="kdtree")
limit = code.decode()

figure = Figure(figsize=(7.4, 2.2))
panels = figure.subplots(1, 5, gridspec_kw={"wspace": 0.05})
figure.subplots_adjust(0.01, 0.01, 0.99, 0.88)
for axes, n in zip(panels[:4], (0, 1, 2, 5), strict=True):
    axes.imshow(code.decode(np.zeros(image.shape), n), cmap="gray", vmin=0, vmax=1)
    axes.set_title(f"{n} steps from black", fontsize=9)
panels[4].imshow(image, cmap="gray", vmin=0, vmax=1)
panels[4].set_title("the photograph", fontsize=9)
for axes in panels:
    axes.set_axis_off()
figure.set_label("A portrait appears from black in 1, 2 and 5 steps of its fractal code, beside the photograph.")

# %%
# How far the image, the decoded image and the bound are apart, in the largest pixel:

found = code.collage(image)
print(f"{fractals.psnr(image, limit):.1f} dB at {code.rate:.2f} bits per pixel")
print(f"distance {found.distance:.3f}, collage error {found.error:.3f}, bound {found.bound:.3f}")

# %%
# The error of the decoder over its steps, and the rate that the contrasts promise.

from experiments import figures

curve, axes = figures.canvas(3.2)
steps = np.arange(25)
errors = [np.abs(code.decode(np.zeros(image.shape), n) - limit).max() for n in steps]
axes.semilogy(steps, errors, "o-", markersize=3.5, label="largest error of a pixel")
axes.semilogy(steps, errors[0] * np.abs(code.contrasts).max() ** steps, "--", label="promised by the largest contrast")
axes.set(xlabel="decoder step n", ylabel="distance to the limit")
axes.legend()
curve.set_label("The decoder's error falls by many powers of ten in 24 steps, faster than the bound.")
