"""Cycles, events and energy of a DB-PIM program without simulating its hardware."""

from hwgen.dbpim.facts.energy import TABLE, load_energy
from hwgen.dbpim.model.accesses import accesses
from hwgen.dbpim.model.energy import (
    COUNTED,
    STRICT_DENSE,
    Assumptions,
    area_um2,
    default_table,
    energy_pj,
    leakage_pj,
    outside_bytes,
    parts_pj,
    port_bytes,
    port_pj,
    spread_pj,
)
from hwgen.dbpim.model.predict import CycleModel, SplitCost, must_compile
from hwgen.dbpim.model.prediction import (
    Prediction,
    bound_of,
    utilization_of,
    where_cycles_go,
)
from hwgen.dbpim.model.timeline import timeline
from hwgen.dbpim.model.zero_columns import ColumnCounter

__all__ = [
    "COUNTED",
    "STRICT_DENSE",
    "TABLE",
    "Assumptions",
    "ColumnCounter",
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
    "port_bytes",
    "port_pj",
    "spread_pj",
    "timeline",
    "utilization_of",
    "where_cycles_go",
]
