r"""A fern and a triangle
=====================

An iterated function system is a handful of maps :math:`x \mapsto A_i x + b_i`. Its attractor is the only compact set
that is the union of its own images (Hutchinson). The chaos game draws it: apply a map chosen at random, again and
again. Only of similarities is the dimension a root of Moran's equation, :math:`\sum_i r_i^D = 1`; for the fern there
are bounds.
"""

import math

from matplotlib.figure import Figure

from pifs_sim.fractals import gallery, log_density

figure = Figure(figsize=(7, 3.6), layout="constrained")
for axes, name in zip(figure.subplots(1, 2), ("barnsley_fern", "sierpinski"), strict=True):
    entry = gallery.get(name)
    counts = entry.ifs.histogram(2_000_000, bins=500)
    axes.imshow(log_density(counts).T[::-1], cmap="Greens", aspect="auto" if name == "barnsley_fern" else "equal")
    low, high = entry.bounds
    known = f"D = {entry.dimension:.6f}" if entry.dimension is not None else f"{low:.0f} ≤ D ≤ {high:.4f}"
    axes.set_title(f"{name.replace('_', ' ')}: {known}", fontsize=10)
    axes.set_axis_off()
figure.set_label(
    "Left, Barnsley's fern, of dimension between 1 and 1.84; right, Sierpinski's triangle, of dimension 1.585. "
    "Dark where the chaos game goes often."
)

# %%
# The root of Moran's equation, to a few roundings, and the exact value:

print(gallery.get("sierpinski").ifs.similarity_dimension().value, math.log(3, 2))
