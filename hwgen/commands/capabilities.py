"""All capabilities: what a family may offer, and the error message where one is missing."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from hwgen.chip import page_protocols as pages
from hwgen.chip import protocols

Promise = TypeVar("Promise")


@dataclass(frozen=True, kw_only=True)
class Capability(Generic[Promise]):
    """One thing that a family may offer.

    key: in the description of a family; promise: the protocol that its module fulfils
    cannot, lacks: the error message for a family without it: "cannot {cannot} ... no {lacks}"
    """

    key: str
    promise: type
    cannot: str
    lacks: str


ARCHITECTURES: Capability[protocols.Architectures] = Capability(
    key="architectures",
    promise=protocols.Architectures,
    cannot="read an architecture",
    lacks="architecture files",
)
SPARSITY: Capability[protocols.Sparsity] = Capability(
    key="sparsity",
    promise=protocols.Sparsity,
    cannot="take --sparsity or compare kinds of sparsity",
    lacks="sparsity switches",
)
MODES: Capability[protocols.Modes] = Capability(
    key="modes",
    promise=protocols.Modes,
    cannot="switch between modes of a network",
    lacks="modes",
)
PROGRAMS: Capability[protocols.Programs] = Capability(
    key="programs", promise=protocols.Programs, cannot="run a network", lacks="programs"
)
COMPILER: Capability[protocols.Compiler] = Capability(
    key="compiler", promise=protocols.Compiler, cannot="compile a network", lacks="compiler"
)
LAYER_SUPPORT: Capability[protocols.LayerSupport] = Capability(
    key="layer_support",
    promise=protocols.LayerSupport,
    cannot="say which layers it runs",
    lacks="list of layers that it runs",
)
SPLIT_COST: Capability[protocols.SplitCosts] = Capability(
    key="split_cost",
    promise=protocols.SplitCosts,
    cannot="rate the split of a layer",
    lacks="cost for the compiler",
)
CYCLE_MODEL: Capability[protocols.CycleModel] = Capability(
    key="cycle_model",
    promise=protocols.CycleModel,
    cannot="predict cycles of programs",
    lacks="cycle model",
)
TIMELINE: Capability[protocols.Timelines] = Capability(
    key="timeline",
    promise=protocols.Timelines,
    cannot="show what its units do over time",
    lacks="timeline",
)
BIT_ACTIVITY: Capability[protocols.BitActivity] = Capability(
    key="bit_activity",
    promise=protocols.BitActivity,
    cannot="count zero bit planes",
    lacks="bit activity",
)
ENERGY: Capability[protocols.Energy] = Capability(
    key="energy", promise=protocols.Energy, cannot="tell energy", lacks="energy model"
)
AREA: Capability[protocols.Area] = Capability(
    key="area", promise=protocols.Area, cannot="tell area", lacks="area model"
)
PHYSICAL: Capability[protocols.Physical] = Capability(
    key="physical",
    promise=protocols.Physical,
    cannot="compare netlists with its tables",
    lacks="parts of its tables for modules",
)
NETLIST_ENERGY: Capability[protocols.NetlistEnergy] = Capability(
    key="netlist_energy",
    promise=protocols.NetlistEnergy,
    cannot="measure energy on netlists",
    lacks="unit whose netlist follows a simulation",
)
VERILOG: Capability[protocols.Verilog] = Capability(
    key="verilog", promise=protocols.Verilog, cannot="be built", lacks="Verilog generator"
)
SIMULATION: Capability[protocols.Simulation] = Capability(
    key="simulation", promise=protocols.Simulation, cannot="be simulated", lacks="simulation"
)
SCHEDULES: Capability[protocols.Schedules] = Capability(
    key="schedules",
    promise=protocols.Schedules,
    cannot="compare starts with a schedule",
    lacks="schedules",
)
FIRMWARE: Capability[protocols.Firmware] = Capability(
    key="firmware",
    promise=protocols.Firmware,
    cannot="be driven by firmware",
    lacks="layout of images and answers in memory",
)
GRAPHS: Capability[pages.Graphs] = Capability(
    key="graphs", promise=pages.Graphs, cannot="read a graph", lacks="reader of graphs"
)
SYNTHESIS: Capability[pages.Synthesis] = Capability(
    key="synthesis", promise=pages.Synthesis, cannot="be synthesized", lacks="synthesis"
)
REPORT_SCHEMAS: Capability[pages.ReportSchemas] = Capability(
    key="report_schemas",
    promise=pages.ReportSchemas,
    cannot="publish schemas",
    lacks="reports that only it writes",
)
DATA_SHEET: Capability[pages.DataSheet] = Capability(
    key="data_sheet", promise=pages.DataSheet, cannot="be documented", lacks="data sheet"
)

CAPABILITIES = {
    each.key: each for each in tuple(globals().values()) if isinstance(each, Capability)
}
"""By key."""
