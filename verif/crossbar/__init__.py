"""Benches of the crossbar family, one a component; what each must compute comes from golden."""
