"""Crossbar accelerators: networks as synthesis sees them, components, architectures, schedules."""

from hwgen.spec.crossbar.arch import Arch, load_arch
from hwgen.spec.family import FamilyDescription

FAMILY = FamilyDescription(
    name="crossbar",
    offers={
        "architectures": "hwgen.spec.crossbar",
        "graphs": "hwgen.flow.crossbar.graph",
        "synthesis": "hwgen.flow.crossbar.synthesis",
        "papers": "hwgen.flow.crossbar.papers",
        "report_schemas": "hwgen.report.crossbar",
    },
)

__all__ = ["FAMILY", "Arch", "load_arch"]
