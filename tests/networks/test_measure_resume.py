"""A measurement that is killed goes on where it was, and keeps to its memory."""

import dataclasses
import subprocess
import sys
import textwrap
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from torch import nn  # noqa: E402

from pifs_sim.diffusion import schedules  # noqa: E402
from pifs_sim.dynamics import Patches  # noqa: E402
from pifs_sim.kernels.need import Need  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.measure import measure  # noqa: E402
from pifs_sim.networks.memory import TensorMeter, planned  # noqa: E402

ROOT = Path(__file__).parents[2]
PATCHES = Patches(12, 3)
SCHEDULE = schedules.from_angles([0.05, 0.5, 1.0, 1.4])
OPTIONS = {"patches": PATCHES, "samples": 3, "exponents": 2, "tolerance": 1e-4}


class _Smooth(nn.Module):
    """x + B tanh(angle A x)."""

    def __init__(self, rng):
        super().__init__()
        self.register_buffer("inward", torch.tensor(rng.standard_normal((20, 12)) / 4))
        self.register_buffer("outward", torch.tensor(rng.standard_normal((12, 20)) / 4))

    def forward(self, x, angle):
        return x + torch.tanh(angle[:, None] * (x @ self.inward.T)) @ self.outward.T


def _case(seed=0):
    rng = np.random.default_rng(seed)
    return NetworkDenoiser(_Smooth(rng), (12,)), rng.standard_normal((50, 12))


def _numbers(value):
    """All arrays of nested values, in order."""
    if dataclasses.is_dataclass(value):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return [array for field in fields for array in _numbers(field)]
    return [np.asarray(value)] if isinstance(value, (np.ndarray, float, int, tuple)) else []


def _identical(first, second):
    pairs = list(zip(_numbers(first), _numbers(second), strict=True))
    assert len(pairs) > 20
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)


def test_a_killed_run_goes_on_with_identical_results(tmp_path):
    code = f"""
        import os, signal
        from pifs_sim.networks.measure import measure
        from tests.networks.test_measure_resume import OPTIONS, SCHEDULE, _case

        def stop(done, total):
            if done == 2:
                os.kill(os.getpid(), signal.SIGKILL)

        network, data = _case()
        measure(network, SCHEDULE, data, folder={str(tmp_path)!r}, progress=stop, **OPTIONS)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_00001.npz", "step_00002.npz"]
    (tmp_path / "step_00003.npz.part").write_bytes(b"half")  # what a kill while writing leaves
    network, data = _case()
    whole = measure(network, SCHEDULE, data, **OPTIONS)
    _identical(measure(network, SCHEDULE, data, folder=tmp_path, **OPTIONS), whole)
    seen = []
    _identical(
        measure(network, SCHEDULE, data, folder=tmp_path, progress=lambda *now: seen.append(now), **OPTIONS), whole
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_folder_of_another_measurement_is_refused(tmp_path):
    network, data = _case()
    measure(network, SCHEDULE, data, folder=tmp_path, **OPTIONS)
    other_network, other_data = _case(1)
    for arguments, changes in (
        ((other_network, SCHEDULE, data), {}),
        ((network, SCHEDULE, other_data), {}),
        ((network, schedules.from_angles([0.05, 0.6, 1.0, 1.4]), data), {}),
        ((network, SCHEDULE, data), {"seed": 1}),
        ((network, SCHEDULE, data), {"tolerance": 1e-2}),
        ((network, SCHEDULE, data), {"patches": Patches(12, 4)}),
    ):
        with pytest.raises(ValueError, match=r"`folder` holds step_00001.npz of another measurement"):
            measure(*arguments, folder=tmp_path, **{**OPTIONS, **changes})


def test_a_damaged_file_is_refused(tmp_path):
    network, data = _case()
    measure(network, SCHEDULE, data, folder=tmp_path, **OPTIONS)
    path = tmp_path / "step_00002.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"`folder` holds step_00002.npz, which cannot be read"):
        measure(network, SCHEDULE, data, folder=tmp_path, **OPTIONS)


def test_the_memory_at_hand_changes_nothing_but_rounding():
    network, data = _case()
    wide = measure(network, SCHEDULE, data, **OPTIONS)
    options = {**OPTIONS, "max_memory": 250_000.0}
    narrow = measure(network, SCHEDULE, data, **options)
    for a, b in zip(_numbers(wide), _numbers(narrow), strict=True):
        if a.dtype == float:
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


class _Convolutions(nn.Module):
    """Two convolutions with a nonlinearity."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 24, 3, padding=1), nn.Conv2d(24, 3, 3, padding=1)

    def forward(self, x, angle):
        return x * angle[:, None, None, None] + self.second(nn.functional.silu(self.first(x)))


@pytest.mark.parametrize(
    ("limit", "method"),
    [(4e6, "frobenius"), (20e6, "exact"), (8e6, "lanczos")],
)
def test_tensors_and_arrays_stay_below_the_memory_allowed(limit, method):
    rng = np.random.default_rng(0)
    network = NetworkDenoiser(_Convolutions(), (16, 16, 3))
    data = rng.standard_normal((40, 768)).astype(np.float32)
    tracemalloc.start()
    try:
        with TensorMeter() as meter:
            measure(
                network,
                schedules.from_angles([0.1, 0.9]),
                data,
                patches=Patches((16, 16, 3), 8),
                samples=4,
                probes=4,
                most=3,
                method=method,
                max_memory=limit,
            )
        arrays = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert meter.peak + arrays <= limit
    assert meter.peak + arrays >= 0.25 * min(limit, 8e6)  # what is allowed is used


def test_a_plan_takes_all_that_fits_and_no_more():
    network, arrays = Need(100.0, 10.0), Need(50.0, 5.0)
    assert planned(network, arrays, samples=16, chunk=64, max_memory=None) == (16, 64, 150 + 640 + 80)
    for most in (165.0, 200.0, 400.0, 869.0, 870.0):
        plan = planned(network, arrays, samples=16, chunk=64, max_memory=most)
        assert plan.bytes <= most
        assert plan.bytes == 150 + 10 * plan.chunk + 5 * plan.samples
        assert min(plan[:2]) >= 1
    assert planned(network, arrays, samples=16, chunk=64, max_memory=870.0)[:2] == (16, 64)
    with pytest.raises(ValueError, match="`max_memory` must be at least 165 bytes"):
        planned(network, arrays, samples=16, chunk=64, max_memory=164.0)


def test_the_meter_counts_what_lives():
    with TensorMeter() as meter:
        a = torch.zeros(1000)
        b = a + 1
        assert meter.live == 8000
        view = b[10:]
        del a, b
        assert meter.live == 4000
        del view
        assert meter.live == 0
        _ = torch.ones(500).sum()
    assert meter.peak == 8000


class _Broken(nn.Module):
    def forward(self, x, angle):
        return x + torch.where(angle > 1.2, torch.nan, 0.0)[:, None]


def test_a_network_that_gives_nan_is_named_with_its_angle():
    with pytest.raises(ValueError, match=r"NaN or infinity at angle 1.4"):
        measure(NetworkDenoiser(_Broken(), (12,)), SCHEDULE, np.eye(12), patches=PATCHES, samples=2)
