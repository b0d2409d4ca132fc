"""What the studies of networks measured, on file; `python -m experiments.network_rows STORE` writes it.

experiments/results/networks has the rows of each study's paper grid, a list for each column, ten digits, one entry
where all rows agree; and `losses.json`, parameters and validation loss of each committed network beside the matched
Gaussian's. The documentation is made of them, and a test asks the verdicts of them again, where no network can be run.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.study import Row

__all__ = ["FOLDER", "STUDIES", "losses", "main", "rows"]

FOLDER = Path(__file__).with_name("results") / "networks"
STUDIES = (
    "network_regimes",
    "exact_laws_elsewhere",
    "attention_or_convolution",
    "memorisation",
    "pifs_regulariser",
    "designed_schedule_on_network",
    "dncnn_chain",
)


def rows(study: str) -> list[Row]:
    """The rows on file of a study's paper grid."""
    columns = json.loads((FOLDER / f"{study}.json").read_text(encoding="utf-8"))
    count = max(len(values) for values in columns.values())
    return [{name: values[i if len(values) > 1 else 0] for name, values in columns.items()} for i in range(count)]


def losses() -> dict[str, dict[str, float]]:
    """Network -> parameters, loss, gaussian_loss, excess, excess_stderr."""
    return dict(json.loads((FOLDER / "losses.json").read_text(encoding="utf-8")))


def _plain(value: Any) -> Any:
    return float(f"{value:.10g}") if isinstance(value, float) and math.isfinite(value) else value


def _columns(found: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    columns = {name: [_plain(row[name]) for row in found] for name in found[0]}
    return {name: values[:1] if len(set(values)) == 1 else values for name, values in columns.items()}


def _write(name: str, content: Mapping[str, Any]) -> None:
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    (FOLDER / f"{name}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Write the files of the studies whose paper grids are complete in a store, and the losses.

    Raises:
        SystemExit: not one argument, no store there, a damaged one, or no PyTorch to read the checkpoints with.
    """
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise SystemExit("Usage: python -m experiments.network_rows STORE")
    try:
        _write_all(Path(arguments[0]))
    except (ImportError, OSError, ValueError) as problem:
        raise SystemExit(f"network_rows: {problem}") from None


def _write_all(path: Path) -> None:
    from experiments import subjects
    from experiments.plan import plan
    from experiments.store import Damaged, Store
    from experiments.training_recipes import checkpoints
    from pifs_sim import networks

    store = Store.open(path)
    FOLDER.mkdir(exist_ok=True)
    for study in STUDIES:
        asked = plan(study, "paper")
        missing = sum(not store.has(task) for task in asked.tasks())
        if missing:
            print(f"{study}: {missing} of {len(asked)} runs lack; its file is left as it is.")
        else:
            try:
                _write(study, _columns(store.rows(asked)))
            except Damaged as problem:
                raise ValueError(str(problem)) from None
    names = sorted(path.stem for path in checkpoints().glob("*.safetensors"))
    about = {name: networks.header(checkpoints() / f"{name}.safetensors")["training"] for name in names}
    _write("losses", {name: {"parameters": about[name]["parameters"], **subjects.validation(name)} for name in names})


if __name__ == "__main__":
    main(sys.argv[1:])
