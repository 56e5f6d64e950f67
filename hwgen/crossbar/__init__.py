"""Crossbar: ReRAM accelerators, synthesized for a network and a power budget.

Tests: `tests/commands/test_families.py`.
"""

from typing import TYPE_CHECKING

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import (
    DataSheet,
    Graphs,
    ReportSchemas,
    Synthesis,
)
from hwgen.chip.protocols import (
    Architectures,
    Area,
    Compiler,
    CycleModel,
    Energy,
    Firmware,
    NetlistEnergy,
    Programs,
    Schedules,
    Simulation,
    Verilog,
)

if TYPE_CHECKING:
    from hwgen.crossbar.facts import Arch, Program
    from hwgen.crossbar.model import Prediction
    from hwgen.crossbar.sim.simulate import SimulatedRun


class Crossbar(Family):
    """What the family offers; each method imports what it returns."""

    name = "crossbar"

    def is_clipped(self, arch: "Arch") -> bool:
        return arch.is_clipped

    def at_clock(self, arch: "Arch", mhz: float) -> "Arch":
        return arch.at_clock(mhz)

    def architectures(self) -> Architectures:
        from hwgen.crossbar.pages import architectures

        return architectures

    def programs(self) -> "Programs[Arch, Program]":
        from hwgen.crossbar import facts

        return facts

    def firmware(self) -> "Firmware[Arch, Program]":
        from hwgen.crossbar import facts

        return facts

    def compiler(self) -> "Compiler[Arch, Program]":
        from hwgen.crossbar import compiler

        return compiler

    def data_sheet(self) -> DataSheet:
        from hwgen.crossbar import facts
        from hwgen.crossbar.facts import host, registers, storage, timing

        return DataSheet(
            facts=facts, host=host, registers=registers, storage=storage, timing=timing
        )

    def cycle_model(self) -> "CycleModel[Arch, Program, Prediction]":
        from hwgen.crossbar import model

        return model

    def energy(self) -> "Energy[Arch]":
        from hwgen.crossbar import model

        return model

    def area(self) -> "Area[Arch]":
        from hwgen.crossbar.model import area

        return area

    def netlist_energy(self) -> "NetlistEnergy[Arch, None]":
        from hwgen.crossbar.pages import netlist_energy

        return netlist_energy

    def verilog(self) -> "Verilog[Arch]":
        from hwgen.crossbar import rtl

        return rtl

    def simulation(self) -> "Simulation[Arch, Program]":
        from hwgen.crossbar import sim

        return sim

    def schedules(self) -> "Schedules[Arch, Program, Prediction, SimulatedRun]":
        from hwgen.crossbar.pages import starts

        return starts

    def graphs(self) -> Graphs:
        from hwgen.crossbar.pages import graphs

        return graphs

    def synthesis(self) -> Synthesis:
        from hwgen.crossbar.pages import offer

        return offer

    def report_schemas(self) -> ReportSchemas:
        from hwgen.crossbar import pages

        return pages


FAMILY = Crossbar()
