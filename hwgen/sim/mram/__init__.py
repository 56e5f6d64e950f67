"""Simulation of MRAM chips: run a program, return maps, answers, cycles and events."""

from hwgen.sim.mram.simulate import SimulatedRun, simulate

__all__ = ["SimulatedRun", "simulate"]
