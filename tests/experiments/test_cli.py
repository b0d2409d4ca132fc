import json
import subprocess
import sys

import numpy as np
import pytest

from theory import ledger
from theory.claim import Status


def test_validate_reports_the_chosen_claims_and_what_they_use(run, tmp_path):
    status, out, _ = run("validate", "--quick", "--claims", "expansion-is-projection", "--claims", "reported-linear")
    assert status == 0
    assert "diagonal-expansion" in out  # used by the first
    assert "REPRODUCED" in out
    assert "moran-above-one" not in out
    assert (tmp_path / "report" / "index.html").exists()


def test_validate_json_is_one_object_with_the_documented_keys(run, tmp_path):
    status, out, err = run(
        "validate", "--quick", "--json", "--claims", "diagonal-expansion,reported-linear", "--report", "x"
    )
    assert status == 0
    assert err == ""
    found = json.loads(out)
    assert set(found) == {"format", "version", "claims", "quantities", "versions"}
    assert (found["format"], found["version"]) == ("pifs-sim validate", 1)
    keys = {"label", "source", "scope", "status", "expected", "evidence", "worst_error", "seconds"}
    assert all(set(claim) == keys for claim in found["claims"])
    assert [claim["label"] for claim in found["claims"]] == ["diagonal-expansion", "reported-linear"]
    linear, cosine = found["quantities"]
    assert linear["moran_threshold"] == pytest.approx(1.003758569, abs=1e-9)
    assert cosine["moran_threshold"] == pytest.approx(1.002497553, abs=1e-9)
    assert linear["dimension_leading"] == 192
    assert 5 < linear["dimension_full"] < 20
    assert (tmp_path / "x" / "index.html").exists()


def test_validate_exits_1_when_a_status_is_not_as_expected(run, monkeypatch):
    row = next(row for row in ledger.REPORTED if row.label == "reported-linear")
    wrong = [type(row)(row.label, row.statement, row.scope, row.printed, lambda: (0.9, 0.3, 0.1), Status.REPRODUCED)]
    monkeypatch.setattr(ledger, "REPORTED", tuple(wrong))
    status, out, err = run("validate", "--quick", "--claims", "reported-linear")
    assert status == 1
    assert "NOT REPRODUCED (expected REPRODUCED)" in out
    assert "reported-linear" in err


def test_validate_measures_the_given_image(run, tmp_path):
    from PIL import Image

    ramp = np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    status, out, _ = run("validate", "--quick", "--json", "--claims", "reported-linear", "--image", "ramp.png")
    assert status == 0
    assert json.loads(out)["quantities"][0]["directions"] == 64


def test_the_ledger_is_written_where_asked(run, tmp_path):
    status, _, _ = run("validate", "--quick", "--claims", "reported-linear", "--ledger", "L.md")
    assert status == 0
    assert "| reported-linear |" in (tmp_path / "L.md").read_text(encoding="utf-8")


def test_bad_input_to_validate_is_one_line_and_exit_2(run, tmp_path, refused):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert refused(run("validate", "--claims", "diagonal-expanson"), "diagonal-expansion")
    assert refused(run("validate", "--claims", " , "), "at least one")
    assert refused(run("validate", "--image", "absent.png"), "absent.png")
    assert refused(run("validate", "--image", "text.png"), "text.png")
    assert refused(run("validate", "--image", "empty"), "empty")
    assert refused(run("validate", "--claims", "reported-linear", "--report", "file"), "file")
    assert refused(run("validate", "--claims", "reported-linear", "--ledger", "none/L.md"), "none/L.md")


def test_bad_commands_and_options_are_one_line_and_exit_2(run, refused):
    assert refused(run("valdate"), "valdate")
    assert refused(run("validate", "--quik"), "--quik")
    assert refused(run("schedule"))
    assert refused(run("schedule", "show"), "name")
    assert refused(run("schedule", "show", "linear", "--steps", "many"), "--steps")


def test_bad_schedules_are_one_line_and_exit_2(run, tmp_path, refused):
    assert refused(run("schedule", "show", "cosin"), "cosine")
    assert refused(run("schedule", "show", "linear", "--steps", "0"), "steps", "0")
    assert refused(run("schedule", "show", "karras", "--sigma-min", "-1"), "sigma_min", "-1")
    assert refused(run("schedule", "show", "linear", "--spectrum", "1,-2"), "-2")
    assert refused(run("schedule", "show", "linear", "--spectrum", "1,x"), "1,x")
    assert refused(run("schedule", "show", "linear", "--spectrum", str(tmp_path)), "image")
    assert refused(run("schedule", "show", "linear", "--plot", "a.xyz"), "xyz")


def test_schedule_show_prints_the_quantities_of_every_named_schedule(run):
    names = ("linear", "scaled_linear", "scaled-linear", "cosine", "uniform_angle", "karras", "log_linear", "flow")
    for name in names:
        status, out, _ = run("schedule", "show", name, "--steps", "20", "--json")
        assert status == 0
        assert json.loads(out)["steps"] == 20


def test_schedule_show_counts_directions_and_dimensions_of_a_spectrum(run, tmp_path):
    status, out, _ = run("schedule", "show", "linear", "--spectrum", "0.1,4,1", "--json", "--plot", "s.svg")
    assert status == 0
    found = json.loads(out)
    assert found["expanding_directions"] == 1
    assert found["dimension_leading"] == 3
    assert found["dimension_full"] == pytest.approx(2 + np.log(4) / np.log(10), abs=0.01)  # of ln 4, 0, -ln 10
    assert "<svg" in (tmp_path / "s.svg").read_text(encoding="utf-8")


def test_a_threshold_that_does_not_exist_is_null_in_json(run):
    status, out, _ = run("schedule", "show", "uniform_angle", "--steps", "1", "--json")
    assert status == 0
    assert json.loads(out)["moran_threshold"] is None


def test_doctor_names_versions_and_cuda(run):
    status, out, _ = run("doctor", "--json")
    assert status == 0
    found = json.loads(out)
    assert found["versions"]["numpy"] == np.__version__
    assert "numpy" in found["backends"]
    assert "available" in found["cuda"]


@pytest.mark.parametrize("command", [[], ["validate"], ["schedule"], ["schedule", "show"], ["doctor"]])
def test_every_command_has_help(run, command):
    status, out, _ = run(*command, "--help")
    assert status == 0
    assert "Usage" in out
    if command not in ([], ["schedule"]):
        assert "Example: pifs-sim" in out


def test_python_m_experiments_is_the_same_command():
    result = subprocess.run(
        [sys.executable, "-m", "experiments", "nonsense"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr.startswith("pifs-sim: ")
