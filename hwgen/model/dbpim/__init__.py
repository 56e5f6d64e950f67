"""Cycles of a DB-PIM program without simulating its hardware."""

from hwgen.model.dbpim.predict import CycleModel, Prediction, SplitCost, must_compile
from hwgen.model.dbpim.where import utilization_of, where_cycles_go
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
