"""Entropies of attention maps, seen without touching the network."""

import math

import numpy as np
import pytest
from scipy.special import entr

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from pifs_sim.diffusion import exact_denoiser, measures  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.attention import AttentionRecorder, attention_entropies  # noqa: E402
from tests.networks.exact import AttentionModule, LinearModule  # noqa: E402


def _maps(query, key, scale, mask=None):
    logits = np.einsum("bhqd,bhkd->bhqk", query, key) * scale
    logits = logits if mask is None else logits + mask
    maps = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return maps / maps.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("angle", [0.05, 0.5, 1.2])
def test_the_entropy_of_the_exact_attention_denoiser_is_that_of_its_weights(angle):
    rng = np.random.default_rng(0)
    law = measures.PointCloud(rng.standard_normal((20, 6)), rng.dirichlet(np.ones(20)))
    network = NetworkDenoiser(AttentionModule(law.points, law.weights), (6,), predicts="data", chunk=3)
    x = math.cos(angle) * law.sample(8, rng) + math.sin(angle) * rng.standard_normal((8, 6))
    (found,) = attention_entropies(network, x, angle)
    weights = exact_denoiser(law).posterior(x, angle).weights
    assert found.shape == (8, 1, 1)
    assert found[:, 0, 0] == pytest.approx(entr(weights).sum(axis=1), abs=1e-12)


class _Layers(nn.Module):
    """Two layers of attention of different numbers of heads, among the coordinates of x."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Linear(1, 8).double(), nn.Linear(1, 8).double()

    def forward(self, x, angle):
        tokens = x[:, :, None] * angle[:, None, None]
        for layer, heads in ((self.first, 2), (self.second, 4)):
            parts = layer(tokens).reshape(*tokens.shape[:2], heads, -1).transpose(1, 2)
            tokens = functional.scaled_dot_product_attention(parts, parts, parts).mean(dim=(1, 3))[:, :, None]
        return tokens[:, :, 0]


def test_layers_come_in_order_with_all_their_heads_whatever_the_chunk():
    rng = np.random.default_rng(1)
    module = _Layers()
    x, angle = rng.standard_normal((5, 7)), rng.uniform(0.2, 1.4, 5)
    wide = attention_entropies(NetworkDenoiser(module, (7,)), x, angle)
    narrow = attention_entropies(NetworkDenoiser(module, (7,), chunk=2), x, angle)
    assert [layer.shape for layer in wide] == [(5, 2, 7), (5, 4, 7)]
    for a, b in zip(wide, narrow, strict=True):
        assert a == pytest.approx(b, rel=1e-12)
    tokens = x[:, :, None] * angle[:, None, None]
    with torch.no_grad():
        parts = module.first(torch.tensor(tokens)).numpy().reshape(5, 7, 2, 4).swapaxes(1, 2)
    assert wide[0] == pytest.approx(entr(_maps(parts, parts, 0.5)).sum(axis=-1), rel=1e-10)


@pytest.mark.parametrize("kind", ["causal", "boolean", "additive", "grouped"])
def test_masks_scales_and_grouped_queries_are_those_of_the_function(kind):
    rng = np.random.default_rng(2)
    query, key = rng.standard_normal((2, 4, 5, 3)), rng.standard_normal((2, 2 if kind == "grouped" else 4, 5, 3))
    mask, options = np.zeros((5, 5)), {"scale": 0.7}
    if kind == "causal":
        mask[np.triu_indices(5, 1)], options["is_causal"] = -np.inf, True
    elif kind == "boolean":
        mask[:, 1] = -np.inf
        options["attn_mask"] = torch.tensor(mask == 0)
    elif kind == "additive":
        mask = rng.standard_normal((2, 1, 5, 5))
        options["attn_mask"] = torch.tensor(mask)
    else:
        options["enable_gqa"] = True
    q, k = torch.tensor(query), torch.tensor(key)
    with AttentionRecorder() as recorder:
        inside = functional.scaled_dot_product_attention(q, k, k, **options)
    repeated = np.repeat(key, 2, axis=1) if kind == "grouped" else key
    exact = entr(_maps(query, repeated, 0.7, mask)).sum(axis=-1)
    assert recorder.entropies[0] == pytest.approx(exact, rel=1e-10)
    assert torch.equal(inside, functional.scaled_dot_product_attention(q, k, k, **options))


def test_even_attention_has_the_logarithm_of_the_number_of_keys():
    q = torch.zeros(1, 1, 3, 2)
    with AttentionRecorder() as recorder:
        functional.scaled_dot_product_attention(q, torch.randn(1, 1, 9, 2), torch.randn(1, 1, 9, 2))
    assert recorder.entropies[0] == pytest.approx(np.full((1, 1, 3), math.log(9)))


@pytest.mark.parametrize("axes", [0, 1])
def test_maps_without_axes_for_heads_are_of_one_head(axes):
    """(queries, d), or (B, queries, d): what the function gets from layers that have no heads."""
    rng = np.random.default_rng(4)
    query, key = rng.standard_normal((2, 1, 5, 3)), rng.standard_normal((2, 1, 7, 3))
    exact = entr(_maps(query, key, 3**-0.5)).sum(axis=-1)
    q, k = (torch.tensor(part[:, 0] if axes else part[0, 0]) for part in (query, key))
    with AttentionRecorder() as recorder:
        functional.scaled_dot_product_attention(q, k, k)
    (found,) = recorder.entropies
    assert found[:, 0] == pytest.approx(exact[: 2 if axes else 1, 0], rel=1e-10)
    assert found.shape == (2 if axes else 1, 1, 5)


def test_a_network_without_attention_has_no_entropies():
    assert attention_entropies(NetworkDenoiser(LinearModule(np.eye(4)), (4,)), np.ones((2, 4)), 0.5) == ()
