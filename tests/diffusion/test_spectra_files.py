"""Spectrum files and .safetensors files: what was written comes back, and anything else is refused."""

import io
import json
import zipfile

import numpy as np
import pytest

from pifs_sim.diffusion.spectra import (
    Spectrum,
    latent_spectrum,
    load_spectrum,
    patch_spectrum,
    read_safetensors,
    save_spectrum,
    spectrum_of,
)
from tests.diffusion.pictures import bytes_image

GOOD = {
    "eigenvalues": np.array([2.0, 1.0, 0.5]),
    "multiplicities": np.array([1, 1, 10]),
    "mean": np.array([0.5, 0.0, 1.0]),
    "count": 7,
    "shape": (2, 2, 3),
    "captured": 0.75,
}


def test_a_spectrum_comes_back_from_its_file(tmp_path):
    for spectrum in (Spectrum(**GOOD), spectrum_of(patch_spectrum(bytes_image(9, 9, 3), 3))):
        save_spectrum(spectrum, tmp_path / "any.name")
        found = load_spectrum(tmp_path / "any.name")
        for name in GOOD:
            np.testing.assert_array_equal(getattr(found, name), getattr(spectrum, name))
        assert isinstance(found.shape, tuple)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eigenvalues": np.array([2.0, -1.0, 0.5])}, "`eigenvalues` must be finite and non-negative, got -1.0"),
        ({"eigenvalues": np.array([2.0, np.nan, 0.5])}, "`eigenvalues` must be finite"),
        ({"eigenvalues": np.array([2, 1, 0])}, "`eigenvalues` must hold real numbers, got int64"),
        ({"eigenvalues": np.zeros((3, 1))}, r"`eigenvalues` must have shape \(K,\)"),
        ({"multiplicities": np.array([1, 1, 0])}, "`multiplicities` must be at least 1, got 0"),
        ({"multiplicities": np.array([1.0, 1.0, 10.0])}, "`multiplicities` must hold integers"),
        ({"mean": np.array([1.0])}, r"`mean` must have shape \(K,\)"),
        ({"count": 0}, "`count` must be at least 1, got 0"),
        ({"shape": (4, 4)}, r"`shape` must have the product 12, .* got \(4, 4\)"),
        ({"captured": 1.5}, r"`captured` must lie in \(0, 1\], got 1.5"),
    ],
)
def test_a_spectrum_that_breaks_a_rule_is_refused_also_from_a_file(tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        Spectrum(**(GOOD | change))
    np.savez(tmp_path / "bad.npz", version=1, **(GOOD | change))
    with pytest.raises(ValueError, match=rf"'.*bad.npz' is not a readable spectrum file: {words}"):
        load_spectrum(tmp_path / "bad.npz")


def outcome(path):
    try:
        found = load_spectrum(path)
    except ValueError as error:
        return "refused" if f"{path.name}' is not a readable spectrum file" in str(error) else str(error)
    return "same" if (found.eigenvalues == GOOD["eigenvalues"]).all() else "other numbers"


def test_files_that_are_no_spectrum_are_refused_by_name(tmp_path):
    whole = io.BytesIO()
    np.savez_compressed(whole, version=1, **GOOD)
    data = whole.getvalue()
    np.savez(tmp_path / "version.npz", **(GOOD | {"version": 2}))
    np.savez(tmp_path / "fewer.npz", version=1, eigenvalues=np.ones(3))
    np.savez(tmp_path / "pickle.npz", **(GOOD | {"version": 1, "mean": np.array([None, {}, 1], dtype=object)}))
    (tmp_path / "cut.npz").write_bytes(data[:-40])
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    for i in range(40, len(data), 61):  # damage anywhere is found, or changes no number
        (tmp_path / "bit.npz").write_bytes(data[:i] + bytes([data[i] ^ 0x55]) + data[i + 1 :])
        assert outcome(tmp_path / "bit.npz") in ("same", "refused")
    for name in ("version", "fewer", "pickle", "cut", "text", "empty"):
        with pytest.raises(ValueError, match=rf"{name}\.npz' is not a readable spectrum file: .*\.$"):
            load_spectrum(tmp_path / f"{name}.npz")


def test_an_array_that_would_fill_the_memory_is_refused_unread(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**7,)})
    save_spectrum(Spectrum(**GOOD), tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz") as old, zipfile.ZipFile(tmp_path / "bomb.npz", "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, header.getvalue() + bytes(8 * 10**7) if name == "mean.npy" else old.read(name))
    assert (tmp_path / "bomb.npz").stat().st_size < 200_000
    with pytest.raises(ValueError, match="its array mean has 80000128 bytes"):
        load_spectrum(tmp_path / "bomb.npz")


def tensors(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(kind, shape, start, stop):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def test_tensors_of_every_floating_kind_are_read(tmp_path):
    values = np.random.default_rng(0).integers(-8, 8, (5, 3)).astype(np.float32) / 4  # exact in each
    upper = (values.view("<u4") >> 16).astype("<u2").tobytes()
    parts = {
        "BF16": upper,
        **{kind: values.astype(f"<f{n}").tobytes() for kind, n in (("F16", 2), ("F32", 4), ("F64", 8))},
    }
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for kind, part in parts.items():
        header[kind] = entry(kind, [5, 3], len(data), len(data) + len(part))
        data += part
    found = read_safetensors(tensors(tmp_path / "x.safetensors", header, data))
    assert list(found) == list(parts)
    for tensor in found.values():
        np.testing.assert_array_equal(tensor.floats(1, 4), values[1:4])
    spectrum = latent_spectrum(tmp_path / "x.safetensors")
    assert spectrum.count == 20
    exact = np.linalg.eigvalsh(np.cov(values.astype(float).T, bias=True))[::-1]
    np.testing.assert_allclose(spectrum.eigenvalues, exact, rtol=1e-12)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (b"{}", "no tensors"),
        (b"[]", "not a JSON object"),
        (b"{" * 100_000, "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xff", "not JSON"),
        ({"a": 3}, "dtype, shape and data_offsets"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "dtype, shape and data_offsets"),
        ({"a": entry("I64", [1], 0, 8)}, "dtype of F16, BF16, F32, F64, got 'I64'"),
        ({"a": entry(["F32"], [1], 0, 4)}, "dtype of"),
        ({"a": entry("F32", [-2], 0, 8)}, "natural numbers"),
        ({"a": entry("F32", [True, 2], 0, 8)}, "natural numbers"),
        ({"a": entry("F32", [2.0], 0, 8)}, "natural numbers"),
        ({"a": entry("F32", "22", 0, 8)}, "natural numbers"),
        ({"a": entry("F32", [1] * 99, 0, 4)}, "natural numbers"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4, 8]}}, "natural numbers"),
        ({"a": entry("F32", [2], 8, 0)}, "does not fit"),
        ({"a": entry("F32", [2], 4, 12)}, "does not fit"),
        ({"a": entry("F32", [2**40, 2**40], 0, 8)}, "does not fit"),
        ({"a": entry("F32", [3], 0, 8)}, "does not fit"),
        ({"a": entry("F32", [0, 4], 0, 0)}, "is empty"),
    ],
)
def test_a_header_that_contradicts_itself_or_the_file_is_refused(tmp_path, header, words):
    path = tensors(tmp_path / "x.safetensors", header, bytes(8))
    with pytest.raises(ValueError, match=rf"'.*x.safetensors' is not a readable safetensors file: .*{words}"):
        read_safetensors(path)


@pytest.mark.parametrize("data", [b"", b"\x02", bytes(8), (2**60).to_bytes(8, "little") + b"{}", b"\x09" + bytes(9)])
def test_a_header_longer_than_its_file_is_refused(tmp_path, data):
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match=r"its header of \d+ bytes does not fit a file of \d+"):
        read_safetensors(tmp_path / "x.safetensors")
