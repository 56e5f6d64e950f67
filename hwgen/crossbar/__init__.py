"""Crossbar: ReRAM accelerators, synthesized for a network and a power budget."""

from hwgen.chip.family import FamilyDescription

FAMILY = FamilyDescription(
    name="crossbar",
    offers={
        "architectures": "hwgen.crossbar.facts",
        "graphs": "hwgen.crossbar.pages.graphs",
        "synthesis": "hwgen.crossbar.pages.offer",
        "report_schemas": "hwgen.crossbar.pages",
    },
)
