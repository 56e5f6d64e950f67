"""Simulation of MRAM chips: run a program, return maps, answers, cycles and events."""

from hwgen.mram.sim.by_hand import write_by_hand
from hwgen.mram.sim.simulate import STORING, SimulatedRun, begin, prepare, simulate

__all__ = ["STORING", "SimulatedRun", "begin", "prepare", "simulate", "write_by_hand"]
