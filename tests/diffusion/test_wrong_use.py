"""What a newcomer types wrongly is refused in one sentence that names the argument, its rule and what was given."""

import math

import numpy as np
import pytest

from pifs_sim import fractals
from pifs_sim.diffusion import Chain, design, exact_denoiser, exchange, geometry, marginals, measures, schedules
from pifs_sim.diffusion import suppression as suppression_of
from pifs_sim.dynamics import Map, catalogue, lyapunov_spectrum

GAUSSIAN = measures.Gaussian(np.zeros(2), np.eye(2))
COSINE = schedules.cosine(10)
CHAIN = Chain(COSINE, exact_denoiser(GAUSSIAN))
RNG = np.random.default_rng(0)
GENERATOR = r"`rng` must be a numpy\.random\.Generator, .*, got (0|'seed')\."


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: schedules.cosine(10, offset="x"), r"`offset` must be non-negative, got 'x'\."),
        (lambda: schedules.cosine(10, offset=math.nan), r"`offset` must be non-negative, got nan\."),
        (lambda: schedules.cosine(10**18), r"a schedule of 1000000000000000000 `steps` needs .* GiB"),
        (lambda: schedules.karras(10, "a", 80), r"`sigma_min` must be positive, got 'a'\."),
        (lambda: schedules.karras(10, 80, 0.02), r"`sigma_max` must be finite and exceed `sigma_min`, 80, got 0\.02\."),
        (lambda: schedules.karras(10, 0.02, math.inf), r"`sigma_max` must be finite .* got inf\."),
        (lambda: COSINE.shift("a"), r"`logsnr` must be finite .* got 'a'\."),
        (lambda: geometry.moran_threshold("cosine"), r"`schedule` must be a Schedule, got 'cosine'\."),
        (lambda: geometry.lyapunov_exponent(None, [1.0]), r"`schedule` must be a Schedule, got None\."),
        (lambda: exchange.to_diffusers("c", "EulerDiscreteScheduler"), r"`schedule` must be a Schedule, got 'c'\."),
        (lambda: design.min_snr_weight(COSINE, "a"), r"`gamma` must be positive and finite, got 'a'\."),
        (lambda: measures.Gaussian("a", np.eye(2)), r"`mean` must hold real numbers, got 'a'\."),
        (lambda: measures.Gaussian(None, None), r"`mean` must hold real numbers, got None\."),
        (lambda: GAUSSIAN.sample(-1, RNG), r"`n` must be an integer of at least 0, got -1\."),
        (lambda: GAUSSIAN.sample(2.5, RNG), r"`n` must be an integer of at least 0, got 2\.5\."),
        (lambda: GAUSSIAN.sample(3, 0), GENERATOR),
        (lambda: measures.PointCloud(np.eye(2)).sample(3, 0), GENERATOR),
        (lambda: CHAIN.sample(3, "seed"), GENERATOR),
        (lambda: marginals(CHAIN, 3, 0), GENERATOR),
        (lambda: fractals.gallery.get("koch").ifs.attractor(10, rng=0), GENERATOR),
        (lambda: suppression_of(CHAIN, np.zeros((10, 1, 2)), 2), r"`patches` must be Patches, got 2\."),
        (lambda: Map("f", dim=2), r"`step` must be a function of \(x, n\), got 'f'\."),
        (lambda: Map(lambda x, _: x, dim="2"), r"`dim` must be an integer of at least 1, got '2'\."),
        (
            lambda: lyapunov_spectrum(catalogue.henon(), np.zeros((1, 2)), 10),
            r"`system` must have `dim`, `step` and `tangent`, got Entry: take its `system`\.",
        ),
        (
            lambda: lyapunov_spectrum("henon", np.zeros((1, 2)), 10),
            r"`system` must have `dim`, `step` and `tangent`, got str\.",
        ),
    ],
)
def test_wrong_arguments_are_refused_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=f"^{words}") as refusal:
        call()
    assert "\n" not in str(refusal.value)
