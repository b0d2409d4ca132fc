import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")
pytest.importorskip("safetensors", reason="safetensors is not installed (extra networks)")

import json  # noqa: E402

import numpy as np  # noqa: E402

import experiments  # noqa: E402
from experiments import named  # noqa: E402
from experiments.datasets import images  # noqa: E402
from experiments.training import main  # noqa: E402
from experiments.training_recipes import RECIPES, checkpoints  # noqa: E402
from experiments.training_validation import errors  # noqa: E402
from pifs_sim.networks.loading import header, load  # noqa: E402

KEPT = sorted(checkpoints().glob("*.safetensors"))


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_help_has_an_example():
    command = [sys.executable, "-m", "experiments.training", "--help"]
    root = Path(experiments.__path__[0]).parent
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout
    assert "Example: python -m experiments.training digits-unet" in said


def test_without_a_recipe_they_are_listed(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"{name}\n" in said and recipe.as_json() in said for name, recipe in RECIPES.items())


def test_a_training_is_stopped_taken_up_and_kept_with_its_losses(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no digits")
    arguments = ["digits-unet", "-o", str(tmp_path), "--steps", "4", "--batch", "4", "--seed", "3"]
    assert main([*arguments, "--stop", "2"]) == 0
    assert "stopped at step 2 of 4" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["digits-unet.state.safetensors"]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "not better than the matched Gaussian" in said.out
    assert "step 3 of 4" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["digits-unet.safetensors"]
    found = header(tmp_path / "digits-unet.safetensors")["training"]
    assert found["recipe"]["seed"] == 3
    assert len(found["losses"]) == 4


def test_bad_input_is_refused_in_a_sentence(tmp_path, capsys):
    assert "invalid choice: 'resnet'" in refused(capsys, "resnet")
    assert "`rate` must be positive, got -1.0" in refused(capsys, "digits-unet", "--rate=-1")
    assert "--every must be at least 1, got 0" in refused(capsys, "digits-unet", "--every", "0")
    assert "unknown schedule" in refused(capsys, "digits-unet", "--schedule", "square").lower()
    assert "--output must be a folder that exists" in refused(capsys, "digits-unet", "-o", str(tmp_path / "none"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_committed_network_is_small_and_of_its_recipe(path):
    assert path.stat().st_size <= 1_000_000
    assert header(path)["training"]["recipe"] == json.loads(RECIPES[path.stem].as_json())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_committed_network_has_the_errors_that_its_header_tells(path):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no images")
    pytest.importorskip("skimage", reason="scikit-image is not installed: no images")
    said, recipe = header(path), RECIPES[path.stem]
    data, schedule = images(said["data"]), named.schedule(recipe.schedule, recipe.levels)
    count = None if said["data"] == "digits" else 32  # of larger images, a few: within their own standard error
    found, told = errors(load(path).module, data, schedule, count=count), said["training"]["validation"]
    stderr = 0 if count is None else found.std(axis=1, ddof=1) / np.sqrt(count)
    assert (np.abs(found.mean(axis=1) - told["network"]) <= 5 * stderr + 1e-3 * found.mean(axis=1) + 2e-6).all()


def test_every_committed_network_has_a_recipe_and_digits_and_crops_have_all_three_architectures():
    names = {path.stem for path in KEPT}
    assert names <= set(RECIPES)
    assert {f"{data}-{kind}" for data in ("digits", "grey16") for kind in ("dit", "unet", "conv")} <= names
