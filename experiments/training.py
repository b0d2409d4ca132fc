"""Train a small network on images that installed packages ship.

A recipe gives the same network on the same machine, with interruptions or without.

    python -m experiments.training grey16-unet -o checkpoints
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from experiments import named
from experiments.terminal import BadInput
from experiments.training_recipes import RECIPES

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, and exit 2."""
        self.exit(2, f"Error: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m experiments.training",
        description="Train a small network on images that installed packages ship, by a recipe.",
        epilog="Example: python -m experiments.training digits-unet --seed 1 -o checkpoints\n\n"
        "A training that was interrupted goes on from its last state when the same command is given again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", choices=list(RECIPES), help="a recipe; without one, they are listed")
    parser.add_argument("-o", "--output", type=Path, default=Path(), help="folder of the checkpoint (default: here)")
    parser.add_argument("--as", dest="label", help="name of the checkpoint (default: that of the recipe)")
    for flag, kind, text in (
        ("--steps", int, "steps of the optimiser"),
        ("--batch", int, "images in a step"),
        ("--rate", float, "largest learning rate"),
        ("--schedule", str, f"noise levels: {', '.join(named.SCHEDULES)}"),
        ("--min-snr", float, "gamma of the weights min(SNR, gamma)/SNR"),
        ("--coupling", float, "weight mu of the coupling of patches"),
        ("--patch", int, "side of those patches"),
        ("--seed", int, "of the first weights and of all draws"),
    ):
        parser.add_argument(flag, type=kind, help=text)
    parser.add_argument("--every", type=int, default=250, help="steps from one saved state to the next")
    parser.add_argument("--stop", type=int, help="stop at this step, keeping the state")
    return parser


def _shown(total: int) -> Callable[[int, float], None]:
    """Progress on standard error, twenty lines."""

    def show(done: int, loss: float) -> None:
        if done == total or done % max(1, total // 20) == 0:
            print(f"step {done} of {total}: loss {loss:.5f}", file=sys.stderr, flush=True)

    return show


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name}\n  {recipe.as_json()}")
        return 0
    try:
        changes = {
            key: getattr(given, key)
            for key in ("steps", "batch", "rate", "schedule", "min_snr", "coupling", "patch", "seed")
            if getattr(given, key) is not None
        }
        recipe = dataclasses.replace(RECIPES[given.name], **changes)
        if not given.output.is_dir():
            raise BadInput(f"--output must be a folder that exists, got {str(given.output)!r}.")
        import pifs_sim.networks  # noqa: F401  # says in a sentence what to install where torch lacks

        for name in ("every", "stop"):
            if getattr(given, name) is not None and getattr(given, name) < 1:
                raise BadInput(f"--{name} must be at least 1, got {getattr(given, name)}.")
        import torch

        from experiments.training_checkpoint import finish
        from experiments.training_loop import train

        torch.set_num_threads(1)  # the order of sums, and so the last digits, would depend on it
        label = given.label or given.name
        state = given.output / f"{label}.state.safetensors"
        trained = train(
            recipe, state=state, every=given.every, stop=given.stop, progress=_shown(given.stop or recipe.steps)
        )
        if trained.steps < recipe.steps:
            print(f"stopped at step {trained.steps} of {recipe.steps}; the same command without --stop goes on")
            return 0
        path, report = finish(trained, given.output / f"{label}.safetensors")
        state.unlink()
    except (BadInput, ImportError, ValueError) as error:
        parser.error(str(error))
    print(report)
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
