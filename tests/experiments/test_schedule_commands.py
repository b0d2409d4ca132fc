"""`pifs-sim schedule audit|design|compare|spectrum`: what they find is true, and bad input gets one sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from pifs_sim.diffusion import design, exchange, geometry, schedules
from pifs_sim.diffusion.spectra import default_photograph, load_spectrum, patch_spectrum
from pifs_sim.dynamics import kaplan_yorke_dimension

SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False}
LAM = np.array([9.0, 1.0, 0.1, 0.1])


@pytest.fixture
def config(tmp_path):
    """Write a scheduler's configuration and say its name."""

    def write(name="EulerDiscreteScheduler", **options):
        (tmp_path / "config.json").write_text(json.dumps({"_class_name": name, **SD, **options}))
        return "config.json"

    return write


@pytest.fixture
def photos(tmp_path):
    """A folder of two images and a file that is none."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for i in range(2):
        pixels = rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{i}.png")
    (tmp_path / "photos" / "a.png").write_text("no image")
    return tmp_path / "photos"


def found(result):
    status, out, _ = result
    assert status == 0
    return json.loads(out)


def test_an_audit_gives_the_exact_quantities_of_the_schedule_that_is_meant(run, config):
    facts = found(run("schedule", "audit", config(), "--steps", "12", "--spectrum", "9,1,.1,.1", "--json"))
    schedule = exchange.from_diffusers({"_class_name": "EulerDiscreteScheduler", **SD}, 12)
    exponents = geometry.lyapunov_exponent(schedule, LAM)
    assert facts["moran_threshold"] == geometry.moran_threshold(schedule)
    assert facts["contraction_threshold_first"] == geometry.contraction_threshold(schedule)[0]
    assert facts["dimension_full"] == pytest.approx(kaplan_yorke_dimension(exponents), rel=1e-12)
    for key in ("kl", "w2"):
        assert facts[key] == pytest.approx(geometry.gaussian_error(schedule, LAM, metric=key), rel=1e-12)
        ends = {"sigma_min": 0.0, "sigma_max": float(schedule.sigma[-1])}
        best = design.optimal_schedule(LAM, 12, objective=key, method="optimise", **ends)
        assert facts["optimum"][key] == pytest.approx(design.chain_error(best, LAM, objective=key), rel=1e-9)
        assert facts[f"{key}_ratio"] == pytest.approx(facts[key] / facts["optimum"][key])
        noise = geometry.gaussian_error(schedule, LAM, metric=key, start="normal")
        assert facts["from_noise"][key] == pytest.approx(noise, rel=1e-12)
        assert facts["of_class"][key] == pytest.approx(facts[key], rel=1e-4)  # its float32
        assert facts["elsewhere"][key] == pytest.approx(geometry.gaussian_error(schedule, 1.5 * LAM, metric=key))
    assert facts["advice"].startswith("Take the steps of `pifs-sim schedule design --steps 12 --spectrum 9,1,.1,.1 ")
    assert facts["advice"].count("\n") == 0


def test_the_advised_command_reaches_the_promised_error(run, config):
    facts = found(run("schedule", "audit", config(), "--steps", "8", "--spectrum", "9,1,.1", "--json"))
    words = facts["advice"].split("`")[1].split()
    assert words[0] == "pifs-sim"
    made = found(run(*words[1:], "--json"))
    assert made["w2"] == pytest.approx(facts["optimum"]["w2"], rel=1e-9)
    assert made["sigma_max"] == pytest.approx(facts["sigma_max"], rel=1e-12)


def test_what_ddim_does_off_its_grid_is_found_and_advised_against(run, config):
    name = config("DDIMScheduler", timestep_spacing="linspace", set_alpha_to_one=False)
    facts = found(run("schedule", "audit", name, "--steps", "6", "--spectrum", "9,1,.1", "--json"))
    assert "next angle" in [entry["kind"] for entry in facts["discrepancies"]]
    made = exchange.diffusers_steps({"_class_name": "DDIMScheduler", **SD, "timestep_spacing": "linspace"}, 6)
    lam, c = np.array([9.0, 1.0, 0.1]), 1.0
    for a, b in zip(made.angle, made.next_angle, strict=True):
        c = c * (lam * np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b)) / (lam * np.cos(a) ** 2 + np.sin(a) ** 2)
    first = made.angle[0]
    out = c * np.sqrt(lam * np.cos(first) ** 2 + np.sin(first) ** 2)
    end = exchange.from_diffusers({"_class_name": "DDIMScheduler", **SD, "set_alpha_to_one": False}).angles[0]
    wanted = np.sqrt(lam * np.cos(end) ** 2 + np.sin(end) ** 2)
    assert facts["of_class"]["w2"] == pytest.approx(np.linalg.norm(out - wanted), rel=1e-3)
    if facts["of_class"]["w2"] > 1.05 * facts["w2"]:
        assert facts["advice"].startswith("Choose other options")
        assert "next grid point" in facts["advice"]


def test_a_class_that_cannot_make_the_steps_fails_the_check(run, config):
    status, out, _ = run("schedule", "audit", config("PNDMScheduler"), "--steps", "3", "--spectrum", "1", "--json")
    assert status == 1
    advice = json.loads(out)["advice"]
    assert advice.startswith("Choose another number of steps")
    assert "at least 4 with Runge-Kutta, got 3" in advice


def test_a_limit_on_the_ratio_decides_the_exit_status(run):
    arguments = ("schedule", "audit", "karras", "--steps", "9", "--spectrum", "9,1,.1", "--json")
    ratio = found(run(*arguments))["w2_ratio"]
    assert ratio > 1
    assert run(*arguments, "--at-most", str(1.01 * ratio))[0] == 0
    assert run(*arguments, "--at-most", str(0.99 * ratio))[0] == 1


def test_an_optimal_schedule_is_kept(run):
    run("schedule", "design", "--steps", "6", "--spectrum", "9,1,.1", "-o", "best.json")
    facts = found(run("schedule", "audit", "best.json", "--spectrum", "9,1,.1", "--json"))
    assert facts["w2_ratio"] == pytest.approx(1, abs=1e-9)
    assert facts["advice"].startswith("Keep it: no 6 steps between the same ends")
    assert facts["steps"] == 6


def test_dpm_solver_is_judged_by_its_own_steps(run, config):
    facts = found(
        run("schedule", "audit", config("DPMSolverMultistepScheduler"), "--steps", "6", "--spectrum", "9,1", "--json")
    )
    schedule = exchange.from_diffusers({"_class_name": "DPMSolverMultistepScheduler", **SD}, 6)
    assert facts["solver"] == "2m"
    assert facts["kl"] == pytest.approx(design.chain_error(schedule, [9.0, 1.0], solver="2m"), rel=1e-12)
    assert "from_noise" not in facts
    heun = found(run("schedule", "audit", config("HeunDiscreteScheduler"), "--steps", "6", "--spectrum", "9", "--json"))
    assert any("first-order steps, which HeunDiscreteScheduler does not make" in note for note in heun["notes"])


def test_clipping_is_a_note_said_once(run, config):
    facts = found(run("schedule", "audit", config("DDIMScheduler", clip_sample=True), "--spectrum", "1,2", "--json"))
    assert facts["steps"] == 50
    assert sum("`clip_sample` of DDIMScheduler is on" in note for note in facts["notes"]) == 1
    said = run("schedule", "audit", config("DDIMScheduler", clip_sample=True), "--spectrum", "1,2")[1]
    assert "Note: `clip_sample`" in said


def test_an_audit_is_drawn_and_told_to_people(run, config, tmp_path):
    status, out, _ = run("schedule", "audit", config(), "--steps", "5", "--plot", "a.svg")
    assert status == 0
    assert "grace_hopper.jpg, 4800 patches of 8×8×3" in out
    for word in ("λ**", "L*_1", "best with as many steps", "what the class does", "from N(0, I)"):
        assert word in out
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    for word in ("EulerDiscreteScheduler, 5 steps", "optimum for DDIM, w2, 5 steps", "variance λ"):
        assert word in drawn


def test_a_design_is_the_keyword_of_the_class(run, config, tmp_path):
    name = config()
    arguments = ("schedule", "design", "--steps", "7", "--spectrum", "9,1,.1", "--objective", "kl", "--config", name)
    facts = found(run(*arguments, "--export", "EulerDiscreteScheduler", "-o", "out.json", "--json"))
    exported = json.loads((tmp_path / "out.json").read_text())
    assert exported == facts["exported"]
    assert list(exported) == ["sigmas"]
    chain = exchange.from_diffusers({"_class_name": "EulerDiscreteScheduler", **SD})
    best = design.optimal_schedule(
        [9.0, 1.0, 0.1], 7, objective="kl", method="optimise", sigma_min=0.0, sigma_max=float(chain.sigma[-1])
    )
    np.testing.assert_allclose(exported["sigmas"], best.sigma[::-1], rtol=1e-9)
    assert facts["kl"] <= min(rival["kl"] for rival in facts["rivals"])


def test_a_class_of_whole_timesteps_gets_the_best_of_its_grid(run, config):
    name = config("DDPMScheduler", clip_sample=False)
    arguments = ("schedule", "design", "--steps", "5", "--spectrum", "9,1", "--config", name)
    facts = found(run(*arguments, "--export", "DDPMScheduler", "--json"))
    steps = facts["exported"]["timesteps"]
    assert len(steps) == 5
    assert all(isinstance(step, int) for step in steps)
    chain = exchange.from_diffusers({"_class_name": "DDPMScheduler", **SD})
    np.testing.assert_allclose(facts["angles"][:0:-1], chain.angles[[step + 1 for step in steps]], rtol=1e-12)


@pytest.mark.parametrize(
    ("form", "check"),
    [
        ("comfyui", lambda text, sigmas: np.allclose(json.loads(text), sigmas[::-1], rtol=1e-14)),
        ("json", lambda text, sigmas: np.allclose(exchange.from_json(text).sigma, sigmas, rtol=1e-14)),
        ("csv", lambda text, sigmas: len(text.splitlines()) == len(sigmas) + 1),
    ],
)
def test_a_design_leaves_in_every_form(run, form, check):
    arguments = ("schedule", "design", "--steps", "4", "--spectrum", "2,1", "--export", form)
    status, text, _ = run(*arguments)
    assert status == 0
    assert check(text, found(run(*arguments, "--json"))["sigmas"])


def test_a_comparison_has_the_numbers_of_each_schedule(run, tmp_path):
    run("schedule", "design", "--steps", "9", "--spectrum", "9,1,.1", "-o", "best.json")
    facts = found(
        run(
            *("schedule", "compare", "karras", "log-linear", "best.json", "--steps", "9", "--spectrum", "9,1,.1"),
            *("--plot", "c.svg", "--json"),
        )
    )
    karras, log_linear, best = facts["schedules"]
    for row, schedule in ((karras, schedules.karras(9, 0.002, 80)), (log_linear, schedules.log_linear(9, 0.002, 80))):
        for key in ("kl", "w2"):
            error = geometry.gaussian_error(schedule, [9.0, 1.0, 0.1], metric=key)
            assert row[key] == pytest.approx(error, rel=1e-12)
        assert row["moran_threshold"] == geometry.moran_threshold(schedule)
    assert best["w2"] < min(karras["w2"], log_linear["w2"])
    assert "karras(9, rho=7)" in (tmp_path / "c.svg").read_text(encoding="utf-8")
    said = run("schedule", "compare", "karras", "cosine", "--steps", "9", "--spectrum", "9,1,.1")[1]
    for word in ("L*_1", "λ**", "KL", "W₂", "cosine"):
        assert word in said


def test_a_spectrum_file_stands_for_its_images_and_names_what_was_left_out(run, photos, tmp_path):
    status, out, err = run("schedule", "spectrum", "photos", "--size", "4", "-o", "p.npz", "--json")
    assert status == 0
    facts = json.loads(out)
    assert (facts["directions"], facts["captured"], len(facts["left_out"])) == (48, 1.0, 1)
    assert "1 file(s) left out" in err
    assert "a.png" in err
    exact = patch_spectrum(sorted(photos.glob("[01].png")), 4)
    np.testing.assert_array_equal(load_spectrum(tmp_path / "p.npz").eigenvalues, exact.eigenvalues)
    assert facts["total_variance"] == pytest.approx(exact.eigenvalues.sum())
    low, high = facts["power_law"]["exponent_interval"]
    assert low <= facts["power_law"]["exponent"] <= high
    told = "power law: k^-" in run("schedule", "spectrum", "photos", "--size", "4")[1]
    assert told
    errors = [
        found(run("schedule", "audit", "karras", "--steps", "5", *words, "--json"))["w2"]
        for words in (("--spectrum", "p.npz"), ("--images", "photos", "--size", "4"))
    ]
    assert errors[0] == errors[1]


def test_latents_are_measured_whole_or_in_patches(run, tmp_path):
    values = np.random.default_rng(1).standard_normal((30, 2, 4, 4)).astype(np.float32)
    np.save(tmp_path / "z.npy", values)
    assert found(run("schedule", "spectrum", "z.npy", "--json"))["shape"] == [32]
    assert found(run("schedule", "spectrum", "z.npy", "--size", "2", "--json"))["shape"] == [2, 2, 2]
    shown = found(run("schedule", "show", "cosine", "--steps", "9", "--spectrum", "z.npy", "--json"))
    assert shown["directions"] == 32


def test_the_default_spectrum_is_that_of_the_photograph(run):
    facts = found(run("schedule", "compare", "karras", "cosine", "--steps", "5", "--json"))
    lam = patch_spectrum(default_photograph(), 8).eigenvalues
    exact = geometry.gaussian_error(schedules.karras(5, 0.002, 80), lam)
    assert facts["schedules"][0]["kl"] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("command", ["audit", "design", "compare", "spectrum"])
def test_every_command_has_help_with_an_example(run, command):
    status, out, _ = run("schedule", command, "--help")
    assert status == 0
    assert f"Example: pifs-sim schedule {command}" in out
