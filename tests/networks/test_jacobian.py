"""The Jacobian of a network as an operator: every door against the dense matrix, and each kind of derivative."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402

from pifs_sim.diffusion import schedules  # noqa: E402
from pifs_sim.diffusion.chain import Chain  # noqa: E402
from pifs_sim.dynamics import Patches, block_norms, lyapunov_spectrum  # noqa: E402
from pifs_sim.dynamics.operators import Dense, Operator  # noqa: E402
from pifs_sim.networks import NetworkDenoiser, NetworkJacobian, TorchField  # noqa: E402
from tests.networks.exact import LinearModule  # noqa: E402

RNG = np.random.default_rng(2)
MATRIX = RNG.standard_normal((8, 8))
POINTS = RNG.standard_normal((3, 8))
ANGLES = np.array([0.2, 0.7, 1.3])
PATCHES = Patches(8, 2)


class Wave(torch.nn.Module):
    """sin(phi) tanh(A x): its Jacobian is sin(phi) diag(1 - tanh^2) A."""

    def __init__(self, matrix):
        super().__init__()
        self.register_buffer("matrix", torch.tensor(matrix))

    def forward(self, x, angle):
        return torch.sin(angle)[:, None] * torch.tanh(x @ self.matrix.T)


def wave_jacobian(x):
    return np.sin(ANGLES)[:, None, None] * (1 - np.tanh(x @ MATRIX.T) ** 2)[:, :, None] * MATRIX


class Square(torch.autograd.Function):
    """A layer with a backward pass only."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad


class Tanh(torch.autograd.Function):
    """A layer with a forward mode of its own, which is not said to be fit for maps over vectors."""

    @staticmethod
    def forward(x):
        return torch.tanh(x)

    @staticmethod
    def setup_context(ctx, _, output):
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx, grad):
        return grad * (1 - ctx.saved_tensors[0] ** 2)

    @staticmethod
    def jvp(ctx, tangent):
        return tangent * (1 - ctx.saved_tensors[0] ** 2)


def operator(module=None, transposed=False):
    field = TorchField(Wave(MATRIX) if module is None else module, (8,), chunk=7)
    scale, shift = np.array([2.0, -1.0, 0.5]), np.array([0.1, 0.0, -3.0])
    found = NetworkJacobian(field, POINTS, ANGLES, scale, shift)
    dense = scale[:, None, None] * wave_jacobian(POINTS) + shift[:, None, None] * np.eye(8)
    return (found.T, dense.transpose(0, 2, 1)) if transposed else (found, dense)


@pytest.mark.parametrize("transposed", [False, True])
def test_every_door_is_that_of_the_dense_matrix(transposed):
    found, dense = operator(transposed=transposed)
    exact = Dense(dense)
    assert isinstance(found, Operator)
    assert found.shape == (3, 8, 8)
    assert found.symmetric is False
    V = RNG.standard_normal((3, 8, 5))
    for vectors in (V, V[0], V[:1], V[:, :, :0]):
        assert_allclose(found @ vectors, exact @ vectors, rtol=0, atol=1e-13)
    assert_allclose(found.T @ V, exact.T @ V, rtol=0, atol=1e-13)
    assert_allclose(found.dense(), dense, rtol=0, atol=1e-13)
    for rows, columns in (([0, 5], None), ([1, 2, 6], [3]), ([4], [1, 0]), ([2, 3], [2, 3])):
        assert_allclose(found.submatrix(rows, columns), exact.submatrix(rows, columns), rtol=0, atol=1e-13)
    assert_allclose(found.block(2, 1, PATCHES), exact.block(2, 1, PATCHES), rtol=0, atol=1e-13)
    assert_allclose(found.solve(V), exact.solve(V), rtol=1e-9, atol=1e-10)
    assert_allclose(found.logabsdet(), exact.logabsdet(), rtol=1e-11)
    assert_allclose(np.abs(found.spectrum()), np.abs(exact.spectrum()), rtol=1e-10)
    assert_allclose(found.norm(), exact.norm(), rtol=1e-12)
    again, expected = (part.affine(np.array([1.0, 2.0, 3.0]), -0.5) for part in (found, exact))
    assert_allclose(again.dense(), expected.dense(), rtol=0, atol=1e-13)
    assert_allclose(again.affine(2.0, 1.0).T @ V, expected.affine(2.0, 1.0).T @ V, rtol=0, atol=1e-12)


def test_one_operator_acts_on_a_batch():
    field = TorchField(Wave(MATRIX), (8,))
    found = NetworkJacobian(field, POINTS[:1], ANGLES[:1], 1.5, 0.25)
    V = RNG.standard_normal((4, 8, 3))
    assert_allclose(found @ V, Dense(found.dense()) @ V, rtol=0, atol=1e-13)


def test_block_norms_are_those_of_the_dense_matrix():
    found, dense = operator()
    norms, exact = block_norms(found, PATCHES), block_norms(dense, PATCHES)
    for name in ("kappa", "delta", "row_sum", "norm", "blocks"):
        assert_allclose(getattr(norms, name), getattr(exact, name), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_norm_of_a_float32_network_is_as_exact_as_it_can_be(dtype):
    single = TorchField(Wave(MATRIX).float(), (8,))
    found = NetworkJacobian(single, POINTS.astype(dtype), ANGLES).norm()
    assert found.dtype == dtype
    assert_allclose(found, np.linalg.norm(wave_jacobian(POINTS), 2, axis=(1, 2)), rtol=1e-5)


def test_layers_with_a_backward_pass_only_get_double_backward():
    def squares(x, angle):
        return torch.sin(angle)[:, None] * Square.apply(x) @ torch.tensor(MATRIX).T

    field = TorchField(squares, (8,), chunk=4)
    assert (field.forward_mode, field.vectorised) == (False, False)
    assert not NetworkDenoiser(squares, (8,)).forward_mode
    exact = np.sin(ANGLES)[:, None, None] * MATRIX * 2 * POINTS[:, None, :]
    found = NetworkJacobian(field, POINTS, ANGLES)
    V = RNG.standard_normal((3, 8, 5))
    assert_allclose(found @ V, exact @ V, rtol=0, atol=1e-13)
    assert_allclose(found.T @ V, exact.transpose(0, 2, 1) @ V, rtol=0, atol=1e-13)


def test_layers_that_cannot_be_mapped_are_given_a_larger_batch():
    field = TorchField(lambda x, _: Tanh.apply(x), (8,), chunk=4)
    assert (field.forward_mode, field.vectorised) == (True, False)
    found = NetworkJacobian(field, POINTS, ANGLES)
    exact = (1 - np.tanh(POINTS) ** 2)[:, :, None] * np.eye(8)
    assert_allclose(found.dense(), exact, rtol=0, atol=1e-15)
    assert_allclose(found.T.dense(), exact, rtol=0, atol=1e-15)


def test_smooth_layers_have_forward_mode_over_many_vectors_at_once():
    field = TorchField(Wave(MATRIX), (8,))
    assert (field.forward_mode, field.vectorised) == (True, True)


def test_fused_attention_has_its_derivative():
    class Attending(torch.nn.Module):
        def forward(self, x, _):
            tokens = x.reshape(-1, 1, 4, 2)
            return torch.nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).reshape(x.shape)

    field = TorchField(Attending(), (8,))
    assert field.forward_mode
    found = NetworkJacobian(field, POINTS, ANGLES).dense()
    h = 1e-5
    for j, unit in enumerate(np.eye(8)):
        slope = (field.value(POINTS + h * unit, ANGLES) - field.value(POINTS - h * unit, ANGLES)) / (2 * h)
        assert_allclose(found[:, :, j], slope, rtol=0, atol=1e-9)


def test_group_norms_of_turned_tensors_have_forward_mode():
    class Norm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.GroupNorm(2, 4, dtype=torch.float64)

        def forward(self, x, _):
            return self.norm((x**3).reshape(-1, 2, 4).transpose(1, 2)).transpose(1, 2).reshape(x.shape)

    field = TorchField(Norm(), (8,))
    assert (field.forward_mode, field.vectorised) == (True, True)
    found = NetworkJacobian(field, POINTS, ANGLES)
    rows = found.submatrix(np.arange(8))
    columns = found @ np.eye(8)
    assert_allclose(rows, columns, rtol=0, atol=1e-12)
    V, h = RNG.standard_normal((3, 8, 1)), 1e-6
    ends = [field.value(POINTS + step * V[:, :, 0], ANGLES) for step in (h, -h)]
    assert_allclose((found @ V)[:, :, 0], (ends[0] - ends[1]) / (2 * h), rtol=0, atol=1e-7)


@pytest.mark.parametrize("constant", [lambda x, _: torch.ones_like(x), lambda x, _: x.detach() * 2])
def test_a_constant_has_jacobian_zero(constant):
    found = NetworkJacobian(TorchField(constant, (8,)), POINTS, ANGLES)
    assert_array_equal(found.dense(), 0.0)
    assert_array_equal(found.T.dense(), 0.0)


def test_the_jacobian_is_not_formed_for_a_few_directions():
    seen = []

    class Counted(LinearModule):
        def forward(self, x, angle):
            seen.append(x.shape[0])
            return super().forward(x, angle)

    matrix = np.random.default_rng(0).standard_normal((2000, 2000)) / 2000**0.5
    denoiser = NetworkDenoiser(Counted(matrix), (2000,))
    operator, V = denoiser.noise_jacobian(np.ones((1, 2000)), 0.5), np.ones((1, 2000, 1))
    seen.clear()
    assert_allclose(operator @ V, matrix @ V, rtol=0, atol=1e-11)
    assert_allclose(operator.T @ V, matrix.T @ V, rtol=0, atol=1e-11)
    assert seen == [1, 1]


def test_the_leading_exponents_of_a_wide_chain_are_those_of_its_matrices():
    d, matrix = 300, np.diag(np.linspace(1.5, 0.1, 300))
    chain = Chain(schedules.cosine(3), NetworkDenoiser(LinearModule(matrix), (d,)))
    product = np.ones(d)
    for t in range(1, 4):
        cos, sin, delta = chain.schedule.cos[t], chain.schedule.sin[t], chain.schedule.increments[t - 1]
        product *= (np.cos(delta) - np.sin(delta) * (np.diag(matrix) / cos - sin / cos)) if cos else 1
    found = lyapunov_spectrum(chain, np.ones((1, d)), 3, k=4)
    expected = np.sort(np.log(np.abs(product)))[::-1][:4] / 3
    assert_allclose(found.per_orbit[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("door", ["spectrum", "logabsdet"])
def test_eigenvalues_of_very_many_coordinates_are_refused(door):
    field = TorchField(lambda x, _: x, (3073,))
    found = NetworkJacobian(field, np.zeros((1, 3073)), np.full(1, 0.5))
    with pytest.raises(ValueError, match=f"`{door}` needs the dense form, which is formed up to d=3072, got d=3073"):
        getattr(found, door)()
    with pytest.raises(ValueError, match="`solve` needs the dense form"):
        found.solve(np.zeros((1, 3073, 1)))


@pytest.mark.parametrize("shape", [(7, 2), (2, 8, 1), (8,)])
def test_vectors_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"an operator on 8 dimensions cannot act|a batch of 3 operators cannot act"):
        operator()[0] @ np.zeros(shape)


def test_singular_operators_are_not_solved():
    found = NetworkJacobian(TorchField(LinearModule(np.zeros((8, 8))), (8,)), POINTS, ANGLES)
    with pytest.raises(ValueError, match="a singular operator cannot be solved"):
        found.solve(np.ones((8, 1)))
    assert_array_equal(found.logabsdet(), -np.inf)
