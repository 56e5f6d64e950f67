"""The report of `hwgen cost`: area, clock and flip-flops of a chip, from its netlists."""

from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.report.types import Count, Digest, Fraction, NotNegative, Source
from hwgen.report.writing import WritingCost


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CostLibrary:
    """The library that the chip is mapped to.

    name: as the file says it; licence: null if the file names none that is known
    """

    name: str
    file: str
    digest: Digest
    licence: str | None


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
class CostReport:
    """What a chip costs in the cells of one library.

    total: of all parts; slowest_ns, mhz: of the slowest path; clock_mhz: that the architecture
    claims; period_ns, met: that was asked for, and whether it is met; null: none was
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
