"""Entropies of a network's attention maps, seen by standing in the way of `scaled_dot_product_attention`.

For queries q, keys k, a scale s (1/sqrt(width) by default) and a mask: logits l_ij = s <q_i, k_j> + mask_ij,
a = softmax_j(l), and the entropy of query i is H_i = -sum_j a_ij ln a_ij, in nats: ln of how many it pairs
with. Attention that is computed otherwise is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode

from pifs_sim.networks.denoiser import NetworkDenoiser

__all__ = ["AttentionRecorder", "attention_entropies"]

Array = npt.NDArray[np.float64]


class AttentionRecorder(TorchFunctionMode):
    """A context in which every call of `scaled_dot_product_attention` leaves its entropies, in order.

    Attributes:
        entropies: one array (B, heads, queries) a call, float64, nats.
    """

    def __init__(self) -> None:
        """Nothing is recorded yet."""
        super().__init__()
        self.entropies: list[Array] = []

    def __torch_function__(
        self, func: Callable, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what was called, and record it if it is attention."""
        if func is scaled_dot_product_attention:
            with torch.no_grad():
                self.entropies.append(_entropies(*args, **dict(kwargs or {})).cpu().numpy())
        return func(*args, **dict(kwargs or {}))


def _entropies(
    query: Any,
    key: Any,
    value: Any,  # noqa: ARG001
    attn_mask: Any = None,
    dropout_p: float = 0.0,  # noqa: ARG001
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """(B, heads, queries) of the maps that the function of these arguments forms."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    query, key = query.double(), key.double()
    logits = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
    if attn_mask is not None:
        allowed = attn_mask.dtype == torch.bool
        logits = logits.masked_fill(~attn_mask, -math.inf) if allowed else logits + attn_mask
    found = torch.special.entr(torch.softmax(logits, dim=-1)).sum(dim=-1)
    while found.ndim < 3:
        found = found.unsqueeze(-2)
    return found.reshape(found.shape[0], -1, found.shape[-1])


def attention_entropies(denoiser: NetworkDenoiser, x: npt.ArrayLike, angle: Any) -> tuple[Array, ...]:
    """Entropies of every attention layer's maps, in the order in which the network calls them.

    Args:
        denoiser: a network; without attention nothing is found.
        x: (B, d) points.
        angle: a number or (B,), radians.

    Returns:
        For each layer (B, heads, queries), nats.

    Raises:
        ValueError: as for `denoiser.posterior`.
    """
    posterior = denoiser.posterior(x, angle)
    with AttentionRecorder() as recorder:
        posterior.field.value(posterior.x, posterior.phi)
    return _joined(recorder.entropies, len(posterior.x), denoiser.chunk)


def _joined(found: list[Array], batch: int, chunk: int) -> tuple[Array, ...]:
    """The entropies of each layer over all samples, of calls for one run of samples after the other."""
    runs = max(1, math.ceil(batch / chunk))
    layers = len(found) // runs
    return tuple(np.concatenate(found[layer::layers]) for layer in range(layers))
