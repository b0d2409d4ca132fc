"""Pictures, their patches by loops, and what must hold of a patch spectrum."""

import numpy as np

EPS = np.finfo(float).eps


def naive_patches(pictures, size, stride):
    """All patches as rows, by loops; each picture (H, W, C)."""
    rows = []
    for picture in pictures:
        height, width, _ = picture.shape
        for y in range(0, height - size + 1, stride):
            for x in range(0, width - size + 1, stride):
                rows.append(picture[y : y + size, x : x + size].astype(float).ravel())
    return np.array(rows)


def assert_is_law_of(spectrum, patches):
    """Both sides sum the same n numbers of size m: they agree to n * eps of m (mean) and of m^2 (covariance)."""
    count, d = patches.shape
    size = np.abs(patches).max()
    assert spectrum.count == count
    np.testing.assert_allclose(spectrum.mean, patches.mean(axis=0), rtol=0, atol=count * EPS * size)
    covariance = np.cov(patches.T, bias=True).reshape(d, d)
    np.testing.assert_allclose(spectrum.covariance, covariance, rtol=0, atol=4 * count * EPS * size**2)
    assert_is_decomposition(spectrum)


def assert_is_decomposition(spectrum):
    """Eigenvalues are descending, not negative, and rebuild the covariance to the error bound of `eigh`."""
    values, vectors, d = spectrum.eigenvalues, spectrum.eigenvectors, spectrum.mean.size
    assert spectrum.shape[0] * spectrum.shape[1] * spectrum.shape[2] == d
    assert (np.diff(values) <= 0).all()
    assert values[-1] >= 0
    np.testing.assert_array_equal(spectrum.covariance, spectrum.covariance.T)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(d), rtol=0, atol=20 * d * EPS)
    rebuilt = (vectors * values) @ vectors.T
    np.testing.assert_allclose(rebuilt, spectrum.covariance, rtol=0, atol=20 * d * EPS * values[0])


def assert_same(one, other):
    for name in ("mean", "covariance"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert (one.count, one.shape) == (other.count, other.shape)


def bytes_image(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
