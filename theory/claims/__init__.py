"""One file for each claim, named by its label."""
