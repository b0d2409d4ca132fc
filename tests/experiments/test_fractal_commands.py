"""`pifs-sim fractal`: what is coded comes back, and bad input gets one sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from pifs_sim.fractals import PIFS, psnr


@pytest.fixture
def picture(tmp_path):
    """A smooth grey picture of awkward size, as a file, and its pixels."""
    y, x = np.mgrid[0:45, 0:61]
    pixels = np.uint8(127 + 100 * np.sin(x / 9) * np.cos(y / 7))
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return pixels


def test_a_coded_image_comes_back_near_the_original(run, picture, tmp_path):
    status, out, _ = run("fractal", "encode", "picture.png", "-o", "p.pifs", "--range-size", "8", "--json")
    assert status == 0
    status, said, _ = run("fractal", "decode", "p.pifs", "-o", "back.png")
    assert (status, said) == (0, "Wrote back.png\n")
    with Image.open(tmp_path / "back.png") as image:
        back = np.asarray(image)
    coded = PIFS.load(tmp_path / "p.pifs")
    assert back.shape == picture.shape
    assert np.abs(back / 255 - coded.decode()).max() <= 0.5 / 255 + 1e-12
    facts = json.loads(out)
    assert facts["PSNR_dB"] == pytest.approx(psnr(picture, coded.decode()))
    assert facts["PSNR_dB"] > 28
    assert facts["bits_per_pixel"] == coded.rate


def test_info_gives_the_contraction_and_the_collage_bound(run, picture):
    run("fractal", "encode", "picture.png", "-o", "p.pifs", "--range-size", "8")
    status, out, _ = run("fractal", "info", "p.pifs", "--image", "picture.png", "--json")
    assert status == 0
    facts = json.loads(out)
    assert (facts["height"], facts["width"]) == picture.shape
    assert facts["spectral_radius"] <= facts["L_inf"] + 1e-12 < 1
    assert facts["block-max_norm_at_most"] <= facts["row_sum"] + 1e-12 <= facts["kappa"] + facts["delta"] + 1e-9
    assert facts["distance"] <= facts["collage_bound"]
    assert "iterations to 1e-8" in run("fractal", "info", "p.pifs")[1]


@pytest.mark.usefixtures("picture")
def test_an_altered_file_is_refused_in_one_sentence(run, refused, tmp_path):
    run("fractal", "encode", "picture.png", "-o", "p.pifs", "--range-size", "8")
    data = bytearray((tmp_path / "p.pifs").read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "bad.pifs").write_bytes(data)
    assert refused(run("fractal", "decode", "bad.pifs", "-o", "x.png"), "bad.pifs", "not a readable PIFS file")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("encode", "absent.png", "-o", "x.pifs"), ("'absent.png': no such file or directory.",)),
        (("encode", ".", "-o", "x.pifs"), ("'.': is a directory.",)),
        (("encode", "picture.png", "-o", "x.pifs", "--contrast-limit", "1"), ("contrast_limit", "1")),
        (("encode", "picture.png", "-o", "x.pifs", "--range-size", "1"), ("range_size", "1")),
        (("encode", "picture.png", "-o", "x.pifs", "--min-size", "3"), ("min_size", "3")),
        (("encode", "picture.png", "-o", "x.pifs", "--search", "best"), ("search", "best")),
        (("decode", "absent.pifs", "-o", "x.png"), ("'absent.pifs': no such file or directory.",)),
        (("info", "picture.png"), ("picture.png", "PIFS")),
    ],
)
def test_bad_input_gets_one_sentence(run, refused, picture, arguments, words):
    assert picture.ndim == 2
    assert refused(run("fractal", *arguments), *words)


def test_dimensions_of_a_set_are_exact_bounded_and_measured(run):
    status, out, _ = run("fractal", "dimension", "sierpinski_right", "--points", "30000", "--json")
    assert status == 0
    facts = json.loads(out)
    assert facts["dimension"] == pytest.approx(np.log2(3), abs=1e-14)
    low, high = facts["box_counting_interval"]
    assert low <= facts["dimension"] <= high
    assert "no similarity dimension" in run("fractal", "dimension", "barnsley_fern", "--points", "2000")[1]


def test_a_picture_of_the_triangle_is_empty_where_the_set_is(run, tmp_path):
    status, out, _ = run("fractal", "draw", "sierpinski_right", "-o", "t.png", "--points", "1e5", "--size", "64")
    assert status == 0
    assert "64×64 pixels" in out
    with Image.open(tmp_path / "t.png") as image:
        pixels = np.asarray(image)
    assert (pixels[:31, 33:] == 255).all()  # above the diagonal there is nothing
    assert pixels[-1].max() < 255  # the base is filled


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dimension", "kock"), ("kock", "koch")),
        (("dimension", "koch", "--points", "x"), ("whole number", "x")),
        (("draw", "menger", "-o", "m.png"), ("menger", "3 dimension")),
        (("draw", "koch", "-o", "m.xyz", "--points", "1000"), ("xyz",)),
    ],
)
def test_sets_that_cannot_be_shown_are_refused_in_one_sentence(run, refused, arguments, words):
    assert refused(run("fractal", *arguments), *words)
