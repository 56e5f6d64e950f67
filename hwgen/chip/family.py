"""A family of accelerators: a typed object with a method for each thing that a family may offer.

Tests: `tests/commands/test_families.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from importlib import import_module
from types import MappingProxyType
from typing import Any

from hwgen.chip import protocols
from hwgen.chip.page_protocols import (
    DataSheet,
    Graphs,
    ReportSchemas,
    Synthesis,
)
from hwgen.errors import FamilyError

GROUP = "hwgen.families"
"""Entry points of this group name a `Family`; the entry point has the family's name."""


def module_of(place: str) -> Callable[["Family"], Any]:
    """Return a method that imports a module."""
    return lambda _: import_module(place)


class Family:
    """Base of every family; each method is a capability.

    A family names the modules of its package that have what the protocols list, each with what it
    gives; one is imported when it is asked for, so that no command loads what it does not need:

        class Adder(Family, offers={"facts": "architectures programs", "rtl": "verilog"}):
            name = "adder"

        FAMILY = Adder()

    Or it overrides a method, which returns a module or an object.

    An installed package declares the object as an entry point, in its `pyproject.toml`:

        [project.entry-points."hwgen.families"]
        adder = "my_adder.family:FAMILY"

    name: as in the formats of its files, `hwgen.<name>.architecture`
    What is not offered raises FamilyError: what the family cannot, and what it lacks.
    """

    name: str = ""

    def __init_subclass__(cls, *, offers: Mapping[str, str] = MappingProxyType({})) -> None:
        """Let modules, by their names below the package of the family, give capabilities."""
        for module, names in offers.items():
            for name in names.split():
                setattr(cls, name, module_of(f"{cls.__module__}.{module}"))

    def offers(self, capability: Callable[..., object]) -> bool:
        """Return whether the family has a capability, such as `Family.verilog`."""
        return getattr(type(self), capability.__name__) is not capability

    def lacking(self, cannot: str, lacks: str) -> FamilyError:
        """Return the error of a family without a capability."""
        return FamilyError(f"the family {self.name} cannot {cannot} yet: it has no {lacks}")

    def is_clipped(self, arch: Any) -> bool:
        """Return whether a chip is exact for no network, since its converters have too few bits.

        arch: of the family; images run on such a chip only together with a file of effects
        """
        return False

    def at_clock(self, arch: Any, mhz: float) -> Any:
        """Return a chip at the clock of its netlist, by which energy of time counts.

        Only `clock_mhz` of it differs, which is a field of the architecture: a family overrides
        this whose clock is none. An architecture without the field is returned as it is.

        arch: of the family; mhz: at least 0.001
        """
        has_field = any(field.name == "clock_mhz" for field in fields(arch))
        return replace(arch, clock_mhz=mhz) if has_field else arch

    def architectures(self) -> protocols.Architectures:
        """Read architecture files."""
        raise self.lacking("read an architecture", "architecture files")

    def sparsity(self) -> protocols.Sparsity:
        """Switches of an architecture that skip zeros."""
        raise self.lacking("take --sparsity or compare kinds of sparsity", "sparsity switches")

    def modes(self) -> protocols.Modes:
        """Modes of a network, between which a chip switches."""
        raise self.lacking("switch between modes of a network", "modes")

    def programs(self) -> protocols.Programs:
        """Read and write program files."""
        raise self.lacking("run a network", "programs")

    def compiler(self) -> protocols.Compiler:
        """Compile networks."""
        raise self.lacking("compile a network", "compiler")

    def rooms(self) -> protocols.Rooms:
        """Say how full the memories of a chip are with a program."""
        raise self.lacking("say how full a chip is", "list of what a program fills")

    def layer_support(self) -> protocols.LayerSupport:
        """Say which layers the chips run."""
        raise self.lacking("say which layers it runs", "list of layers that it runs")

    def split_cost(self) -> protocols.SplitCosts:
        """Rate how a layer is split over the cores."""
        raise self.lacking("rate the split of a layer", "cost for the compiler")

    def cycle_model(self) -> protocols.CycleModel:
        """Predict cycles and events without simulation."""
        raise self.lacking("predict cycles of programs", "cycle model")

    def timeline(self) -> protocols.Timelines:
        """Show what the units of a chip do over the cycles."""
        raise self.lacking("show what its units do over time", "timeline")

    def bit_activity(self) -> protocols.BitActivity:
        """Count bit planes without a one."""
        raise self.lacking("count zero bit planes", "bit activity")

    def energy(self) -> protocols.Energy:
        """Tell energy from counted events."""
        raise self.lacking("tell energy", "energy model")

    def energy_tables(self) -> protocols.EnergyTables:
        """Read tables of energies and areas."""
        raise self.lacking("take --energy", "tables of energies that are files")

    def area(self) -> protocols.Area:
        """Tell the area of a chip."""
        raise self.lacking("tell area", "area model")

    def axes(self) -> protocols.Axes:
        """Say which keys a search for chips varies."""
        raise self.lacking("be explored", "list of keys that a search may vary")

    def physical(self) -> protocols.Physical:
        """Say to which part of the tables a module belongs."""
        raise self.lacking("compare netlists with its tables", "parts of its tables for modules")

    def netlist_energy(self) -> protocols.NetlistEnergy:
        """Measure a unit whose netlist follows a simulation."""
        raise self.lacking("measure energy on netlists", "unit whose netlist follows a simulation")

    def verilog(self) -> protocols.Verilog:
        """Make the top component of a chip."""
        raise self.lacking("be built", "Verilog generator")

    def simulation(self) -> protocols.Simulation:
        """Simulate the emitted Verilog."""
        raise self.lacking("be simulated", "simulation")

    def self_test(self) -> protocols.SelfTests:
        """Test the cells of a chip with programs."""
        raise self.lacking("test its own cells", "self-test")

    def schedules(self) -> protocols.Schedules:
        """Compare starts with a schedule."""
        raise self.lacking("compare starts with a schedule", "schedules")

    def firmware(self) -> protocols.Firmware:
        """Lay images and answers in memory for firmware."""
        raise self.lacking("be driven by firmware", "layout of images and answers in memory")

    def graphs(self) -> Graphs:
        """Read networks without weights."""
        raise self.lacking("read a graph", "reader of graphs")

    def synthesis(self) -> Synthesis:
        """Search an architecture for a network and a power budget."""
        raise self.lacking("be synthesized", "synthesis")

    def report_schemas(self) -> ReportSchemas:
        """Types of the reports that only this family writes."""
        raise self.lacking("publish schemas", "reports that only it writes")

    def data_sheet(self) -> DataSheet:
        """Modules whose tables make a data sheet."""
        raise self.lacking("be documented", "data sheet")


CAPABILITIES: dict[str, Callable[[Family], object]] = {
    name: method
    for name, method in vars(Family).items()
    if callable(method) and name not in ("offers", "lacking", "is_clipped", "at_clock")
}
"""All capabilities, by name."""
