"""Simulation of DB-PIM chips: run a program, return maps, answers and cycles."""

from hwgen.sim.dbpim.by_hand import write_by_hand
from hwgen.sim.dbpim.simulate import SimulatedRun, simulate

__all__ = ["SimulatedRun", "simulate", "write_by_hand"]
