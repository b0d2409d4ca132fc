"""What every operator offers, and the checks at its door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from array_api_compat import array_namespace

from pifs_sim.dynamics.arrays import reals
from pifs_sim.dynamics.patches import Patches

__all__ = ["Operator", "batched", "block", "check_vectors", "common_batch", "per_sample"]


@runtime_checkable
class Operator(Protocol):
    """A batch of linear operators on R^d."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, d, d)."""

    @property
    def symmetric(self) -> bool:
        """Whether every operator of the batch is symmetric, exactly."""

    @property
    def T(self) -> Operator:  # noqa: N802
        """The transposed operators."""

    def __matmul__(self, V: Any) -> Any:
        """A V for V of shape (B, d, p) or (d, p), as (B, d, p)."""

    def solve(self, V: Any) -> Any:
        """A^-1 V for V of shape (B, d, p) or (d, p); ValueError where A is singular."""

    def affine(self, scale: Any, shift: Any) -> Operator:
        """scale * A + shift * I, for numbers or arrays (B,)."""

    def dense(self) -> Any:
        """(B, d, d) matrices."""

    def submatrix(self, rows: Any, columns: Any = None) -> Any:
        """(B, n, m) entries at n row and m column indices (all columns by default)."""

    def block(self, k: int, j: int, patches: Patches) -> Any:
        """(B, n, n) the block A_kj: rows of patch k, columns of patch j."""

    def spectrum(self) -> Any:
        """(B, d) eigenvalues: real and descending if symmetric, else complex, by decreasing modulus."""

    def logabsdet(self) -> Any:
        """(B,) ln|det A|; -inf where A is singular, exactly."""

    def norm(self) -> Any:
        """(B,) largest singular value ||A||_2."""


def batched(name: str, values: Any, ndim: int) -> Any:
    """`values` as a float array of `ndim` axes, the batch first, which may be left out; ValueError otherwise."""
    _, array = reals(name, values)
    if array.ndim == ndim - 1:
        array = array[None, ...]
    if array.ndim != ndim or array.shape[0] == 0:
        raise ValueError(f"`{name}` must have {ndim - 1} axes, or {ndim} with the batch, got shape {array.shape}.")
    return array


def common_batch(arrays: Mapping[str, Any]) -> int:
    """The batch B of arrays of batch 1 or B; ValueError naming the first that differs."""
    batch = max(array.shape[0] for array in arrays.values())
    for name, array in arrays.items():
        if array.shape[0] not in (1, batch):
            raise ValueError(f"`{name}` has a batch of {array.shape[0]}, expected 1 or {batch}.")
    return batch


def check_vectors(operator: Operator, V: Any) -> None:
    """ValueError unless the operator acts on V: (B, d, p) or (d, p)."""
    batch, d, _ = operator.shape
    if V.ndim not in (2, 3) or V.shape[-2] != d:
        raise ValueError(f"an operator on {d} dimensions cannot act on shape {tuple(V.shape)}.")
    if V.ndim == 3 and V.shape[0] != batch and 1 not in (V.shape[0], batch):
        raise ValueError(f"a batch of {batch} operators cannot act on a batch of {V.shape[0]}.")


def per_sample(value: Any, like: Any) -> Any:
    """A number as it is; an array (B,) in the precision of `like`, with axes of length 1 up to its number of axes."""
    if isinstance(value, int | float):
        return value
    xp = array_namespace(like)
    return xp.reshape(xp.asarray(value, dtype=like.dtype), (-1, *[1] * (like.ndim - 1)))


def block(operator: Operator, patches: Patches, place: tuple[int, int]) -> Any:
    """The block of an operator at `place` (k, j); ValueError for patches of another d, or no such patch."""
    if patches.dim != operator.shape[1]:
        raise ValueError(f"`patches` partitions d={patches.dim}, expected d={operator.shape[1]}.")
    for name, index in zip("kj", place, strict=True):
        if not 0 <= index < patches.count:
            raise ValueError(f"`{name}` must lie in 0..{patches.count - 1}, got {index!r}.")
    k, j = place
    return operator.submatrix(patches.indices[k], patches.indices[j])
