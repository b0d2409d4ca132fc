"""What is named when a network gives NaN or infinity, and networks whose output does not depend on the sample."""

from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from torch import nn  # noqa: E402

from pifs_sim.networks import NetworkDenoiser, TorchField, norms  # noqa: E402
from pifs_sim.networks.derivatives import doubled_push, joined_pull  # noqa: E402
from pifs_sim.networks.finiteness import NotFinite, at_step, first_bad_layer  # noqa: E402

RNG = np.random.default_rng(0)


class Returns(nn.Module):
    """A layer that gives back what it is told to, packed in some way."""

    def __init__(self, *values, pack):
        super().__init__()
        self.values, self.pack = values, pack

    def forward(self, x):
        return self.pack(x, [x * value for value in self.values])


class Second(nn.Module):
    """A healthy layer, then one that is not, whose output is never used."""

    def __init__(self, layer):
        super().__init__()
        self.healthy, self.layer = nn.Identity(), layer

    def forward(self, x, _):
        self.layer(self.healthy(x))
        return x


PACKS = {
    "tensor": lambda _, parts: parts[-1],
    "tuple": lambda _, parts: tuple(parts),
    "list in a dict": lambda x, parts: {"counts": x.long(), "parts": parts},
    "None beside it": lambda _, parts: (None, "text", parts[-1]),
}


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_the_layer_is_named_however_its_output_is_packed(pack, bad):
    x = torch.ones(2, 3)
    for values, expected in (((1.0, bad), "`layer` (Returns)"), ((1.0, 2.0), None)):
        module = Second(Returns(*values, pack=pack))
        assert first_bad_layer(module, lambda module=module: module(x, None)) == expected


def test_the_innermost_layer_is_named_and_no_hook_is_left():
    module = Second(nn.Sequential(nn.Identity(), Returns(float("nan"), pack=PACKS["tensor"])))
    assert first_bad_layer(module, lambda: module(torch.ones(1, 2), None)) == "`layer.1` (Returns)"
    assert not any(layer._forward_hooks for layer in module.modules())


def test_a_module_without_layers_is_named_by_its_class_and_a_function_not_at_all():
    module = Returns(float("nan"), pack=PACKS["tensor"])
    assert first_bad_layer(module, lambda: module(torch.ones(1, 2))) == "the module (Returns)"
    assert first_bad_layer(torch.tanh, lambda: torch.tensor(torch.nan)) is None


def test_the_step_is_put_before_what_was_found_and_other_errors_pass():
    with pytest.raises(NotFinite, match=r"^at step 3 of 8, the sum is NaN$"), at_step(3, 8):
        raise NotFinite("the sum is NaN")
    with pytest.raises(ValueError, match=r"^another$"), at_step(3, 8):
        raise ValueError("another")


class Learnt(nn.Module):
    """The same picture for every sample and angle: its Jacobian is 0."""

    def __init__(self, picture):
        super().__init__()
        self.picture = nn.Parameter(torch.tensor(picture))

    def forward(self, x, _):
        return self.picture.expand(x.shape)


PICTURE = RNG.standard_normal(4)
CONSTANTS = {"a constant": lambda x, _: torch.tensor(PICTURE).expand(x.shape), "learnt": Learnt(PICTURE)}


@pytest.mark.parametrize("derivative", [doubled_push, joined_pull])
@pytest.mark.parametrize("f", CONSTANTS.values(), ids=CONSTANTS)
def test_what_does_not_depend_on_the_sample_has_no_derivative(f, derivative):
    x, angle, V = torch.tensor(RNG.standard_normal((3, 4))), torch.full((3,), 0.5), torch.ones(2, 3, 4).double()
    value, found = derivative(f, x, angle, V)
    assert np.array_equal(value.detach().numpy(), np.tile(PICTURE, (3, 1)))
    assert np.array_equal(found.numpy(), np.zeros((2, 3, 4)))


def test_a_derivative_that_is_constant_is_pushed_by_two_passes_too():
    A = torch.tensor(RNG.standard_normal((4, 4)))
    V = torch.tensor(RNG.standard_normal((2, 3, 4)))
    value, found = doubled_push(lambda x, _: x @ A.T, torch.ones(3, 4).double(), torch.zeros(3), V)
    assert torch.allclose(value, A.sum(dim=1).expand(3, 4), rtol=0, atol=1e-14)
    assert torch.allclose(found, V @ A.T, rtol=0, atol=1e-14)


class Counting(nn.Module):
    """x -> A x, with a number of calls that is kept before the matrix and is no float."""

    def __init__(self, matrix):
        super().__init__()
        self.register_buffer("calls", torch.tensor(0))
        self.register_buffer("matrix", torch.tensor(matrix, dtype=torch.float32))

    def forward(self, x, _):
        return x @ self.matrix.T


def test_whole_numbers_in_a_module_do_not_set_its_precision():
    matrix = RNG.standard_normal((4, 4))
    field = TorchField(Counting(matrix), (4,))
    assert field.dtype == torch.float32
    x = RNG.standard_normal((2, 4))
    found = NetworkDenoiser(Counting(matrix), (4,)).noise(x, 0.7)
    assert found == pytest.approx(x @ matrix.T, rel=1e-5, abs=1e-6)


def test_a_root_cut_short_is_still_a_bound(monkeypatch):
    """s + sum ln(e^s + gap) = right: Newton's iterates come from above, so the first ones bound the root."""
    gaps, root = np.array([[0.0, 3.0, 40.0], [1e-3, 1e-3, 1e-3]]), np.array([-2.0, -7.0])
    right = root + np.log(np.exp(root)[:, None] + gaps).sum(axis=1)
    bounds = []
    for count in (1, 2, 3, 40):
        monkeypatch.setattr(norms, "_NEWTON", count)
        bounds.append(norms._excess(gaps, right))
    assert bounds[-1] == pytest.approx(np.exp(root), rel=1e-9)
    for looser, tighter in pairwise(bounds):
        assert np.all(looser >= tighter * (1 - 1e-12))
    assert np.all(bounds[0] > 1.03 * np.exp(root))
