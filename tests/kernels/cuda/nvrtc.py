"""Programs compiled for a GPU that is not there, by NVRTC alone: what each kernel needs, and its intermediate code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pifs_sim.kernels.device import Program

__all__ = ["AVAILABLE", "Kernel", "compiled"]

AVAILABLE = find_spec("cuda") is not None and find_spec("cuda.bindings") is not None


@dataclass(frozen=True)
class Kernel:
    """What ptxas reports of a kernel, and its PTX."""

    registers: int
    stack: int  # bytes a thread
    spills: int  # bytes stored and loaded
    ptx: str


def _checked(result: tuple[Any, ...]) -> Any:
    status, *values = result
    assert int(status) == 0, status
    return values[0] if values else None


def compiled(program: Program, names: tuple[str, ...], arch: str) -> dict[str, Kernel]:
    """The kernels of a program for an architecture such as "sm_90"; AssertionError with the compiler's log."""
    from cuda.bindings import nvrtc

    handle = _checked(nvrtc.nvrtcCreateProgram(program.text.encode(), b"kernel.cu", 0, [], []))
    for name in names:
        _checked(nvrtc.nvrtcAddNameExpression(handle, name.encode()))
    options = [option.encode() for option in (*program.options, f"-arch={arch}", "--ptxas-options=-v")]
    (status,) = nvrtc.nvrtcCompileProgram(handle, len(options), options)
    text = b" " * _checked(nvrtc.nvrtcGetProgramLogSize(handle))
    _checked(nvrtc.nvrtcGetProgramLog(handle, text))
    log = text.decode()
    assert int(status) == 0, log
    assert "warning" not in log, log
    text = b" " * _checked(nvrtc.nvrtcGetPTXSize(handle))
    _checked(nvrtc.nvrtcGetPTX(handle, text))
    bodies = dict(re.findall(r"\.entry (\w+)\((.*?)\n\}\n", text.decode(), re.DOTALL))
    found = {}
    for name in names:
        symbol = _checked(nvrtc.nvrtcGetLoweredName(handle, name.encode())).decode()
        report = log.split(f"Compiling entry function '{symbol}'")[1].split("Compiling entry function")[0]
        stack, stores, loads = map(
            int, re.findall(r"(\d+) bytes (?:stack frame|spill stores|spill loads)", report.split("Used")[0])[:3]
        )
        registers = int(re.findall(r"Used (\d+) registers", report)[0])
        found[name] = Kernel(registers, stack, stores + loads, bodies[symbol])
    nvrtc.nvrtcDestroyProgram(handle)
    return found
