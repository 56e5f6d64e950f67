"""What a generator of RTL needs beside mapping and counts: who holds what, what travels where.

Facts of a chip whose operations start at ticks of `step_clocks` clocks (docs/crossbar-rules.md).
Nodes of the mesh are numbered row by row, `row * columns + column`; those behind the last macro
have a router alone. The macro of a node follows from the serpentine order.
"""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.components import (
    Adc,
    CrossbarSize,
    Dac,
    NetworkOnChip,
    Scratchpad,
    VectorUnits,
)
from hwgen.crossbar.facts.operations import OperationName
from hwgen.files.load import EXACT

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Span = tuple[int, int]
"""First, and behind the last."""

Link = tuple[int, int]
"""From one node of the mesh to the one beside it."""

TravelKind = Literal["image", "send", "chain", "gather", "result"]

OPERATION_OF: dict[TravelKind, OperationName] = {
    "image": "transfer",
    "send": "send",
    "chain": "chain",
    "gather": "gather",
    "result": "result",
}


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Clock:
    """Time on the chip.

    clock_ns: of a clock
    step_clocks: T, clocks of a step
    access_clocks: of one access to a scratchpad
    lag_clocks: an engine may work so many clocks behind the tick that started it; whatever must be
        over at a tick, because others wait for it from outside, has that much less time
    """

    clock_ns: Positive
    step_clocks: Size
    access_clocks: Size
    lag_clocks: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Rate:
    """Each ADC takes `samples` samples in `clocks` clocks; the fraction is in lowest terms."""

    samples: Size
    clocks: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Stream:
    """The images for which rings are sized, beside one that is alone.

    images: that were simulated; interval_steps: that one enters behind the other
    """

    images: Size
    interval_steps: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Io:
    """The node that the image comes from and results go to, beside the router of a macro.

    node: of that router, which has a port for it
    image_bytes: of one image, elements of `activation_bits` packed
    image_buffer_bytes: for two of them
    result_bytes: of the results of one image, of all layers that nobody reads
    """

    node: Count
    image_bytes: Size
    image_buffer_bytes: Size
    result_bytes: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Encoding:
    """How weights stand in cells (golden/crossbar/encoding.py), and how columns meet ADCs.

    column_accumulator_bits: modulo its range, signed with differential cells
    input_sum_bits: unsigned; null with differential cells, which need no sum of inputs
    conversion_order: of the columns of a macro; with n ADCs slot i converts columns i*n to i*n+n-1
    """

    name: Literal["offset_flipped_columns_digital_input_sum", "signed_difference_of_two_columns"]
    column_accumulator_bits: Size
    input_sum_bits: Size | None
    conversion_order: Literal["unit, slice, channel"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Orders:
    """In which order data stand and who comes first.

    maps, rows: of the elements of a map, of the rows of weights, the last one fastest; a map is
        flattened in its own order
    concatenated: channels of providers in the order of `providers`; each has a ring of its own
    operands: of an addition, in the order of its inputs
    links: who travels where routes share a link; adcs: of a pair that shares them; ports: who
        accesses a scratchpad
    """

    maps: Literal["row, column, channel"]
    rows: Literal["kernel row, kernel column, channel"]
    concatenated: Literal["as in providers"]
    operands: Literal["by position"]
    links: Literal["running ones, then the later layer, the image last"]
    adcs: Literal["running one, then the earlier layer"]
    ports: Literal["what arrives, then engines by rising accesses"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Constants:
    """The constants of the components that the chip consists of, as in the components file."""

    crossbar: CrossbarSize
    crossbar_latency_ns: Positive
    adc: Adc
    dac: Dac
    vector_units: VectorUnits
    scratchpad: Scratchpad
    network_on_chip: NetworkOnChip
    step_floor_ns: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Held:
    """What one macro holds of one layer, and the parts that work for it alone.

    copies: of the weights, see `hwgen.crossbar.facts.holdings`; pixels of a block that a layer
        without weights works on, which is all of them
    row_tiles: of each copy
    results: copies whose sums become whole here; 0: it hands partial sums on
    units: sets of input registers; crossbars, dacs: of these
    conversions: columns in use, which are converted in a bit step, in the order of `Encoding`
    adcs: that convert them; of two layers that share a macro the larger number is built
    slots: samples of the busiest ADC that is built, in a bit step
    shift_add, addition, activation, pool, eltwise: digital units; an activation is a relu, or a
        sigmoid where the layer has a table
    """

    macro: Count
    copies: Span
    row_tiles: Span
    results: Count
    units: Count
    crossbars: Count
    dacs: Count
    conversions: Count
    adcs: Count
    slots: Count
    shift_add: Count
    addition: Count
    activation: Count
    pool: Count
    eltwise: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Operation:
    """One operation of the blocks of a layer.

    bit_steps: how often it is repeated for a block; bits follow each other without a gap
    steps: of one of them
    period: steps between the starts of two blocks, at least: all bit steps, or what the port of a
        scratchpad asks for
    clocks: most that it works in `steps`, the lag included where it pays for that; an operation
        that always takes whole steps has all of their clocks
    """

    name: OperationName
    steps: Size
    bit_steps: Size
    period: Size
    clocks: Size

    @property
    def busy(self) -> int:
        """Steps of one block."""
        return self.steps * self.bit_steps


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerFabric:
    """One layer.

    operations: in the order in which a block goes through them
    output_bits: of an element of its results
    table: its activation is a function of one element that is loaded with the weights
    operands: of an addition, the layer at each position; else none
    groups_together: groups of a convolution on the diagonal of one crossbar; sections: sets of
        them, each with crossbars and input registers of its own
    samples: that an ADC can take in a bit step
    partial_sum_bits: in which sums over row tiles travel and are added
    held: by macro, of a layer without weights by the one that it works in
    Without weights groups_together, sections, samples and partial_sum_bits are 0.
    """

    layer: Count
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)]
    output_bits: Size
    table: bool
    operands: tuple[Count, ...]
    groups_together: Count
    sections: Count
    samples: Count
    partial_sum_bits: Count
    held: Annotated[tuple[Held, ...], Field(min_length=1)]

    def operation(self, name: OperationName) -> Operation | None:
        """Return an operation, None where blocks do without it."""
        return next((each for each in self.operations if each.name == name), None)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Macro:
    """What is built in one macro, of all layers together.

    node: of the mesh
    words: of its scratchpad that regions take
    adcs: of two layers that share them the larger number; the other parts are those of all layers
    """

    macro: Count
    node: Count
    words: Count
    adcs: Count
    dacs: Count
    crossbars: Count
    shift_add: Count
    addition: Count
    relu: Count
    sigmoid: Count
    pool: Count
    eltwise: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Travel:
    """What goes from one node to others, once a block of `layer` (of the image: of its pixels).

    id: its place among all travels, which the head of every packet carries
    kind: image: what is new of it for a block, from the I/O node; send: results to all readers,
        which is one multicast; chain: partial sums to the next macro of a copy; gather: results of
        a macro to the merge macro; result: to the I/O node
    layer: that wrote it; None: the image. readers: layers that it is for
    source, targets: nodes; tree: links, each behind the one that leads to it
    pixels, channels: of a full block; bits: of an element
    clocks: header, flits and hops of it
    first_clock: of a gather and of a chain, clocks behind the start of the operation
    """

    id: Count
    kind: TravelKind
    layer: Count | None
    readers: tuple[Count, ...]
    source: Count
    targets: tuple[Count, ...]
    tree: tuple[Link, ...]
    pixels: Size
    channels: Size
    bits: Size
    clocks: Size
    first_clock: Count

    @property
    def owner(self) -> int:
        """The layer in whose operations it goes."""
        return self.readers[0] if self.layer is None else self.layer

    @property
    def operation(self) -> OperationName:
        """The name of that operation."""
        return OPERATION_OF[self.kind]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Region:
    """A ring of words in the scratchpad of a macro; a pixel has `pixel_channels` elements.

    kind: input: what was sent to `layer`, and is not released; output: what it wrote and its
        readers, or the I/O node, have not read
    provider: whose pixels: of an input the layer that was read, None: the image; of an output
        `layer` itself
    first_channel: of an input, at which the provider begins among the channels that `layer` reads
    pixel_channels: elements of a pixel, which stand behind those of the pixel before; bits: of each
    """

    macro: Count
    kind: Literal["input", "output"]
    layer: Count
    provider: Count | None
    first_channel: Count
    pixel_channels: Size
    bits: Size
    first_word: Count
    words: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArchFabric:
    """All that a generator needs; see the classes above.

    layers: all, in their order; macros: all, in serpentine order
    travels: the image, then layer by layer chains, gathers, and its send or result
    regions: macro after macro
    """

    clock: Clock
    adc_rate: Rate
    encoding: Encoding
    orders: Orders
    constants: Constants
    io: Io
    stream: Stream
    layers: tuple[LayerFabric, ...]
    macros: tuple[Macro, ...]
    travels: tuple[Travel, ...]
    regions: tuple[Region, ...]


ORDERS = Orders(
    maps="row, column, channel",
    rows="kernel row, kernel column, channel",
    concatenated="as in providers",
    operands="by position",
    links="running ones, then the later layer, the image last",
    adcs="running one, then the earlier layer",
    ports="what arrives, then engines by rising accesses",
)


def encoding_of(accumulator_bits: int, input_sum_bits: int | None) -> Encoding:
    """Return the encoding with its widths; without a sum of inputs cells are differential."""
    return Encoding(
        name="signed_difference_of_two_columns"
        if input_sum_bits is None
        else "offset_flipped_columns_digital_input_sum",
        column_accumulator_bits=accumulator_bits,
        input_sum_bits=input_sum_bits,
        conversion_order="unit, slice, channel",
    )
