"""DB-PIM: a digital SRAM chip that skips zero weights, digits and input bits.

Tests: `tests/commands/test_families.py`.
"""

from typing import TYPE_CHECKING

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import (
    DataSheet,
)
from hwgen.chip.protocols import (
    Architectures,
    Area,
    Axes,
    BitActivity,
    Compiler,
    CycleModel,
    Energy,
    EnergyTables,
    Firmware,
    LayerSupport,
    NetlistEnergy,
    Physical,
    Programs,
    SelfTests,
    Simulation,
    Sparsity,
    SplitCosts,
    Timelines,
    Verilog,
)

if TYPE_CHECKING:
    from hwgen.dbpim.facts import Arch, Program
    from hwgen.dbpim.facts.energy import EnergyTable
    from hwgen.dbpim.model import Prediction


class DbPim(Family):
    """What the family offers; each method imports what it returns."""

    name = "dbpim"

    def architectures(self) -> Architectures:
        from hwgen.dbpim import facts

        return facts

    def sparsity(self) -> "Sparsity[Arch]":
        from hwgen.dbpim import facts

        return facts

    def programs(self) -> "Programs[Arch, Program]":
        from hwgen.dbpim import facts

        return facts

    def data_sheet(self) -> DataSheet:
        from hwgen.dbpim import facts
        from hwgen.dbpim.facts import host, registers, storage, timing

        return DataSheet(
            facts=facts, host=host, registers=registers, storage=storage, timing=timing
        )

    def firmware(self) -> "Firmware[Arch, Program]":
        from hwgen.dbpim import facts

        return facts

    def compiler(self) -> "Compiler[Arch, Program]":
        from hwgen.dbpim import compiler

        return compiler

    def layer_support(self) -> LayerSupport:
        from hwgen.dbpim import compiler

        return compiler

    def split_cost(self) -> "SplitCosts[Arch]":
        from hwgen.dbpim import model

        return model

    def cycle_model(self) -> "CycleModel[Arch, Program, Prediction]":
        from hwgen.dbpim import model

        return model

    def timeline(self) -> "Timelines[Arch, Program]":
        from hwgen.dbpim import model

        return model

    def bit_activity(self) -> "BitActivity[Arch, Program]":
        from hwgen.dbpim import model

        return model

    def energy(self) -> "Energy[Arch]":
        from hwgen.dbpim import model

        return model

    def energy_tables(self) -> "EnergyTables[Arch, EnergyTable]":
        from hwgen.dbpim import model

        return model

    def area(self) -> "Area[Arch]":
        from hwgen.dbpim import model

        return model

    def axes(self) -> Axes:
        from hwgen.dbpim.facts import axes

        return axes

    def physical(self) -> "Physical[Arch, EnergyTable]":
        from hwgen.dbpim.pages import physical

        return physical

    def netlist_energy(self) -> "NetlistEnergy[Arch, EnergyTable]":
        from hwgen.dbpim.pages import netlist_energy

        return netlist_energy

    def verilog(self) -> "Verilog[Arch]":
        from hwgen.dbpim import rtl

        return rtl

    def simulation(self) -> "Simulation[Arch, Program]":
        from hwgen.dbpim import sim

        return sim

    def self_test(self) -> "SelfTests[Arch, Program]":
        from hwgen.dbpim.sim import self_test

        return self_test


FAMILY = DbPim()
