"""A study that goes wrong in every way, runners of it that can be killed, and what they leave in a store."""

import random
from multiprocessing import get_context
from pathlib import Path

import experiments.studies

PROBES = str(Path(__file__).parent / "probes")
if PROBES not in experiments.studies.__path__:
    experiments.studies.__path__.append(PROBES)


def tasks(mode, grid="paper", **axes):
    from experiments.plan import plan

    return list(plan("probe", grid, {"mode": [mode], **axes}).tasks())


def records(store):
    """The bytes of every record, by study and key, with nothing else in the folders."""
    found = {}
    for path in (Path(store) / "records").glob("*/*/*/*"):
        if path.name != "provenance.json":
            found[str(path.relative_to(store))] = path.read_bytes()
    return found


def drive(place, mode, workers, seed):
    """Settle the probe's 90 runs in an order of the seed's."""
    from experiments.engines import Inline, Pool
    from experiments.runner import run
    from experiments.store import Store

    wanted = tasks(mode)
    random.Random(seed).shuffle(wanted)
    store = Store.create(place)
    tally = run(store, wanted, Pool(workers) if workers else Inline())
    store.close()
    (Path(place).parent / f"tally-{seed}").write_text(f"{tally.settled} {tally.elsewhere} {tally.failed}")


def process(*arguments):
    """`drive` in a process of its own, forked from one that has imported what it needs."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "experiments.runner", "pyarrow.parquet"])
    started = context.Process(target=drive, args=arguments)
    started.start()
    return started
