import tracemalloc
from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pifs_sim.diffusion.spectra import moments, patch_spectrum
from tests.diffusion.pictures import EPS, assert_is_law_of, assert_same, bytes_image, naive_patches


@given(
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(0, 7),
    st.integers(0, 7),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)
def test_any_images_in_any_chunks_give_the_law_of_their_patches(size, stride, down, right, channels, n, chunk, seed):
    rng = np.random.default_rng(seed)
    pictures = [rng.standard_normal((size + down + i, size + right, channels)) for i in range(n)]
    with mock.patch.object(moments, "_ROWS", chunk):
        spectrum = patch_spectrum(iter(pictures), size, stride=stride)
    assert spectrum.shape == (size, size, channels)
    assert_is_law_of(spectrum, naive_patches(pictures, size, stride))


def test_more_patches_than_one_chunk_give_the_law_of_all():
    picture = np.random.default_rng(1).standard_normal((120, 150, 1))
    spectrum = patch_spectrum(picture, 2, stride=1)
    assert spectrum.count == 119 * 149 > moments._ROWS
    assert_is_law_of(spectrum, naive_patches([picture], 2, 1))


def test_a_chunk_is_bounded_in_bytes_too():
    pictures = np.random.default_rng(2).standard_normal((3, 12, 20, 2))
    with mock.patch.object(moments, "_BYTES", 8 * 32 * 5):  # five patches of 32 numbers
        spectrum = patch_spectrum(pictures, 4, stride=1)
        assert peak_memory(pictures, 4, stride=1) < 8 * 32 * moments._ROWS / 8
    assert_is_law_of(spectrum, naive_patches(pictures, 4, 1))


def test_the_default_stride_tiles_and_leaves_out_the_margin():
    picture = np.random.default_rng(3).standard_normal((11, 14, 3))
    spectrum = patch_spectrum(picture, 4)
    assert spectrum.count == 2 * 3
    assert_is_law_of(spectrum, naive_patches([picture], 4, 4))
    assert_same(spectrum, patch_spectrum(picture[:8, :12], 4))


def test_a_patch_is_flattened_in_c_order():
    picture = np.random.default_rng(4).standard_normal((3, 3, 2))
    spectrum = patch_spectrum(picture, 3)
    np.testing.assert_array_equal(spectrum.mean.reshape(spectrum.shape), picture)


def test_a_single_patch_has_covariance_zero():
    spectrum = patch_spectrum(bytes_image(5, 5), 5)
    assert spectrum.count == 1
    np.testing.assert_array_equal(spectrum.covariance, np.zeros((25, 25)))
    np.testing.assert_array_equal(spectrum.eigenvalues, np.zeros(25))


def test_the_eigenvalues_of_a_planted_spectrum_are_found():
    variances = np.array([4.0, 1.0, 0.25, 0.0])
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((4, 4)))[0]
    corners = np.concatenate([np.eye(4), -np.eye(4)]) * np.sqrt(4 * variances)  # covariance diag(variances), exactly
    patches = (corners @ rotation.T).reshape(8, 2, 2, 1)
    spectrum = patch_spectrum(patches, 2)
    np.testing.assert_allclose(spectrum.eigenvalues, variances, rtol=0, atol=100 * EPS)
    overlap = np.abs(spectrum.eigenvectors.T @ rotation)
    np.testing.assert_allclose(overlap, np.eye(4), rtol=0, atol=1e4 * EPS)  # eps * 4 / (0.25 * 0.25), times a few


def test_the_patches_are_a_rank_deficient_law_without_negative_eigenvalues():
    spectrum = patch_spectrum(bytes_image(8, 24, 3), 8)
    assert spectrum.eigenvalues.min() >= 0
    assert spectrum.eigenvalues[2] <= 192 * EPS * spectrum.eigenvalues[0]  # three patches span two directions


@pytest.mark.parametrize(("dtype", "half"), [(np.uint8, 127.5), (np.uint16, 32767.5), (">u2", 32767.5)])
def test_integers_map_to_the_interval_from_minus_one_to_one(dtype, half):
    top = np.iinfo(dtype).max
    ends = np.array([[0, top], [top, 0]], dtype=dtype)
    np.testing.assert_array_equal(patch_spectrum(ends, 2).mean, [-1, 1, 1, -1])
    picture = np.random.default_rng(6).integers(0, top, (12, 12, 3), endpoint=True).astype(dtype)
    assert_is_law_of(patch_spectrum(picture, 3), naive_patches([picture.astype(float) / half - 1], 3, 3))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_taken_as_they_are_and_summed_in_double(dtype):
    picture = (1000 * np.random.default_rng(7).random((20, 20, 3))).astype(dtype)
    spectrum = patch_spectrum(picture, 2, stride=1)
    assert spectrum.covariance.dtype == spectrum.mean.dtype == spectrum.eigenvalues.dtype == np.float64
    assert_is_law_of(spectrum, naive_patches([picture], 2, 1))
    weights = np.array([0.299, 0.587, 0.114])
    grey = picture.astype(float) @ weights
    assert_is_law_of(patch_spectrum(picture, 2, stride=1, grey=True), naive_patches([grey[..., None]], 2, 1))


def test_images_are_not_written_to():
    picture = np.random.default_rng(8).standard_normal((9, 9, 3))
    before = picture.copy()
    picture.flags.writeable = False
    patch_spectrum(picture, 3, grey=True)
    patch_spectrum(picture, 3)
    np.testing.assert_array_equal(picture, before)


def test_a_view_with_strides_is_read_as_what_it_shows():
    whole = bytes_image(20, 30, 3)
    view = whole[::-2, ::3].transpose(1, 0, 2)
    assert_same(patch_spectrum(view, 3), patch_spectrum(view.copy(), 3))


def test_two_axes_are_one_grey_image():
    picture = bytes_image(9, 12)
    spectrum = patch_spectrum(picture, 3)
    assert spectrum.shape == (3, 3, 1)
    assert_same(spectrum, patch_spectrum(picture[..., None], 3))
    assert_same(spectrum, patch_spectrum(picture, 3, grey=True))


def test_grey_is_the_luminance_of_itu_601_as_in_pillow():
    picture = bytes_image(16, 16, 3)
    spectrum = patch_spectrum(picture, 16, grey=True)
    pillow = np.asarray(Image.fromarray(picture).convert("L")) / 127.5 - 1
    assert spectrum.shape == (16, 16, 1)
    # Pillow rounds to 8 bits, with weights in multiples of 2^-16
    np.testing.assert_allclose(spectrum.mean.reshape(16, 16), pillow, rtol=0, atol=0.51 / 127.5)
    exact = picture.astype(float) @ [0.299, 0.587, 0.114] / 127.5 - 1
    np.testing.assert_allclose(spectrum.mean.reshape(16, 16), exact, rtol=0, atol=4 * EPS)


@pytest.mark.parametrize("chunk", [50, 1 << 13])
def test_an_offset_of_1e8_costs_no_digits(chunk):
    whole = np.random.default_rng(12).integers(0, 256, (400, 3))
    patches = (whole + 1e8).reshape(400, 1, 3, 1)  # exact: integers below 2^53
    with mock.patch.object(moments, "_ROWS", chunk):
        spectrum = patch_spectrum(np.repeat(patches, 3, axis=1), 3)
    n = len(whole)
    for i in range(3):
        assert spectrum.mean[i] == float(10**8 + Fraction(int(whole[:, i].sum()), n))
        for j in range(3):
            product = Fraction(int(whole[:, i] @ whole[:, j]), n)
            exact = product - Fraction(int(whole[:, i].sum()), n) * Fraction(int(whole[:, j].sum()), n)
            size = float(np.sqrt(np.var(whole[:, i]) * np.var(whole[:, j])))
            assert abs(spectrum.covariance[i, j] - float(exact)) <= n * EPS * size


def test_a_first_chunk_unlike_the_rest_costs_no_digits():
    ones = np.ones((100, 1, 1, 1))
    with mock.patch.object(moments, "_ROWS", 100):
        spectrum = patch_spectrum([-1e8 * ones, 1e8 * ones, 3e8 * ones], 1)
    np.testing.assert_allclose(spectrum.mean, [1e8], rtol=4 * EPS)
    np.testing.assert_allclose(spectrum.covariance, [[8e16 / 3]], rtol=8 * EPS)


def peak_memory(images, size, **options):
    tracemalloc.start()
    try:
        patch_spectrum(images, size, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_images():
    def stream(n):
        rng = np.random.default_rng(13)
        return (rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(n))

    chunk = 8 * moments._ROWS * 48
    few, many = peak_memory(stream(40), 4), peak_memory(stream(400), 4)  # 1.2 and 12 chunks
    assert many < 2 * chunk
    assert many - few < 0.01 * chunk


@pytest.mark.parametrize("grey", [False, True])
def test_a_huge_image_is_never_converted_whole(grey):
    huge = np.zeros((2560, 2560, 3), dtype=np.uint8)
    chunk = 8 * moments._ROWS * 64 * (1 if grey else 3)
    assert peak_memory(huge, 8, grey=grey) < 2.5 * chunk  # a chunk, at most another of temporaries, and matrices
    assert 2.5 * chunk < 8 * huge.size / 3
