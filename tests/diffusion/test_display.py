"""How the objects of pifs_sim.diffusion and pifs_sim.fractals show themselves; what `dir` lists."""

import subprocess
import sys

import numpy as np
import pytest

import pifs_sim
from pifs_sim import diffusion, dynamics, fractals
from pifs_sim.diffusion import Chain, design, exact_denoiser, exchange, measures, schedules, spectra
from pifs_sim.fractals import gallery

GAUSSIAN = measures.Gaussian(np.zeros(2), np.diag([9.0, 0.5]))
CLOUD = measures.PointCloud(np.random.default_rng(0).normal(size=(50, 3)))
MIXTURE = measures.Mixture([0.5, 0.5], np.zeros((2, 2)), [1.0, 2.0])
SCALES = measures.ScaleMixture(np.zeros(2), np.eye(2), [1.0, 2.0, 3.0], [0.2, 0.3, 0.5])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (schedules.cosine(1000), "Schedule(cosine(1000, offset=0.008), T=1000, σ 0…2.0e4)"),
        (schedules.karras(10, 0.02, 80), "Schedule(karras(10, rho=7), T=10, σ 0.02…80)"),
        (GAUSSIAN, "Gaussian(d=2)"),
        (CLOUD, "PointCloud(K=50, d=3)"),
        (MIXTURE, "Mixture(K=2, d=2)"),
        (SCALES, "ScaleMixture(K=3, d=2)"),
        (measures.Product([GAUSSIAN, CLOUD]), "Product(Gaussian(d=2), PointCloud(K=50, d=3), d=5)"),
        (measures.Product([GAUSSIAN] * 9), "Product(9 laws, d=18)"),
        (exact_denoiser(CLOUD), "ExactDenoiser(PointCloud(K=50, d=3))"),
        (
            Chain(schedules.karras(10, 0.02, 80), exact_denoiser(SCALES)),
            "Chain(karras(10, rho=7), T=10, ExactDenoiser(ScaleMixture(K=3, d=2)))",
        ),
        (gallery.get("koch"), "Entry(koch, 4 maps of R^2, dimension 1.26186)"),
        (gallery.get("koch").ifs, "IFS(4 maps of R^2)"),
    ],
)
def test_an_object_says_what_it_is_in_one_line(value, text):
    assert repr(value) == text


def test_results_are_one_line_without_arrays():
    rng = np.random.default_rng(1)
    chain = Chain(schedules.uniform_angle(4, 0.1), exact_denoiser(CLOUD))
    posterior = chain.denoiser.posterior(rng.normal(size=(4, 3)), 0.5)
    points = diffusion.marginals(chain, 20, rng)
    image = fractals.encode(rng.random((16, 16)), 8)
    results = [
        posterior,
        posterior.covariance,
        exact_denoiser(GAUSSIAN).posterior(np.zeros((9, 2)), 0.5),
        diffusion.patch_contraction(chain, points, dynamics.Patches(3, 1)),
        diffusion.product_spectrum(chain, points[-1]),
        design.worst_case_schedule([[9.0, 1.0], [4.0, 1.0]], 3, sigma_min=0.02, sigma_max=80),
        exchange.diffusers_steps({"_class_name": "EulerDiscreteScheduler"}, 7),
        image,
        image.contraction(),
        gallery.get("koch").ifs.similarity_dimension(),
    ]
    for value in results:
        text = repr(value)
        assert text.startswith(f"{type(value).__name__}(")
        assert "\n" not in text
        assert "array(" not in text
        assert len(text) < 250
    assert repr(image) == f"PIFS(16×16 pixels, 4 ranges, {image.rate:.3g} bits per pixel)"


def test_a_schedule_is_a_table_in_a_notebook_with_both_ends():
    text = schedules.karras(1000, 0.02, 80)._repr_html_()
    assert text.count('scope="row"') == 11
    assert "<caption>Schedule karras(1000, rho=7), 1000 steps</caption>" in text
    assert '<th scope="row">1000</th><td>1.558</td><td>80</td>' in text
    assert '<th scope="row">0</th><td>0.02</td><td>0.02</td>' in text


def test_a_spectrum_is_a_table_in_a_notebook_with_shares_of_the_whole():
    law = spectra.Spectrum(np.array([1.0, 6.0]), np.array([4, 1]), np.zeros(2), 30, (5,))
    assert repr(law) == "Spectrum(d=5 as 5, 30 vectors, λ 1…6)"
    text = law._repr_html_()
    assert '<th scope="row">1</th><td>6</td><td>1</td><td>60.0 %</td>' in text
    assert '<th scope="row">2</th><td>1</td><td>4</td><td>100.0 %</td>' in text
    patches = spectra.patch_spectrum(np.random.default_rng(0).random((16, 16, 3)), 4)
    assert repr(patches).startswith("PatchSpectrum(d=48 as 4×4×3, 16 vectors, λ 0…")
    assert "48 variances of 16 vectors, the largest 10" in patches._repr_html_()


def test_the_packages_list_their_public_names_and_little_else():
    for package in (diffusion, dynamics, fractals, gallery, diffusion.design, diffusion.measures, schedules):
        assert dir(package) == sorted(package.__all__)
    assert (
        {"diffusion", "dynamics", "fractals", "testing"}
        <= set(dir(pifs_sim))
        <= {*("__version__", "diffusion", "dynamics", "fractals", "networks", "testing")}
    )


def test_a_package_is_imported_when_it_is_first_named():
    code = """
import sys, pifs_sim
assert not [name for name in sys.modules if name.startswith("pifs_sim.")], "imported at once"
assert pifs_sim.diffusion.schedules.cosine(10).steps == 10
assert "matplotlib" not in sys.modules
assert not hasattr(pifs_sim, "difusion")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
