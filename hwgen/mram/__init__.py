"""MRAM: a chip of SOT-MRAM sub-arrays whose networks change their width while they run.

Its types are checked in `tests/commands/offered.py`.

Tests: `tests/commands/test_families.py`.
"""

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import DataSheet


class Mram(
    Family,
    offers={
        "facts": "architectures modes programs firmware",
        "facts.axes": "axes",
        "compiler": "compiler rooms layer_support",
        "model": "split_cost cycle_model timeline energy energy_tables area",
        "pages.physical": "physical",
        "pages.netlist_energy": "netlist_energy",
        "rtl": "verilog",
        "sim": "simulation",
        "sim.self_test": "self_test",
    },
):
    """What the family offers, by the module that gives it."""

    name = "mram"

    def data_sheet(self) -> DataSheet:
        return DataSheet.of("hwgen.mram.facts")


FAMILY = Mram()
