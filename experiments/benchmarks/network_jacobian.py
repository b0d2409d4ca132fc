"""kappa of a network's Jacobian, beside torch.func.jacrev: the whole Jacobian first, then the norms of its blocks.

The network (convolutions, and attention among 64 tokens) sees images of side 16, 32 and 64 in three channels, d = 768,
3072 and 12288, cut into 16 patches; both ways see the same point, 64 vectors at once, in float32. Ours: 16 block norms
to 1 %, each sure at 99.9 %. Theirs: one vector a row, d of them, and a singular value decomposition a block. At
d = 12288 only the rows of one patch are formed, a sixteenth of them, and the time is multiplied by 16.

Memory is the peak of the tensors that live; theirs would hold d^2 numbers more if nothing were thrown away.

    OMP_NUM_THREADS=1 python -m experiments.benchmarks.network_jacobian [--sides 16 32] [--rounds N] [--output FILE]

Sizes measured in separate calls with one FILE are joined.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from experiments.benchmarks.machine import medians, publish, versions
from pifs_sim.dynamics import Patches
from pifs_sim.networks import NetworkDenoiser
from pifs_sim.networks.memory import TensorMeter
from pifs_sim.networks.norms import NormEstimate, diagonal_block_norms

__all__ = ["Small", "main"]

SIDES, COUNT, CHUNK, ANGLE = (16, 32, 64), 16, 64, 0.8
WHOLE = 3072  # coordinates up to which all rows are formed
TOLERANCE = 1e-2
GAIN = 20.0  # of the last layer: a Jacobian that is not almost the identity, whose norm would be found at once
EPS = float(np.finfo(np.float32).eps)


class Small(nn.Module):
    """Convolutions at full resolution around attention among 8 x 8 tokens; the work grows as d."""

    def __init__(self, side: int, *, width: int = 24, inner: int = 64, heads: int = 4) -> None:
        """Weights from torch's own generator."""
        super().__init__()
        self.heads, step = heads, side // 8
        self.first, self.second = nn.Conv2d(3, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.cut, self.join = nn.Conv2d(width, inner, step, step), nn.ConvTranspose2d(inner, width, step, step)
        self.inward, self.last = nn.Linear(inner, 3 * inner), nn.Conv2d(width, 3, 3, padding=1)
        with torch.no_grad():
            self.last.weight *= GAIN

    def forward(self, x: Any, angle: Any) -> Any:
        """eps_hat, (B, 3, side, side)."""
        act = nn.functional.silu
        kept = act(self.second(act(self.first(x * torch.cos(angle)[:, None, None, None]))))
        grid = self.cut(kept)
        tokens = grid.flatten(2).transpose(1, 2)
        parts = self.inward(tokens).reshape(*tokens.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(*parts).transpose(1, 2).reshape(tokens.shape)
        grid = grid + mixed.transpose(1, 2).reshape(grid.shape)
        return x + self.last(act(kept + self.join(grid)))


class Case:
    """One size: the operator, and both ways to its block norms."""

    def __init__(self, side: int) -> None:
        """The same weights and point at every call."""
        torch.manual_seed(0)
        self.shape = (side, side, 3)
        self.module = Small(side).eval().requires_grad_(False)
        self.patches = Patches(self.shape, side // 4)
        self.whole = self.patches.dim <= WHOLE
        self.point = np.random.default_rng(0).standard_normal((1, self.patches.dim)).astype(np.float32)
        network = NetworkDenoiser(self.module, self.shape, chunk=CHUNK)
        self.operator = network.posterior(self.point, ANGLE).noise_jacobian

    def ours(self) -> NormEstimate:
        """16 block norms."""
        rng = np.random.default_rng(1)
        return diagonal_block_norms(self.operator, self.patches, rng=rng, tolerance=TOLERANCE, rounding=EPS)

    def theirs(self) -> list[float]:
        """The norms of all blocks, or of the first where the rows of one patch have to do."""
        patches = [torch.tensor(part) for part in self.patches.indices[: None if self.whole else 1]]
        rows = torch.arange(self.patches.dim) if self.whole else patches[0]
        angle = torch.full((1,), ANGLE)

        def output(x: Any) -> Any:
            image = x.reshape(1, *self.shape).permute(0, 3, 1, 2)
            return self.module(image, angle).permute(0, 2, 3, 1).reshape(-1)[rows]

        with sdpa_kernel(SDPBackend.MATH):  # ours too: the fused one has no rule for many vectors
            jacobian = torch.func.jacrev(output, chunk_size=CHUNK)(torch.tensor(self.point[0])).detach()
        blocks = [jacobian[patch if self.whole else slice(None)][:, patch] for patch in patches]
        return [float(torch.linalg.svdvals(block)[0]) for block in blocks]


def measured(side: int, rounds: int) -> dict[str, Any]:
    """One row of the table."""
    case = Case(side)
    with TensorMeter() as ours:
        found = case.ours()
    with TensorMeter() as theirs:
        exact = np.array(case.theirs())
    seconds = medians({"ours": case.ours, "theirs": case.theirs}, rounds)
    share = 1.0 if case.whole else 1 / COUNT
    error = float(np.abs(found.value[0, : len(exact)] / exact - 1).max())
    return {
        "d": case.patches.dim,
        "jacrev, s": seconds["theirs"] / share,
        "share of its rows measured": share,
        "pifs_sim, s": seconds["ours"],
        "jacrev / pifs_sim": seconds["theirs"] / share / seconds["ours"],
        "pairs": found.pairs,
        "vectors": found.columns,
        "error of kappa_k": error,
        "jacrev, MiB": (theirs.peak + 4 * case.patches.dim**2 * (1 - share)) / 2**20,
        "pifs_sim, MiB": ours.peak / 2**20,
        "rounds": rounds,
    }


def _joined(rows: list[dict[str, Any]], output: Path | None) -> list[dict[str, Any]]:
    """With the rows of other sizes that the file holds, by size."""
    kept = json.loads(output.read_text(encoding="utf-8"))["rows"] if output and output.exists() else []
    new = {row["d"] for row in rows}
    return sorted([*rows, *(row for row in kept if row["d"] not in new)], key=lambda row: row["d"])


def main() -> None:
    """Time, print, and write the results if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES, choices=SIDES, help="sides of the images")
    parser.add_argument("--rounds", type=int, default=3, help="rounds behind each median (default: %(default)s)")
    parser.add_argument("--output", type=Path, help="write the results to this file as JSON")
    options = parser.parse_args()
    rows = _joined([measured(side, options.rounds) for side in options.sides], options.output)
    ratios = [row["jacrev / pifs_sim"] for row in rows]
    facts = {
        "torch": f"{versions(['torch'])}, {torch.get_num_threads()} threads",
        "case": f"1 point, {COUNT} patches, {CHUNK} vectors at once, float32, tolerance {TOLERANCE:g}",
        "the ratio grows with d (goal)": "yes" if ratios == sorted(ratios) else "NO",
        "memory of jacrev at d = 12288": "its tensors for one patch's rows, and the d^2 numbers of the others",
    }
    publish(rows, facts, "Block norms of a network's Jacobian", options.output)


if __name__ == "__main__":
    main()
