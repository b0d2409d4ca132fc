"""CUDA kernels on the processor: g++ compiles the same text, and NumPy stands for CuPy.

A block's threads take turns as fibers, so that shuffles and barriers do what they do on a GPU. New arrays are poisoned,
and the types of arguments are compared with those of the kernel's parameters, which CuPy does not do.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from pifs_sim.kernels import device

HERE = Path(__file__).parent
SANITIZERS = os.environ.get("PIFS_SIM_SANITIZERS", "")  # as g++ names them; set in a process of its own
EXAMPLES = 5 if SANITIZERS else 25
AVAILABLE = shutil.which("g++") is not None


class _Poisoned:
    """NumPy, but what is empty holds nan, or a number that no kernel writes."""

    ndarray = np.ndarray

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        dtype = np.dtype(dtype)
        return np.full(shape, np.nan if dtype.kind == "f" else np.iinfo(dtype).max - 77, dtype)


class Twin:
    """Stands for `device.Device`."""

    def __init__(self, free: float = np.inf) -> None:
        self.xp, self.free, self.launched = _Poisoned(), free, 0

    def owns(self, array: Any) -> bool:
        return isinstance(array, np.ndarray)

    require = device.Device.require

    def here(self, array: Any) -> Any:
        return array

    def available(self) -> float:
        return self.free

    def launch(self, program: device.Program, kernel: str, count: int, *arguments: Any) -> None:
        run = getattr(library(program), f"kernel_{(program.kernels + program.spilling).index(kernel)}")
        kinds = ctypes.create_string_buffer(256)
        run(0, 0, None, kinds)
        assert kinds.value.decode() == "".join(map(_kind, arguments)), f"types of the arguments of {kernel}"
        boxes = [_boxed(argument) for argument in arguments]
        pointers = (ctypes.c_void_p * len(boxes))(*(ctypes.cast(box, ctypes.c_void_p) for box in boxes))
        if count:
            run(count, device.THREADS, pointers, None)
        self.launched += 1


def _kind(argument: Any) -> str:
    assert isinstance(argument, np.ndarray | np.generic), (
        f"an argument must be an array or a NumPy scalar: {argument!r}"
    )
    star = "*" if isinstance(argument, np.ndarray) else ""
    return f"{star}{argument.dtype.kind}{argument.dtype.itemsize}"


def _boxed(argument: Any) -> Any:
    """What a pointer to the argument points to."""
    if isinstance(argument, np.ndarray):
        assert argument.flags.c_contiguous
        return ctypes.pointer(ctypes.c_void_p(argument.ctypes.data))
    return ctypes.create_string_buffer(argument.tobytes())


def _source(program: device.Program) -> str:
    doors = [
        f'extern "C" void kernel_{i}(unsigned blocks, unsigned threads, void** given, char* kinds) {{'
        f" twin::run<&{name}>(&{name}, blocks, threads, given, kinds); }}"
        for i, name in enumerate(program.kernels + program.spilling)
    ]
    return "\n".join([(HERE / "twin.hpp").read_text(), program.text, *doors])


@cache
def _built(program: device.Program) -> tuple[Path, str]:
    """Where the program lies compiled by g++, kept by its content between processes, and what g++ had against it."""
    flags = ["-std=c++17", "-O0" if SANITIZERS else "-O1", "-g0", "-fPIC", "-shared", "-Wall", "-Werror"]
    flags += ["-Wno-unused-function", "-Wno-unknown-pragmas", "-ffp-contract=" + ("fast" if program.fused else "off")]
    if SANITIZERS:
        flags += [f"-fsanitize={SANITIZERS}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
    text = _source(program)
    name = hashlib.sha256(repr((flags, text)).encode()).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"pifs_sim-twins-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path, part = folder / f"{name}.so", folder / f"{name}.{os.getpid()}"
    if not path.exists():
        command = ["g++", *flags, "-x", "c++", "-", "-o", str(part)]
        plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}  # the sanitizer's own
        made = subprocess.run(command, input=text, text=True, capture_output=True, check=False, env=plain)
        if made.returncode:
            return path, made.stderr
        part.replace(path)
    return path, ""


@cache
def library(program: device.Program) -> Any:
    """The compiled program."""
    path, complaint = _built(program)
    assert not complaint, complaint
    return ctypes.CDLL(str(path))


@contextmanager
def twin(free: float = np.inf) -> Iterator[Twin]:
    """Let the twin be the GPU."""
    stand_in = Twin(free)
    with mock.patch.object(device, "current", return_value=stand_in):
        yield stand_in
