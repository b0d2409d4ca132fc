"""Torch modules whose Jacobian is known exactly: the exact denoisers, point by point, and linear maps."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from pifs_sim.diffusion.measures import Mixture


def _tensor(values):
    return torch.as_tensor(np.array(values, dtype=np.float64))


class LinearModule(nn.Module):
    """x -> A x, whatever the angle."""

    def __init__(self, matrix):
        super().__init__()
        self.register_buffer("matrix", _tensor(matrix))

    def forward(self, x, _):
        return x @ self.matrix.T


class MixtureModule(nn.Module):
    """The exact noise estimate of a mixture of normal laws with covariances (K, d, d), or of a Gaussian."""

    def __init__(self, weights, means, covariances):
        super().__init__()
        values, vectors = np.linalg.eigh(np.asarray(covariances))
        parts = {"weights": weights, "means": means, "values": np.maximum(values, 0.0), "vectors": vectors}
        for name, part in parts.items():
            self.register_buffer(name, _tensor(part))

    def forward(self, x, angle):
        cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        total = self.values * cos[:, :, None] ** 2 + sin[:, :, None] ** 2  # (B, K, d)
        turned = torch.einsum("bkd,kde->bke", x[:, None] - cos[:, :, None] * self.means, self.vectors)
        logits = torch.log(self.weights) - 0.5 * (turned**2 / total + torch.log(total)).sum(dim=2)
        chances = torch.log_softmax(logits, dim=1).exp()  # quicker in forward mode than softmax
        return sin * torch.einsum("bk,bke,kde->bd", chances, turned / total, self.vectors)


def gaussian_module(law):
    """The exact noise estimate of a Gaussian."""
    return MixtureModule([1.0], law.mean[None], law.covariance[None])


class AttentionModule(nn.Module):
    """The exact data estimate of a cloud of points: attention of x to them, as `scaled_dot_product_attention`."""

    def __init__(self, points, weights):
        super().__init__()
        self.register_buffer("points", _tensor(points))
        self.register_buffer("bias", _tensor(np.log(weights)))

    def forward(self, x, angle):
        cos, variance = torch.cos(angle)[:, None], torch.sin(angle)[:, None] ** 2
        query = (cos / variance * x)[:, None, None, :]  # (B, heads, queries, d)
        mask = self.bias - cos**2 / variance * (self.points**2).sum(dim=1) / 2
        points = self.points.expand(x.shape[0], 1, *self.points.shape)
        mask = mask[:, None, None, :]
        return functional.scaled_dot_product_attention(query, points, points, attn_mask=mask, scale=1.0)[:, 0, 0]


def blocks_with(norms, patches, rng):
    """A matrix whose block (k, j) has the largest singular value norms[k, j] and others below it, from rotations."""
    n, count = patches.length, patches.count
    out = np.zeros((patches.dim, patches.dim))
    for k in range(count):
        for j in range(count):
            left, right = (np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(2))
            values = norms[k, j] * np.concatenate([[1.0], rng.uniform(0, 0.95, n - 1)])
            out[np.ix_(patches.indices[k], patches.indices[j])] = (left * values) @ right
    return out


def exact_mixture(rng, *, dim, count=3):
    """A mixture of normal laws with full covariances, and its exact noise estimate as a module."""
    A = rng.standard_normal((count, dim, dim))
    law = Mixture(rng.dirichlet(np.ones(count)), rng.standard_normal((count, dim)), A @ A.transpose(0, 2, 1) / dim)
    return law, MixtureModule(law.weights, law.means, law.covariances)
