"""Crossbar: ReRAM accelerators, synthesized for a network and a power budget.

Its types are checked in `tests/commands/offered.py`.

Tests: `tests/commands/test_families.py`.
"""

from typing import TYPE_CHECKING

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import DataSheet

if TYPE_CHECKING:
    from hwgen.crossbar.facts import Arch


class Crossbar(
    Family,
    offers={
        "facts": "programs firmware",
        "compiler": "compiler",
        "model": "cycle_model energy",
        "model.area": "area",
        "pages": "report_schemas",
        "pages.architectures": "architectures",
        "pages.graphs": "graphs",
        "pages.netlist_energy": "netlist_energy",
        "pages.offer": "synthesis",
        "pages.starts": "schedules",
        "rtl": "verilog",
        "sim": "simulation",
    },
):
    """What the family offers, by the module that gives it."""

    name = "crossbar"

    def is_clipped(self, arch: "Arch") -> bool:
        return arch.is_clipped

    def at_clock(self, arch: "Arch", mhz: float) -> "Arch":
        return arch.at_clock(mhz)

    def data_sheet(self) -> DataSheet:
        return DataSheet.of("hwgen.crossbar.facts")


FAMILY = Crossbar()
