"""PyTorch with one thread: tests run in parallel, and small tensors are slower on two."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported
