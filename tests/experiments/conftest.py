"""Run a command as a user would, and say what a refusal looks like."""

import pytest

from experiments.cli import main


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command in an empty folder; return (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        out, err = capsys.readouterr()
        return exit_.value.code, out, err

    return call


@pytest.fixture
def refused():
    """Exit status 2, nothing on standard output, one line on standard error with the words."""

    def check(result, *words):
        status, out, err = result
        assert status == 2
        assert out == ""
        assert err.startswith("pifs-sim: ")
        assert err.count("\n") == 1
        for word in words:
            assert word in err
        return True

    return check
