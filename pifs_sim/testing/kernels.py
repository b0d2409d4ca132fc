"""What every backend of a kernel must satisfy, checked at given arguments, the reference being the law.

A result has the reference's shape and the arguments' dtype and lies within a stated bound of it; it is the same when
asked for again, and for every number of threads, bit for bit; arguments are not written to, arrays that are not
contiguous give the same bits, a sample has alone the bits that it has in a batch, and no samples give an empty result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pifs_sim.testing.subject import ConformanceError, compare

__all__ = ["check_kernel"]


def check_kernel(
    compute: Callable[..., Any],
    reference: Callable[..., Any],
    *batched: npt.NDArray[Any],
    bound: Any,
    threads: Sequence[int] = (1, 2),
    batch_axis: int = 0,
) -> None:
    """Put a function of arrays of samples to the rules of this module.

    Three lines for a kernel of your own::

        x = np.random.default_rng(0).standard_normal((9, 4))
        check_kernel(partial(room.compute, law), partial(room.reference, law), x, bound=1e-14)

    Args:
        compute: compute(*batched), with a keyword `threads` unless `threads` is empty.
        reference: the same function, slow and obvious, in float64.
        batched: arrays whose leading axis counts the samples, of one dtype.
        bound: the largest error of an entry of the result, a number or an array that broadcasts against it from the
            left: (B,) gives each sample its own.
        threads: numbers of threads to compare; none for a function without them.
        batch_axis: of the result.

    Raises:
        ConformanceError: an AssertionError, with one sentence on the rule that is broken.
        ValueError: no array, or arrays of different lengths or dtypes.
    """
    if not batched or len({(len(array), array.dtype) for array in batched}) != 1:
        raise ValueError("`batched` must be arrays of one length and dtype, at least one.")
    before = [array.copy() for array in batched]
    options: list[dict[str, int]] = [{"threads": count} for count in threads] or [{}]
    found = np.asarray(compute(*batched, **options[0]))
    if not all(np.array_equal(array, copy, equal_nan=True) for array, copy in zip(batched, before, strict=True)):
        raise ConformanceError("a kernel must not write to its arguments, but it does.")
    expected = np.asarray(reference(*(array.astype(np.float64) for array in batched)))
    if found.shape != expected.shape:
        raise ConformanceError(f"a kernel's result must have the shape {expected.shape}, got {found.shape}.")
    if found.dtype != batched[0].dtype:
        raise ConformanceError(f"a kernel's result must be {batched[0].dtype} for such arguments, got {found.dtype}.")
    rows, law = np.moveaxis(found, batch_axis, 0), np.moveaxis(expected, batch_axis, 0)
    compare("a kernel must agree with its reference", "", rows, law, bound, row="sample")
    _same("when asked for again", found, compute(*batched, **options[0]))
    for option in options[1:]:
        _same(f"with {option['threads']} threads", found, compute(*batched, **option))
    strided = [np.repeat(array, 2, axis=0)[::2] for array in batched]
    _same("for arrays that are not contiguous", found, compute(*strided, **options[0]))
    for i in range(len(batched[0])):
        alone = np.asarray(compute(*(array[i : i + 1] for array in batched), **options[0]))
        _same(f"for sample {i} alone", np.take(found, [i], axis=batch_axis), alone)
    empty = np.asarray(compute(*(array[:0] for array in batched), **options[0]))
    if empty.shape != np.take(found, [], axis=batch_axis).shape:
        raise ConformanceError(f"a kernel must return an empty result for no samples, got shape {empty.shape}.")


def _same(when: str, first: Any, second: Any) -> None:
    second = np.asarray(second)
    if first.shape != second.shape or not np.array_equal(first, second, equal_nan=True):
        raise ConformanceError(f"a kernel must return the same bits {when}, but it does not.")
