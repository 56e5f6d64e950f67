"""DB-PIM: a digital SRAM chip that skips zero weights, digits and input bits.

Its types are checked in `tests/commands/offered.py`.

Tests: `tests/commands/test_families.py`.
"""

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import DataSheet


class DbPim(
    Family,
    offers={
        "facts": "architectures sparsity programs firmware",
        "facts.axes": "axes",
        "compiler": "compiler layer_support",
        "model": "split_cost cycle_model timeline bit_activity energy energy_tables area",
        "pages.physical": "physical",
        "pages.netlist_energy": "netlist_energy",
        "rtl": "verilog",
        "sim": "simulation",
        "sim.self_test": "self_test",
    },
):
    """What the family offers, by the module that gives it."""

    name = "dbpim"

    def data_sheet(self) -> DataSheet:
        return DataSheet.of("hwgen.dbpim.facts")


FAMILY = DbPim()
