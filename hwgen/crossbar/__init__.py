"""Crossbar: ReRAM accelerators, synthesized for a network and a power budget."""

from hwgen.chip.family import FamilyDescription

FAMILY = FamilyDescription(
    name="crossbar",
    offers={
        "architectures": "hwgen.crossbar.facts",
        "programs": "hwgen.crossbar.facts",
        "firmware": "hwgen.crossbar.facts",
        "compiler": "hwgen.crossbar.compiler",
        "data_sheet": "hwgen.crossbar.facts",
        "cycle_model": "hwgen.crossbar.model",
        "energy": "hwgen.crossbar.model",
        "verilog": "hwgen.crossbar.rtl",
        "simulation": "hwgen.crossbar.sim",
        "schedules": "hwgen.crossbar.pages.starts",
        "graphs": "hwgen.crossbar.pages.graphs",
        "synthesis": "hwgen.crossbar.pages.offer",
        "report_schemas": "hwgen.crossbar.pages",
    },
)
