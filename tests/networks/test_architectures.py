import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

import math  # noqa: E402

import numpy as np  # noqa: E402
from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: E402

from experiments.training_recipes import RECIPES  # noqa: E402
from pifs_sim.diffusion import exact_denoiser  # noqa: E402
from pifs_sim.diffusion.measures import Gaussian  # noqa: E402
from pifs_sim.dynamics import Patches  # noqa: E402
from pifs_sim.networks.architectures import build, parameter_count  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own, at first use
SMALL = {
    "transformer": ("dit", {"patch": 2, "width": 8, "depth": 2, "heads": 2, "condition": 8}),
    "attention": ("unet", {"widths": (4, 8), "heads": 2, "condition": 8}),
    "convolution": ("unet", {"widths": (4, 8), "heads": 2, "condition": 8, "attention": False}),
}
SHAPES = {"digits": (8, 8, 1), "grey16": (16, 16, 1), "rgb32": (32, 32, 3)}


def network(case, shape=(4, 4, 2), *, seed=0, **others):
    """A network whose last layers are not zero, in double precision."""
    name, arguments = SMALL[case]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(name, shape, **arguments, **others).to(torch.float64)
        for parameter in module.parameters():
            parameter.data += 0.2 * torch.randn_like(parameter)
    return module.requires_grad_(False)


def draws(*shapes):
    rng = np.random.default_rng(3)
    return [torch.from_numpy(rng.standard_normal(shape)) for shape in shapes]


@pytest.mark.parametrize("data", SHAPES)
def test_the_architectures_of_a_data_set_have_equal_counts_to_three_percent_and_fit_in_a_megabyte(data):
    found = [
        parameter_count(build(recipe.architecture, SHAPES[data], **recipe.arguments))
        for recipe in RECIPES.values()
        if recipe.data == data
    ]
    assert len(found) == (1 if data == "rgb32" else 3)
    assert max(found) <= 1.03 * min(found)
    assert max(found) <= 480_000


@pytest.mark.parametrize("case", SMALL)
def test_forward_mode_reverse_mode_and_differences_agree(case):
    module, angle = network(case), torch.tensor([0.4, 1.1], dtype=torch.float64)
    x, v, u = draws((2, 2, 4, 4), (2, 2, 4, 4), (2, 2, 4, 4))

    def estimate(points):
        return module(points, angle)

    with sdpa_kernel(SDPBackend.MATH):
        _, forward = torch.func.jvp(estimate, (x,), (v,))
        _, pull = torch.func.vjp(estimate, x)
        step = 1e-5
        difference = (estimate(x + step * v) - estimate(x - step * v)) / (2 * step)
    scale = float(forward.abs().max())
    assert float((forward - difference).abs().max()) < 1e-7 * scale  # O(step^2) and rounding/step
    assert float((forward * u).sum()) == pytest.approx(float((pull(u)[0] * v).sum()), rel=1e-12)


@pytest.mark.parametrize("case", SMALL)
def test_many_tangents_at_once_are_those_one_by_one(case):
    module, angle = network(case), torch.tensor([0.7], dtype=torch.float64)
    x, tangents = draws((1, 2, 4, 4), (3, 1, 2, 4, 4))

    def push(v):
        return torch.func.jvp(lambda points: module(points, angle), (x,), (v,))[1]

    with sdpa_kernel(SDPBackend.MATH):
        together = torch.func.vmap(push)(tangents)
        for one, found in zip(tangents, together, strict=True):
            torch.testing.assert_close(found, push(one), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", SMALL)
def test_images_of_a_batch_do_not_see_each_other(case):
    module, angle = network(case), torch.tensor([0.1, 0.8, 1.5], dtype=torch.float64)
    (x,) = draws((3, 2, 4, 4))
    together = module(x, angle)
    for i in range(3):
        torch.testing.assert_close(together[i : i + 1], module(x[i : i + 1], angle[i : i + 1]), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", SMALL)
def test_before_training_it_is_the_denoiser_of_white_data(case):
    name, arguments = SMALL[case]
    module = build(name, (4, 4, 2), **arguments, spread=0.7).to(torch.float64)
    (x,) = draws((5, 2, 4, 4))
    law = exact_denoiser(Gaussian(np.zeros(32), 0.49 * np.eye(32)))
    for angle in (0.05, 0.6, 1.2):
        found = module(x, torch.full((5,), angle, dtype=torch.float64)).detach().numpy().reshape(5, 32)
        np.testing.assert_allclose(found, law.noise(x.numpy().reshape(5, 32), angle), rtol=1e-12)


@pytest.mark.parametrize("case", SMALL)
def test_at_a_right_angle_all_is_noise_unless_the_network_stands_alone(case):
    (x,) = draws((2, 2, 4, 4))
    angle = torch.full((2,), math.pi / 2, dtype=torch.float64)
    torch.testing.assert_close(network(case)(x, angle), x, rtol=1e-12, atol=1e-12)
    alone = network(case, spread=0.0)
    assert float((alone(x, angle) - x).abs().max()) > 0.1
    torch.testing.assert_close(alone(x, angle), alone.estimate(x, angle), rtol=0, atol=0)


def test_without_blocks_the_tokens_of_the_transformer_are_the_patches():
    name, arguments = SMALL["transformer"]
    shape, size = (4, 6, 2), 2
    module = build(name, shape, **arguments | {"depth": 0})
    for parameter in module.parameters():
        parameter.data.normal_()
    angle = torch.tensor([0.5])

    def flat(x):  # (d,) of (H, W, C) to (d,)
        return module(x.reshape(1, *shape).permute(0, 3, 1, 2), angle).permute(0, 2, 3, 1).reshape(-1)

    jacobian = torch.func.jacrev(flat)(torch.linspace(-1, 1, 48)).detach().numpy()
    patches = Patches(shape, size)
    same = np.zeros((48, 48), dtype=bool)
    for indices in patches.indices:
        same[np.ix_(indices, indices)] = True
    assert (jacobian[~same] == 0).all()
    assert (jacobian[same] != 0).mean() > 0.9


class _Count(torch.overrides.TorchFunctionMode):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.calls += func is torch.nn.functional.scaled_dot_product_attention
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("case", "calls"), [("transformer", 2), ("attention", 1), ("convolution", 0)])
def test_attention_is_seen_by_hooks_where_there_is_attention(case, calls):
    module, (x,) = network(case), draws((1, 2, 4, 4))
    with _Count() as count:
        module(x, torch.tensor([0.5], dtype=torch.float64))
    assert count.calls == calls


def test_places_of_the_network_without_attention_meet_near_by_only():
    module = network("convolution", (32, 4, 2))
    angle = torch.tensor([0.6], dtype=torch.float64)
    (x,) = draws((1, 2, 32, 4))
    probe = torch.zeros_like(x)
    probe[:, :, 0] = 1
    _, found = torch.func.jvp(lambda points: module.estimate(points, angle), (x,), (probe,))
    reach = np.flatnonzero(found.abs().amax(dim=(0, 1, 3)).numpy())
    # 3 convolutions, a halving, 2 of reach two, a doubling, 3: 3 + 1 + 4 + 1 + 3 places and the rest of a square
    assert 8 <= reach.max() <= 13


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet", {}, r"`name` must be one of dit, unet, got 'resnet'"),
        ("dit", {"patch": 3}, r"`patch` must divide height and width of \(8, 8, 1\), got 3"),
        ("dit", {"width": 30}, r"`heads` must divide `width` 30, got 4"),
        ("unet", {"widths": (8,)}, r"`widths` must halve \(8, 8, 1\) once or more often, got 1"),
        ("unet", {"widths": (8, 8, 8, 8, 8)}, r"`widths` must halve"),
        ("unet", {"widths": (8, 9)}, r"`heads` must divide all of \(8, 9\) but the first, got 4"),
        ("unet", {"colour": 1}, r"`arguments` do not fit unet: .*colour"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(name, (8, 8, 1), **arguments)


def test_a_shape_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"`shape` must be \(H, W, C\) with positive integers, got \(64,\)"):
        build("dit", (64,))
