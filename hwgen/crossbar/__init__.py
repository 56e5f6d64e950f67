"""Crossbar: ReRAM accelerators, synthesized for a network and a power budget."""

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import (
    DataSheet,
    Graphs,
    ReportSchemas,
    Synthesis,
)
from hwgen.chip.protocols import (
    Architectures,
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


class Crossbar(Family):
    """What the family offers; each method imports what it returns."""

    name = "crossbar"

    def architectures(self) -> Architectures:
        from hwgen.crossbar.pages import architectures

        return architectures

    def programs(self) -> Programs:
        from hwgen.crossbar import facts

        return facts

    def firmware(self) -> Firmware:
        from hwgen.crossbar import facts

        return facts

    def compiler(self) -> Compiler:
        from hwgen.crossbar import compiler

        return compiler

    def data_sheet(self) -> DataSheet:
        from hwgen.crossbar import facts
        from hwgen.crossbar.facts import host, registers, storage, timing

        return DataSheet(
            facts=facts, host=host, registers=registers, storage=storage, timing=timing
        )

    def cycle_model(self) -> CycleModel:
        from hwgen.crossbar import model

        return model

    def energy(self) -> Energy:
        from hwgen.crossbar import model

        return model

    def netlist_energy(self) -> NetlistEnergy:
        from hwgen.crossbar.pages import netlist_energy

        return netlist_energy

    def verilog(self) -> Verilog:
        from hwgen.crossbar import rtl

        return rtl

    def simulation(self) -> Simulation:
        from hwgen.crossbar import sim

        return sim

    def schedules(self) -> Schedules:
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
