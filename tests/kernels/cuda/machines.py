"""What the CUDA tests run on: the twin, and a GPU where there is one."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from tests.kernels.cuda.twin import AVAILABLE, EXAMPLES, SANITIZERS, twin

__all__ = ["EXAMPLES", "MACHINES", "Machine"]


class Machine:
    """Something that takes arrays there and back, and is the GPU while it is entered."""

    def __init__(self, xp: Any = None) -> None:
        self.xp, self.stack = xp, ExitStack()

    def __enter__(self) -> Machine:
        if self.xp is None:
            self.stack.enter_context(twin())
        return self

    def __exit__(self, *_: Any) -> None:
        self.stack.close()

    def there(self, array: Any) -> Any:
        return np.array(array) if self.xp is None else self.xp.asarray(array)

    def here(self, array: Any) -> Any:
        return array if self.xp is None else self.xp.asnumpy(array)


def _gpu() -> Any:
    if SANITIZERS or find_spec("cupy") is None:
        return None
    import cupy

    return cupy if cupy.cuda.is_available() else None


_XP = _gpu()
MACHINES = [
    pytest.param(Machine(), id="twin", marks=pytest.mark.skipif(not AVAILABLE, reason="g++ is not installed")),
    *([pytest.param(Machine(_XP), id="gpu")] if _XP is not None else []),
]
