"""DB-PIM: a digital SRAM chip that skips zero weights, digits and input bits."""

from hwgen.chip.family import Family
from hwgen.chip.page_protocols import (
    DataSheet,
)
from hwgen.chip.protocols import (
    Architectures,
    Area,
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
    Simulation,
    Sparsity,
    SplitCosts,
    Timelines,
    Verilog,
)


class DbPim(Family):
    """What the family offers; each method imports what it returns."""

    name = "dbpim"

    def architectures(self) -> Architectures:
        from hwgen.dbpim import facts

        return facts

    def sparsity(self) -> Sparsity:
        from hwgen.dbpim import facts

        return facts

    def programs(self) -> Programs:
        from hwgen.dbpim import facts

        return facts

    def data_sheet(self) -> DataSheet:
        from hwgen.dbpim import facts
        from hwgen.dbpim.facts import host, registers, storage, timing

        return DataSheet(
            facts=facts, host=host, registers=registers, storage=storage, timing=timing
        )

    def firmware(self) -> Firmware:
        from hwgen.dbpim import facts

        return facts

    def compiler(self) -> Compiler:
        from hwgen.dbpim import compiler

        return compiler

    def layer_support(self) -> LayerSupport:
        from hwgen.dbpim import compiler

        return compiler

    def split_cost(self) -> SplitCosts:
        from hwgen.dbpim import model

        return model

    def cycle_model(self) -> CycleModel:
        from hwgen.dbpim import model

        return model

    def timeline(self) -> Timelines:
        from hwgen.dbpim import model

        return model

    def bit_activity(self) -> BitActivity:
        from hwgen.dbpim import model

        return model

    def energy(self) -> Energy:
        from hwgen.dbpim import model

        return model

    def energy_tables(self) -> EnergyTables:
        from hwgen.dbpim import model

        return model

    def area(self) -> Area:
        from hwgen.dbpim import model

        return model

    def physical(self) -> Physical:
        from hwgen.dbpim.pages import physical

        return physical

    def netlist_energy(self) -> NetlistEnergy:
        from hwgen.dbpim.pages import netlist_energy

        return netlist_energy

    def verilog(self) -> Verilog:
        from hwgen.dbpim import rtl

        return rtl

    def simulation(self) -> Simulation:
        from hwgen.dbpim import sim

        return sim


FAMILY = DbPim()
