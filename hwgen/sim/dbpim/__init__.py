"""Simulation of DB-PIM chips: run a program, return maps, logits and cycles of each image."""

from hwgen.sim.dbpim.by_hand import write_by_hand
from hwgen.sim.dbpim.simulate import ImageRun, simulate

__all__ = ["ImageRun", "simulate", "write_by_hand"]
