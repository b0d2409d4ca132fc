"""Networks that diffusers saved: tiny random ones, saved here, against the library's own calls."""

import json
import math
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")

from numpy.testing import assert_allclose, assert_array_equal  # noqa: E402

from pifs_sim.diffusion.exchange import from_diffusers  # noqa: E402
from pifs_sim.networks import from_diffusers_folder  # noqa: E402
from pifs_sim.networks.diffusers import timesteps  # noqa: E402

SCHEDULER = {"_class_name": "DDIMScheduler", "num_train_timesteps": 50, "clip_sample": False}
ANGLES = from_diffusers(SCHEDULER).angles[1:]
UNET = {
    "sample_size": 8,
    "in_channels": 3,
    "out_channels": 3,
    "layers_per_block": 1,
    "block_out_channels": (8, 16),
    "norm_num_groups": 4,
    "attention_head_dim": 8,
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
}
DIT = {
    "sample_size": 4,
    "in_channels": 2,
    "out_channels": 4,
    "num_attention_heads": 2,
    "attention_head_dim": 4,
    "num_layers": 1,
    "num_embeds_ada_norm": 5,
    "norm_num_groups": 1,
}
POINTS = np.random.default_rng(0).standard_normal((2, 192))


def saved(folder, *, kind="UNet2DModel", scheduler=SCHEDULER, place="unet", **options):
    """A pipeline's folder with a random network."""
    torch.manual_seed(0)
    model = getattr(diffusers, kind)(**({"UNet2DModel": UNET}.get(kind, DIT) | options))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(folder / place, safe_serialization=True)
    if scheduler is not None:
        (folder / "scheduler").mkdir(exist_ok=True)
        (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler))
    return model.eval()


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pipeline")
    return folder, saved(folder)


def images(x, shape):
    return torch.tensor(x.reshape(-1, *shape), dtype=torch.float32).permute(0, 3, 1, 2)


def test_a_unet_is_the_librarys_at_its_timesteps(pipeline):
    folder, model = pipeline
    for path in (folder, folder / "unet"):
        found = from_diffusers_folder(path)
        assert (found.shape, found.predicts, found.dtype) == ((8, 8, 3), "noise", np.float32)
        for t in (0, 17, 49):
            with torch.no_grad():
                expected = model(images(POINTS, (8, 8, 3)), t).sample.permute(0, 2, 3, 1).reshape(2, -1)
            assert_allclose(found.noise(POINTS, ANGLES[t]), expected, rtol=0, atol=1e-5)


def test_a_unet_has_both_derivatives(pipeline):
    denoiser = from_diffusers_folder(pipeline[0], dtype="float64")
    assert (denoiser.forward_mode, denoiser.field.vectorised) == (True, True)
    rng = np.random.default_rng(1)
    V, U, h = rng.standard_normal((2, 192, 2)), rng.standard_normal((2, 192, 3)), 1e-5
    noise, pushed = denoiser.noise_and_jvp(POINTS, 0.7, V)
    ends = [denoiser.noise(POINTS + step * V[:, :, 0], 0.7) for step in (h, -h)]
    assert_allclose(pushed[:, :, 0], (ends[0] - ends[1]) / (2 * h), rtol=0, atol=1e-8)
    pulled = denoiser.noise_vjp(POINTS, 0.7, U)
    assert_allclose(np.swapaxes(pulled, 1, 2) @ V, np.swapaxes(U, 1, 2) @ pushed, rtol=0, atol=1e-11)
    assert_allclose(noise, denoiser.noise(POINTS, 0.7), rtol=0, atol=1e-13)


def test_angles_between_timesteps_are_in_proportion_or_rounded():
    grid = np.array([0.1, 0.3, 0.7, 1.5])
    angles = torch.tensor([0.0, 0.1, 0.15, 0.3, 0.6, 0.7, 1.1, 1.5, math.pi / 2], dtype=torch.float64)
    assert_allclose(timesteps(grid)(angles), [0, 0, 0.25, 1, 1.75, 2, 2.5, 3, 3], rtol=1e-14)
    whole = timesteps(grid, nearest=True)(angles)
    assert whole.dtype == torch.int64
    assert_array_equal(whole, [0, 0, 0, 1, 2, 2, 2, 3, 3])
    assert_array_equal(timesteps(ANGLES)(torch.tensor(ANGLES)), np.arange(50))


@pytest.mark.parametrize("label", [None, 3])
def test_a_transformer_is_told_no_class_or_one_and_its_variance_is_left(tmp_path, label):
    model = saved(tmp_path, kind="DiTTransformer2DModel", place="transformer")
    found = from_diffusers_folder(tmp_path, label=label, dtype="float64")
    x = POINTS[:, :32]
    model = model.double()
    with torch.no_grad():
        inputs = images(x, (4, 4, 2)).double(), torch.tensor([7, 7]), torch.full((2,), 5 if label is None else label)
        expected = model(torch.tensor(x.reshape(-1, 4, 4, 2)).permute(0, 3, 1, 2), *inputs[1:]).sample[:, :2]
    assert_allclose(found.noise(x, ANGLES[7]), expected.permute(0, 2, 3, 1).reshape(2, -1), rtol=0, atol=1e-12)
    assert found.forward_mode


@pytest.mark.parametrize(("kind", "predicts"), [("sample", "data"), ("v_prediction", "velocity")])
def test_the_prediction_type_is_the_schedulers(pipeline, kind, predicts):
    found = from_diffusers_folder(pipeline[0], scheduler=SCHEDULER | {"prediction_type": kind})
    assert found.predicts == predicts


def test_a_label_goes_to_a_unet_with_classes(tmp_path):
    saved(tmp_path, num_class_embeds=4)
    first, second = (from_diffusers_folder(tmp_path, label=label).noise(POINTS, 0.7) for label in (0, 3))
    assert np.abs(first - second).max() > 1e-3
    for label in (None, 4, -1):
        with pytest.raises(ValueError, match=r"`label` must be a class in 0\.\.3"):
            from_diffusers_folder(tmp_path, label=label)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": SCHEDULER | {"_class_name": "FlowMatchEulerDiscreteScheduler"}}, "must scale data and noise by"),
        ({"scheduler": SCHEDULER | {"_class_name": "EDMEulerScheduler"}}, "must scale data and noise by"),
        ({"scheduler": SCHEDULER | {"prediction_type": "flow_prediction"}}, "`prediction_type` must be one of epsilon"),
        ({"label": 1}, "`label` must be left out for a network without classes"),
        ({"dtype": "float16"}, '`dtype` must be "float32" or "float64"'),
        ({"shape": (8,)}, r"`shape` must be \(H, W\)"),
        ({"shape": (9, 9)}, r"`module` does not take inputs of shape \(1, 3, 9, 9\)"),
    ],
)
def test_bad_options_are_refused(pipeline, options, message):
    with pytest.raises(ValueError, match=message):
        from_diffusers_folder(pipeline[0], **options)


def test_a_name_of_the_hub_is_refused():
    with pytest.raises(ValueError, match="`path` must name a local folder, got 'google/ddpm-cifar10-32': nothing is"):
        from_diffusers_folder("google/ddpm-cifar10-32")


def copy(folder, to, change=None):
    shutil.copytree(folder / "unet", to / "unet")
    config = json.loads((to / "unet" / "config.json").read_text()) | (change or {})
    (to / "unet" / "config.json").write_text(json.dumps(config))
    return to


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"_class_name": "UNet2DConditionModel"},
            "must be that of UNet2DModel or DiTTransformer2DModel, got .UNet2DCon",
        ),
        ({"time_embedding_type": "fourier"}, "takes sigmas, not timesteps"),
        ({"block_out_channels": [8, 32]}, "cannot be loaded as UNet2DModel: .*size mismatch"),
    ],
)
def test_a_config_that_does_not_fit_is_named(pipeline, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        from_diffusers_folder(copy(pipeline[0], tmp_path, change), scheduler=SCHEDULER)


@pytest.mark.parametrize("there", [True, False])
def test_unexpected_and_missing_tensors_are_named(pipeline, tmp_path, there):
    from safetensors.torch import load_file, save_file

    path = copy(pipeline[0], tmp_path) / "unet" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path) | {"other.weight": torch.zeros(2)}
    if not there:
        del tensors["other.weight"], tensors["conv_in.bias"]
    save_file(tensors, path, metadata={"format": "pt"})
    message = r"it has unexpected other\.weight" if there else r"it lacks conv_in\.bias"
    with pytest.raises(ValueError, match=message):
        from_diffusers_folder(tmp_path, scheduler=SCHEDULER)


def test_a_folder_without_safetensors_is_refused(pipeline, tmp_path):
    weights = copy(pipeline[0], tmp_path) / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ValueError, match=r"holds no \.safetensors file, only diffusion_pytorch_model\.bin, a pickle"):
        from_diffusers_folder(tmp_path, scheduler=SCHEDULER)
    with pytest.raises(ValueError, match=r"holds no config\.json"):
        from_diffusers_folder(tmp_path.parent, scheduler=SCHEDULER)


def test_without_a_scheduler_the_angles_are_asked_for(pipeline, tmp_path):
    with pytest.raises(ValueError, match=r"`scheduler` must be given, for .* has no scheduler_config\.json beside it"):
        from_diffusers_folder(copy(pipeline[0], tmp_path))
    (tmp_path / "unet" / "config.json").write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        from_diffusers_folder(tmp_path)
