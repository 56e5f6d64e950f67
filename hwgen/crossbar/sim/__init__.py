"""Simulation of whole crossbar chips: what the host does, and what it sees."""
