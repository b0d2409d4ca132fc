"""Data laws with exact moments, whose posterior under Gaussian noise is known in closed form.

    Gaussian       N(mean, covariance)
    Mixture        sum_k w_k N(mu_k, C_k), with scalar, diagonal or full covariances
    PointCloud     sum_i w_i delta(y_i), the empirical law
    ScaleMixture   sum_k w_k N(mean, scales_k * base), a model of natural-image patches
    Product        independent laws side by side

Each has `dim`, `mean` (d,), `covariance` (d, d) and `sample(n, rng)` (n, d). Variances may be 0.
"""

from pifs_sim.diffusion.measures.gaussian import Gaussian
from pifs_sim.diffusion.measures.measure import Measure
from pifs_sim.diffusion.measures.mixture import Mixture
from pifs_sim.diffusion.measures.point_cloud import PointCloud
from pifs_sim.diffusion.measures.product import Product
from pifs_sim.diffusion.measures.scale_mixture import ScaleMixture

__all__ = ["Gaussian", "Measure", "Mixture", "PointCloud", "Product", "ScaleMixture"]


def __dir__() -> list[str]:
    return list(__all__)
