"""The top floor: the command line, figures, the report, and benchmarks."""
