"""Simulation of whole crossbar chips: what the host does, and what it sees."""

from hwgen.crossbar.sim.by_hand import write_by_hand
from hwgen.crossbar.sim.simulate import STORING, prepare, simulate

__all__ = ["STORING", "prepare", "simulate", "write_by_hand"]
