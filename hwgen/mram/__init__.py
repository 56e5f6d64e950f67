"""MRAM: a chip of SOT-MRAM sub-arrays whose networks change their width while they run.

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
    Compiler,
    CycleModel,
    Energy,
    EnergyTables,
    Firmware,
    LayerSupport,
    Modes,
    NetlistEnergy,
    Physical,
    Programs,
    Rooms,
    SelfTests,
    Simulation,
    SplitCosts,
    Timelines,
    Verilog,
)

if TYPE_CHECKING:
    from hwgen.mram.facts import Arch, Program
    from hwgen.mram.facts.energy import EnergyTable
    from hwgen.mram.model import Prediction


class Mram(Family):
    """What the family offers; each method imports what it returns."""

    name = "mram"

    def architectures(self) -> Architectures:
        from hwgen.mram import facts

        return facts

    def modes(self) -> "Modes[Arch]":
        from hwgen.mram import facts

        return facts

    def programs(self) -> "Programs[Arch, Program]":
        from hwgen.mram import facts

        return facts

    def firmware(self) -> "Firmware[Arch, Program]":
        from hwgen.mram import facts

        return facts

    def compiler(self) -> "Compiler[Arch, Program]":
        from hwgen.mram import compiler

        return compiler

    def rooms(self) -> "Rooms[Arch, Program]":
        from hwgen.mram import compiler

        return compiler

    def layer_support(self) -> LayerSupport:
        from hwgen.mram import compiler

        return compiler

    def split_cost(self) -> "SplitCosts[Arch]":
        from hwgen.mram import model

        return model

    def data_sheet(self) -> DataSheet:
        from hwgen.mram import facts
        from hwgen.mram.facts import host, registers, storage, timing

        return DataSheet(
            facts=facts, host=host, registers=registers, storage=storage, timing=timing
        )

    def cycle_model(self) -> "CycleModel[Arch, Program, Prediction]":
        from hwgen.mram import model

        return model

    def timeline(self) -> "Timelines[Arch, Program]":
        from hwgen.mram import model

        return model

    def energy(self) -> "Energy[Arch]":
        from hwgen.mram import model

        return model

    def energy_tables(self) -> "EnergyTables[Arch, EnergyTable]":
        from hwgen.mram import model

        return model

    def area(self) -> "Area[Arch]":
        from hwgen.mram import model

        return model

    def axes(self) -> Axes:
        from hwgen.mram.facts import axes

        return axes

    def physical(self) -> "Physical[Arch, EnergyTable]":
        from hwgen.mram.pages import physical

        return physical

    def netlist_energy(self) -> "NetlistEnergy[Arch, EnergyTable]":
        from hwgen.mram.pages import netlist_energy

        return netlist_energy

    def verilog(self) -> "Verilog[Arch]":
        from hwgen.mram import rtl

        return rtl

    def simulation(self) -> "Simulation[Arch, Program]":
        from hwgen.mram import sim

        return sim

    def self_test(self) -> "SelfTests[Arch, Program]":
        from hwgen.mram.sim import self_test

        return self_test


FAMILY = Mram()
