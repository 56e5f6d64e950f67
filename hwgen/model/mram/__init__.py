"""Exact cycles and events of the MRAM chip, and their energy."""

from hwgen.model.mram.energy import energy_pj, leakage_pj, parts_pj
from hwgen.model.mram.predict import CycleModel, SplitCost, must_compile
from hwgen.model.mram.prediction import Prediction, utilization_of, where_cycles_go

__all__ = [
    "CycleModel",
    "Prediction",
    "SplitCost",
    "energy_pj",
    "leakage_pj",
    "must_compile",
    "parts_pj",
    "utilization_of",
    "where_cycles_go",
]
