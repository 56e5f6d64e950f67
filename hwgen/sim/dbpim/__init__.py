"""Simulation of DB-PIM chips: run a program, return maps, answers and cycles."""

from hwgen.sim.dbpim.by_hand import write_by_hand
from hwgen.sim.dbpim.simulate import STORING, SimulatedRun, prepare, simulate

__all__ = ["STORING", "SimulatedRun", "prepare", "simulate", "write_by_hand"]
