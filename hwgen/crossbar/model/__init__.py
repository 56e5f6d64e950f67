"""What designs of crossbar accelerators cost, and cycles, events and energy of their chips."""

from hwgen.crossbar.model.events import (
    COUNTED,
    accesses,
    energy_pj,
    leakage_pj,
    outside_bytes,
)
from hwgen.crossbar.model.predict import (
    CycleModel,
    Prediction,
    bound_of,
    must_compile,
    utilization_of,
    where_cycles_go,
)

__all__ = [
    "COUNTED",
    "CycleModel",
    "Prediction",
    "accesses",
    "bound_of",
    "energy_pj",
    "leakage_pj",
    "must_compile",
    "outside_bytes",
    "utilization_of",
    "where_cycles_go",
]
