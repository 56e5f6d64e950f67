"""The table of energies per event, and of areas: complete YAML, each figure with its source."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.figures import NotNegative, Positive
from hwgen.chip.outside import Port, outside_memory
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.events import EVENTS
from hwgen.dbpim.facts.units import Unit, size_of
from hwgen.errors import ConfigError, FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, load_spec
from hwgen.files.shipped import shipped_folder

Fraction = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1)]
Design = Literal["sparse", "dense"]
"""With `weight_bits`, or without."""
Part = Literal[
    "trees",
    "ppu",
    "cells",
    "inputs",
    "buffers",
    "psums",
    "output",
    "simd",
    "rows",
    "loading",
    "control",
]
PARTS: tuple[Part, ...] = get_args(Part)
"""What takes energy and area on the chip: inputs are fetcher, switch and queues; rows are row units
and the trees of products; control is what depends on time alone. The memory port is not among
them."""

TABLE = shipped_folder() / "energy" / "dbpim_45nm.yaml"
"""The table that is read where none is given."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Cost:
    """Energy that an event takes in one part of the chip.

    block: what of the part takes it, where netlists tell several apart; None: the part
    pj: of an event of `units` units, of trees and PPU as they are built
    written_pj: of trees and PPU as first written; None: the same
    unit: whose number an architecture has; design: that takes it, None: both
    wires: part of the energy that is in wires of the typical capacitance; glitches: part that a
        netlist without delays does not take; such a netlist takes the rest
    switch: only a chip with a switch takes it; memory: it is of a memory, which no netlist has
    """

    part: Part
    block: Text | None = None
    pj: Positive
    written_pj: NotNegative | None = None
    units: Annotated[int, Field(ge=1)]
    unit: Unit
    design: Design | None = None
    wires: Fraction = 0.0
    glitches: Fraction = 0.0
    switch: bool = False
    memory: bool = False
    source: Text

    def applies(self, arch: Arch) -> bool:
        """Return whether a chip takes it."""
        return (
            self.design in (None, design_of(arch))
            and self.part in parts_of(arch)
            and (arch.sparse_parts or not self.switch)
        )

    def of(self, arch: Arch, *, written: bool = False) -> float:
        """Return the pJ of one event on a chip; written: trees and PPU as first written.

        A word of the buffers has a channel where other things have a compartment.
        """
        pj = self.written_pj if written and self.written_pj is not None else self.pj
        if self.unit == "compartment" and (self.part == "buffers" or self.block == "words"):
            return pj / self.units * arch.word
        return pj / self.units * size_of(self.unit, arch)

    @property
    def of_netlist(self) -> float:
        """The share that a netlist without wires and delays takes; none of a memory."""
        return 0.0 if self.memory else 1 - self.wires - self.glitches


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Range:
    """A figure that is assumed, and how it is varied."""

    low: NotNegative
    typical: NotNegative
    high: NotNegative
    source: Text

    @model_validator(mode="after")
    def check(self) -> Self:
        """Check the order; |-separated message."""
        if not self.low <= self.typical <= self.high:
            raise FieldError("typical", f"from low {self.low} to high {self.high}", self.typical)
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Leakage:
    """Power of a memory that does nothing, in uW."""

    uw: Positive
    kilobytes: Positive
    source: Text


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LogicLeakage:
    """Power of some area of logic that does nothing, in uW."""

    uw: Positive
    um2: Positive
    source: Text


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Area:
    """Area of one part of the chip, in um2; fields as in `Cost`; memory: it is no logic."""

    part: Part
    um2: Positive
    written_um2: Positive | None = None
    units: Positive
    unit: Unit
    design: Design | None = None
    switch: bool = False
    memory: bool = False
    source: Text

    def applies(self, arch: Arch) -> bool:
        """Return whether a chip takes it."""
        return (
            self.design in (None, design_of(arch))
            and self.part in parts_of(arch)
            and (arch.sparse_parts or not self.switch)
        )

    def of(self, arch: Arch, *, written: bool = False) -> float:
        """Return the um2 on a chip; written: trees and PPU as first written."""
        um2 = self.written_um2 if written and self.written_um2 is not None else self.um2
        return um2 / self.units * size_of(self.unit, arch)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EnergyTable:
    """Energy per event, and area, at one node.

    library: of cells that its areas and energies of logic are made with, as a Liberty file names it
    events: by name, all of `EVENTS`
    cycles: what parts take in a cycle, whatever they do
    control_pj: beside it, of a macro in a cycle; low: as netlists have it, without the tree of the
        clock; wires_ff: capacitance of a wire a fan-out
    leakage: of memories, logic_leakage: of all other areas
    port: of the memory outside the chip; None: the one that ships
    area: of all parts; area_uncertainty: fraction by which the sum may be wrong either way
    """

    format: Literal["hwgen.dbpim.energy"]
    version: Literal[1]
    name: Text
    node_nm: Annotated[int, Field(ge=1)]
    library: Text | None = None
    events: dict[str, list[Cost]]
    cycles: list[Cost]
    control_pj: Range
    wires_ff: Range
    leakage: Leakage
    logic_leakage: LogicLeakage
    port: Port | None = None
    area: list[Area]
    area_uncertainty: Fraction

    @property
    def digest(self) -> str:
        """sha256 over everything that is given, 64 hex digits."""
        given = {key: value for key, value in asdict(self).items() if value is not None}
        return digest_of(given)

    @model_validator(mode="after")
    def check(self) -> Self:
        """Every event has entries, and nothing else; |-separated message."""
        for name in EVENTS:
            if not self.events.get(name):
                raise FieldError(f"events.{name}", "present", "nothing")
        for name in self.events:
            if name not in EVENTS:
                raise FieldError("events", "events of the chip", name)
        return self

    def leakage_mw(self, arch: Arch, logic_um2: float) -> float:
        """Return the power of a chip that does nothing, with some area of logic."""
        kilobytes = size_of("memory_byte", arch) / 1024
        memories = self.leakage.uw * kilobytes / self.leakage.kilobytes
        return (memories + self.logic_leakage.uw * logic_um2 / self.logic_leakage.um2) / 1000

    def port_pj(self, beats: int, arch: Arch) -> float:
        """Return the energy of beats in the memory outside the chip."""
        return (self.port or outside_memory()).of(beats * arch.port_bytes)[1]


def parts_of(arch: Arch) -> tuple[Part, ...]:
    """Return the parts that a chip has: `rows` with a row unit alone."""
    return tuple(part for part in PARTS if part != "rows" or arch.row_unit)


def design_of(arch: Arch) -> Design:
    """Return which trees a chip has."""
    return "sparse" if arch.sparsity.weight_bits else "dense"


def load_energy(path: Path) -> EnergyTable:
    """Return the table in a complete YAML file; ConfigError if a design has no price of its own."""
    table = load_spec(EnergyTable, path)
    entries: dict[str, Sequence[Cost | Area]] = {
        **{f"events.{name}": costs for name, costs in table.events.items()},
        **{f"area of {part}": [one for one in table.area if one.part == part] for part in PARTS},
    }
    for design in get_args(Design):
        for name, priced in entries.items():
            if all(each.design not in (None, design) for each in priced):
                raise ConfigError(
                    field=name,
                    allowed=f"an entry that chips of design: {design} take",
                    given="those of the other design" if priced else "nothing",
                    source=str(path),
                )
    return table
