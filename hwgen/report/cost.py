"""The report of `hwgen cost`: area, clock and flip-flops of a chip, from its netlists."""

from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Digest, Fraction, NotNegative, Source
from hwgen.report.writing import WritingCost

Mapped = Literal["modules", "flat"]
"""How a netlist is made: each module alone, or all at once."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostLibrary:
    """The library that the chip is mapped to.

    name: as the file says it; licence: null if the file names none that is known
    corner: operating conditions that the file names; null: it names none
    """

    name: str
    file: str
    digest: Digest
    licence: str | None
    corner: str | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostModule:
    """One module without those that it places.

    instances: in the whole chip; all other figures are of one of them
    buffers_um2: trees of buffers behind nets of many readers, not in logic_um2
    macros_um2: of a module that is a replacement's, by its figures
    slowest_ns: its slowest path from register to register; null: it has none of its own
    """

    module: str
    instances: Count
    logic_um2: NotNegative
    buffers_um2: NotNegative
    macros_um2: NotNegative
    flip_flops: Count
    gated: Count
    memory_bits: Count
    slowest_ns: NotNegative | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostPart:
    """A part of the chip, all its modules and all their instances.

    memory_um2: null if the tables are of another node than the library
    gated: fraction of the flip-flops behind clock gates; null: no flip-flop
    table_um2: what the area table says; null: it is of another library, or has no such part
    """

    part: str
    logic_um2: NotNegative
    buffers_um2: NotNegative
    macros_um2: NotNegative
    memory_bits: Count
    memory_um2: NotNegative | None
    flip_flops: Count
    gated: Fraction | None
    leakage_uw: NotNegative
    slowest_ns: NotNegative | None
    table_um2: NotNegative | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostPath:
    """A path from register to register, and the placed modules that it runs through."""

    ns: NotNegative
    start: str
    end: str
    through: list[str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostBlock:
    """What a block of a unit takes for the cycles of a window.

    table_pj, memory_pj: by the energy table, of logic and of memories; null: it is of another
    library, or has no entry for the block
    off: table_pj differs from netlist_pj by more than 30 %; null: there is nothing to compare
    """

    block: str
    netlist_pj: NotNegative
    table_pj: NotNegative | None
    memory_pj: NotNegative | None
    off: bool | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostEnergy:
    """Energy of one unit of the chip from its netlist, which follows a simulation.

    unit: its module; cycles: of the window, from the reset; source_bits: its inputs, all of which
    are in the waves; events: of the unit in the window
    """

    network: Source
    unit: str
    cycles: Count
    source_bits: Count
    events: dict[str, Count]
    blocks: list[CostBlock]
    netlist_pj: NotNegative
    table_pj: NotNegative | None
    memory_pj: NotNegative | None
    assumptions: list[str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlacedClock:
    """Of the flat netlist of gates: its slowest path and its area.

    no_wires_ns: without wires; ns, mhz: with those of the placement; start, end: of that path
    wires_mm: length of all wires but the clock's
    """

    no_wires_ns: NotNegative
    ns: NotNegative
    mhz: NotNegative
    start: str
    end: str
    cells_um2: NotNegative
    wires_mm: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostPlaced:
    """A placement of the flat netlist of gates, without clock tree and power straps.

    wires: the table of the library's metals; fill: share of the area that cells take
    aspect: height over width; width_um, height_um: of the area
    sized: after one pass of sizing by load, placed again; resized: gates that it changed
    """

    wires: Source
    fill: Fraction
    aspect: NotNegative
    seed: Count
    gates: Count
    memories: Count
    width_um: NotNegative
    height_um: NotNegative
    mapped: PlacedClock
    sized: PlacedClock
    resized: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostReport:
    """What a chip costs in the cells of one library.

    total: of all parts; slowest_ns, mhz: of the slowest path; clock_mhz: that the architecture
    claims; period_ns, met: that was asked for, and whether it is met; null: none was
    mapped: each module was mapped alone, or all of the chip at once, flat
    module: of which the figures are, with all that it places; null: of the whole chip
    placed: with wires, if it was placed
    synthesized: modules that were not cached; assumptions: what the figures leave out
    energy: of a network, if one was given
    effects, writing: a file of effects, and what it costs to write the cells with that network
    """

    format: Literal["hwgen.report.cost"]
    version: Literal[1]
    architecture: Source
    configuration: dict[str, Any]
    library: CostLibrary
    parts: list[CostPart]
    total: CostPart
    modules: list[CostModule]
    slowest_ns: NotNegative
    mhz: NotNegative
    clock_mhz: NotNegative
    period_ns: NotNegative | None
    met: bool | None
    paths: list[CostPath]
    synthesized: list[str]
    energy: CostEnergy | None
    assumptions: list[str]
    versions: dict[str, str]
    effects: Source | None = None
    writing: WritingCost | None = None
    mapped: Mapped = "modules"
    module: str | None = None
    placed: CostPlaced | None = None
