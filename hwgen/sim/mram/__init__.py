"""Simulation of MRAM chips: run a program, return maps, answers, cycles and events."""

from hwgen.sim.mram.by_hand import write_by_hand
from hwgen.sim.mram.simulate import SimulatedRun, simulate

__all__ = ["SimulatedRun", "simulate", "write_by_hand"]
