"""The rows of networks on file are those behind the verdicts, and the losses those in the checkpoints."""

import json
import struct

import pytest

from experiments import network_rows
from experiments.study import load
from experiments.training_recipes import RECIPES, checkpoints
from theory import studies

VERDICTS = {found.study: found for found in studies.verdicts()}


@pytest.mark.parametrize("name", network_rows.STUDIES)
def test_the_rows_on_file_have_the_verdict_on_file(name):
    said = load(name).verdict(network_rows.rows(name))
    assert (said.answer, said.text) == (VERDICTS[name].answer, VERDICTS[name].text)


def test_the_losses_on_file_are_those_in_the_checkpoints():
    found = network_rows.losses()
    assert set(found) == set(RECIPES)
    for name, one in found.items():
        content = (checkpoints() / f"{name}.safetensors").read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        training = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["training"])
        said = training["validation"]
        assert one["parameters"] == training["parameters"]
        assert [one[key] for key in ("loss", "gaussian_loss", "excess", "excess_stderr")] == [
            said[key] for key in ("network mean", "gaussian mean", "difference", "standard error")
        ]


@pytest.mark.parametrize("arguments", [[], ["-h"], ["a", "b"], ["nowhere"]])
def test_without_a_store_one_sentence_is_said_and_nothing_is_written(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(network_rows, "FOLDER", tmp_path)
    with pytest.raises(SystemExit, match=r"^(Usage: python -m experiments\.network_rows STORE|network_rows: .+)$"):
        network_rows.main(arguments)
    assert not [*tmp_path.iterdir()]


def test_a_column_of_one_value_is_kept_once_and_comes_back_for_every_row(tmp_path, monkeypatch):
    monkeypatch.setattr(network_rows, "FOLDER", tmp_path)
    rows = [{"name": "a", "t": t, "x": 1 / 3 if t else 0.0} for t in range(3)]
    network_rows._write("made", network_rows._columns(rows))
    assert '"name": ["a"]' in (tmp_path / "made.json").read_text(encoding="utf-8")
    assert network_rows.rows("made") == [{"name": "a", "t": t, "x": 0.3333333333 if t else 0.0} for t in range(3)]
