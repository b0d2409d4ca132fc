import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
pytest.importorskip("safetensors", reason="safetensors is not installed (extra networks)")

import dataclasses  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402

import numpy as np  # noqa: E402
from torch import nn  # noqa: E402

from experiments import named  # noqa: E402
from experiments.datasets import Images  # noqa: E402
from experiments.training_checkpoint import finish, rounded  # noqa: E402
from experiments.training_loop import operations, rate, train  # noqa: E402
from experiments.training_loss import as_images, as_vectors, coupled, draw, weights  # noqa: E402
from experiments.training_recipes import Recipe  # noqa: E402
from experiments.training_validation import compare, errors, gaussian_errors, noise_levels  # noqa: E402
from pifs_sim.diffusion import exact_denoiser, schedules  # noqa: E402
from pifs_sim.dynamics import Patches  # noqa: E402
from pifs_sim.networks.loading import header, load  # noqa: E402

RNG = np.random.default_rng(5)
MIXING = RNG.standard_normal((32, 32)) / 8
SHAPE = (4, 4, 2)
DATA = Images(
    "little",
    SHAPE,
    *((RNG.standard_normal((n, 32)) @ MIXING + 0.3).astype(np.float32) for n in (40, 24)),
)
RECIPE = Recipe(
    architecture="dit",
    arguments={"patch": 2, "width": 8, "depth": 1, "heads": 2, "condition": 8},
    steps=6,
    batch=4,
    levels=20,
)
COUPLED = dataclasses.replace(RECIPE, coupling=0.01)


class Linear(nn.Module):
    """Images to images by a matrix on flattened (H, W, C)."""

    def __init__(self, matrix):
        super().__init__()
        self.matrix = nn.Parameter(torch.as_tensor(matrix))

    def forward(self, x, _):
        flat = x.permute(0, 2, 3, 1).reshape(len(x), -1) @ self.matrix.T
        return flat.reshape(-1, *SHAPE).permute(0, 3, 1, 2)


class Exact(nn.Module):
    """The exact noise estimate of a law."""

    def __init__(self, law):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.denoiser = exact_denoiser(law)

    def forward(self, x, angle):
        return as_images(self.denoiser.noise(as_vectors(x), angle.numpy()), SHAPE)


def same(module, other):
    pairs = zip(module.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("recipe", [RECIPE, COUPLED], ids=["plain", "coupled"])
def test_an_interrupted_training_ends_with_the_same_weights_to_the_last_bit(tmp_path, recipe):
    state = tmp_path / "state.safetensors"
    whole = train(recipe, data=DATA)
    part = train(recipe, data=DATA, state=state, stop=2, every=1)
    assert part.steps == 2
    assert not same(part.module, whole.module)
    ended = train(recipe, data=DATA, state=state, every=3)
    assert same(ended.module, whole.module)
    assert ended.losses == whole.losses


def test_another_seed_gives_another_network_and_leaves_the_generators_alone():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one, other = (train(dataclasses.replace(RECIPE, seed=seed, steps=1), data=DATA) for seed in (0, 1))
    assert not same(one.module, other.module)
    assert torch.equal(before, torch.get_rng_state())


def test_training_lowers_the_error_on_held_out_images():
    schedule = named.schedule("cosine", 20)
    recipe = dataclasses.replace(RECIPE, steps=150, batch=32, rate=1e-2, average=0.9)
    before = errors(train(dataclasses.replace(recipe, rate=1e-12, steps=1), data=DATA).module, DATA, schedule)
    after = errors(train(recipe, data=DATA).module, DATA, schedule)
    gain = (before - after).mean(axis=0)
    assert gain.mean() > 3 * gain.std(ddof=1) / math.sqrt(len(gain))


def test_the_state_of_another_recipe_is_refused_with_what_differs(tmp_path):
    state = tmp_path / "state.safetensors"
    train(RECIPE, data=DATA, state=state, stop=1)
    with pytest.raises(ValueError, match=r"state of another recipe: its `rate` is 0.002, not 0.001"):
        train(dataclasses.replace(RECIPE, rate=1e-3), data=DATA, state=state)


def test_a_file_that_is_no_state_is_refused(tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="cannot be read as the state of a training"):
        train(RECIPE, data=DATA, state=path)
    finish(train(RECIPE, data=DATA), path)
    with pytest.raises(ValueError, match="is not the state of a training"):
        train(RECIPE, data=DATA, state=path)


def test_a_loss_that_is_not_finite_stops_the_training():
    with pytest.raises(ValueError, match=r"the loss is not finite at step 2: a smaller `rate` than 1e\+30 helps"):
        train(dataclasses.replace(RECIPE, rate=1e30), data=DATA)


def test_batches_are_images_under_the_noise_of_their_angles_spread_over_the_schedule():
    schedule = schedules.cosine(8)
    given = draw(DATA.training, schedule, np.random.default_rng(1), shape=SHAPE, batch=16)
    angles = given.angle.numpy()
    clean = (as_vectors(given.x) - np.sin(angles)[:, None] * as_vectors(given.noise)) / np.cos(angles)[:, None]
    nearest = np.abs(clean[:, None] - DATA.training).max(axis=2).min(axis=1)
    assert (nearest < 1e-5 / np.cos(angles)).all()
    assert sorted(angles) == pytest.approx(sorted([*schedule.angles[1:]] * 2))
    np.testing.assert_allclose(given.tangent.numpy(), np.tan(angles), rtol=1e-6)


def test_weights_are_the_ratio_of_the_smaller_snr():
    tangent = torch.tensor([0.1, 0.4, 1.0, 10.0])
    snr = tangent**-2
    torch.testing.assert_close(weights(tangent, 5.0), torch.clamp(snr, max=5.0) / snr)
    assert (weights(tangent, None) == 1).all()


@pytest.mark.parametrize("size", [1, 2])
def test_the_probes_estimate_the_coupling_without_bias_and_do_not_see_diagonal_blocks(size):
    patches, rng, many = Patches(SHAPE, size), np.random.default_rng(2), 20_000
    matrix = RNG.standard_normal((32, 32))
    module = Linear(matrix)
    x = as_images(rng.standard_normal((many, 32)), SHAPE)
    estimate, found = coupled(module, x, torch.zeros(many), patches=patches, rng=rng)
    torch.testing.assert_close(estimate, module(x, None))
    diagonal = np.zeros((32, 32), dtype=bool)
    for indices in patches.indices:
        diagonal[np.ix_(indices, indices)] = True
    wanted = float(np.sum(np.where(diagonal, 0, matrix) ** 2))
    values = found.detach().numpy()
    assert values.mean() == pytest.approx(wanted, abs=5 * values.std() / math.sqrt(many))
    found.mean().backward()
    gradient = module.matrix.grad.numpy()
    assert (gradient[diagonal] == 0).all()
    assert np.linalg.norm(gradient - np.where(diagonal, 0, 2 * matrix)) < 0.1 * np.linalg.norm(matrix)


def test_the_rate_rises_to_its_largest_and_falls_to_almost_nothing():
    recipe = dataclasses.replace(RECIPE, steps=1000, rate=1.0)
    found = [rate(recipe, step) for step in range(1000)]
    assert found[49] == 1.0
    assert found[0] == 1 / 50
    assert max(found) == 1.0
    assert found[524] == pytest.approx((1 + math.cos(math.pi * 474 / 950)) / 2)
    assert 0 < found[-1] < 1e-5


def test_the_regulariser_costs_operations():
    assert 1.5 < operations(COUPLED, DATA) / operations(RECIPE, DATA) < 4


def test_the_matched_law_is_as_good_as_itself_and_a_little_noise_on_it_is_worse():
    schedule, law = schedules.cosine(20), DATA.matched()
    same_law = compare(Exact(law), DATA, schedule, levels=4)
    np.testing.assert_allclose(same_law.network, same_law.gaussian, rtol=1e-12)
    assert not same_law.better
    zero = compare(Linear(np.zeros((32, 32))), DATA, schedule, levels=4)
    assert not zero.better
    assert zero.difference > 0


def test_the_matched_laws_error_on_its_own_data_is_that_of_theory():
    law = DATA.matched()
    own = Images("own", SHAPE, DATA.training, law.sample(4000, np.random.default_rng(0)).astype(np.float32))
    schedule = schedules.cosine(20)
    found = gaussian_errors(own, schedule, levels=3)
    for values, t in zip(found, noise_levels(schedule, 3), strict=True):
        cos2, sin2 = schedule.cos[t] ** 2, schedule.sin[t] ** 2
        wanted = np.mean(cos2 * law.eigenvalues / (cos2 * law.eigenvalues + sin2))
        assert values.mean() == pytest.approx(wanted, abs=5 * values.std() / math.sqrt(len(values)))


def test_a_checkpoint_is_read_back_as_the_network_in_half_precision(tmp_path):
    trained = train(RECIPE, data=DATA)
    path, comparison = finish(trained, tmp_path / "little.safetensors")
    denoiser = load(path)
    x = np.random.default_rng(1).standard_normal((3, 32)).astype(np.float32)
    angle = torch.full((3,), 0.6, dtype=torch.float64)
    wanted = as_vectors(rounded(trained.module)(as_images(x, SHAPE), angle))
    np.testing.assert_allclose(denoiser.noise(x, 0.6), wanted, rtol=1e-6, atol=1e-6)
    said = header(path)
    assert said["schedule"] == {"name": "cosine", "steps": 20}
    assert said["training"]["recipe"] == json.loads(RECIPE.as_json())
    assert said["training"]["validation"]["network mean"] == pytest.approx(comparison.network.mean(), abs=1e-6)
    assert said["training"]["validation"]["better"] == comparison.better


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, r"`steps` must be an integer of at least 1, got 0"),
        ({"batch": 2.5}, r"`batch` must be an integer of at least 1, got 2.5"),
        ({"rate": math.inf}, r"`rate` must be positive, got inf"),
        ({"average": 1.0}, r"`average` must be in \[0, 1\), got 1.0"),
        ({"min_snr": -1.0}, r"`min_snr` must be positive, got -1.0"),
        ({"coupling": math.nan}, r"`coupling` must be non-negative, got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(RECIPE, **changes)
