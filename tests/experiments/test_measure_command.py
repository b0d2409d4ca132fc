"""`pifs-sim measure`: table, figure, JSON and resume of a network, and bad input in one sentence."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

import pifs_sim

QUICK = ("--patches", "4", "--steps", "3", "--samples", "2")


def test_without_torch_one_sentence_names_the_extra(run, refused, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("pifs_sim.networks")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(vars(pifs_sim), "networks", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert refused(run("measure", "digits-unet"), "pip install 'pifs-sim[networks]'")


class TestWithTorch:
    @pytest.fixture(autouse=True)
    def _needs_torch(self):
        pytest.importorskip("torch", reason="torch is not installed (extra networks)")

    @pytest.fixture
    def network(self, tmp_path):
        """A checkpoint of an untrained network on 8 x 8 digits."""
        pytest.importorskip("sklearn", reason="scikit-learn, whose digits are the data, is not installed")
        import torch
        from safetensors.torch import save_file

        from pifs_sim.networks.architectures import build

        torch.manual_seed(0)
        arguments = {"widths": [8, 16], "attention": True}
        module = build("unet", (8, 8, 1), **arguments)
        head = {"architecture": "unet", "arguments": json.dumps(arguments), "shape": "[8, 8, 1]", "data": "digits"}
        path = tmp_path / "small.safetensors"
        save_file(module.state_dict(), path, metadata=head | {"predicts": "noise", "condition": "angle"})
        return path.name

    def test_a_checkpoint_is_tabled_drawn_and_written(self, run, network, tmp_path):
        status, out, err = run("measure", network, *QUICK, "--exponents", "1", "-o", "out")
        assert (status, err) == (0, "")
        assert "small: unet of" in out
        assert "Spearman of attention entropy" in out
        assert "Leading exponents of the whole chain" in out
        found = json.loads((tmp_path / "out" / "measurement.json").read_text(encoding="utf-8"))
        assert [row["t"] for row in found["steps"]] == [1, 2, 3]
        assert all(row["kappa_lower"] <= row["kappa"] <= row["kappa_upper"] for row in found["steps"])
        assert "coupling δ" in (tmp_path / "out" / "measurement.svg").read_text(encoding="utf-8")
        page = (tmp_path / "out" / "measurement.md").read_text(encoding="utf-8")
        assert f"pifs-sim measure {network} --patches 4 --steps 3 --samples 2 --seed 0 --exponents 1 -o out`" in page

    def test_a_second_call_reads_the_steps_of_the_first(self, run, network, tmp_path):
        first = run("measure", network, *QUICK, "-o", "out", "--json")[1]
        times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "steps").iterdir()}
        assert run("measure", network, *QUICK, "-o", "out", "--json")[1] == first
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "steps").iterdir()} == times

    def test_images_of_a_folder_take_the_place_of_the_data(self, run, network, tmp_path):
        (tmp_path / "photos").mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / "a.png")
        status, out, _ = run("measure", network, *QUICK, "--images", "photos", "--json")
        assert status == 0
        assert json.loads(out)["summary"]["points"] == 2

    def test_bad_input_is_refused(self, run, refused, network, tmp_path):
        assert refused(run("measure", "digit-unett"), "unknown network 'digit-unett'")
        assert refused(run("measure", "missing.safetensors"), "missing.safetensors")
        (tmp_path / "model.pt").write_bytes(b"PK\x03\x04")
        assert refused(run("measure", "model.pt"), "pickle")
        assert refused(run("measure", network, "--patches", "3"), "3", "8")
        assert refused(run("measure", network, "--method", "guess"), "guess")
        assert refused(run("measure", network, "--schedule", "lineer"), "unknown schedule")
        (tmp_path / "empty").mkdir()
        assert refused(run("measure", "empty"), "`images`")
