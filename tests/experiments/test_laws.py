"""Laws fitted to windows of a picture: the windows are the picture's, the fits are likely and keep the moments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from PIL import Image

from experiments import laws
from experiments.laws import fits, windows

RAMP = np.add.outer(100.0 * np.arange(40), np.arange(50))  # every window tells its place


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A picture of waves and noise, 64 x 80, as a file."""
    y, x = np.mgrid[0:64, 0:80]
    waves = 90 * np.sin(x / 7) * np.cos(y / 5) * (y > 20) + np.random.default_rng(0).normal(0, 5, (64, 80))
    path = tmp_path_factory.mktemp("laws") / "waves.png"
    Image.fromarray(np.uint8(np.clip(128 + waves, 0, 255))).save(path)
    return path


def test_windows_are_cut_from_the_picture_each_position_once():
    found = windows.everywhere(RAMP, 4, most=10_000, rng=np.random.default_rng(0)).reshape(-1, 4, 4)
    assert len(found) == 37 * 47
    tops, lefts = np.divmod(found[:, 0, 0].astype(int), 100)
    assert len(set(zip(tops.tolist(), lefts.tolist(), strict=True))) == len(found)
    for window, top, left in zip(found[:50], tops, lefts, strict=False):
        assert np.array_equal(window, RAMP[top : top + 4, left : left + 4])


def test_fewer_windows_are_asked_for_than_there_are():
    few, same = (windows.everywhere(RAMP, 4, most=9, rng=np.random.default_rng(1)) for _ in range(2))
    assert few.shape == (9, 16)
    assert np.array_equal(few, same)


def test_views_are_block_means_of_shifted_squares():
    """40 x 50 pixels, views of 4 x 4: blocks of 5 x 5, 20 pixels across, shifted by 0..9 from (5, 10)."""
    found = windows.views(RAMP, 4, reach=2, most=10_000, rng=np.random.default_rng(0)).reshape(-1, 4, 4)
    assert len(found) == 100
    expected = {}
    for down in range(5, 15):
        for right in range(10, 20):
            square = RAMP[down : down + 20, right : right + 20]
            view = square.reshape(4, 5, 4, 5).mean(axis=(1, 3))
            expected[round(view[0, 0], 6)] = view
    for view in found:
        assert_allclose(view, expected.pop(round(view[0, 0], 6)), rtol=1e-12)
    assert not expected


def test_grey_runs_from_minus_one_to_one(tmp_path):
    Image.fromarray(np.uint8([[0, 255], [51, 204]])).save(tmp_path / "p.png")
    assert_allclose(windows.grey(tmp_path / "p.png"), [[-1, 1], [-0.6, 0.6]])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), heavy=st.floats(0.05, 0.6))
def test_scales_keep_the_covariance_and_grow_more_likely(seed, heavy):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((400, 3)) * np.where(rng.random((400, 1)) < heavy, 3.0, 0.5) @ rng.standard_normal((3, 3))
    weights, likelihoods = fits.fit_scale_mixture(x, laws.SCALES, iterations=15)
    assert np.all(weights > 0)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ laws.SCALES == pytest.approx(1, abs=1e-6)
    assert np.all(np.diff(likelihoods) > -1e-7)


def test_scales_that_made_the_points_are_found():
    """Scales 1/4 and 4 with weights 4/5 and 1/5, of mean 1: their octaves get the weight, within 5 sigma of sqrt(N)."""
    rng, d, count = np.random.default_rng(0), 16, 20_000
    large = rng.random((count, 1)) < 0.2
    x = rng.standard_normal((count, d)) * np.where(large, 2.0, 0.5)
    weights, _ = fits.fit_scale_mixture(x, np.array([0.25, 1.0, 4.0]), iterations=100)
    assert_allclose(weights, [0.8, 0.0, 0.2], atol=5 * 0.4 / np.sqrt(count))


def test_clusters_that_made_the_points_are_found():
    rng, count = np.random.default_rng(1), 3000
    centres, roots = np.array([[-6.0, 0.0], [6.0, 0.0]]), np.array([[[1.0, 0.0], [0.8, 0.3]], [[0.5, 0.0], [0.0, 2.0]]])
    which = (rng.random(count) < 0.3).astype(int)
    x = centres[which] + np.einsum("nij,nj->ni", roots[which], rng.standard_normal((count, 2)))
    weights, means, covariances, likelihoods = fits.fit_mixture(x, 2, np.random.default_rng(2), floor=0.0)
    order = np.argsort(means[:, 0])
    assert_allclose(weights[order], [0.7, 0.3], atol=5 * 0.46 / np.sqrt(count))
    assert_allclose(means[order], centres, atol=5 * 2 / np.sqrt(0.3 * count))
    assert_allclose(covariances[order], roots @ roots.transpose(0, 2, 1), atol=5 * 6 / np.sqrt(0.3 * count))
    assert np.all(np.diff(likelihoods) > -1e-9)


def test_a_mixture_keeps_the_mean_and_the_covariance_of_the_points(picture):
    x = windows.everywhere(windows.grey(picture), 2, most=500, rng=np.random.default_rng(0))
    weights, means, covariances, _ = fits.fit_mixture(x, 3, np.random.default_rng(0), iterations=200, floor=1e-3)
    off = means - weights @ means
    total = np.tensordot(weights, covariances + off[:, :, None] * off[:, None, :], axes=1)
    assert_allclose(weights @ means, x.mean(axis=0), atol=1e-3)
    assert_allclose(total, np.cov(x.T, bias=True) + 1e-3 * np.eye(4), atol=2e-3)


@pytest.mark.parametrize("name", laws.NAMES)
@pytest.mark.parametrize("aligned", [False, True])
def test_every_law_has_the_moments_of_its_windows(picture, name, aligned):
    law = laws.fitted(name, picture, 2, aligned=aligned)
    gaussian = laws.fitted("gaussian", picture, 2, aligned=aligned)
    assert (law.name, law.patches.count, law.patches.length, law.measure.dim) == (name, 4, 4, 16)
    assert "waves.png" in law.about
    size = float(np.linalg.norm(gaussian.measure.covariance, 2))
    points = 1000 if name == "points" else np.inf  # a sample of the windows, within 5 sigma
    slack = 5 * np.sqrt(2 / points) + 5e-3
    assert_allclose(law.measure.covariance, gaussian.measure.covariance, atol=slack * size)
    assert_allclose(law.measure.mean, gaussian.measure.mean, atol=slack * np.sqrt(size))


def test_a_fit_reports_its_progress(picture):
    seen = []
    laws.fitted("mixture", picture, 1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 30) for i in range(1, 31)]


def test_bad_names_sizes_and_pictures_are_refused(picture, tmp_path):
    for call, words in (
        (lambda: laws.fitted("mixtures", picture, 2), "`name`"),
        (lambda: laws.fitted("points", picture, 0), "at least 1 pixel"),
        (lambda: laws.fitted("points", picture, 50), "no windows of 100 x 100"),
        (lambda: laws.fitted("points", picture, 30, aligned=True), "no views of 60 x 60"),
        (lambda: laws.fitted("points", tmp_path / "none.png", 2), "none.png"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
