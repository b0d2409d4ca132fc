import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from experiments import datasets
from experiments.datasets import TRAINING, VALIDATION, images

for package in ("sklearn", "skimage"):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: no images to train on", allow_module_level=True)


def test_digits_are_the_packages_own_all_of_them_once():
    path = Path(importlib.util.find_spec("sklearn").origin).parent / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",")[:, :-1]
    found = images("digits")
    ours = np.concatenate([found.training, found.validation])
    assert found.shape == (8, 8, 1)
    assert sorted(map(tuple, (ours + 1) * 8)) == sorted(map(tuple, table))


@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_no_photograph_serves_training_and_validation(colour):
    assert not set(TRAINING[colour]) & set(VALIDATION[colour])


@pytest.mark.parametrize("name", ["grey16", "rgb16"])
def test_every_crop_for_validation_is_a_window_of_its_photographs_or_its_mirror_image(name):
    found, colour = images(name), name[:-2]
    height, width, channels = found.shape
    windows = [
        np.lib.stride_tricks.sliding_window_view(datasets._photograph(file, colour), (height, width), axis=(0, 1))
        for file in VALIDATION[colour]
    ]  # (rows, columns, C, H, W)
    for crop in found.validation[:8].reshape(-1, height, width, channels):
        seen = False
        for each in (crop, crop[:, ::-1]):
            for view in windows:
                corner = (view[:, :, :, 0, 0] == each[0, 0]).all(axis=-1)
                seen |= any((view[i, j].transpose(1, 2, 0) == each).all() for i, j in np.argwhere(corner))
        assert seen


def test_halved_photographs_keep_the_mean_of_the_pixels():
    from PIL import Image

    path = Path(importlib.util.find_spec("skimage").origin).parent / "data" / "astronaut.png"
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.float64)
    halved = datasets._photograph("astronaut.png", "rgb")
    assert halved.shape == (256, 256, 3)
    np.testing.assert_allclose(
        halved.mean(axis=(0, 1), dtype=np.float64), pixels.mean(axis=(0, 1)) / 127.5 - 1, atol=1e-6
    )
    np.testing.assert_allclose(halved[3, 5], pixels[6:8, 10:12].mean(axis=(0, 1)) / 127.5 - 1, atol=1e-6)


def test_the_matched_law_has_the_moments_of_the_images_for_training():
    found = images("digits")
    data = found.training.astype(np.float64)
    law = found.matched()
    np.testing.assert_allclose(law.mean, data.mean(axis=0))
    np.testing.assert_allclose(law.covariance, np.cov(data.T, bias=True), atol=1e-12)
    assert found.spread**2 == pytest.approx(np.trace(law.covariance) / 64)


def test_another_name_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"`name` must be one of digits, grey16, .*, got 'cifar10'"):
        images("cifar10")


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="scikit-learn ships: pip install scikit-learn"):
        datasets._digits()
