"""Timings of the hot loops, each beside its limit on the machine and beside a peer."""
