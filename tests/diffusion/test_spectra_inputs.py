import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pifs_sim.diffusion.spectra import PatchSpectrum, default_photograph, patch_spectrum
from tests.diffusion.pictures import assert_same, bytes_image


def test_every_way_to_pass_the_same_images_gives_the_same_result(tmp_path):
    stack = bytes_image(5, 12, 16, 3)
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for picture, path in zip(stack, paths, strict=True):
        Image.fromarray(picture).save(path)
    expected = patch_spectrum(stack, 4)
    ways = (list(stack), iter(stack), (p for p in stack), tmp_path, str(tmp_path), paths, map(str, paths), [tmp_path])
    for images in (*ways, [stack[:2], stack[2], paths[3], str(paths[4])]):
        assert_same(patch_spectrum(images, 4), expected)
    assert_same(patch_spectrum(stack[0], 4), patch_spectrum(paths[0], 4))


def test_a_folder_is_read_in_the_order_of_names_and_other_files_are_skipped(tmp_path):
    pictures = bytes_image(3, 6, 6, 3)
    for name, picture in zip(("b.png", "c.BMP", "a.png"), pictures, strict=True):
        Image.fromarray(picture).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "paper.pdf").write_text("Pillow writes such files, but does not read them")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "below").mkdir()
    Image.fromarray(pictures[0]).save(tmp_path / "below" / "d.png")
    assert_same(patch_spectrum(tmp_path, 3), patch_spectrum(pictures[[2, 0, 1]], 3))


def test_grey_of_a_file_is_grey_of_its_pixels(tmp_path):
    picture = bytes_image(12, 12, 3)
    Image.fromarray(picture).save(tmp_path / "x.png")
    assert_same(patch_spectrum(tmp_path / "x.png", 4, grey=True), patch_spectrum(picture, 4, grey=True))


def saved(path, picture, **options):
    picture.save(path, **options)
    return path


def test_files_of_every_mode_are_read_as_rgb_or_as_one_channel(tmp_path):
    rgb = bytes_image(8, 8, 3)
    grey = bytes_image(8, 8, seed=1)
    opaque = Image.fromarray(rgb)
    with_alpha = Image.fromarray(np.dstack([rgb, grey]))
    cmyk = opaque.convert("CMYK")
    palette = opaque.quantize(16)
    see_through = bytes(range(0, 256, 16))
    bilevel = Image.fromarray(grey > 100)
    grey_alpha = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(grey)])
    cases = [
        (saved(tmp_path / "rgb.png", opaque), rgb),
        (saved(tmp_path / "rgba.png", with_alpha), rgb),
        (saved(tmp_path / "cmyk.tif", cmyk), np.asarray(cmyk.convert("RGB"))),
        (saved(tmp_path / "palette.png", palette), np.asarray(palette.convert("RGB"))),
        (saved(tmp_path / "see.png", palette, transparency=see_through), np.asarray(palette.convert("RGB"))),
        (saved(tmp_path / "grey.png", Image.fromarray(grey)), grey),
        (saved(tmp_path / "grey_alpha.png", grey_alpha), grey),
        (saved(tmp_path / "bilevel.png", bilevel), np.where(grey > 100, 255, 0).astype(np.uint8)),
    ]
    for path, pixels in cases:
        spectrum = patch_spectrum(path, 4)
        assert spectrum.shape == (4, 4, np.atleast_3d(pixels).shape[2]), path.name
        assert_same(spectrum, patch_spectrum(pixels, 4))


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.pgm"])
def test_sixteen_bit_grey_files_keep_their_sixteen_bits(tmp_path, name):
    pixels = np.random.default_rng(9).integers(0, 2**16, (8, 8), dtype=np.uint16)
    pixels[0, 0] = 65535
    path = saved(tmp_path / name, Image.fromarray(pixels))
    assert_same(patch_spectrum(path, 4), patch_spectrum(pixels, 4))


def test_big_endian_and_floating_tiff_files_are_read(tmp_path):
    pixels = np.random.default_rng(10).integers(0, 2**16, (8, 8), dtype=np.uint16)
    path = saved(tmp_path / "big.tif", Image.fromarray(pixels.astype(">u2")))
    assert_same(patch_spectrum(path, 4), patch_spectrum(pixels, 4))
    floats = np.random.default_rng(11).standard_normal((8, 8)).astype(np.float32)
    path = saved(tmp_path / "float.tif", Image.fromarray(floats))
    assert_same(patch_spectrum(path, 4), patch_spectrum(floats, 4))


def test_progress_counts_images_and_knows_the_total_where_there_is_one(tmp_path):
    stack = bytes_image(3, 4, 4, 3)
    for i in range(2):
        Image.fromarray(stack[i]).save(tmp_path / f"{i}.png")
    for images, calls in (
        (stack, [(1, 3), (2, 3), (3, 3)]),
        (stack[0], [(1, 1)]),
        (list(stack), [(1, 3), (2, 3), (3, 3)]),
        (iter(stack), [(1, 0), (2, 0), (3, 0)]),
        (tmp_path, [(1, 2), (2, 2)]),
    ):
        seen = []
        patch_spectrum(images, 4, progress=lambda *call, seen=seen: seen.append(call))
        assert seen == calls


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", None), *((name, value) for name in ("size", "stride") for value in (0, -1, 2.0, "3", True, np.nan))],
)
def test_sizes_and_strides_that_are_no_positive_integers_are_refused(name, value):
    arguments = {"size": 2, name: value}
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer >= 1, got {value!r}"):
        patch_spectrum(bytes_image(4, 4), **arguments)


def test_numpy_integers_are_sizes():
    assert patch_spectrum(bytes_image(4, 4), np.int64(2), stride=np.uint8(1)).count == 9


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (bytes_image(2, 9, 3), r"at least one patch \(3 x 3\) large, got \(2, 9, 3\) in image 0"),
        ([bytes_image(3, 3, 3), bytes_image(9, 2, 3)], r"got \(9, 2, 3\) in image 1"),
        (bytes_image(4, 4, 0), r"got \(4, 4, 0\) in image 0"),
        ([bytes_image(4, 4, 3), bytes_image(4, 4)], r"3 channels like the first, got 1 in image 1; grey=True"),
        ([bytes_image(2, 4, 4, 3), bytes_image(2, 4, 4, 1)], r"got 1 in image 1\[0\]; grey=True"),
        (bytes_image(9), r"must have shape \(H, W\), .* got \(9,\) in image 0"),
        (bytes_image(1, 1, 3, 3, 3), r"got \(1, 1, 3, 3, 3\) in image 0"),
        (np.zeros((4, 4), dtype=np.int64), "uint8, uint16 or floating, got int64 in image 0"),
        (np.zeros((4, 4), dtype=bool), "got bool in image 0"),
        (np.zeros((4, 4), dtype=complex), "got complex128 in image 0"),
        (np.zeros((4, 4), dtype=object), "got object in image 0"),
        ([], r"at least one image, got \[\]"),
        (iter(()), "at least one image"),
        (np.zeros((0, 4, 4, 3)), "at least one image"),
        (None, "an array, a path, or an iterable of those, got None"),
        (3, "an array, a path, or an iterable of those, got 3"),
        (b"photo.png", "an array, a path, or an iterable of those"),
        ([[0.0, 1.0]], r"NumPy arrays or paths, got \[0.0, 1.0\] in image 0"),
        ("no/such/file.png", "existing file or folder, got 'no/such/file.png'"),
        (["no/such/file.png"], "existing file or folder, got 'no/such/file.png'"),
    ],
)
def test_what_is_not_images_is_refused_with_one_sentence(images, message):
    with pytest.raises(ValueError, match=message) as caught:
        patch_spectrum(images, 3)
    assert str(caught.value).startswith("`images` must")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("grey", [False, True])
def test_values_that_are_not_finite_are_refused(bad, grey):
    good, broken = np.zeros((2, 6, 6, 3))
    broken[4, 5, 1] = bad
    with pytest.raises(ValueError, match="`images` must be finite, got NaN or inf in image 1"):
        patch_spectrum([good, broken], 3, grey=grey)


def test_values_too_large_for_their_squares_are_refused():
    with pytest.raises(ValueError, match="squares"):
        patch_spectrum(np.array([[1e200, -1e200, 1e200]]), 1)


@pytest.mark.parametrize("channels", [2, 4])
def test_only_one_or_three_channels_can_be_made_grey(channels):
    with pytest.raises(ValueError, match=f"1 or 3 channels to be made grey, got {channels} in image 0"):
        patch_spectrum(bytes_image(4, 4, channels), 2, grey=True)


def test_grey_and_colour_mix_only_as_grey(tmp_path):
    colour, plain = bytes_image(6, 6, 3), bytes_image(6, 6)
    Image.fromarray(colour).save(tmp_path / "a.png")
    Image.fromarray(plain).save(tmp_path / "b.png")
    with pytest.raises(ValueError, match=r"got 1 in '.*b.png'; grey=True makes them all grey"):
        patch_spectrum(tmp_path, 3)
    assert_same(patch_spectrum(tmp_path, 3, grey=True), patch_spectrum([colour, plain], 3, grey=True))


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ValueError, match="`images` must name a folder that holds image files itself"):
        patch_spectrum(tmp_path, 3)


def test_files_that_are_no_images_are_refused_by_name(tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(bytes_image(64, 64, 3)).save(whole)
    content = whole.read_bytes()
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "broken.png").write_bytes(content[:60] + bytes(30) + content[90:])
    (tmp_path / "text.txt").write_text("no image, nor named like one")
    for name in ("text.png", "empty.png", "cut.png", "broken.png", "text.txt"):
        with pytest.raises(ValueError, match=rf"`images` must hold images that Pillow can read, got '.*{name}'"):
            patch_spectrum(tmp_path / name, 3)
    with pytest.raises(ValueError, match=r"got '.*broken.png'"):
        patch_spectrum(tmp_path, 3)


def test_a_file_smaller_than_a_patch_is_named(tmp_path):
    Image.fromarray(bytes_image(4, 4, 3)).save(tmp_path / "small.png")
    with pytest.raises(ValueError, match=r"at least one patch \(8 x 8\) large, got \(4, 4, 3\) in '.*small.png'"):
        patch_spectrum(tmp_path / "small.png", 8)


def test_a_decompression_bomb_is_refused_by_name(tmp_path, monkeypatch):
    path = saved(tmp_path / "bomb.png", Image.fromarray(bytes_image(30, 30, 3)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match=r"got '.*bomb.png'"):
        patch_spectrum(path, 3)


def test_the_default_photograph_is_the_one_that_matplotlib_ships():
    path = default_photograph()
    spectrum = patch_spectrum(path, 8)
    assert isinstance(path, Path)
    assert isinstance(spectrum, PatchSpectrum)
    assert path.name == "grace_hopper.jpg"
    assert spectrum.shape == (8, 8, 3)
    assert spectrum.count == 75 * 64  # 600 x 512 pixels
    assert np.abs(spectrum.mean).max() < 1
    # |x| <= 1, so the total variance is at most d; it is that of the pixels about the mean patch
    with Image.open(path) as image:
        pixels = np.asarray(image) / 127.5 - 1
    offsets = pixels.reshape(75, 8, 64, 8, 3).swapaxes(1, 2) - spectrum.mean.reshape(8, 8, 3)
    np.testing.assert_allclose(spectrum.eigenvalues.sum(), (offsets**2).sum() / spectrum.count, rtol=1e-13)


def test_a_missing_photograph_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("pifs_sim.diffusion.spectra.patches.find_spec", lambda _: None)
    assert default_photograph().is_file()  # matplotlib's own answer
    monkeypatch.setattr("matplotlib.cbook.get_sample_data", lambda name, **_: str(tmp_path / name))
    with pytest.raises(FileNotFoundError, match=r"matplotlib's sample data is not installed.*grace_hopper.jpg"):
        default_photograph()


def test_neither_matplotlib_nor_pillow_is_imported_before_it_is_needed():
    code = (
        "import sys; from pifs_sim.diffusion import spectra; print({'matplotlib', 'PIL'} & set(sys.modules)); "
        "spectra.default_photograph(); print('matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["set()", "False"]
