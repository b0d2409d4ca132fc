"""`pifs-sim schedule audit|design|compare|spectrum`: bad and hostile input gets one sentence."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "JSON"),
        ("[1]", "`config` must be a mapping"),
        ('{"beta_start": 1}', "_class_name"),
        ('{"_class_name": "EulerDiscretScheduler"}', "EulerDiscreteScheduler"),
        ('{"_class_name": "DDIMScheduler", "num_train_timesteps": 1000000000}', "num_train_timesteps"),
        ('{"_class_name": "DDIMScheduler", "beta_start": NaN}', "beta_start"),
        (
            '{"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "use_beta_sigmas": true}',
            "only choice of sigmas",
        ),
        ("null", "got None"),
        ('{"_class_name": "DDIMScheduler", "steps_offset": 1' + "0" * 5000 + "}", "integer too long"),
        ('{"sigmas": [2.0, 1.0, 0.0]}', "--export json"),
        ('{"timesteps": [999, 500]}', "--export json"),
        ('{"angles": [0.1, NaN]}', "angles"),
        ('{"angles": [0.5, 0.1]}', "angles"),
        ('{"angles": [[0.1], 0.2]}', "angles"),
        ('{"angles": [{}, []]}', "angles"),
        ('{"angles": ["a", "b"]}', "angles"),
        ('{"angles": "0.1"}', "angles"),
        ('{"angles": [1' + "0" * 400 + ", 2]}", "angles"),
    ],
)
@pytest.mark.parametrize("command", [("audit",), ("compare", "karras")])
def test_hostile_files_are_refused_in_one_sentence(run, refused, tmp_path, content, words, command):
    (tmp_path / "x.json").write_text(content)
    assert refused(run("schedule", *command, "x.json", "--spectrum", "1,2"), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("audit", "absent.json"), ("'absent.json': no such file or directory.",)),
        (("audit", "EulerScheduler"), ("EulerDiscreteScheduler",)),
        (("audit", "karas"), ("karras",)),
        (("audit", "karras", "--steps", "0"), ("--steps", "0")),
        (("audit", "karras", "--steps", "1000000000"), ("--steps", "1000000000")),
        (("audit", "karras", "--spectrum", "1,-2"), ("1,-2",)),
        (("audit", "karras", "--spectrum", "0,0"), ("variance > 0",)),
        (("audit", "karras", "--spectrum", "absent.npz"), ("'absent.npz': no such file or directory.",)),
        (("audit", "karras", "--spectrum", "1", "--images", "."), ("--spectrum and --images",)),
        (("audit", "karras", "--images", "absent"), ("absent",)),
        (("audit", "karras", "--images", "."), ("image files",)),
        (("audit", "karras", "--spectrum", "bad.npz"), ("bad.npz", "finite and non-negative, got -1.0")),
        (("audit", "karras", "--spectrum", "1", "--plot", "a.xyz"), ("xyz",)),
        (("audit", "FlowMatchEulerDiscreteScheduler", "--mu", "1"), ("mu",)),
        (("audit", "karras", "--spectrum", "4,1", "--at-most", "nan"), ("--at-most", "nan")),
        (("audit", "karras", "--spectrum", "4,1", "--at-most", "-1"), ("--at-most", "-1")),
        (("audit", "karras", "--spectrum", "4,1", "--size", "8"), ("--size", "8")),
        (("audit", "karras", "--spectrum", "1e308,1"), ("at most 1e+100", "1e+308")),
        (("audit", "karras", "--spectrum", ""), ("--spectrum",)),
        (("audit", "."), ("scheduler_config.json",)),
        (("show", "cosine", "--steps", "1000000000"), ("--steps", "1000000000")),
        (("show", "cosine", "--steps", "5", "--plot", "figure"), ("figure", ".svg")),
        (("spectrum", ".", "-o", "photos.json"), (".npz", "photos.json")),
        (("design", "--objective", "fid"), ("--objective", "fid")),
        (("design", "--method", "best"), ("--method", "best")),
        (("design", "--solver", "heun"), ("--solver", "heun")),
        (("design", "--method", "density", "--solver", "2m", "--spectrum", "1,2"), ("density",)),
        (("design", "--steps", "501"), ("--steps", "501")),
        (("design", "--export", "DDIMScheduler"), ("--export", "EulerDiscreteScheduler", "DDIMScheduler")),
        (("design", "--export", "EulerDiscretScheduler"), ("EulerDiscreteScheduler",)),
        (("design", "--export", "DDPMScheduler", "--config", "EulerDiscreteScheduler"), ("DDPMScheduler",)),
        (("design", "--sigma-min", "2", "--sigma-max", "1", "--spectrum", "1"), ("sigma_max",)),
        (("design", "--sigma-max", "inf", "--spectrum", "1", "--export", "comfyui"), ("finite sigma",)),
        (("design", "--config", "absent.json"), ("absent.json",)),
        (("design", "--spectrum", "1", "-o", "none/x.json"), ("none/x.json",)),
        (("compare", "karras"), ("at least two",)),
        (("compare", "karras", "cosine", "--solver", "rk4", "--spectrum", "1"), ("solver", "rk4")),
        (("spectrum", "absent"), ("absent",)),
        (("spectrum", "bad.npz"), ("bad.npz",)),
    ],
)
def test_bad_input_gets_one_sentence(run, refused, tmp_path, arguments, words):
    good = {"eigenvalues": np.array([-1.0]), "multiplicities": np.array([1]), "mean": np.zeros(1)}
    np.savez(tmp_path / "bad.npz", version=1, count=1, shape=(1,), captured=1.0, **good)
    assert refused(run("schedule", *arguments), *words)


def test_a_file_of_steps_has_its_own_number_of_steps(run, refused):
    run("schedule", "design", "--steps", "6", "--spectrum", "9,1", "-o", "best.json")
    assert refused(run("schedule", "audit", "best.json", "--steps", "7", "--spectrum", "1"), "6", "7")


def test_a_limit_that_is_exceeded_is_told(run):
    status, _, err = run("schedule", "audit", "karras", "--steps", "5", "--spectrum", "9,1", "--at-most", "1")
    assert status == 1
    assert err.startswith("pifs-sim: W₂ is ")
    assert err.endswith(" times the optimum's, above 1.\n")


def test_vectors_fewer_than_their_dimensions_leave_no_variance_of_rounding(run, tmp_path):
    np.save(tmp_path / "few.npy", np.random.default_rng(0).standard_normal((12, 40)))
    assert run("schedule", "spectrum", "few.npy", "-o", "few.npz")[0] == 0
    with np.load(tmp_path / "few.npz") as file:
        variances = file["eigenvalues"]
    assert variances[10] > 0.1
    assert not variances[11:].any()


def test_an_infinite_error_that_no_steps_avoid_is_as_good_as_the_best(run):
    status, out, _ = run("schedule", "audit", "flow", "--steps", "1", "--spectrum", "9,1")
    ratio = next(line for line in out.splitlines() if "ratio to the best" in line)
    assert status == 0
    assert ratio.split()[-2:] == ["1", "1"]
