"""The file of a PIFS: exact round trips, its length to the bit, and refusal of everything else."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from pifs_sim.fractals import PIFS, Layout, Quantiser, encode
from tests.fractals.codes import coded, photograph, pifs

HEADER = struct.Struct("<4sHIIHHBHBBBdI")
CODES = ("ranges", "domains", "isometries", "contrast_levels", "brightness_levels")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    """One folder for all files."""
    return Path(tmp_path_factory.mktemp("pifs"))


def saved(system: PIFS, folder: Path) -> bytes:
    """The bytes of its file."""
    path = folder / "saved.pifs"
    system.save(path)
    return path.read_bytes()


def refusal(data: bytes, folder: Path) -> str:
    """The message with which a file is refused."""
    path = folder / "altered.pifs"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not a readable PIFS file") as caught:
        PIFS.load(path)
    return str(caught.value)


def sealed(header: tuple[Any, ...], payload: bytes) -> bytes:
    """A file with a right length and checksum."""
    body = HEADER.pack(*header, len(payload)) + payload
    return body + hashlib.sha256(body).digest()


@given(system=pifs(pixels=40))
def test_what_was_saved_is_loaded(system: PIFS, folder: Path) -> None:
    data = saved(system, folder)
    again = PIFS.load(folder / "saved.pifs")
    assert (again.layout, again.quantiser) == (system.layout, system.quantiser)
    for name in CODES:
        assert np.array_equal(getattr(again, name), getattr(system, name))
    assert np.array_equal(again.decode(iterations=4), system.decode(iterations=4))
    assert saved(again, folder) == data


@given(system=pifs(pixels=40))
def test_the_file_is_as_long_as_its_codes(system: PIFS, folder: Path) -> None:
    """36 + 32 bytes, a bit for each node that may be split, and the codes."""
    layout, bits = system.layout, 0
    nodes = np.prod([length // layout.range_size for length in layout.padded])
    for size in layout.sizes:
        own = system.ranges[:, 2] == size
        coded_ranges = int(np.count_nonzero(system.contrast_levels[own]))
        bits += int(nodes) if size > layout.min_size else 0
        bits += int(own.sum()) * (system.quantiser.contrast_bits + system.quantiser.brightness_bits)
        bits += coded_ranges * (layout.isometries - 1).bit_length()
        bits += coded_ranges * (len(layout.domains(size)) - 1).bit_length()
        nodes = 4 * (nodes - own.sum())
    data = saved(system, folder)
    assert len(data) == 36 + -(-bits // 8) + 32
    assert system.rate == 8 * len(data) / (system.shape[0] * system.shape[1])


@pytest.mark.parametrize("name", ["picture", "picture.pifs", "picture.png", "a b.c.d"])
def test_a_file_is_written_to_exactly_its_path(name: str, tmp_path: Path) -> None:
    system = coded(Layout((8, 8), 4, 4), Quantiser(), np.random.default_rng(0))
    system.save(str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert PIFS.load(str(tmp_path / name)).layout == system.layout


def test_the_file_says_what_it_is(folder: Path) -> None:
    data = saved(encode(photograph()[200:240, 200:230], 8, domain_step=3, contrast_limit=0.75), folder)
    assert HEADER.unpack_from(data) == (b"PIFS", 1, 40, 30, 8, 8, 2, 3, 8, 5, 7, 0.75, len(data) - 68)
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()


def test_five_hundred_altered_files_are_refused_in_one_sentence(folder: Path) -> None:
    """Bits flipped, cut, extended, bytes left out or doubled."""
    data = saved(encode(photograph()[150:214, 230:294], 16, min_size=4, tolerance=0.05), folder)
    rng = np.random.default_rng(0)
    altered = []
    for i in range(500):
        place = int(rng.integers(0, len(data)))
        if i % 5 == 0:
            flipped = bytearray(data)
            for bit in rng.integers(0, 8 * len(data), 1 + i % 3):
                flipped[bit // 8] ^= 1 << (bit % 8)
            altered.append(bytes(flipped))
        elif i % 5 == 1:
            altered.append(data[:place])
        elif i % 5 == 2:
            altered.append(data + rng.bytes(1 + place))
        elif i % 5 == 3:
            altered.append(data[:place] + data[place + 1 :])
        else:
            altered.append(data[:place] + data[place : place + 1] + data[place:])
    assert len(altered) == 500
    for candidate in altered:
        message = refusal(candidate, folder)
        assert message.count("\n") == 0
        assert message.startswith(f"'{folder / 'altered.pifs'}' is not a readable PIFS file: ")
        assert message.endswith(".")
        assert len(message) < 300


def test_every_bit_of_the_header_counts(folder: Path) -> None:
    data = saved(coded(Layout((8, 8), 4, 4), Quantiser(), np.random.default_rng(0)), folder)
    for bit in range(8 * 36):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << (bit % 8)
        refusal(bytes(flipped), folder)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "first bytes"),
        (b"PIF", "first bytes"),
        (b"PIFS", "4 bytes are fewer"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "first bytes"),
        (b"PIFS" + bytes(200), "version is 0"),
    ],
)
def test_other_files_are_refused_with_the_reason(data: bytes, said: str, folder: Path) -> None:
    assert said in refusal(data, folder)


GOOD = (b"PIFS", 1, 4, 6, 2, 2, 2, 1, 8, 5, 7, 0.9)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (1, 2, "version"),
        (2, 0, "shape"),
        (4, 1, "range_size"),
        (5, 3, "min_size"),
        (6, 1, "ratio"),
        (8, 9, "isometries"),
        (9, 1, "contrast_bits"),
        (10, 0, "brightness_bits"),
        (11, float("nan"), "contrast_limit"),
        (3, 2**32 - 2, "too short"),
        (3, 60, "too short"),
        (3, 2, "goes on"),
    ],
)
def test_a_right_checksum_does_not_excuse_a_wrong_content(place: int, value: Any, said: str, folder: Path) -> None:
    payload = saved(coded(Layout((4, 6), 2, 2, 2, 1), Quantiser(5, 7, 0.9), np.random.default_rng(1)), folder)[36:-32]
    header = [*GOOD]
    path = folder / "good.pifs"
    path.write_bytes(sealed(tuple(header), payload))
    assert PIFS.load(path).shape == (4, 6)
    header[place] = value
    assert said in refusal(sealed(tuple(header), payload), folder)


def test_any_content_with_a_right_checksum_is_a_pifs_or_is_refused(folder: Path) -> None:
    """Some bytes of a payload replaced; what is loaded has exactly this file."""
    rng, path, loaded = np.random.default_rng(2), folder / "any.pifs", 0
    data = saved(coded(Layout((4, 6), 4, 2, 2, 1), Quantiser(5, 7, 0.9), rng, flat=0.5), folder)
    header = HEADER.unpack_from(data)[:-1]
    for i in range(400):
        payload = bytearray(data[36:-32])
        for place in rng.integers(0, len(payload), 1 + i % 3):
            payload[place] = rng.integers(0, 256)
        path.write_bytes(sealed(header, bytes(payload)))
        try:
            system = PIFS.load(path)
        except ValueError as error:
            assert "is not a readable PIFS file" in str(error)  # noqa: PT017
        else:
            loaded += 1
            assert saved(system, folder) == path.read_bytes()
    assert 40 < loaded < 360


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PIFS.load(tmp_path / "none.pifs")
