"""The description of a chip that the generators of RTL and the cycle model take.

All that differs between two chips is in here, in the words of `hwgen.crossbar.facts.fabric`.
Steps are ticks of `step_clocks` clocks, words are those of a scratchpad, nodes are numbered
`row * columns + column`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from hwgen.crossbar.facts.fabric import Link, Span, TravelKind
from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.ports import shares_between
from hwgen.crossbar.facts.travels import OPERATION_OF, conflicts_of


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of a layer.

    name: as in a schedule
    steps: of one bit step, or of the whole where bit_steps is 1
    bit_steps: how often it is repeated for a block, without a gap
    period: steps from the start of a block to that of the next one, at least
    """

    name: str
    steps: int
    bit_steps: int
    period: int

    @property
    def busy(self) -> int:
        """Steps of one block."""
        return self.steps * self.bit_steps


@dataclass(frozen=True, kw_only=True)
class Held:
    """What one macro holds of one layer, and the parts that work for it alone.

    copies, row_tiles: of a layer with weights, first and behind the last; copies of a layer without
        weights: the pixels of a block
    results: copies whose sums become whole here; 0: it hands partial sums on
    units, crossbars, conversions: see `hwgen.crossbar.facts.holdings`
    adcs: that convert them; the lanes that are built are the larger number of two mates
    slots: samples of the busiest lane in a bit step, with the lanes that are built
    shift_add, addition, activation, pool, eltwise: digital units
    """

    macro: int
    copies: Span
    row_tiles: Span
    results: int
    units: int
    crossbars: int
    conversions: int
    adcs: int
    slots: int
    shift_add: int
    addition: int
    activation: int
    pool: int
    eltwise: int


@dataclass(frozen=True, kw_only=True)
class ChipLayer:
    """One layer.

    place: of the layer in the network; layer: its shape, `layer.providers`: who it reads
    copies: output pixels of a block, the last block of an image may have fewer; blocks: an image
    first_macro, macros, merge_macro: where it works; mate: the layer that shares its ADCs
    clocks_per_bit: steps of a bit step
    operations: that a block goes through, in order
    output_bits: of an element of its map; raw: it is not requantized
    table: its activation is a function of one element that is loaded
    operands: of an addition, the layer at each position; else none
    cut, partial_sum_bits: of a layer with weights; else None, 0
    held: by macro, in the order of macros
    """

    place: int
    layer: CrossbarLayer
    copies: int
    blocks: int
    first_macro: int
    macros: int
    merge_macro: int
    mate: int | None
    clocks_per_bit: int
    operations: tuple[Operation, ...]
    output_bits: int
    raw: bool
    table: bool
    operands: tuple[int, ...]
    cut: Cut | None
    partial_sum_bits: int
    held: tuple[Held, ...]

    @property
    def last_pixels(self) -> int:
        """Pixels of the last block of an image."""
        return self.layer.pixels - (self.blocks - 1) * self.copies

    def index_of(self, name: str) -> int | None:
        """Return the place of an operation among its operations."""
        names = [operation.name for operation in self.operations]
        return names.index(name) if name in names else None


@dataclass(frozen=True, kw_only=True)
class Macro:
    """What is built in one macro, of all layers together.

    node: of the mesh; words: of its scratchpad that regions take
    layers: that work here; adcs: of two mates the larger number
    """

    macro: int
    node: int
    words: int
    layers: tuple[int, ...]
    adcs: int
    shift_add: int
    addition: int
    relu: int
    sigmoid: int
    pool: int
    eltwise: int


@dataclass(frozen=True, kw_only=True)
class Region:
    """A ring of words in a scratchpad; pixel p lies behind p x pixel_channels elements.

    kind: input: what was sent to `layer`; output: what it wrote and its readers in this macro, or
        the travels of it, have not read
    provider: whose pixels; None: the image; of an output `layer` itself
    first_channel: of an input, at which the provider begins among the channels that `layer` reads
    pixel_channels: elements of a pixel; bits: of each
    """

    macro: int
    kind: Literal["input", "output"]
    layer: int
    provider: int | None
    first_channel: int
    pixel_channels: int
    bits: int
    first_word: int
    words: int


@dataclass(frozen=True, kw_only=True)
class Travel:
    """What goes over links once a block; `id` stands in its header.

    layer: that wrote it; None: the image. readers: layers that it is for
    source, targets: nodes; tree: links, each behind the one that leads to it
    pixels, channels, bits: of a full block; first_clock: of a gather or chain, behind its strobe
    The image leaves from, a result arrives at the port `io` of the router of the I/O node.
    """

    id: int
    kind: TravelKind
    layer: int | None
    readers: tuple[int, ...]
    source: int
    targets: tuple[int, ...]
    tree: tuple[Link, ...]
    pixels: int
    channels: int
    bits: int
    first_clock: int

    @property
    def owner(self) -> int:
        """The layer in whose operations it goes."""
        return self.readers[0] if self.layer is None else self.layer

    @property
    def operation(self) -> str:
        """The name of that operation."""
        return OPERATION_OF[self.kind]


@dataclass(frozen=True, kw_only=True)
class ChipFacts:
    """A whole chip.

    side, cell_bits, dac_bits, adc_bits: of its crossbars and converters
    slices: cells of a weight; bit_steps: of an input
    step_clocks, access_clocks: of a step, of an access to a scratchpad
    word_bits, flit_bits: of a scratchpad, of a link; lanes: elements of a digital unit
    adc_samples, adc_clocks: each ADC takes so many samples in so many clocks, in lowest terms
    rows, columns: of the mesh; io_node: where the image enters and results leave
    interval: steps from one image of a stream to the next
    digest: of its architecture; empty where there is none
    """

    name: str
    side: int
    cell_bits: int
    dac_bits: int
    adc_bits: int
    weight_bits: int
    activation_bits: int
    slices: int
    bit_steps: int
    column_accumulator_bits: int
    input_sum_bits: int
    step_clocks: int
    access_clocks: int
    word_bits: int
    flit_bits: int
    lanes: int
    adc_samples: int
    adc_clocks: int
    rows: int
    columns: int
    io_node: int
    image_channels: int
    image_sides: tuple[int, int]
    interval: int
    layers: tuple[ChipLayer, ...]
    macros: tuple[Macro, ...]
    regions: tuple[Region, ...]
    travels: tuple[Travel, ...]
    digest: str = ""

    @property
    def id_word(self) -> int:
        """What the register `id` reads, and a program must carry."""
        return int(self.digest[:8] or "0", 16)

    @property
    def adc_samples_at_once(self) -> int:
        """Samples of an ADC in a clock, at least one."""
        return max(1, self.adc_samples // self.adc_clocks)

    @property
    def word_elements(self) -> int:
        """Elements of a word of a scratchpad."""
        return self.word_bits // self.activation_bits

    @property
    def flit_elements(self) -> int:
        """Activations of a flit; the bits of a flit are a multiple of theirs."""
        return self.flit_bits // self.activation_bits

    def travels_of(self, place: int, operation: str) -> list[Travel]:
        """Return what travels in an operation of a layer."""
        return [one for one in self.travels if one.owner == place and one.operation == operation]

    def shares_of(self, place: int) -> tuple[int, ...]:
        """Return the channels of a pixel that a layer reads of each of its rings.

        More than one: it reads a concatenation.
        """
        layer = self.layers[place].layer
        read = [self.layers[provider].layer for provider in layer.providers]
        return (layer.in_channels,) if layer.kind == "eltwise" else shares_between(layer, read)

    @cached_property
    def conflicts(self) -> frozenset[tuple[tuple[int, str], tuple[int, str]]]:
        """Pairs of (layer, operation) whose travels share a link; both orders of each pair."""
        return frozenset(conflicts_of(self.travels))
