"""Cycles of a DB-PIM program without simulating its hardware."""

from hwgen.model.dbpim.predict import CycleModel, SplitCost, must_compile
from hwgen.model.dbpim.prediction import Prediction, utilization_of, where_cycles_go
from hwgen.model.dbpim.zero_columns import ColumnCounter

__all__ = [
    "ColumnCounter",
    "CycleModel",
    "Prediction",
    "SplitCost",
    "must_compile",
    "utilization_of",
    "where_cycles_go",
]
