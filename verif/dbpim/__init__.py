"""Benches of the DB-PIM family, one a component, and the simulation of whole chips."""

from verif.dbpim.by_hand import write_by_hand
from verif.dbpim.simulate import ImageRun, simulate

__all__ = ["ImageRun", "simulate", "write_by_hand"]
