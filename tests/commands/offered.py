"""What the families offer, with the types that `Family` promises: mypy checks the modules here.

Tests: `tests/commands/test_families.py`.
"""

from typing import Any

from hwgen.chip.page_protocols import Graphs, ReportSchemas, Synthesis
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
    Modes,
    NetlistEnergy,
    Physical,
    Programs,
    Rooms,
    Schedules,
    SelfTests,
    Simulation,
    Sparsity,
    SplitCosts,
    Timelines,
    Verilog,
)


def crossbar() -> dict[str, Any]:
    """Return the modules of the family by what they give."""
    from hwgen.crossbar import compiler, facts, model, pages, rtl, sim
    from hwgen.crossbar.facts import Arch, Program
    from hwgen.crossbar.model import Prediction, area
    from hwgen.crossbar.pages import architectures, graphs, netlist_energy, offer, starts
    from hwgen.crossbar.sim.simulate import SimulatedRun

    of_architectures: Architectures = architectures
    of_programs: Programs[Arch, Program] = facts
    of_firmware: Firmware[Arch, Program] = facts
    of_compiler: Compiler[Arch, Program] = compiler
    of_cycle_model: CycleModel[Arch, Program, Prediction] = model
    of_energy: Energy[Arch] = model
    of_area: Area[Arch] = area
    of_netlist_energy: NetlistEnergy[Arch, None] = netlist_energy
    of_verilog: Verilog[Arch] = rtl
    of_simulation: Simulation[Arch, Program] = sim
    of_schedules: Schedules[Arch, Program, Prediction, SimulatedRun] = starts
    of_graphs: Graphs = graphs
    of_synthesis: Synthesis = offer
    of_report_schemas: ReportSchemas = pages
    return {key[3:]: each for key, each in locals().items() if key.startswith("of_")}


def dbpim() -> dict[str, Any]:
    """Return the modules of the family by what they give."""
    from hwgen.dbpim import compiler, facts, model, rtl, sim
    from hwgen.dbpim.facts import Arch, Program, axes
    from hwgen.dbpim.facts.energy import EnergyTable
    from hwgen.dbpim.model import Prediction
    from hwgen.dbpim.pages import netlist_energy, physical
    from hwgen.dbpim.sim import self_test

    of_architectures: Architectures = facts
    of_sparsity: Sparsity[Arch] = facts
    of_programs: Programs[Arch, Program] = facts
    of_firmware: Firmware[Arch, Program] = facts
    of_compiler: Compiler[Arch, Program] = compiler
    of_layer_support: LayerSupport = compiler
    of_split_cost: SplitCosts[Arch] = model
    of_cycle_model: CycleModel[Arch, Program, Prediction] = model
    of_timeline: Timelines[Arch, Program] = model
    of_bit_activity: BitActivity[Arch, Program] = model
    of_energy: Energy[Arch] = model
    of_energy_tables: EnergyTables[Arch, EnergyTable] = model
    of_area: Area[Arch] = model
    of_axes: Axes = axes
    of_physical: Physical[Arch, EnergyTable] = physical
    of_netlist_energy: NetlistEnergy[Arch, EnergyTable] = netlist_energy
    of_verilog: Verilog[Arch] = rtl
    of_simulation: Simulation[Arch, Program] = sim
    of_self_test: SelfTests[Arch, Program] = self_test
    return {key[3:]: each for key, each in locals().items() if key.startswith("of_")}


def mram() -> dict[str, Any]:
    """Return the modules of the family by what they give."""
    from hwgen.mram import compiler, facts, model, rtl, sim
    from hwgen.mram.facts import Arch, Program, axes
    from hwgen.mram.facts.energy import EnergyTable
    from hwgen.mram.model import Prediction
    from hwgen.mram.pages import netlist_energy, physical
    from hwgen.mram.sim import self_test

    of_architectures: Architectures = facts
    of_modes: Modes[Arch] = facts
    of_programs: Programs[Arch, Program] = facts
    of_firmware: Firmware[Arch, Program] = facts
    of_compiler: Compiler[Arch, Program] = compiler
    of_rooms: Rooms[Arch, Program] = compiler
    of_layer_support: LayerSupport = compiler
    of_split_cost: SplitCosts[Arch] = model
    of_cycle_model: CycleModel[Arch, Program, Prediction] = model
    of_timeline: Timelines[Arch, Program] = model
    of_energy: Energy[Arch] = model
    of_energy_tables: EnergyTables[Arch, EnergyTable] = model
    of_area: Area[Arch] = model
    of_axes: Axes = axes
    of_physical: Physical[Arch, EnergyTable] = physical
    of_netlist_energy: NetlistEnergy[Arch, EnergyTable] = netlist_energy
    of_verilog: Verilog[Arch] = rtl
    of_simulation: Simulation[Arch, Program] = sim
    of_self_test: SelfTests[Arch, Program] = self_test
    return {key[3:]: each for key, each in locals().items() if key.startswith("of_")}


MODULES = {"crossbar": crossbar, "dbpim": dbpim, "mram": mram}
