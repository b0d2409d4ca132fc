"""Without PyTorch the networks say what to install, and nothing else needs it."""

import subprocess
import sys

BLOCKED = "import sys; sys.modules['torch'] = None\n"


def run(code):
    return subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, check=False)


def test_importing_the_networks_names_the_extra_in_one_sentence():
    result = run("import pifs_sim.networks")
    assert result.returncode == 1
    expected = "ImportError: pifs_sim.networks needs PyTorch: pip install 'pifs-sim[networks]'."
    assert result.stderr.strip().splitlines()[-1] == expected
    assert "During handling" not in result.stderr


def test_the_rest_of_the_package_does_not_need_it():
    rooms = "pifs_sim, pifs_sim.diffusion, pifs_sim.dynamics, pifs_sim.fractals, pifs_sim.testing"
    assert run(f"import {rooms}").returncode == 0
