"""The smoke grid of a study, run once for all tests."""

from functools import cache

from experiments.study import generator, key, load, points


@cache
def smoke(name):
    """The rows of the smoke grid, with their points."""
    module = load(name)
    return [
        {**point, **row}
        for point in points(module, "smoke")
        for row in module.run(**point, rng=generator(key(module, point)))
    ]
