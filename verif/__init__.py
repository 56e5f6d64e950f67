"""Benches, drivers, coverage, and the runner that builds once and runs many."""
