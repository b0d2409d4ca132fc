"""Spectra above the dimension whose covariance is formed, and of latents."""

from unittest import mock

import numpy as np
import pytest
from PIL import Image

from pifs_sim.diffusion.spectra import image_spectrum, latent_spectrum, latents, patch_spectrum, spectrum_of
from tests.diffusion.pictures import bytes_image


def planted(variances, copies=1):
    """Vectors whose empirical covariance has exactly these eigenvalues, and a mean along the second axis."""
    d = variances.size
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0]
    corners = np.concatenate([np.eye(d), -np.eye(d)]) * np.sqrt(d * variances)
    return (np.tile(corners, (copies, 1)) + 3 * np.eye(d)[1]) @ rotation.T


def sketched(vectors, rank, tmp_path, **options):
    np.save(tmp_path / "x.npy", vectors)
    with mock.patch.object(latents, "MOST_EXACT", 2):
        return latent_spectrum(tmp_path / "x.npy", rank=rank, rng=np.random.default_rng(1), **options)


def test_the_leading_eigenvalues_of_a_fast_decay_are_found_and_the_rest_is_kept_in_sum(tmp_path):
    variances = np.arange(1.0, 301) ** -3
    found = sketched(planted(variances), 40, tmp_path)
    np.testing.assert_allclose(found.eigenvalues[:10], variances[:10], rtol=1e-6)
    np.testing.assert_allclose(found.eigenvalues[:40], variances[:40], rtol=1e-2)
    assert (found.eigenvalues[:40] <= variances[:40] * (1 + 1e-12)).all()  # Nystrom never exceeds
    np.testing.assert_allclose(found.eigenvalues @ found.multiplicities, variances.sum(), rtol=1e-12)
    assert found.multiplicities.tolist() == [1] * 40 + [260]
    assert found.captured == pytest.approx(found.eigenvalues[:40].sum() / variances.sum(), rel=1e-12)
    assert found.dim == 300
    np.testing.assert_allclose(found.mean[1], 3, rtol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(found.mean), 3, rtol=1e-9)


def test_a_covariance_of_low_rank_is_found_whole(tmp_path):
    variances = np.append(np.arange(9.0, 0, -1), np.zeros(91))
    found = sketched(planted(variances), 30, tmp_path)
    np.testing.assert_allclose(found.eigenvalues[:9], variances[:9], rtol=1e-11)
    assert found.captured == 1.0
    assert found.eigenvalues[-1] == 0.0
    assert found.dim == 100


def test_few_vectors_leave_the_directions_outside_them_without_variance(tmp_path):
    vectors = np.random.default_rng(2).standard_normal((20, 500))
    found = sketched(vectors, 10, tmp_path)
    assert found.multiplicities[10:].tolist() == [9, 481]  # n - 1 = 19 directions vary
    exact = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False) ** 2 / 20
    np.testing.assert_allclose(found.eigenvalues[:10], exact[:10], rtol=1e-10)  # 42 test vectors span all 19
    np.testing.assert_allclose(found.eigenvalues[10] * 9, exact[10:].sum(), rtol=1e-9)
    assert found.eigenvalues[11] == 0.0


def test_constant_vectors_have_no_variance(tmp_path):
    found = sketched(np.ones((5, 7)), 3, tmp_path)
    assert found.eigenvalues.tolist() == [0.0]
    assert found.multiplicities.tolist() == [7]
    assert found.captured == 1.0
    np.testing.assert_allclose(found.mean, [np.sqrt(7)])


def test_images_give_the_same_leading_eigenvalues_by_both_ways():
    y, x = np.mgrid[0:96, 0:120]
    smooth = np.stack([np.sin(x / (3 + i)) * np.cos(y / (5 + i)) for i in range(6)])
    pictures = np.uint8(127 + 60 * smooth + np.random.default_rng(3).integers(0, 30, smooth.shape))[..., None]
    exact = spectrum_of(patch_spectrum(pictures, 8))
    one = image_spectrum(pictures, 8)
    np.testing.assert_allclose(one.eigenvalues, exact.eigenvalues, rtol=1e-12)
    np.testing.assert_allclose(one.mean, exact.mean, rtol=0, atol=1e-12)
    seen = []
    with mock.patch.object(latents, "MOST_EXACT", 63):
        two = image_spectrum(
            list(pictures), 8, rank=12, rng=np.random.default_rng(4), progress=lambda *call: seen.append(call)
        )
        with pytest.raises(ValueError, match="`images` must be readable twice above 63 dimensions, got an iterator"):
            image_spectrum(iter(pictures), 8, rng=np.random.default_rng(4))
        with pytest.raises(ValueError, match="`rng` must be given above 63 dimensions"):
            image_spectrum(pictures, 8)
    assert (two.count, two.shape, two.dim) == (exact.count, exact.shape, 64)
    np.testing.assert_allclose(two.eigenvalues[:4], exact.eigenvalues[:4], rtol=1e-3)
    assert seen == [(i, 6) for i in range(1, 7)] * 2  # once in each pass


def test_the_limit_is_the_documented_one():
    assert latents.MOST_EXACT == 4096
    wide = np.random.default_rng(5).standard_normal((3, 37, 37, 3))
    found = image_spectrum(wide, 37, rank=5, rng=np.random.default_rng(6))  # d = 4107
    centred = (wide - wide.mean(axis=0)).reshape(3, -1)
    np.testing.assert_allclose(found.eigenvalues[:2], np.linalg.svd(centred, compute_uv=False)[:2] ** 2 / 3, rtol=1e-9)


def test_unreadable_and_unfit_files_of_a_folder_are_skipped_and_named_once(tmp_path):
    pictures = bytes_image(3, 9, 9, 3)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"good{i}.png")
    (tmp_path / "a_text.png").write_text("no image")
    Image.fromarray(pictures[0][:2]).save(tmp_path / "small.png")
    Image.fromarray(pictures[0][..., 0]).save(tmp_path / "z_grey.png")
    told = []
    found = patch_spectrum(tmp_path, 3, skip=told.append)
    assert found.count == 27
    for name, words in (("a_text.png", "Pillow can read"), ("small.png", "one patch"), ("z_grey.png", "3 channels")):
        assert sum(name in sentence and words in sentence for sentence in told) == 1
    assert len(told) == 3
    twice = []
    with mock.patch.object(latents, "MOST_EXACT", 2):
        other = image_spectrum(tmp_path, 3, rng=np.random.default_rng(7), skip=twice.append)
    assert twice == told
    np.testing.assert_allclose(other.eigenvalues, found.eigenvalues, rtol=1e-9)
    with pytest.raises(ValueError, match="at least one image"):
        patch_spectrum(tmp_path / "a_text.png", 3, skip=told.append)
    with pytest.raises(ValueError, match=r"a_text\.png"):
        patch_spectrum(tmp_path, 3)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_latents_are_read_by_their_number_of_axes(tmp_path, dtype):
    values = np.random.default_rng(8).standard_normal((6, 2, 4, 5)).astype(dtype)
    np.save(tmp_path / "all.npy", values)
    (tmp_path / "each").mkdir()
    (tmp_path / "flat").mkdir()
    for i, latent in enumerate(values):
        np.save(tmp_path / "each" / f"{i}.npy", latent)
        np.save(tmp_path / "flat" / f"{i}.npy", latent.ravel())
    np.save(tmp_path / "rows.npy", values.reshape(6, 40))
    exact = np.linalg.eigvalsh(np.cov(values.reshape(6, 40).astype(float).T, bias=True))[::-1]
    for name in ("all.npy", "each", "flat", "rows.npy"):
        found = latent_spectrum(tmp_path / name)
        np.testing.assert_allclose(found.eigenvalues, np.maximum(exact, 0), rtol=1e-10, atol=1e-13)
        assert (found.count, found.shape) == (6, (40,))
    patches = patch_spectrum(np.moveaxis(values.astype("<f8"), 1, -1), 2)
    for name in ("all.npy", "each"):
        found = latent_spectrum([tmp_path / name], 2)
        np.testing.assert_allclose(found.eigenvalues, patches.eigenvalues, rtol=1e-12)
        assert found.shape == (2, 2, 2)


def test_a_file_of_latents_counts_whole_or_not_at_all(tmp_path):
    values = np.random.default_rng(9).standard_normal((40, 3))
    np.save(tmp_path / "a.npy", values)
    bad = values.copy()
    bad[-1, 0] = np.nan
    np.save(tmp_path / "b.npy", bad)
    np.save(tmp_path / "c.npy", values[:, :2])
    np.save(tmp_path / "d.npy", np.zeros((4, 3), dtype=int))
    (tmp_path / "e.npy").write_bytes(b"\x93NUMPY")
    told = []
    with mock.patch.object(latents, "_PART", 8 * 3 * 10):  # ten rows at a time
        found = latent_spectrum(tmp_path, skip=told.append)
    assert found.count == 40
    assert [name in sentence for name, sentence in zip("bcde", told, strict=True)] == [True] * 4
    assert "must be finite" in told[0]
    assert "grey" not in told[1]
    for name in "bde":
        with pytest.raises(ValueError, match=rf"{name}\.npy"):
            latent_spectrum(tmp_path / f"{name}.npy")


def test_latents_that_are_not_there_or_of_another_kind_are_refused(tmp_path):
    np.save(tmp_path / "five.npy", np.zeros((1, 1, 1, 1, 1)))
    np.save(tmp_path / "rows.npy", np.zeros((4, 4)))
    (tmp_path / "none").mkdir()
    (tmp_path / "x.pt").write_text("")
    for files, size, words in (
        ("absent.npy", None, "existing files or folders, got 'absent.npy'"),
        (tmp_path / "none", None, "got none"),
        (tmp_path / "x.pt", None, r"\.npy or \.safetensors"),
        (tmp_path / "five.npy", None, r"\(N, C, H, W\), got \(1, 1, 1, 1, 1\)"),
        (tmp_path / "rows.npy", 2, r"\(C, H, W\) or \(N, C, H, W\), got \(4, 4\)"),
    ):
        with pytest.raises(ValueError, match=words):
            latent_spectrum(files, size)
