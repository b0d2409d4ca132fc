"""Checkpoints: what is loaded is what was saved, and everything that does not fit is named."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
save_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed (extra networks)").save_file

from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402

from pifs_sim.networks import NetworkDenoiser, header, load  # noqa: E402
from pifs_sim.networks.architectures import build  # noqa: E402

ARGUMENTS = {"patch": 2, "width": 8, "depth": 1, "heads": 2, "condition": 4, "spread": 0.5}
HEADER = {
    "architecture": "dit",
    "arguments": json.dumps(ARGUMENTS),
    "shape": "[4, 4, 1]",
    "predicts": "noise",
    "condition": "angle",
    "schedule": '{"name": "cosine", "steps": 1000}',
    "data": "digits",
}


def network():
    torch.manual_seed(0)
    module = build("dit", (4, 4, 1), **ARGUMENTS)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return module.eval()


def saved(folder, *, change=None, drop=(), precision=torch.float16, **tensors):
    found = {"header": dict(HEADER) | (change or {})}
    for name in drop:
        found["header"].pop(name, None)
    state = {name: value.detach().to(precision).clone() for name, value in network().state_dict().items()}
    state = {name: value for name, value in (state | tensors).items() if value is not None and name not in drop}
    path = folder / "net.safetensors"
    save_file(state, str(path), metadata=found["header"])
    return path


def test_a_checkpoint_is_the_network_that_was_saved(tmp_path):
    module, x = network(), np.random.default_rng(0).standard_normal((3, 16))
    angles = np.array([0.1, 0.7, 1.5])
    path = saved(tmp_path, precision=torch.float32)
    found, direct = load(path), NetworkDenoiser(module, (4, 4, 1), condition=lambda angle: angle)
    assert (found.shape, found.predicts, found.dtype) == ((4, 4, 1), "noise", np.float32)
    assert_array_equal(found.noise(x, angles), direct.noise(x, angles))
    double = load(path, dtype="float64")
    assert double.dtype is np.float64
    assert_allclose(double.noise(x, angles), direct.noise(x, angles), rtol=0, atol=1e-5)


def test_half_precision_costs_what_its_rounding_is(tmp_path):
    x = np.random.default_rng(0).standard_normal((3, 16))
    half = load(saved(tmp_path)).noise(x, 0.7)
    full = load(saved(tmp_path, precision=torch.float32)).noise(x, 0.7)
    assert 0 < np.abs(half - full).max() < 5e-3


def test_all_networks_built_here_have_forward_mode_over_many_vectors(tmp_path):
    assert load(saved(tmp_path)).field.vectorised
    for attention in (True, False):
        module = build("unet", (4, 4, 1), widths=(4, 8), heads=2, condition=4, attention=attention)
        denoiser = NetworkDenoiser(module, (4, 4, 1))
        assert (denoiser.forward_mode, denoiser.field.vectorised) == (True, True)


def test_the_header_is_given_parsed(tmp_path):
    found = header(saved(tmp_path))
    assert (found["arguments"], found["shape"], found["data"]) == (ARGUMENTS, [4, 4, 1], "digits")
    assert found["schedule"] == {"name": "cosine", "steps": 1000}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": ("inward.weight",)}, r"does not match the network: it lacks inward\.weight"),
        ({"extra": torch.zeros(2)}, "does not match the network: it has unexpected extra"),
        ({"place": torch.zeros(3, 8)}, r"`place` has shape \(3, 8\), expected \(4, 8\)"),
        ({"drop": ("architecture", "shape")}, "its header lacks architecture, shape"),
        ({"change": {"architecture": "resnet"}}, "`name` must be one of dit, unet, got 'resnet'"),
        ({"change": {"arguments": "[1]"}}, "has a header whose `arguments` is no JSON dict"),
        ({"change": {"arguments": "{1}"}}, "has a header whose `arguments` is not JSON"),
        ({"change": {"arguments": '{"depth": 1, "colour": 3}'}}, "`arguments` do not fit dit"),
        ({"change": {"shape": "4"}}, "has a header whose `shape` is no JSON list"),
        ({"change": {"shape": "[4, 4]"}}, r"`shape` must be \(H, W, C\)"),
        ({"change": {"predicts": "score"}}, '`predicts` must be "noise", "data" or "velocity", got .score.'),
        ({"change": {"condition": "sigma"}}, 'must have the condition "angle", got .sigma.'),
    ],
)
def test_a_checkpoint_that_does_not_fit_says_how(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        load(saved(tmp_path, **options))


def test_many_missing_tensors_are_counted(tmp_path):
    path = saved(tmp_path, **dict.fromkeys(network().state_dict()), other=torch.zeros(1))
    count = len(network().state_dict()) - 5
    with pytest.raises(ValueError, match=f"it lacks .* and {count} more"):
        load(path)


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "pytorch_model.bin", "net.ckpt", "net.pkl", "net.safetensors"])
def test_a_pickle_is_refused_unread(tmp_path, name):
    path = tmp_path / name
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="is a pickle file, which can run code when it is read"):
        load(path)


def test_what_is_no_file_here_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`path` must name a local file, got 'google/ddpm-cifar10-32': nothing is dow"):
        load("google/ddpm-cifar10-32")
    with pytest.raises(ValueError, match="`path` must name a local file"):
        load(tmp_path)
    path = tmp_path / "net.safetensors"
    path.write_bytes(b"nothing of the kind, but long enough to hold a header")
    with pytest.raises(ValueError, match=r"net\.safetensors' is not a readable safetensors file"):
        load(path)
    with pytest.raises(ValueError, match=r'`dtype` must be "float32" or "float64", got .float16.'):
        load(saved(tmp_path), dtype="float16")
