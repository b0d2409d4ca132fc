"""One long run of points and frames: blocks of steps, the renormalisation interval, failures, checkpoints.

x_{n+1} = f(x_n, n) and V_{n+1} = Df(x_n, n) V_n, orthonormalised every so many steps.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from array_api_compat import array_namespace

from pifs_sim.dynamics.averages import BatchMeans
from pifs_sim.dynamics.compiled import Backend
from pifs_sim.dynamics.frames import advance
from pifs_sim.dynamics.system import System
from pifs_sim.kernels import orthonormal
from pifs_sim.kernels.orbits import Advance

__all__ = ["Run"]

_CONDITION, _WORST_CONDITION, _SIZE = 9.2, 20.7, 300.0  # ln of V's usual and worst condition and size at a QR
_DOUBTFUL = 25.0  # a block with a worse condition, or with a new dead direction, is done again with more QRs
_LONGEST = 64  # steps between two QRs
_WARM_UP = 32
_BLOCK = 1 << 22  # steps times orbits in one call
_SECONDS = 30.0  # between checkpoints


@dataclass
class Run:
    """The state of `lyapunov_spectrum`: everything that a checkpoint keeps."""

    system: System
    backend: Backend
    k: int
    transient: int
    renormalise: int | None
    total: int
    early: bool  # whether the run may end before `total`
    x: Any = None
    V: Any = None
    n: int = 0
    interval: int = 1
    longest: int = _LONGEST
    dead: Any = None  # (B, k)
    means: BatchMeans = field(default_factory=lambda: BatchMeans(1))
    reasons: list[str | None] = field(default_factory=list)
    path: Path | None = None
    saved: float = 0.0
    key: str = ""

    def start(self, x: Any, V: Any, path: Path | None) -> None:
        """Begin at x with frames V, or where the checkpoint at `path` left off; ValueError for one of another run."""
        self.x, self.V, self.reasons = x, V, [None] * x.shape[0]
        self.dead = np.zeros((x.shape[0], self.k), dtype=bool)
        batches = max(16, 48 // x.shape[0])
        self.means = BatchMeans(_WARM_UP if self.early else max(1, self.total // batches))
        self.interval = self.renormalise or 1
        self.path, self.saved = path, time.monotonic()
        if path is not None:
            if not path.parent.is_dir():
                raise ValueError(f"`checkpoint` must lie in an existing folder, got {path}.")
            self.key = self._fingerprint()
            if path.exists():
                self._load(path)
        while self.n < self.transient:
            self._block(min(self.transient - self.n, _WARM_UP if self.n == 0 else self._most()))

    @property
    def left(self) -> int:
        """Steps still to be averaged."""
        return self.total - self.means.steps

    def go_on(self) -> bool:
        """Average the next block of steps; whether it filled a batch."""
        count = min(self.means.room, self.left, _WARM_UP if self.n == 0 else self._most())
        self.means.add(self._block(count), count)
        if self.path is not None and time.monotonic() > self.saved + _SECONDS:
            self.save()
        return self.means.rest is None

    def _most(self) -> int:
        return max(_WARM_UP, _BLOCK // self.x.shape[0])

    def _block(self, count: int) -> Any:
        """Advance by `count` steps and return the growth (B, k), nan for orbits that failed."""
        while True:
            moved, growth = self._advanced(count, self.interval)
            trouble = self._trouble(moved, growth, count)
            if trouble is None:
                break
            if self.interval == 1 or bool(self._advanced(count, 1)[0].overflowed.any()):
                self._explain(count)
                raise ValueError(f"{trouble}.")
            if self.renormalise is not None:
                raise ValueError(f"`renormalise`={self.renormalise} is too long: {trouble}.")
            self.interval = self.longest = max(1, self.interval // 2)
        self.dead = self.dead | (growth == -np.inf)
        self._note_failures(moved.x, count)
        if any(self.reasons):
            growth = np.where([[reason is not None] for reason in self.reasons], np.nan, growth)
        self.x, self.V, self.n = moved.x, moved.V, self.n + count
        if self.renormalise is None:
            self.interval = self._next_interval(moved, growth, count)
        return growth

    def _advanced(self, count: int, interval: int) -> tuple[Advance, Any]:
        facts = {"first": self.n, "steps": count, "interval": interval}
        moved = advance(self.system, self.x, self.V, backend=self.backend, **facts)
        return moved, np.asarray(moved.growth.get() if hasattr(moved.growth, "get") else moved.growth)

    def _trouble(self, moved: Advance, growth: Any, count: int) -> str | None:
        """Why the block must be done again with more QRs, or None; a new dead direction must be one at every step."""
        span = f"steps {self.n}..{self.n + count - 1}"
        if bool(moved.overflowed.any()):
            return f"the frame of orbit {int(moved.overflowed.argmax())} left the range of floats in {span}"
        if self.interval == 1:
            return None
        if moved.spread > _DOUBTFUL * self._precision() and self.renormalise is None:
            return f"frames are ill-conditioned in {span}"
        dead = growth == -np.inf
        if (dead & ~self.dead).any() and ((self._advanced(count, 1)[1] == -np.inf) != dead).any():
            return f"a direction seems dead in {span}"
        return None

    def _next_interval(self, moved: Advance, growth: Any, count: int) -> int:
        """From lambda_1 - lambda_k over the block, the worst condition seen, and the size of V."""
        if moved.spread == 0:  # nothing was orthogonalised
            rate = 0.0
        else:
            live = np.where(np.isfinite(growth), growth, np.nan)
            with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # orbits without a live direction
                rate = float(np.nanmax(np.nanmax(live, axis=1) - np.nanmin(live, axis=1))) / count
            rate /= _CONDITION * self._precision()
            rate = (
                max(rate, moved.spread / _WORST_CONDITION / self._precision() / self.interval) if rate == rate else 0.0
            )
        rate = max(rate, moved.size / _SIZE / min(self.interval, count))
        return self.longest if rate * self.longest <= 1 else max(1, int(1 / rate))

    def _explain(self, count: int) -> None:
        """ValueError naming the step and orbit where the tangent map is not finite."""
        x, V = self.x, self.V
        for n in range(self.n, self.n + count):
            x, V = self.system.tangent(x, n, V)  # maps say it themselves
            xp = array_namespace(V)
            good = xp.all(xp.isfinite(xp.reshape(V, (V.shape[0], -1))), axis=1) | ~xp.all(xp.isfinite(x), axis=1)
            if not bool(xp.all(good)):
                orbit = int(xp.argmin(xp.astype(good, xp.int8)))
                raise ValueError(f"the tangent map is not finite at step n={n}, orbit {orbit}.")
            V = orthonormal.compute(V)[0]

    def _precision(self) -> float:
        """Digits of the points' floats, in those of float64."""
        return math.log(float(array_namespace(self.x).finfo(self.x.dtype).eps)) / math.log(np.finfo(np.float64).eps)

    def _note_failures(self, x: Any, count: int) -> None:
        """Say at which step an orbit left the finite points."""
        xp = array_namespace(x)
        if bool(xp.all(xp.isfinite(x))):
            return
        failed = ~xp.all(xp.isfinite(x), axis=1)
        for orbit in np.flatnonzero(failed.get() if hasattr(failed, "get") else failed):
            if self.reasons[orbit] is None:
                n, point = self._first_failure(int(orbit), count)
                self.reasons[orbit] = f"orbit {orbit} left the finite points at step n={n}, from x={point}"

    def _first_failure(self, orbit: int, count: int) -> tuple[int, Any]:
        x = self.x
        with np.errstate(over="ignore", invalid="ignore"):
            for n in range(self.n, self.n + count):
                after = self.system.step(x, n)
                if not bool(array_namespace(after).all(array_namespace(after).isfinite(after[orbit, :]))):
                    return n, x[orbit, :]
                x = after
        return self.n + count - 1, x[orbit, :]

    def _fingerprint(self) -> str:
        """Of the arguments, and of the system's first tangent map."""
        pushed = self.system.tangent(self.x, 0, self.V)
        facts = [self.system.dim, self.k, self.transient, self.renormalise, self.total, self.early, self.backend]
        digest = hashlib.sha256(json.dumps(facts).encode())
        for values in (self.x, self.V, *pushed):
            digest.update(np.asarray(values.get() if hasattr(values, "get") else values).tobytes())
        return digest.hexdigest()

    def save(self) -> None:
        """Write the checkpoint, if one is wanted: whole or not at all."""
        if self.path is None:
            return
        facts = {
            "key": self.key,
            "n": self.n,
            "interval": self.interval,
            "longest": self.longest,
            "length": self.means.length,
        }
        facts |= {"rest_steps": self.means.rest_steps, "reasons": self.reasons}
        rest = np.zeros((self.x.shape[0], self.k)) if self.means.rest is None else self.means.rest
        sums = np.reshape(self.means.sums, (-1, *rest.shape))
        arrays = {"x": self.x, "V": self.V, "dead": self.dead, "sums": sums, "rest": rest}
        arrays = {name: values.get() if hasattr(values, "get") else values for name, values in arrays.items()}
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("wb") as file:
            np.savez(file, facts=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        self.saved = time.monotonic()

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                kept = {name: archive[name] for name in ("facts", "x", "V", "dead", "sums", "rest")}
            facts = json.loads(kept["facts"].tobytes())
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise ValueError(f"`checkpoint` {path} is not a checkpoint: {error}.") from None
        if facts["key"] != self.key:
            raise ValueError(f"`checkpoint` {path} belongs to another run: other arguments, points or map.")
        xp = array_namespace(self.x)
        self.x, self.V = xp.asarray(kept["x"]), xp.asarray(kept["V"])
        self.n, self.interval, self.longest, self.reasons = (
            facts[name] for name in ("n", "interval", "longest", "reasons")
        )
        self.dead = kept["dead"]
        sums = list(kept["sums"])
        rest = kept["rest"] if facts["rest_steps"] else None
        self.means = BatchMeans(facts["length"], sums, rest, facts["rest_steps"])
