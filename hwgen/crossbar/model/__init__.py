"""What designs of crossbar accelerators cost, and cycles, events and energy of their chips."""

from hwgen.crossbar.model.events import accesses, energy_pj, leakage_pj
from hwgen.crossbar.model.predict import (
    CycleModel,
    Prediction,
    bound_of,
    must_compile,
    utilization_of,
    where_cycles_go,
)

__all__ = [
    "CycleModel",
    "Prediction",
    "accesses",
    "bound_of",
    "energy_pj",
    "leakage_pj",
    "must_compile",
    "utilization_of",
    "where_cycles_go",
]
