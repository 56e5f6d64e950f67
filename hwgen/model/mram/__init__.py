"""Exact cycles and events of the MRAM chip."""

from hwgen.model.mram.predict import CycleModel, SplitCost, must_compile
from hwgen.model.mram.prediction import Prediction, utilization_of, where_cycles_go

__all__ = [
    "CycleModel",
    "Prediction",
    "SplitCost",
    "must_compile",
    "utilization_of",
    "where_cycles_go",
]
