"""Benches of the MRAM family, one a component, and the timed references that they judge by.

What a component computes comes from golden. When it does so comes from ``schedule``: the rules of
former and ring, written from the microarchitecture and without the cycle model of ``hwgen.model``,
so that the two confirm each other.
"""
