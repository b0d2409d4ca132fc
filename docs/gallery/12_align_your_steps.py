r"""Align Your Steps, explained
===========================

The published ten-step tables of Align Your Steps were found by optimisation on networks. If a table follows a density
of steps, its ten steps have equal shares of it. Which density? The paper suggests :math:`1/L^*`, steps where the
contraction threshold is small. The tables are *less* like that than like equal steps of :math:`\ln\sigma`. The optimal
density of Gaussian data with two variances fits two of them well; but so, nearly, does a log-polynomial with as many
parameters and no theory behind it (``align-your-steps``, refuted; ``ays-density``).
"""

import matplotlib
from matplotlib.figure import Figure

from experiments.figures.canvas import COLOURS, STYLE
from pifs_sim.diffusion import design

families = {
    "workload": "density 1/L*", "log-linear": "equal steps of ln σ", "karras": "Karras, best ρ",
    "one-scale": "one variance", "log-polynomial": "log-polynomial", "two-scale": "two variances",
}  # fmt: skip
with matplotlib.rc_context(STYLE):
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
for model, colour, mark in zip(("sd15", "sdxl", "svd"), COLOURS, "osD", strict=False):
    table = design.align_your_steps(model)
    uneven = [design.fit_family(table, family).variation for family in families]
    axes.plot(uneven, range(len(families)), mark, color=colour, label=model)
    print(model, dict(zip(families, [round(value, 3) for value in uneven], strict=True)))
axes.set_yticks(range(len(families)), list(families.values()))
axes.set(xlabel="coefficient of variation of the ten shares (0: that density)", xlim=(0, 1.3))
axes.invert_yaxis()
axes.legend()
figure.set_label(
    "How unevenly the steps of three published tables share six densities: 1/L* fits worst, near 1; two variances fit "
    "SD1.5 and SDXL best, near 0.07 and 0.08; none fits SVD."
)
