"""Simulation of whole crossbar chips: what the host does, and what it sees."""

from hwgen.crossbar.sim.by_hand import write_by_hand
from hwgen.crossbar.sim.simulate import STORING, begin, prepare, simulate

__all__ = ["STORING", "begin", "prepare", "simulate", "write_by_hand"]
