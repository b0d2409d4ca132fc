"""Studies: each file asks one question, on grids that say where, with its verdict written before looking."""
