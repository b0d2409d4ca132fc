"""What can be known of the CUDA kernels without a GPU: they compile, spill nothing, stay in float32, and touch no
memory but their own."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pifs_sim.kernels.device import Program
from tests.kernels.cuda import nvrtc

ROOT = Path(__file__).parents[3]
ROOMS = sorted(path.parent.name for path in (ROOT / "pifs_sim" / "kernels").glob("*/cuda.py"))
PROGRAMS = [
    pytest.param(program, id=f"{room}-{i}")
    for room in ROOMS
    for i, program in enumerate(importlib.import_module(f"pifs_sim.kernels.{room}.cuda").PROGRAMS)
]
NEEDS_NVRTC = pytest.mark.skipif(not nvrtc.AVAILABLE, reason="cuda-bindings and nvidia-cuda-nvrtc are not installed")


@NEEDS_NVRTC
@pytest.mark.parametrize("arch", ["sm_80", "sm_90"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_instantiation_compiles_without_spills_or_stray_doubles(program: Program, arch: str) -> None:
    names = program.kernels + program.spilling
    assert len(set(names)) == len(names) > 0
    for name, kernel in nvrtc.compiled(program, names, arch).items():
        assert name in program.spilling or kernel.spills == 0, f"{name} spills {kernel.spills} bytes"
        if "float" in name and name not in program.mixed:
            assert ".f64" not in kernel.ptx, f"{name} computes in float64"
        if not program.fused and not {" fma(", " log("} & set(re.findall(r" \w+\(", program.text)):
            assert "fma.rn.f" not in kernel.ptx, f"{name} rounds a product and a sum together"


@NEEDS_NVRTC
def test_the_gate_sees_spills_doubles_and_errors() -> None:
    loop = '_Pragma("unroll") for (int i = 0; i < 200; ++i)'
    work = f"""template <class Real> __global__ void work(Real* out) {{
        Real x[200];
        {loop} x[i] = out[i];
        for (int n = 0; n < out[0]; ++n) {loop} x[i] = x[(i + 7) % 200] * x[i] + 0.1;
        {loop} out[i] = x[i];
    }}
    """
    program = Program("orthonormal", ("work<float>", "work<double>"), before=work)
    found = nvrtc.compiled(program, program.kernels, "sm_90")
    assert found["work<double>"].spills > 0
    assert ".f64" in found["work<float>"].ptx
    with pytest.raises(AssertionError, match="nothing"):
        nvrtc.compiled(Program("orthonormal", (), before="int broken() { return nothing; }\n"), (), "sm_90")


def test_every_room_with_source_has_a_launcher_with_the_rooms_signature() -> None:
    folder = ROOT / "pifs_sim" / "kernels"
    assert sorted(path.parent.name for path in folder.glob("*/kernel.cuh")) == ROOMS
    assert len(ROOMS) >= 8
    for room in ROOMS:
        law, launcher = (importlib.import_module(f"pifs_sim.kernels.{room}.{name}") for name in ("reference", "cuda"))
        assert [*inspect.signature(launcher.compute).parameters] == [*inspect.signature(law.compute).parameters], room


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_the_twins_are_clean_under_sanitizers() -> None:
    """The tests of this folder once more, with fewer examples, in a process that checks addresses and arithmetic."""
    runtime = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    library = runtime.stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("g++ has no address sanitizer")
    environment: dict[str, Any] = os.environ | {
        "LD_PRELOAD": library,
        "ASAN_OPTIONS": "detect_leaks=0",
        "PIFS_SIM_SANITIZERS": "address,undefined",
    }
    names = sorted(str(path) for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-s", "-p", "no:cacheprovider", *names]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
