"""A whole measurement of exact denoisers as networks: every quantity is that of the closed form."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import entr

torch = pytest.importorskip("torch", reason="torch is not installed (extra networks)")

from pifs_sim.diffusion import (  # noqa: E402
    Chain,
    exact_denoiser,
    margin_monotonicity,
    measures,
    patch_contraction,
    rank_correlation,
    rayleigh_quotients,
    schedules,
    suppression,
)
from pifs_sim.dynamics import Patches, lyapunov_spectrum  # noqa: E402
from pifs_sim.networks import NetworkDenoiser  # noqa: E402
from pifs_sim.networks.measure import measure  # noqa: E402
from pifs_sim.networks.quotients import patch_directions  # noqa: E402
from tests.networks.exact import AttentionModule, exact_mixture  # noqa: E402

PATCHES = Patches(12, 3)
SCHEDULE = schedules.from_angles([0.05, 0.3, 0.7, 1.1, 1.4, 1.5])
SAMPLES = 4


def _points(data, seed=0):
    """The points that a measurement is to be of: row t-1 at angle t, with their noise."""
    chosen = data[np.random.default_rng([seed]).choice(len(data), SAMPLES, replace=False)]
    eps = [np.random.default_rng([seed, t, 0]).standard_normal(chosen.shape) for t in range(1, 6)]
    steps = zip(SCHEDULE.cos[1:], SCHEDULE.sin[1:], eps, strict=True)
    return np.stack([cos * chosen + sin * e for cos, sin, e in steps]), np.stack(eps)


@pytest.fixture(scope="module", params=["mixture", "cloud"])
def case(request):
    rng = np.random.default_rng(7)
    if request.param == "mixture":
        law, module = exact_mixture(rng, dim=12)
        network = NetworkDenoiser(module, (12,))
    else:
        law = measures.PointCloud(rng.standard_normal((15, 12)), rng.dirichlet(np.ones(15)))
        network = NetworkDenoiser(AttentionModule(law.points, law.weights), (12,), predicts="data")
    data = law.sample(100, rng)
    found = measure(
        network, SCHEDULE, data, patches=PATCHES, samples=SAMPLES, method="lanczos", tolerance=1e-7, exponents=3
    )
    return law, network, data, found


def test_block_norms_are_those_of_the_closed_form_and_lie_in_their_intervals(case):
    law, _, data, found = case
    x, _ = _points(data)
    exact = patch_contraction(Chain(SCHEDULE, exact_denoiser(law)), x, PATCHES)
    for name in ("own", "coupling", "norm", "kappa", "delta", "row_sum"):
        closed = getattr(exact, name)
        assert getattr(found.value, name) == pytest.approx(closed, rel=2e-7, abs=1e-12), name
        assert (getattr(found.lower, name) <= closed + 1e-12).all(), name
        assert (getattr(found.upper, name) >= closed - 1e-12).mean() >= 0.95, name
    assert found.value.margin == pytest.approx(exact.margin, abs=1e-6)
    assert (found.value.violations == exact.violations).all()
    assert found.method == "lanczos"


def test_quotients_suppression_margins_and_their_order_are_those_of_the_closed_form(case):
    law, _, data, found = case
    x, _ = _points(data)
    leading = patch_directions(data, PATCHES)
    chain = Chain(SCHEDULE, exact_denoiser(law))
    exact = rayleigh_quotients(chain, x, leading.directions)
    assert found.quotients == pytest.approx(exact, abs=1e-9)
    apart = np.arange(12)[:, None] // 3 == np.arange(12) // 3
    patchwise = measures.Gaussian(data.mean(axis=0), np.where(apart, np.cov(data.T, bias=True), 0.0))
    closed = suppression(chain, x, PATCHES, reference=patchwise)
    assert found.suppression == pytest.approx(closed, abs=1e-9)
    assert found.margins == pytest.approx(closed.mean(axis=1) - (found.expansion - 1), abs=1e-9)
    assert (found.monotonicity.increasing == margin_monotonicity(exact, leading.values).increasing).all()
    ranks = rank_correlation(leading.values, closed.mean(axis=1))
    assert found.correlations["suppression"].value == pytest.approx(ranks.value)
    assert found.correlations["suppression"].pvalue == pytest.approx(ranks.pvalue)
    expanding = (1 - exact.mean(axis=1)) < 0
    assert [int(k) for k in found.release] == [max([0, *(np.flatnonzero(column) + 1)]) for column in expanding.T]
    assert all(windows[0].last == last for windows, last in zip(found.windows, found.release, strict=True) if windows)


def test_deviation_errors_and_entropies_are_those_of_the_closed_form(case):
    law, _, data, found = case
    x, eps = _points(data)
    exact = exact_denoiser(law)
    fitted = exact_denoiser(measures.Gaussian(data.mean(axis=0), np.cov(data.T, bias=True)))
    for t in range(1, 6):
        angle = float(SCHEDULE.angles[t])
        noise, other = exact.noise(x[t - 1], angle), fitted.noise(x[t - 1], angle)
        assert found.deviation[t - 1] == pytest.approx(np.linalg.norm(noise - other, axis=1), rel=1e-9)
        assert found.error[t - 1] == pytest.approx(np.mean((noise - eps[t - 1]) ** 2, axis=1), rel=1e-9)
        assert found.gaussian_error[t - 1] == pytest.approx(np.mean((other - eps[t - 1]) ** 2, axis=1), rel=1e-9)
        if isinstance(law, measures.PointCloud):
            weights = exact.posterior(x[t - 1], angle).weights
            assert found.entropy[t - 1, :, 0] == pytest.approx(entr(weights).sum(axis=1), abs=1e-10)
    if isinstance(law, measures.PointCloud):
        ranks = rank_correlation(found.entropy.mean(axis=(1, 2)), found.value.delta.mean(axis=1))
        assert found.entropy_and_coupling.value == ranks.value
    else:
        assert found.entropy.shape == (5, SAMPLES, 0)
        assert found.entropy_and_coupling is None
    slope = found.deviation_slope([4, 5])
    logs = np.log(found.deviation.mean(axis=1))
    expected = (logs[4] - logs[3]) / math.log(SCHEDULE.cos[5] / SCHEDULE.cos[4])
    assert slope.value == pytest.approx(expected, rel=1e-10)
    assert slope.lower < slope.value < slope.upper


def test_exponents_are_those_of_the_exact_chain(case):
    law, _, data, found = case
    x, _ = _points(data)
    exact = lyapunov_spectrum(Chain(SCHEDULE, exact_denoiser(law)), x[-1][:1], 5, k=3)
    assert found.lyapunov.exponents == pytest.approx(exact.exponents, abs=1e-9)
    assert found.lyapunov.finite_time
    assert (found.lyapunov.steps, found.lyapunov.dim, found.lyapunov.reasons) == (5, 12, (None,))


@pytest.mark.parametrize(("method", "probes"), [("frobenius", 2), ("exact", 64)])
def test_intervals_of_other_methods_hold_too(case, method, probes):
    law, network, data, _ = case
    options = {"patches": PATCHES, "samples": SAMPLES, "most": 2, "probes": probes, "method": method, "seed": 3}
    found = measure(network, SCHEDULE, data, **options)
    x, _ = _points(data, seed=3)
    exact = patch_contraction(Chain(SCHEDULE, exact_denoiser(law)), x, PATCHES)
    for name in ("own", "coupling", "norm", "kappa", "delta", "row_sum"):
        closed = getattr(exact, name)
        assert (getattr(found.lower, name) <= closed + 1e-12).all(), name
        count = closed.size
        covered = (getattr(found.upper, name) >= closed - 1e-12).mean()
        assert covered >= 0.95 - 5 * math.sqrt(0.0475 / count), name
    if method == "exact":
        assert found.value.own == pytest.approx(exact.own, rel=1e-10)
        assert found.value.coupling == pytest.approx(exact.coupling, rel=1e-10, abs=1e-12)
        assert (found.pairs == 0).all()
    assert found.method == method


def test_a_step_from_pi_over_2_is_measured_where_the_network_predicts_data():
    rng = np.random.default_rng(1)
    law = measures.PointCloud(rng.standard_normal((15, 12)))
    network = NetworkDenoiser(AttentionModule(law.points, law.weights), (12,), predicts="data")
    schedule = schedules.from_angles([0.2, 1.0, math.pi / 2])
    found = measure(network, schedule, law.points, patches=PATCHES, samples=2)
    assert found.value.own[-1] == pytest.approx(np.full((2, 4), math.sin(1.0)), rel=1e-12)
    assert found.value.delta[-1] == pytest.approx(np.zeros(2), abs=1e-14)


def test_the_seed_alone_decides_and_progress_counts_steps(case):
    _, network, data, _ = case
    seen = []
    options = {"patches": PATCHES, "samples": 2, "exponents": 1}
    first = measure(network, SCHEDULE, data, progress=lambda *now: seen.append(now), **options)
    again, other = measure(network, SCHEDULE, data, **options), measure(network, SCHEDULE, data, seed=1, **options)
    assert seen == [(t, 6) for t in range(1, 7)]
    assert (first.value.own == again.value.own).all()
    assert (first.deviation != other.deviation).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patches": Patches(6, 3)}, "`patches` partitions d=6, expected d=12"),
        ({"samples": 0}, "`samples` must be an integer of at least 1"),
        ({"method": "best"}, "`method` must be"),
        ({"confidence": 2.0}, "`confidence` must lie strictly between 0 and 1"),
        ({"exponents": 13}, r"`exponents` must be an integer in 0..12"),
        ({"max_memory": 10.0}, "`max_memory` must be at least"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(case, changes, message):
    _, network, data, found = case
    with pytest.raises(ValueError, match=message):
        measure(network, SCHEDULE, data, **{"patches": PATCHES, **changes})
    with pytest.raises(ValueError, match=r"`data` must have shape \(batch, 12\)"):
        measure(network, SCHEDULE, data[:, :6], patches=PATCHES)
    with pytest.raises(ValueError, match=r"`steps` must list integers in 1..5"):
        found.deviation_slope([0, 1])


class _Fails(torch.nn.Module):
    """0, but at angles above 1, where a layer divides by 0."""

    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Identity()

    def forward(self, x, angle):
        return self.inner(0 * x / (angle < 1)[:, None])


@pytest.mark.parametrize("kept", [False, True])
def test_a_network_that_gives_nan_is_named_with_step_angle_and_layer(case, kept, tmp_path):
    _, _, data, _ = case
    expected = r"^at step 3 of 5, `module` gives NaN or infinity at angle 1\.1; the first layer that does is `inner`"
    with pytest.raises(ValueError, match=expected):
        measure(
            NetworkDenoiser(_Fails(), (12,)),
            SCHEDULE,
            data,
            patches=PATCHES,
            samples=2,
            folder=tmp_path if kept else None,
        )


def test_one_patch_has_no_rank_correlations(case):
    _, network, data, _ = case
    found = measure(network, SCHEDULE, data, patches=Patches(12, 12), samples=2)
    assert found.correlations == {}
    assert found.monotonicity is None
    assert (found.upper.coupling == 0).all()
    assert found.value.own[:, :, 0] == pytest.approx(found.value.norm, rel=1e-3)


def test_a_measurement_is_a_value(case):
    with pytest.raises(dataclasses.FrozenInstanceError):
        case[3].lam = None
