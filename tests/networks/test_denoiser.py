"""Networks as denoisers: exact ones wrapped as torch modules against the closed form, and what is refused."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402

from pifs_sim.diffusion import schedules  # noqa: E402
from pifs_sim.diffusion.chain import Chain  # noqa: E402
from pifs_sim.diffusion.denoisers import exact_denoiser  # noqa: E402
from pifs_sim.diffusion.measures import Gaussian, Mixture, PointCloud  # noqa: E402
from pifs_sim.diffusion.suppression import suppression  # noqa: E402
from pifs_sim.dynamics import Patches, lyapunov_spectrum  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.testing import check_denoiser, check_system  # noqa: E402
from tests.networks.exact import AttentionModule, LinearModule, MixtureModule, gaussian_module  # noqa: E402

ANGLES = (0.05, 0.7, 1.5)
RNG = np.random.default_rng(1)
FACTORS = RNG.standard_normal((3, 6, 6))
LAW = Mixture([0.5, 0.3, 0.2], RNG.standard_normal((3, 6)), FACTORS @ FACTORS.transpose(0, 2, 1) / 6)
NOISE = MixtureModule(LAW.weights, LAW.means, LAW.covariances)
POINTS = RNG.standard_normal((3, 6))


class Turned(torch.nn.Module):
    """Data or velocity from a module that estimates noise."""

    def __init__(self, inner, predicts):
        super().__init__()
        self.inner, self.predicts = inner, predicts

    def forward(self, x, angle):
        noise, cos, sin = self.inner(x, angle), torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        mean = (x - sin * noise) / cos
        return mean if self.predicts == "data" else cos * noise - sin * mean


class AsImage(torch.nn.Module):
    """A module on (B, C, H, W) whose flattened form, in (H, W, C) order, is that of a module on vectors."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, angle):
        batch, channels, height, width = x.shape
        out = self.inner(x.permute(0, 2, 3, 1).reshape(batch, -1), angle)
        return out.reshape(batch, height, width, channels).permute(0, 3, 1, 2)


MODULES = {"noise": NOISE, "data": Turned(NOISE, "data"), "velocity": Turned(NOISE, "velocity")}


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("predicts", MODULES)
def test_an_exact_network_is_the_exact_denoiser(predicts, angle):
    exact = exact_denoiser(LAW).posterior(POINTS, angle)
    network = NetworkDenoiser(MODULES[predicts], (6,), predicts=predicts).posterior(POINTS, angle)
    size = 1 / (math.sin(angle) * math.cos(angle))  # what conversion from one prediction to another loses
    for name in ("mean", "noise"):
        assert_allclose(getattr(network, name), getattr(exact, name), rtol=0, atol=1e-12 * size)
        jacobian, expected = getattr(network, f"{name}_jacobian"), getattr(exact, f"{name}_jacobian").dense()
        V = RNG.standard_normal((3, 6, 4))
        assert_allclose(jacobian @ V, expected @ V, rtol=0, atol=1e-12 * size**2)
        assert_allclose(jacobian.T @ V, expected.transpose(0, 2, 1) @ V, rtol=0, atol=1e-12 * size**2)
        assert_allclose(jacobian.dense(), expected, rtol=0, atol=1e-12 * size**2)


@pytest.mark.parametrize("predicts", MODULES)
def test_the_doors_of_the_noise_are_products_with_its_jacobian(predicts):
    denoiser = NetworkDenoiser(MODULES[predicts], (6,), predicts=predicts)
    exact = exact_denoiser(LAW).posterior(POINTS, 0.7)
    V = RNG.standard_normal((3, 6, 4))
    noise, pushed = denoiser.noise_and_jvp(POINTS, 0.7, V)
    assert_allclose(noise, exact.noise, rtol=0, atol=1e-13)
    assert_allclose(pushed, exact.noise_jacobian @ V, rtol=0, atol=1e-12)
    assert_allclose(denoiser.noise_vjp(POINTS, 0.7, V), exact.noise_jacobian.T @ V, rtol=0, atol=1e-12)


def test_attention_is_the_denoiser_of_a_point_cloud():
    points, weights = RNG.standard_normal((5, 6)), np.array([0.1, 0.2, 0.3, 0.25, 0.15])
    exact = exact_denoiser(PointCloud(points, weights)).posterior(POINTS, 0.8)
    found = NetworkDenoiser(AttentionModule(points, weights), (6,), predicts="data").posterior(POINTS, 0.8)
    assert_allclose(found.mean, exact.mean, rtol=0, atol=1e-13)
    assert_allclose(found.mean_jacobian.dense(), exact.mean_jacobian.dense(), rtol=0, atol=1e-12)


def test_pixels_are_flattened_row_by_row_with_the_channels_last():
    as_image = NetworkDenoiser(AsImage(NOISE), (1, 2, 3)).posterior(POINTS, ANGLES)
    as_vector = NetworkDenoiser(NOISE, (6,)).posterior(POINTS, ANGLES)
    assert_array_equal(as_image.noise, as_vector.noise)
    assert_array_equal(as_image.noise_jacobian.dense(), as_vector.noise_jacobian.dense())


@pytest.mark.parametrize("chunk", [1, 2, 5, 100])
def test_chunks_change_nothing(chunk):
    V = RNG.standard_normal((3, 6, 5))
    found = NetworkDenoiser(NOISE, (6,), chunk=chunk).posterior(POINTS, ANGLES)
    exact = exact_denoiser(LAW).posterior(POINTS, np.array(ANGLES))
    assert_allclose(found.noise, exact.noise, rtol=0, atol=1e-12)
    assert_allclose(found.noise_jacobian @ V, exact.noise_jacobian @ V, rtol=0, atol=1e-11)
    assert_allclose(found.noise_jacobian.T @ V, exact.noise_jacobian @ V, rtol=0, atol=1e-11)


@pytest.mark.parametrize("predicts", MODULES)
def test_a_network_is_a_denoiser_and_its_chain_a_system(predicts):
    denoiser = NetworkDenoiser(MODULES[predicts], (6,), predicts=predicts)
    check_denoiser(denoiser, POINTS, exact=False)
    check_system(Chain(schedules.cosine(4), denoiser), POINTS, steps=4)


def test_a_chain_of_velocities_starts_from_pure_noise():
    law = Gaussian(np.arange(6.0), LAW.covariances[0])

    def velocity(x, angle):
        cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        Q, lam, mu = (torch.tensor(np.array(part)) for part in (law.eigenvectors, law.eigenvalues, law.mean))
        y = (x - cos * mu) @ Q / (lam * cos**2 + sin**2)
        return (y * (sin * cos * (1 - lam))) @ Q.T - sin * mu

    schedule = schedules.uniform_angle(5)
    chain = Chain(schedule, NetworkDenoiser(velocity, (6,), predicts="velocity"))
    assert schedule.cos[-1] == 0
    assert_allclose(chain.run(POINTS), Chain(schedule, exact_denoiser(law)).run(POINTS), rtol=0, atol=1e-11)
    check_system(chain, POINTS)


def test_the_leading_exponents_of_a_networks_chain_are_those_of_the_exact_one():
    schedule = schedules.cosine(8)
    chains = [Chain(schedule, denoiser) for denoiser in (NetworkDenoiser(NOISE, (6,)), exact_denoiser(LAW))]
    found, exact = (lyapunov_spectrum(chain, POINTS, 8, k=2) for chain in chains)
    assert_allclose(found.per_orbit, exact.per_orbit, rtol=0, atol=1e-10)


def test_a_law_beside_the_network_is_what_suppression_compares_with():
    schedule, patches = schedules.cosine(3), Patches(6, 2)
    chain = Chain(schedule, NetworkDenoiser(NOISE, (6,), measure=LAW))
    exact = Chain(schedule, exact_denoiser(LAW))
    x = exact.trajectory(POINTS)[1:]
    assert_allclose(suppression(chain, x, patches), suppression(exact, x, patches), rtol=0, atol=1e-11)
    sampled = [one.sample(4, np.random.default_rng(0)) for one in (chain, exact)]
    assert_allclose(sampled[0], sampled[1], rtol=0, atol=1e-11)


def test_a_float32_network_serves_points_of_both_precisions():
    single = NetworkDenoiser(MixtureModule(LAW.weights, LAW.means, LAW.covariances).float(), (6,))
    assert single.dtype is np.float32
    exact = exact_denoiser(LAW).posterior(POINTS, 0.7)
    for dtype in (np.float32, np.float64):
        posterior = single.posterior(POINTS.astype(dtype), 0.7)
        for found, expected in (
            (posterior.mean, exact.mean),
            (posterior.noise_jacobian.dense(), exact.noise_jacobian.dense()),
        ):
            assert found.dtype == dtype
            assert_allclose(found, expected, rtol=0, atol=2e-5)


def test_a_condition_turns_angles_into_what_the_network_takes():
    def by_sigma(x, sigma):
        return NOISE(x, torch.atan(sigma))

    found = NetworkDenoiser(by_sigma, (6,), condition=torch.tan).noise(POINTS, ANGLES)
    assert_allclose(found, NetworkDenoiser(NOISE, (6,)).noise(POINTS, ANGLES), rtol=0, atol=1e-12)


def test_the_module_is_used_in_evaluation_mode_and_left_as_it_was():
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Identity()).double()
    module[1].eval()
    denoiser = NetworkDenoiser(lambda x, _: module(x), (6,))
    assert_array_equal(module.training, True)
    owned = type("Owned", (torch.nn.Module,), {"forward": lambda self, x, _: self.inner(x)})()
    owned.inner = module
    denoiser = NetworkDenoiser(owned, (6,))
    assert_array_equal(denoiser.noise(POINTS, 0.7), POINTS)
    assert (owned.training, module.training, module[0].training, module[1].training) == (True, True, True, False)


@pytest.mark.parametrize(
    ("predicts", "angle", "asked", "end"),
    [("noise", math.pi / 2, "mean", "pi/2"), ("data", 0.0, "noise", "0"), ("data", (0.5, 0.0, 1.0), "noise", "0")],
)
def test_an_angle_without_an_answer_is_refused(predicts, angle, asked, end):
    posterior = NetworkDenoiser(MODULES[predicts], (6,), predicts=predicts).posterior(POINTS, angle)
    with pytest.raises(ValueError, match=f"`angle` must not be {end} where a network that predicts {predicts}"):
        getattr(posterior, asked)
    with pytest.raises(ValueError, match="`angle` must not be"):
        getattr(posterior, f"{asked}_jacobian")


@pytest.mark.parametrize("name", ["covariance", "weights", "log_density"])
def test_a_network_gives_no_law(name):
    with pytest.raises(ValueError, match=f"`{name}` .* which a network does not give"):
        getattr(NetworkDenoiser(NOISE, (6,)).posterior(POINTS, 0.7), name)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((NOISE, (5,)), {}, r"`module` does not take inputs of shape \(1, 5\)"),
        ((NOISE, (6,)), {"predicts": "score"}, '`predicts` must be "noise", "data" or "velocity", got .score.'),
        ((NOISE, (2, 3)), {}, r"`shape` must be \(H, W, C\) or \(d,\)"),
        ((NOISE, (6.0,)), {}, r"`shape` must be \(H, W, C\) or \(d,\)"),
        ((NOISE, (6,)), {"chunk": 0}, "`chunk` must be an integer of at least 1, got 0"),
        (("net", (6,)), {}, "`module` must be a torch module or another callable, got str"),
        ((lambda x: x, (6,)), {}, r"`module` does not take inputs of shape .* takes 1 positional argument but 2 were"),
        ((lambda x, _: x[:, :3], (6,)), {}, r"`module` must return a tensor of the shape of its input, \(1, 6\)"),
        ((lambda x, _: (x,), (6,)), {}, "`module` must return a tensor of the shape of its input, .*, got tuple"),
        ((torch.nn.Linear(6, 6).half(), (6,)), {}, "`module` must hold float32 or float64 numbers, got torch.float16"),
        ((NOISE, (6,)), {"measure": Gaussian(np.zeros(2), np.eye(2))}, "`measure` has d=2, expected d=6"),
    ],
)
def test_a_bad_network_is_refused_in_a_sentence(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        NetworkDenoiser(*arguments, **options)


@pytest.mark.parametrize(
    ("x", "angle", "message"),
    [
        (POINTS[:, :5], 0.7, r"`x` must have shape \(batch, 6\)"),
        (np.full((1, 6), np.nan), 0.7, "`x` must be finite"),
        (torch.zeros(1, 6), 0.7, "`x` must be a NumPy array, got Tensor"),
        (POINTS, 2.0, r"`angle` must lie in \[0, pi/2\]"),
        (POINTS, [0.1, 0.2], "`angle` must be a number or have shape"),
    ],
)
def test_bad_points_and_angles_are_refused(x, angle, message):
    with pytest.raises(ValueError, match=message):
        NetworkDenoiser(NOISE, (6,)).posterior(x, angle)


class Root(torch.nn.Module):
    def forward(self, x):
        return torch.sqrt(x)


class Deep(torch.nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.first, self.inner = torch.nn.Identity(), torch.nn.Sequential(*layers)

    def forward(self, x, angle):
        return self.inner(self.first(x) + 0 * angle[:, None])


def test_a_value_that_is_not_finite_is_named_with_its_angle_and_layer():
    denoiser = NetworkDenoiser(Deep(torch.nn.Identity(), Root(), torch.nn.ReLU()), (6,))
    assert_allclose(denoiser.noise(np.full((1, 6), 4.0), 0.5), 2.0)
    x = np.array([[4.0] * 6, [-4.0] * 6])
    expected = r"`module` gives NaN or infinity at angle 0.25; the first layer that does is `inner.1` \(Root\)"
    for call in (
        lambda: denoiser.noise(x, [0.5, 0.25]),
        lambda: denoiser.noise_and_jvp(x, [0.5, 0.25], np.ones((2, 6, 1))),
        lambda: denoiser.noise_vjp(x, [0.5, 0.25], np.ones((2, 6, 1))),
    ):
        with pytest.raises(ValueError, match=expected):
            call()


def test_a_derivative_that_is_not_finite_is_refused():
    denoiser = NetworkDenoiser(Deep(Root()), (6,))
    assert_array_equal(denoiser.noise(np.zeros((1, 6)), 0.5), 0.0)
    with pytest.raises(ValueError, match=r"J V of `module` is not finite at angle 0\.5"):
        denoiser.noise_and_jvp(np.array([[1.0] * 6, [0.0] * 6]), [0.7, 0.5], np.ones((2, 6, 1)))


def test_a_callable_without_layers_is_named_without_one():
    with pytest.raises(ValueError, match=r"`module` gives NaN or infinity at angle 0\.5\.$"):
        NetworkDenoiser(lambda x, _: torch.sqrt(x), (6,)).noise(-np.ones((1, 6)), 0.5)


def test_a_linear_map_is_its_own_jacobian_and_so_is_gaussian_noise():
    matrix = RNG.standard_normal((6, 6))
    found = NetworkDenoiser(LinearModule(matrix), (6,)).noise_jacobian(POINTS, 0.3).dense()
    assert_allclose(found, np.broadcast_to(matrix, (3, 6, 6)), rtol=0, atol=1e-15)
    law = Gaussian(LAW.means[0], LAW.covariances[0])
    found = NetworkDenoiser(gaussian_module(law), (6,)).noise_jacobian(POINTS, 0.3)
    assert_allclose(found.dense(), exact_denoiser(law).noise_jacobian(POINTS, 0.3).dense(), rtol=0, atol=1e-13)
