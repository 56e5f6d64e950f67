"""Exact cycles and events of the MRAM chip, and their energy."""

from hwgen.mram.facts.energy import TABLE, load_energy
from hwgen.mram.model.area import area_um2
from hwgen.mram.model.energy import (
    COUNTED,
    accesses,
    default_table,
    energy_pj,
    leakage_pj,
    outside_bytes,
    parts_pj,
)
from hwgen.mram.model.predict import CycleModel, SplitCost, must_compile
from hwgen.mram.model.prediction import (
    Prediction,
    bound_of,
    utilization_of,
    where_cycles_go,
)
from hwgen.mram.model.timeline import timeline

__all__ = [
    "COUNTED",
    "TABLE",
    "CycleModel",
    "Prediction",
    "SplitCost",
    "accesses",
    "area_um2",
    "bound_of",
    "default_table",
    "energy_pj",
    "leakage_pj",
    "load_energy",
    "must_compile",
    "outside_bytes",
    "parts_pj",
    "timeline",
    "utilization_of",
    "where_cycles_go",
]
