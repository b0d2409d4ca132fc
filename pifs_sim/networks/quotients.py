"""Along the leading direction of each patch of the data: quotients of a step's Jacobian, and suppression.

With the data's Sigma_kk v_k = lam_k v_k leading, q_kt(x) = <v_k, [J Phi_t]_kk v_k> takes one vector a patch, all in
one product; against the patchwise Gaussian S_kt = f_t(lam_k) - q_kt exactly (`diffusion.suppression`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion import Leading
from pifs_sim.dynamics import Patches

__all__ = ["patch_directions", "patch_quotients"]

Array = npt.NDArray[np.float64]


def patch_directions(data: npt.ArrayLike, patches: Patches) -> Leading:
    """The leading eigenpair of the covariance of each patch of a data set: what a fitted patchwise Gaussian has.

    The covariance is that of the empirical law, sum (x - mean)(x - mean)^T/N. It is never formed over all d.

    Args:
        data: (N, d), at least 2 points.
        patches: M patches of the d coordinates.

    Raises:
        ValueError: another d, or fewer than 2 points.
    """
    points = np.asarray(data, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != patches.dim or len(points) < 2:
        raise ValueError(f"`data` must have shape (N, {patches.dim}) with N >= 2, got {points.shape}.")
    parts = patches.split(points - points.mean(axis=0))  # (N, M, n)
    values, directions = np.empty(patches.count), np.zeros((patches.dim, patches.count))
    for k, indices in enumerate(patches.indices):
        own = parts[:, k]
        eigenvalues, vectors = np.linalg.eigh(own.T @ own / len(own))
        values[k], directions[indices, k] = eigenvalues[-1], vectors[:, -1]
    return Leading(values, directions)


def patch_quotients(operator: Any, directions: npt.ArrayLike) -> Array:
    """<v_k, A v_k> for the columns v_k of `directions`, (B, M).

    Args:
        operator: a batch of B operators on d coordinates.
        directions: (d, M) unit vectors.
    """
    U = np.asarray(directions, dtype=np.float64)
    found: Array = np.einsum("dm,bdm->bm", U, np.asarray(operator @ np.broadcast_to(U, (operator.shape[0], *U.shape))))
    return found
