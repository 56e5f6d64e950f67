"""What a family offers, as types: a protocol for each capability, and for the values it returns.

`hwgen.chip.family.Family` has a method for each capability. What the method returns, mostly a
module, has what the protocol of the capability lists.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypeVar

from hwgen.chip.accesses import Access
from hwgen.chip.in_memory import InMemory
from hwgen.chip.limits import RunLimits
from hwgen.chip.outside import Port
from hwgen.chip.replacement import Replacements
from hwgen.chip.room import Room
from hwgen.chip.runs import Prediction, SimulatedRun
from hwgen.chip.step import PlannedStep
from hwgen.chip.tiling import LayerTiling
from hwgen.chip.timeline import Track
from hwgen.chip.trouble import Trouble
from hwgen.network import QuantizedNetwork

if TYPE_CHECKING:
    from hwgen.chip.self_test import Part
    from hwgen.chip.sim.host import HostedChip, Work
    from hwgen.chip.sim.stuck import CellArray
    from hwgen.chip.sim.waves import Waves

Bytes = NDArray[np.uint8]
Maps = Mapping[str, NDArray[Any]]
"""Feature maps by the name of their layer, NHWC; a layer decides the kind of its numbers."""

# Types of a family's own, that only its files know; whoever takes any family leaves them out.
ArchT = TypeVar("ArchT", contravariant=True, default=Any)  # noqa: PLC0105
ProgramT = TypeVar("ProgramT", contravariant=True, default=Any)  # noqa: PLC0105
PredictionT = TypeVar("PredictionT", contravariant=True, default=Any)  # noqa: PLC0105
RunT = TypeVar("RunT", contravariant=True, default=Any)  # noqa: PLC0105
TableT = TypeVar("TableT", contravariant=True, default=Any)  # noqa: PLC0105


class Architecture(Protocol):
    """A frozen dataclass; `digest` covers what decides the Verilog and which programs run."""

    @property
    def name(self) -> str: ...
    @property
    def clock_mhz(self) -> float: ...
    @property
    def digest(self) -> str: ...


class Architectures(Protocol):
    """Architecture files of the format `hwgen.<family>.architecture`.

    Arch: the dataclass of such a file, a field for each key
    """

    @property
    def Arch(self) -> type[Any]: ...  # noqa: N802
    def load_arch(self, path: Path) -> Architecture: ...


class Sparsity(Protocol[ArchT]):
    """Switches of an architecture, each of which skips one kind of zeros.

    SWITCHES: their names; `with_sparsity` takes some of them with commas between, `all` or `none`
    """

    @property
    def SWITCHES(self) -> Sequence[str]: ...  # noqa: N802

    def with_sparsity(self, arch: ArchT, switches: str) -> Architecture: ...


class Modes(Protocol[ArchT]):
    """Modes of a network, between which a chip switches without a new program.

    Cycle model and simulation of such a family take the mode of each image, as
    `hwgen.chip.mode_protocols` says.
    """

    def most_modes(self, arch: ArchT) -> int:
        """Return how many modes of a network fit into one program, at least two."""


class ProgramFacts(Protocol):
    """The network and the architecture that a program was compiled for: digests and names.

    images: images of one run
    """

    @property
    def network(self) -> str: ...
    @property
    def network_name(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def architecture_name(self) -> str: ...
    @property
    def images(self) -> int: ...


class Program(Protocol):
    """One memory image and its facts."""

    @property
    def facts(self) -> ProgramFacts: ...
    @property
    def image(self) -> Bytes: ...


class Programs(Protocol[ArchT, ProgramT]):
    """Program files of the format `hwgen.<family>.program`."""

    def load_program(self, path: Path) -> Program: ...
    def save_program(self, program: ProgramT, path: Path) -> None: ...
    def check_match(self, program: ProgramT, arch: ArchT, network: QuantizedNetwork) -> None: ...


class Compiler(Protocol[ArchT, ProgramT]):
    """Compiles networks.

    images: images of one run; layer_cost: a `SplitCost` of the capability `split_cost`, or None
    """

    def compile_network(
        self, network: QuantizedNetwork, arch: ArchT, *, images: int = 1, layer_cost: Any = None
    ) -> Program: ...
    def tiling(self, program: ProgramT, arch: ArchT) -> list[LayerTiling]: ...
    def step_list(self, program: ProgramT, arch: ArchT) -> list[PlannedStep]: ...
    def unstored(
        self, network: QuantizedNetwork, program: ProgramT, arch: ArchT
    ) -> Collection[str]:
        """Return the layers whose maps a chip never stores whole, `input` among them.

        They follow from the network and the instructions, not from what the facts say of them.
        """


class Rooms(Protocol[ArchT, ProgramT]):
    """How full the memories of a chip are with a program."""

    def rooms(self, program: ProgramT, arch: ArchT) -> list[Room]:
        """Return the memories that a program fills, the fullest first."""


class LayerSupport(Protocol):
    """Which layers the chips of a family run.

    LAYER_LIMITS: by kind of layer, for people; a kind that is absent runs on no chip
    layer_remarks: by layer why no chip runs it, or under which condition one does; empty: runs
    """

    LAYER_LIMITS: Mapping[str, str]

    def layer_remarks(self, network: QuantizedNetwork) -> dict[str, str]: ...


class SplitCosts(Protocol[ArchT]):
    """The cost by which a compiler chooses how a layer is split over the cores."""

    def SplitCost(self, arch: ArchT) -> object: ...  # noqa: N802


class Predictor(Protocol):
    """The cycle model of one program."""

    def predict(self, maps: Maps) -> Prediction:
        """Return the prediction for one run.

        maps: all maps of the images of the run by layer name, the images under `input`, NHWC
        A family whose networks append to states also takes `position`, the calls before this one.
        """


class CycleModel(Protocol[ArchT, ProgramT, PredictionT]):
    """Cycles without simulation.

    must_compile: whether the first use compiles machine code, which takes up to a minute
    """

    def CycleModel(self, program: ProgramT, arch: ArchT) -> Predictor: ...  # noqa: N802
    def must_compile(self) -> bool: ...
    def where_cycles_go(self, prediction: PredictionT) -> Mapping[str, float]: ...
    def utilization_of(
        self, predictions: Sequence[PredictionT], *, layer: str | None = None
    ) -> float | None:
        """Return the fraction of the active cells that do effective work; None: no cell is active.

        layer: name of one layer; None: all layers
        """

    def bound_of(self, predictions: Sequence[PredictionT], *, layer: str) -> str | None:
        """Return what takes most of the cycles of a layer, in a word or two; None: nothing does."""


class Timelines(Protocol[ArchT, ProgramT]):
    """What the units of a chip do over the cycles of a run."""

    def timeline(self, program: ProgramT, arch: ArchT, maps: Maps) -> Sequence[Track]:
        """Return a track for each unit, of bounded length; maps: as for `predict`.

        A family with modes takes `modes`, of each image of the run, as well.
        """


class BitPlanes(Protocol):
    """Bit planes of all groups of inputs of a layer: those without a one, and all of them."""

    @property
    def zero(self) -> int: ...
    @property
    def total(self) -> int: ...


class ColumnCounter(Protocol):
    """Counts the bit planes of one program's inputs."""

    def count(self, maps: Maps) -> Mapping[str, BitPlanes]:
        """Return an entry for each layer with weights, for one run; maps: as for `predict`."""


class BitActivity(Protocol[ArchT, ProgramT]):
    """Counts of bit planes without a one, in real inputs."""

    def ColumnCounter(self, program: ProgramT, arch: ArchT) -> ColumnCounter: ...  # noqa: N802


class Energy(Protocol[ArchT]):
    """Energy from counted events, and from time.

    COUNTED: what it is of, and what is left out, for people
    """

    @property
    def COUNTED(self) -> str: ...  # noqa: N802

    def energy_pj(self, events: Mapping[str, int], arch: ArchT) -> Mapping[str, float]:
        """Return picojoules by event; the keys are those of `events`."""

    def leakage_pj(self, cycles: int, arch: ArchT) -> float:
        """Return picojoules that a chip takes in some cycles, whatever it does in them."""

    def outside_bytes(
        self, events: Mapping[str, int], arch: ArchT, program: Any, *, images: int
    ) -> int:
        """Return the bytes that images move over the memory port; events: of all of them.

        What a chip loads once and keeps is not among them.
        """

    def accesses(self, arch: ArchT) -> Iterable[Access]:
        """Return which events access parts that can be replaced, and what the table charges."""


class Area(Protocol[ArchT]):
    """Area of a chip."""

    def area_um2(self, arch: ArchT) -> Mapping[str, float]:
        """Return square micrometres by part."""


class Axes(Protocol):
    """What a search for chips varies.

    START: name of the architecture that ships from which all other keys are taken
    AXES: keys, those of a mapping as `above.key`, and their values from small to large; a key that
        an architecture leaves out stands for its last value
    """

    @property
    def START(self) -> str: ...  # noqa: N802
    @property
    def AXES(self) -> Mapping[str, Sequence[bool | int]]: ...  # noqa: N802
    def fitting(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return a configuration with those values changed that do not go with the others."""


class EnergyTable(Protocol):
    """Energies of events, and areas of parts, at one node; library: of the cells behind them.

    port: of the memory outside the chip; None: the one that ships
    """

    @property
    def name(self) -> str: ...
    @property
    def library(self) -> str | None: ...
    @property
    def digest(self) -> str: ...
    @property
    def port(self) -> Port | None: ...


class EnergyTables(Protocol[ArchT, TableT]):
    """Energy and area by a table, which a file of a person may replace.

    TABLE: the one that counts where none is given; the functions are those of `Energy` and `Area`
    """

    @property
    def TABLE(self) -> Path: ...  # noqa: N802
    def default_table(self) -> EnergyTable: ...
    def load_energy(self, path: Path) -> EnergyTable: ...
    def energy_pj(
        self, events: Mapping[str, int], arch: ArchT, *, table: TableT
    ) -> Mapping[str, float]: ...
    def leakage_pj(self, cycles: int, arch: ArchT, *, table: TableT) -> float: ...
    def accesses(self, arch: ArchT, *, table: TableT) -> Iterable[Access]: ...
    def area_um2(self, arch: ArchT, *, table: TableT) -> Mapping[str, float]: ...


class Physical(Protocol[ArchT, TableT]):
    """How the modules of a chip belong to its tables of energy and area.

    LIBRARY: the name of the library, as its file says it, whose cells the own tables are made with
    table: another one; None: the own
    """

    @property
    def LIBRARY(self) -> str: ...  # noqa: N802
    def part_of(self, module: str) -> str | None:
        """Return the part of the tables that a module belongs to; None: that of its parent."""

    def memory_um2(self, module: str) -> float:
        """Return the area of a bit of the memory in a module, at the node of the tables."""

    def table_um2(self, arch: ArchT, *, table: TableT | None = None) -> Mapping[str, float]:
        """Return the area by part as the tables have it, in the parts of `part_of`."""

    def synthesis_modules(self, arch: ArchT) -> Mapping[str, str]:
        """Return Verilog by module name that replaces modules of the chip in a synthesis."""


class NetlistEnergy(Protocol[ArchT, TableT]):
    """A unit of a chip whose netlist follows a simulation, beside the table of energies.

    MODULE: of the unit; INSTANCE: its path in the waves, DEPTH: levels of them down to its ports
    """

    @property
    def MODULE(self) -> str: ...  # noqa: N802
    @property
    def INSTANCE(self) -> str: ...  # noqa: N802
    @property
    def DEPTH(self) -> int: ...  # noqa: N802
    def block_of(self, module: str) -> str | None:
        """Return the block that a module of the unit belongs to; None: that of its parent."""

    def events_of(self, arch: ArchT, shown: Mapping[str, Bytes]) -> Mapping[str, int]:
        """Return the events of the unit; shown: by port its bits in each cycle."""

    def table_pj(
        self, arch: ArchT, events: Mapping[str, int], cycles: int, *, table: TableT | None = None
    ) -> Mapping[str, tuple[float, float]]:
        """Return by block what a table says of the unit: logic, and memories, in pJ.

        table: None: the family's own, or the constants of the architecture
        """


class Verilog(Protocol[ArchT]):
    """The generator of the top component of an architecture."""

    def make_chip(self, arch: ArchT) -> Any: ...


class Firmware(Protocol[ArchT, ProgramT]):
    """Bytes for firmware that runs a program: where they lie, and what the chip must answer."""

    def in_memory(
        self,
        program: ProgramT,
        arch: ArchT,
        images: Bytes,
        answers: Mapping[str, Sequence[NDArray[Any]]],
    ) -> InMemory:
        """Return program, images and answers.

        answers: by output in the file's order, (height, width, channels) of each image
        """


class SelfTests(Protocol[ArchT, ProgramT]):
    """Networks whose answers show cells that are stuck."""

    def parts(self, arch: ArchT) -> Sequence["Part"]: ...
    def read_bits(self, array: "CellArray", arch: ArchT) -> int:
        """Return how many of the lowest bits of a word the test counts, 0: the memory is left out.

        The others nothing reads, or they hold instructions.
        """

    def hosted_chip(self, arch: ArchT) -> "HostedChip[Any]": ...
    def work_of(self, program: ProgramT, arch: ArchT, images: Bytes) -> "Work":
        """Return what a host does to run the images."""

    def maps_of(
        self, runs: Sequence[Any], program: ProgramT, arch: ArchT, images: Bytes
    ) -> Sequence[Mapping[str, NDArray[Any]]]:
        """Return the maps of each image from what the host saw, its outputs as in memory.

        Raises SimulationError for a run that did not finish.
        """


class Schedules(Protocol[ArchT, ProgramT, PredictionT, RunT]):
    """Schedules that chips keep: which block starts when.

    Runs of a simulation have the strobes that it saw, predictions what they promise.
    """

    def check_schedule(self, arch: ArchT, file: Path) -> None:
        """Refuse a schedule that is damaged, or that of another architecture; file: as below."""

    def compare_starts(
        self,
        arch: ArchT,
        file: Path,
        program: ProgramT,
        predictions: Sequence[PredictionT],
        runs: Sequence[RunT],
    ) -> Any:
        """Return what was promised and what was seen, a `hwgen.report.run.Starts`.

        file: of the architecture, beside which a schedule may lie; runs: empty: nothing was seen
        """

    def starts_picture(
        self, arch: ArchT, predictions: Sequence[PredictionT], runs: Sequence[RunT]
    ) -> str:
        """Return the first run as SVG: who works when, as promised and as seen."""


class Simulation(Protocol[ArchT, ProgramT]):
    """The emitted Verilog, simulated.

    STORING: events of which each word that a run stores has at least one
    waves: a `hwgen.chip.sim.waves.Waves`; seed: of memories and registers at power-on
    trouble: that the memory makes
    limits: after which a run counts as hanging; replacements: of parts of the chip
    builds: folder of simulators; say: called before a simulator is built, which takes a minute
    """

    @property
    def STORING(self) -> Sequence[str]: ...  # noqa: N802
    def begin(self, arch: ArchT, replacements: Replacements = ...) -> None:
        """Begin to write the Verilog, in a thread, for a `simulate` that comes later."""

    def prepare(
        self,
        arch: ArchT,
        program: ProgramT,
        images: Bytes,
        *,
        builds: Path | None = None,
        say: Callable[[str], None] = ...,
    ) -> None:
        """Build the simulator that `simulate` runs for the same arguments, unless it is cached."""

    def simulate(
        self,
        arch: ArchT,
        program: ProgramT,
        images: Bytes,
        *,
        waves: "Waves | None" = None,
        trouble: Trouble = ...,
        seed: int = 1,
        limits: RunLimits = ...,
        replacements: Replacements = ...,
        builds: Path | None = None,
        say: Callable[[str], None] = ...,
    ) -> Sequence[SimulatedRun]: ...
    def write_by_hand(
        self, arch: ArchT, program: ProgramT, images: Bytes, answers: Maps, folder: Path
    ) -> Path:
        """Write all that runs images on the folder `verilog` without Python; return the script.

        answers: what must be in memory afterwards: of each output of the network its maps
        A family with modes takes `mode`, the number of that of all images, as well.
        """
