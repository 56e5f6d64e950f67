"""The table of energies per event, and areas: complete YAML, each figure with its source."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.figures import Positive
from hwgen.chip.outside import Port
from hwgen.errors import FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, load_spec
from hwgen.files.shipped import shipped_folder
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.events import EVENTS, MODEL_EVENTS

Count = Annotated[int, Field(ge=1)]
Text = Annotated[str, Field(min_length=1)]
Unit = Literal[
    "column",
    "segment_column",
    "tree_bit",
    "count_bit",
    "accumulator_bit",
    "lane",
    "sub_array",
    "octet",
    "octet_column",
    "chip_column",
    "one",
]
Block = Literal[
    "counters",
    "adder",
    "octets",
    "former",
    "input",
    "output",
    "pool",
    "dpu",
    "banks",
    "control",
]
"""What computes beside the arrays of a data path."""

TABLE = shipped_folder() / "energy" / "mram_45nm.yaml"
"""The table that is read where none is given."""

DERIVED = ("and_segments", "and_columns")
"""Events without an entry: parts of `and_operations`."""
OF_LOGIC = ("bit_counts", "joins", "adds", "shifts", "tree_rows", "sums", "dpu_results")
"""Events that no array sees: their entries are those of logic."""
PRICED = tuple(name for name in (*EVENTS, *MODEL_EVENTS) if name not in (*DERIVED, *OF_LOGIC))
"""Events of arrays, each with an entry."""
CYCLES = "cycles"
"""In place of an event: what logic takes in a cycle, whatever it does."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Price:
    """Energy of one event.

    pj: of an event of `units` units; unit: whose number an architecture has
    """

    pj: Positive
    units: Annotated[int, Field(ge=1)]
    unit: Unit
    source: Text

    def of(self, arch: Arch) -> float:
        """Return the pJ of one event on a chip."""
        return self.pj / self.units * size_of(self.unit, arch)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LogicPrice(Price):
    """Energy that an event, or a cycle, takes in a block of logic; units: of an event, or all."""

    block: Block
    event: Text


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Leakage:
    """Power of one sub-array that does nothing, in mW; columns: that it has."""

    mw: Positive
    columns: Annotated[int, Field(ge=1)]
    source: Text


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Area:
    """Area of one sub-array, of what computes beside it, and of what lies around all, in um2.

    rows, columns, segments, segment_columns, accumulator_bits: of the chip that was measured
    counting_um2: counters, joins and accumulators of all segments
    adding_um2: latches and write multiplexers of the in-memory adder
    moving_um2: what takes whole rows: window, gather, sender, reader, input tree, loader, banks
    walking_um2: what takes kernels of any size, on a chip that does: walker, places of the gather
    lane_um2: of a lane of a block: DPU with its requantizers, pool unit, output tree
    octet_um2: controllers of an octet
    control_um2: the rest of the chip: order of records, registers, engines of the port
    memory_bit_um2: of a bit of records, parameters, answers and the FIFO of the port
    """

    rows: Count
    columns: Count
    segments: Count
    segment_columns: Count
    accumulator_bits: Count
    sub_array_um2: Positive
    counting_um2: Positive
    adding_um2: Positive
    moving_um2: Positive
    walking_um2: Positive
    lane_um2: Positive
    octet_um2: Positive
    control_um2: Positive
    memory_bit_um2: Positive
    source: Text

    def memory_um2(self, rows: int, columns: int) -> float:
        """Return the area of an array of cells with its decoder and sense amplifiers."""
        return self.sub_array_um2 * rows * columns / (self.rows * self.columns)

    def counting_of(self, arch: Arch) -> float:
        """Return the area of the counters and accumulators of a sub-array of a chip.

        A counter grows with the columns that it counts, an accumulator with its bits.
        """
        measured = self.segments * (self.segment_columns + self.accumulator_bits)
        here = arch.segments * (arch.segment_columns + arch.accumulator_bits)
        return self.counting_um2 * here / measured

    def adding_of(self, arch: Arch) -> float:
        """Return the area of the in-memory adder of a sub-array of a chip: of each column."""
        return self.adding_um2 * arch.array.columns / self.columns

    def around_of(self, arch: Arch) -> float:
        """Return the area of the logic of a chip that is beside no sub-array."""
        moving = self.moving_um2 + (self.walking_um2 if arch.any_kernel else 0.0)
        rows = moving * arch.array.columns / self.columns
        return rows + arch.block * self.lane_um2 + arch.octets * self.octet_um2 + self.control_um2


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EnergyTable:
    """Energy per event at one node.

    library: of cells that its areas and energies of logic are made with, as a Liberty file names it
    events: of arrays by name, all of `PRICED`; logic: beside them, and of a cycle
    row_drive: of a word line, part of every sensed row, whichever columns are enabled
    stt_write: of a row whose cells are STT-MRAM, beside the SOT-MRAM of `events`
    leakage: of a sub-array, an image bank as well; area: beside energies of the same node
    port: of the memory outside the chip; None: the one that ships
    """

    format: Literal["hwgen.mram.energy"]
    version: Literal[1]
    name: Text
    node_nm: Annotated[int, Field(ge=1)]
    library: Text | None = None
    events: dict[str, Price]
    logic: list[LogicPrice]
    row_drive: Price
    stt_write: Price
    leakage: Leakage
    area: Area
    port: Port | None = None

    @property
    def digest(self) -> str:
        """sha256 over everything that is given, 64 hex digits."""
        given = {key: value for key, value in asdict(self).items() if value is not None}
        return digest_of(given)

    @model_validator(mode="after")
    def check(self) -> Self:
        """Every event that costs energy has an entry, and nothing else; |-separated message."""
        for name in PRICED:
            if name not in self.events:
                raise FieldError(f"events.{name}", "present", "nothing")
        for name in self.events:
            if name not in PRICED:
                raise FieldError("events", "events of arrays", name)
        for name in OF_LOGIC:
            if all(one.event != name for one in self.logic):
                raise FieldError("logic", f"entries of {name}", "nothing")
        for one in self.logic:
            if one.event not in (*EVENTS, CYCLES):
                raise FieldError("logic.event", f"events of the chip, or {CYCLES}", one.event)
        return self

    def logic_of(self, event: str, arch: Arch) -> float:
        """Return the pJ that an event, or a cycle, takes in the logic of a chip."""
        return sum(one.of(arch) for one in self.logic if one.event == event)


def size_of(unit: Unit, arch: Arch) -> int:
    """Return how many units a chip has.

    lane: of a block; octet_column, chip_column: of all octets, of all sub-arrays
    """
    return {
        "column": arch.array.columns,
        "segment_column": arch.segment_columns,
        "tree_bit": arch.input_columns,
        "count_bit": arch.count_bits,
        "accumulator_bit": arch.accumulator_bits,
        "lane": arch.block,
        "sub_array": arch.sub_arrays,
        "octet": arch.octets,
        "octet_column": arch.octets * arch.array.columns,
        "chip_column": arch.sub_arrays * arch.array.columns,
        "one": 1,
    }[unit]


def load_energy(path: Path) -> EnergyTable:
    """Return the table in a complete YAML file."""
    return load_spec(EnergyTable, path)
