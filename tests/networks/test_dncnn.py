"""The DnCNN denoisers of scico's wheel: they denoise a photograph, and are what a direct evaluation gives."""

import importlib.util
import math
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
msgpack = pytest.importorskip("msgpack", reason="msgpack is not installed")
if importlib.util.find_spec("scico") is None:
    pytest.skip("scico's wheel, which holds the networks, is not installed", allow_module_level=True)

from numpy.testing import assert_allclose  # noqa: E402
from scipy import ndimage  # noqa: E402

from pifs_sim.diffusion import schedules  # noqa: E402
from pifs_sim.diffusion.chain import Chain  # noqa: E402
from pifs_sim.networks import dncnn  # noqa: E402
from pifs_sim.networks.dncnn import DNCNN_NAMES, _array, _file  # noqa: E402

LEVELS = {"L": 0.06, "M": 0.10, "H": 0.20, "N": 0.08}


def photograph(side):
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    return data.camera()[128 : 128 + side, 150 : 150 + side] / 255


def direct(name, image, sigma):
    """The network layer by layer as it was trained, in NumPy and SciPy."""
    content = msgpack.unpackb(_file(name).read_bytes(), ext_hook=_array, raw=False)
    parameters, statistics = content["params"], content["batch_stats"]

    def convolved(y, kernel):
        kernel = kernel.astype(np.float64)
        return np.stack(
            [
                sum(ndimage.correlate(y[c], kernel[:, :, c, f], mode="wrap") for c in range(y.shape[0]))
                for f in range(kernel.shape[3])
            ]
        )

    y = np.stack([image, np.full_like(image, sigma)]) if name.endswith("N") else image[None]
    y = np.maximum(convolved(y, parameters["conv_start"]["kernel"]), 0)
    for k in range(int(name[:-1]) - 2):
        block, norm = parameters[f"ConvBNBlock_{k}"], statistics[f"ConvBNBlock_{k}"]["BatchNorm_0"]
        y = convolved(y, block["Conv_0"]["kernel"])
        y = (y - norm["mean"][:, None, None]) / np.sqrt(norm["var"].astype(np.float64) + 1e-5)[:, None, None]
        y = y * block["BatchNorm_0"]["scale"][:, None, None] + block["BatchNorm_0"]["bias"][:, None, None]
        y = np.maximum(y, 0)
    return image - convolved(y, parameters["conv_end"]["kernel"])[0]


@pytest.mark.parametrize("name", ["6M", "6N"])
def test_the_network_is_its_layers_evaluated_directly(name):
    sigma = 0.1
    image = photograph(12) + sigma * np.random.default_rng(0).standard_normal((12, 12))
    phi = math.atan(sigma)
    denoiser = dncnn(name, (12, 12), dtype="float64")
    found = denoiser.posterior(math.cos(phi) * image.reshape(1, -1), phi).mean
    assert_allclose(found.reshape(12, 12), direct(name, image, sigma), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", DNCNN_NAMES)
def test_a_noisy_photograph_becomes_cleaner_at_the_level_of_the_training(name):
    sigma, side = LEVELS[name[-1]], 48
    phi, clean = math.atan(sigma), photograph(side).reshape(1, -1)
    noise = np.random.default_rng(1).standard_normal(clean.shape)
    denoiser = dncnn(name, (side, side))
    posterior = denoiser.posterior(math.cos(phi) * clean + math.sin(phi) * noise, phi)
    gain = np.mean((sigma * noise) ** 2) / np.mean((posterior.mean - clean) ** 2)
    assert gain > 3  # the worst of the eight has 4, the best 12
    assert np.corrcoef(posterior.noise[0], noise[0])[0, 1] > 0.8


def test_a_network_that_sees_sigma_serves_all_levels():
    side, denoiser = 48, dncnn("6N", (48, 48))
    clean, rng = photograph(side).reshape(1, -1), np.random.default_rng(2)
    for sigma in (0.03, 0.06, 0.1):
        noise, phi = rng.standard_normal(clean.shape), math.atan(sigma)
        found = denoiser.posterior(math.cos(phi) * clean + math.sin(phi) * noise, phi).mean
        assert np.mean((found - clean) ** 2) < np.mean((sigma * noise) ** 2) / 2


def test_a_chain_of_it_denoises_and_has_a_jacobian():
    sigma, clean = 0.1, photograph(16).reshape(1, -1)
    schedule = schedules.from_sigma(np.linspace(0, sigma, 4))
    chain = Chain(schedule, dncnn("6N", (16, 16), dtype="float64"))
    start = np.cos(schedule.angles[-1]) * clean
    start = start + np.sin(schedule.angles[-1]) * np.random.default_rng(3).standard_normal(clean.shape)
    assert np.mean((chain.run(start) - clean) ** 2) < sigma**2 / 2
    V = np.random.default_rng(4).standard_normal((1, 256, 2))
    moved, pushed = chain.tangent(start, 0, V)
    h = 1e-7
    slope = (chain.step(start + h * V[:, :, 0], 0) - chain.step(start - h * V[:, :, 0], 0)) / (2 * h)
    assert_allclose(pushed[:, :, 0], slope, rtol=0, atol=1e-6)
    U = np.random.default_rng(5).standard_normal((1, 256, 2))
    pulled = chain.cotangent(start, 0, U)
    assert_allclose(np.swapaxes(pulled, 1, 2) @ V, np.swapaxes(U, 1, 2) @ pushed, rtol=0, atol=1e-11)
    assert moved.shape == start.shape


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("7M", (8, 8)), {}, "`name` must be one of 6L, 6M, 6H, 6N, 17L, 17M, 17H, 17N, got '7M'"),
        (("6M", (8, 8, 1)), {}, r"`shape` must be \(H, W\), got \(8, 8, 1\)"),
        (("6M", (8, 8)), {"dtype": "half"}, '`dtype` must be "float32" or "float64"'),
    ],
)
def test_bad_requests_are_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        dncnn(*arguments, **options)


def test_without_scico_its_files_are_asked_for(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ImportError, match="dncnn needs the files of scico: pip install --no-deps scico"):
        dncnn("6M", (8, 8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xc1", "is not a readable msgpack file"),
        (b"\x80", "does not match a DnCNN of depth 6: it lacks 'params'"),
        (None, "cannot be read: .*; scico 0.0.7 has it"),
    ],
)
def test_a_file_that_holds_no_such_network_is_named(monkeypatch, tmp_path, content, message):
    path = tmp_path / "dncnn6M.mpk"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(sys.modules[dncnn.__module__], "_file", lambda _: path)
    with pytest.raises(ValueError, match=message):
        dncnn("6M", (8, 8))
