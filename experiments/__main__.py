"""`python -m experiments` is the command `pifs-sim`."""

from experiments.cli import main

main()
