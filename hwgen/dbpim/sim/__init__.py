"""Simulation of DB-PIM chips: run a program, return maps, answers and cycles."""

from hwgen.dbpim.sim.by_hand import write_by_hand
from hwgen.dbpim.sim.chip_run import Call
from hwgen.dbpim.sim.simulate import STORING, SimulatedRun, begin, prepare, simulate

__all__ = ["STORING", "Call", "SimulatedRun", "begin", "prepare", "simulate", "write_by_hand"]
