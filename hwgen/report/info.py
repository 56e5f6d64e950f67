"""The report of `hwgen info`."""

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema
from pydantic.dataclasses import dataclass

from hwgen.chip.room import Room
from hwgen.chip.step import PlannedStep
from hwgen.chip.tiling import LayerTiling
from hwgen.files.load import EXACT
from hwgen.report.imports import ImportInfo
from hwgen.report.types import Count, Digest, Fraction


@dataclass(frozen=True, kw_only=True, config=EXACT)
class NetworkLayer:
    """A layer as the network file has it; `weights` and what follows is null without weights.

    bits: of its output; 32 or 64: raw sums; stride: vertical, horizontal
    zero_weights: fraction of the weights that are 0
    """

    name: str
    kind: str
    inputs: list[str]
    shape: tuple[int, int, int]
    bits: Count
    stride: tuple[Count, Count] | None
    weights: Count | None
    zero_weights: Fraction | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class NetworkInfo:
    """A quantized network; the first of `outputs` is the answer.

    answer_shape: of the answer in the file that was imported, where that has another order than
        the map
    """

    name: str
    dataset: str
    digest: Digest
    preprocessing: str
    class_names: list[str]
    input_shape: tuple[int, int, int]
    modes: list[str]
    outputs: list[str]
    answer_shape: list[Count] | None
    layers: list[NetworkLayer]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArchitectureInfo:
    """An architecture; `configuration` is complete."""

    name: str
    family: str
    digest: Digest
    configuration: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MemoryNeeds:
    """A memory of a chip, as `--replace` names it, and what a replacement must do.

    slice_bits: bits of a word that are written alone
    reads: words read in a cycle; read_cycles: from an address to its data: 0 or 1
    one_address: for reading and writing
    reads_what_it_writes: a word may be read in the cycle in which it is written: the old content
    """

    name: str
    words: Count
    bits: Count
    slice_bits: Count
    reads: Count
    read_cycles: Count
    one_address: bool
    reads_what_it_writes: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArrayNeeds:
    """An array of a chip that computes, as `--replace` names it, and what a replacement must do.

    sizes: by name; pins: ports that a replacement has a pin for, optional: and may do without
    cycles, cells: see the architecture's `array_cycles` and `cells`
    """

    name: str
    sizes: dict[str, Count]
    pins: list[str]
    optional: list[str]
    cycles: Count
    cells: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ProgramInfo:
    """A program: the network and the architecture it was compiled for, and its size."""

    network: str
    network_digest: Digest
    architecture: str
    architecture_digest: Digest
    family: str
    digest: Digest
    bytes: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Effect:
    """A number of a file of effects by its dotted key; source: where it comes from, as it says."""

    key: str
    value: float
    unit: str
    source: str | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EffectLevel:
    """A level of a table, all but the exponents as shares of the highest level.

    good: cells that are good after all rounds of writing
    writes: of a cell on average
    aged: mean at the time at which the chip is used
    """

    level: Fraction
    mean: float
    deviation: float
    drift: float
    drift_deviation: float
    good: Fraction
    writes: float
    aged: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class EffectsInfo:
    """How far the devices of a chip err.

    levels, levels_source: of a table and where it comes from; none where the file has none
    """

    name: str
    device: str
    digest: Digest
    effects: list[Effect]
    levels: list[EffectLevel]
    levels_source: str | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DensityLayer:
    """A layer of a file of densities, `input` the first; of its map and of its weights.

    zero_planes: mean over the bits of a byte; pruned_blocks, digits: null without such weights
    digits: most digits of a weight, on average over the groups of filters
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    zero_planes: Fraction
    pruned_blocks: Fraction | None
    digits: float | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DensitiesInfo:
    """Shapes and densities in place of a network."""

    name: str
    digest: Digest
    layers: list[DensityLayer]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class InfoReport:
    """Content of a file; with an architecture, how each layer is tiled for it, and the steps.

    rooms: how full the chip's memories are, the fullest first; null: the family does not say
    memories: of an architecture, where they were asked for
    graph: of a network without weights, by the schema `info_graph`
    content: of a file of another format that can be imported
    """

    format: Literal["hwgen.report.info"]
    version: Literal[7]
    kind: Literal["network", "architecture", "program", "graph", "import", "effects", "densities"]
    file: str
    network: NetworkInfo | None
    architecture: ArchitectureInfo | None
    memories: list[MemoryNeeds] | None
    arrays: list[ArrayNeeds] | None
    program: ProgramInfo | None
    graph: Annotated[Any, WithJsonSchema({"type": ["object", "null"]})]
    content: ImportInfo | None
    effects: EffectsInfo | None
    densities: DensitiesInfo | None
    layers: list[LayerTiling] | None
    rooms: list[Room] | None
    steps: list[PlannedStep] | None
    versions: dict[str, str]
