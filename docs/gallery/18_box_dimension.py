r"""A dimension with its interval
=============================

The standard error of a least-squares slope is not the error of a dimension. An estimate comes with the range over all
admissible windows of scales, and with its local slopes: read those. For the Hénon attractor a box-counting dimension
of about 1.26 is accepted.
"""

import numpy as np

from experiments import figures
from pifs_sim.dynamics import box_counting_dimension, catalogue, correlation_dimension

henon = catalogue.henon()
x = henon.x0(200, np.random.default_rng(0))
points = []
for n in range(1100):
    x = henon.system.step(x, n)
    if n >= 100:
        points.append(x)
cloud = np.concatenate(points)
estimates = {"boxes": box_counting_dimension(cloud), "pairs": correlation_dimension(cloud[:10_000])}
figure = figures.local_slopes(estimates, "the Hénon attractor, 200 000 points")
figure.set_label(
    "Local slopes of the Hénon attractor's box counts and pair counts over the scale, wandering around 1.2 to 1.3, "
    "with the ranges of both estimates as bands."
)
