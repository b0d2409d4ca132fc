"""Images that installed packages ship, as data for small networks: digits, and crops of photographs.

Digits are scikit-learn's 1797 of 8 x 8 grey values 0..16. Crops are squares of 16 or 32 places, grey or RGB, at random
places of photographs halved in both directions (means of 2 x 2), half of them mirrored; photographs for training and
for validation are disjoint. All values lie in [-1, 1]; images (H, W, C) are flattened in C order, as `Patches` does.
Nothing is downloaded: the files are read from the folders of scikit-learn and scikit-image.
"""

from __future__ import annotations

import gzip
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pifs_sim.diffusion.measures import Gaussian

__all__ = ["NAMES", "TRAINING", "VALIDATION", "Images", "images"]

Array = npt.NDArray[np.float32]

NAMES = ("digits", "grey16", "grey32", "rgb16", "rgb32")
TRAINING = {
    "rgb": ("astronaut.png", "coffee.png", "motorcycle_left.png", "rocket.jpg", "china.jpg"),
    "grey": (
        "astronaut.png",
        "coffee.png",
        "motorcycle_left.png",
        "rocket.jpg",
        "china.jpg",
        "camera.png",
        "brick.png",
        "gravel.png",
    ),
}
VALIDATION = {
    "rgb": ("chelsea.png", "flower.jpg"),
    "grey": ("chelsea.png", "flower.jpg", "coins.png", "grass.png"),
}
_SCIKIT_LEARN = {"china.jpg", "flower.jpg"}
_COUNTS = 8192, 1024  # crops for training and for validation
_HELD_OUT = 360  # digits for validation


@dataclass(frozen=True, eq=False)
class Images:
    """Images for training and others for validation.

    Args:
        name: of the data.
        shape: (H, W, C).
        training: (N, H W C) float32 in [-1, 1].
        validation: (n, H W C), of other photographs or digits.
    """

    name: str
    shape: tuple[int, int, int]
    training: Array
    validation: Array

    @property
    def spread(self) -> float:
        """Standard deviation of a coordinate about the images' mean, over all of them."""
        return float(np.sqrt(np.mean(self.training.astype(np.float64).var(axis=0))))

    def matched(self) -> Gaussian:
        """The normal law with the mean and the covariance of the images for training."""
        data = self.training.astype(np.float64)
        centred = data - data.mean(axis=0)
        return Gaussian(data.mean(axis=0), centred.T @ centred / len(data))


def _folder(package: str, *parts: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        shown = {"sklearn": "scikit-learn", "skimage": "scikit-image"}[package]
        raise ValueError(f"`name` needs images that {shown} ships: pip install {shown}.")
    return Path(found.origin).parent.joinpath(*parts)


def _digits() -> Images:
    path = _folder("sklearn", "datasets", "data", "digits.csv.gz")
    with gzip.open(path, "rt", encoding="ascii") as lines:
        table = np.loadtxt(lines, delimiter=",")
    values = (table[:, :-1] / 8 - 1).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(values))
    return Images("digits", (8, 8, 1), values[order[_HELD_OUT:]], values[order[:_HELD_OUT]])


def _photograph(name: str, colour: str) -> Array:
    """(H, W, C) in [-1, 1], halved."""
    from PIL import Image

    folder = _folder("sklearn", "datasets", "images") if name in _SCIKIT_LEARN else _folder("skimage", "data")
    with Image.open(folder / name) as image:
        pixels = np.asarray(image.convert("RGB" if colour == "rgb" else "L"), dtype=np.float32)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    height, width, channels = (pixels.shape[0] // 2) * 2, (pixels.shape[1] // 2) * 2, pixels.shape[2]
    halved = pixels[:height, :width].reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3))
    return np.asarray(halved / 127.5 - 1, dtype=np.float32)


def _crops(photographs: tuple[str, ...], colour: str, side: int, *, count: int, seed: int) -> Array:
    """(count, side side C), equally many of each photograph up to one, in random order."""
    rng, found = np.random.default_rng(seed), []
    shares = np.diff(np.linspace(0, count, len(photographs) + 1).round().astype(int))
    for name, share in zip(photographs, shares, strict=True):
        picture = _photograph(name, colour)
        tops = rng.integers(picture.shape[0] - side + 1, size=share)
        lefts = rng.integers(picture.shape[1] - side + 1, size=share)
        for top, left, mirrored in zip(tops, lefts, rng.random(share) < 0.5, strict=True):
            crop = picture[top : top + side, left : left + side]
            found.append((crop[:, ::-1] if mirrored else crop).reshape(-1))
    return np.stack(found)[rng.permutation(count)]


@cache
def images(name: str) -> Images:
    """The data of that name: digits, or crops as colour and side.

    Raises:
        ValueError: another name, or the package that ships the images is not installed.
    """
    if name not in NAMES:
        raise ValueError(f"`name` must be one of {', '.join(NAMES)}, got {name!r:.80}.")
    if name == "digits":
        return _digits()
    colour, side = name[:-2], int(name[-2:])
    training, validation = (
        _crops(files[colour], colour, side, count=count, seed=seed)
        for files, count, seed in zip((TRAINING, VALIDATION), _COUNTS, (1, 2), strict=True)
    )
    return Images(name, (side, side, 3 if colour == "rgb" else 1), training, validation)
