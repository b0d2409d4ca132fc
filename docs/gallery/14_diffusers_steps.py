r"""What a sampler does with its grid
=================================

A configuration means a schedule; a scheduler class makes steps. The two can differ: with ``trailing`` spacing
diffusers' DDIM class leaves the sample at :math:`t - 1000 // n`, not at the next grid point, whenever :math:`n` does
not divide 1000. ``exchange`` reads both from the configuration, without torch and without diffusers.
"""

from experiments import figures
from pifs_sim.diffusion import exchange

config = {"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "clip_sample": False}
for found in exchange.discrepancies(config, 7):
    print(found.text)

does = exchange.diffusers_steps(config, 7)
figure, axes = figures.canvas(3.2)
calls = range(6)
axes.bar(calls, (does.next_angle[:-1] - does.angle[1:]) * 1e3, color=figures.COLOURS[1], width=0.6)
axes.axhline(0, color="black", linewidth=0.8)
axes.set(xlabel="model call, the noisiest first", ylabel="error of the next angle, 1e-3 rad")
figure.set_label("Errors of the angle at which six of seven DDIM steps leave the sample, in thousandths of a radian.")
