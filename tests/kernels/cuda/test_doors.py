"""Who plays: arrays choose, an explicit backend is obeyed or refused by a sentence that says what to install."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import array_api_strict
import numpy as np
import pytest

from pifs_sim.fractals import encode, gallery
from pifs_sim.kernels import backends, chaos_game, device, orthonormal, pair_counting
from tests.kernels.cuda.machines import MACHINES, Machine
from tests.kernels.cuda.twin import AVAILABLE, twin

NUMPY = np.ones((1, 2, 2))


def cupy_of(**facts: Any) -> Any:
    """A module that says of itself what CuPy would."""
    module = ModuleType("cupy")
    module.__dict__.update(facts)
    return mock.patch.dict(sys.modules, {"cupy": module})


def test_without_cupy_the_extra_is_named() -> None:
    with (
        mock.patch.dict(sys.modules, {"cupy": None}),
        pytest.raises(ValueError, match=r"`backend` .*pifs_sim\[cuda12\]"),
    ):
        orthonormal.compute(NUMPY, backend="cuda")


def test_without_a_gpu_it_is_said() -> None:
    blind = cupy_of(cuda=SimpleNamespace(is_available=lambda: False))
    with blind, pytest.raises(ValueError, match=r'`backend` "cuda" needs a GPU'):
        orthonormal.compute(NUMPY, backend="cuda")


def test_numpy_arrays_are_refused_where_there_is_a_gpu() -> None:
    class Array:
        """What lies on the GPU."""

    class Other:
        """Not an array at all."""

    seeing = cupy_of(cuda=SimpleNamespace(is_available=lambda: True), ndarray=Array)
    with seeing:
        with pytest.raises(ValueError, match=r"`V` must be a CuPy array for the `backend` \"cuda\", got ndarray"):
            orthonormal.compute(NUMPY, backend="cuda")
        with pytest.raises(ValueError, match=r"`V` must be a NumPy array for the `backend` \"cpu\", got Array"):
            backends.chosen("cpu", generic=True, V=Array())
        assert backends.chosen(None, V=Array(), W=Array()) == "cuda"
        with pytest.raises(ValueError, match=r"`W` must be a CuPy array .* got ndarray"):
            backends.chosen("cuda", V=Array(), W=NUMPY)
        with pytest.raises(ValueError, match=r"`V` must be a NumPy array, or all arrays CuPy's, got Other"):
            backends.chosen(None, V=Other())


def test_arrays_choose_and_unknown_backends_are_refused() -> None:
    strict = array_api_strict.asarray(NUMPY)
    assert backends.chosen(None, V=NUMPY) == backends.chosen(None, generic=True, V=NUMPY) == "cpu"
    assert backends.chosen(None, generic=True, V=strict) == "reference"
    assert backends.chosen("reference", generic=True, V=strict) == "reference"
    with pytest.raises(ValueError, match="`V` must be a NumPy array"):
        backends.chosen("reference", V=strict)
    with pytest.raises(ValueError, match='`backend` must be "reference", "cpu" or "cuda", got \'gpu\''):
        backends.chosen("gpu", V=NUMPY)  # type: ignore[arg-type]


@pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")
def test_too_little_memory_is_said_with_the_need_before_anything_is_launched() -> None:
    with (
        twin(free=1e6) as gpu,
        pytest.raises(MemoryError, match=r"`pair_counting` needs 0.016 GB .* 0.001 GB are free"),
    ):
        pair_counting.compute(np.zeros((10**6, 1)), np.ones(1), backend="cuda")
    assert gpu.launched == 0
    maps = chaos_game.Maps(np.zeros((1, 1, 1)), np.zeros((1, 1)), np.zeros(0, np.uint32), np.zeros(1))
    with twin(free=1e6) as gpu, pytest.raises(MemoryError, match=r"`chaos_game` needs 3\.52e"):
        chaos_game.compute(maps, 2**42, seed=0, orbits=2**30, transient=0, backend="cuda")
    assert gpu.launched == 0


def test_blocks_cover_their_items_beyond_32_bits() -> None:
    assert [device.blocks(n) for n in (0, 1, 128, 129)] == [0, 1, 1, 2]
    assert device.blocks(2**34 + 1, lanes=8) == 2**30 + 1


@pytest.mark.parametrize("machine", MACHINES)
def test_sets_and_codes_made_of_numpy_arrays_may_be_computed_there(machine: Machine) -> None:
    """The same points, counts and codes, in NumPy arrays: what an explicit "cuda" asks of the doors above."""
    fern = gallery.barnsley_fern().ifs
    image = np.random.default_rng(0).integers(0, 256, (16, 24), dtype=np.uint8)
    points, code = fern.attractor(3000, backend="reference"), encode(image, 4, backend="reference")
    counts = fern.histogram(3000, bins=(20, 30), backend="reference")
    with machine:
        assert np.array_equal(fern.attractor(3000, backend="cuda"), points)
        again = fern.histogram(3000, bins=(20, 30), progress=lambda *_: None, backend="cuda")
        assert np.array_equal(again, counts)
        other = encode(image, 4, backend="cuda")
    for name in ("domains", "isometries", "contrast_levels", "brightness_levels"):
        assert np.array_equal(getattr(other, name), getattr(code, name))
