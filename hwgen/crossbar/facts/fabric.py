"""What a generator of RTL needs beside mapping and counts: who holds what, what travels where.

Facts of a chip whose operations start at ticks of `step_clocks` clocks (docs/crossbar-rules.md).
Nodes of the mesh are numbered row by row, `row * columns + column`; those behind the last macro
have a router alone. The macro of a node follows from the serpentine order.
"""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.components import (
    Adc,
    CrossbarSize,
    Dac,
    NetworkOnChip,
    Scratchpad,
    VectorUnits,
)

STRICT = ConfigDict(extra="forbid", strict=True)

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Span = tuple[int, int]
"""First, and behind the last."""

Link = tuple[int, int]
"""From one node of the mesh to the one beside it."""

TravelKind = Literal["image", "send", "chain", "gather", "result"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Clock:
    """clock_ns: of the chip; step_clocks: a step; access_clocks: an access to a scratchpad."""

    clock_ns: Positive
    step_clocks: Size
    access_clocks: Size


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Encoding:
    """How weights stand in cells (golden/crossbar/encoding.py), and how columns meet ADCs.

    column_accumulator_bits, input_sum_bits: widths, modulo and unsigned
    conversion_order: of the columns of a macro; with n ADCs slot i converts columns i*n to i*n+n-1
    """

    name: Literal["offset_flipped_columns_digital_input_sum"]
    column_accumulator_bits: Size
    input_sum_bits: Size
    conversion_order: Literal["unit, slice, channel"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Orders:
    """In which order data stand and who comes first.

    maps, rows: of the elements of a map, of the rows of weights, the last one fastest; a map is
        flattened in its own order; concatenated: channels of providers in the order of `providers`
    links: who travels where routes share a link; adcs: of a pair that shares them; ports: who
        accesses a scratchpad
    """

    maps: Literal["row, column, channel"]
    rows: Literal["kernel row, kernel column, channel"]
    concatenated: Literal["as in providers"]
    links: Literal["running ones, then the later layer, the image last"]
    adcs: Literal["running one, then the earlier layer"]
    ports: Literal["what arrives, then engines by rising accesses"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Held:
    """What one macro holds of one layer, see `hwgen.crossbar.facts.holdings`.

    units: sets of input registers; crossbars, conversions (of a bit step): of these
    adcs: that convert them; of two layers that share a macro the larger number is built
    """

    macro: Count
    copies: Span
    row_tiles: Span
    units: Size
    crossbars: Size
    conversions: Size
    adcs: Size


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LayerFabric:
    """One layer with weights.

    groups_together: groups of a convolution on the diagonal of one crossbar; sections: sets of
        them, each with crossbars and input registers of its own
    samples: that an ADC takes in a bit step
    partial_sum_bits: in which sums over row tiles travel and are added
    held: by macro
    """

    layer: Count
    groups_together: Size
    sections: Size
    samples: Size
    partial_sum_bits: Size
    held: Annotated[tuple[Held, ...], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Travel:
    """What goes from one node to others, once a block of `layer` (of the image: of its pixels).

    kind: image: what is new of it for a block, from the I/O node; send: results to all readers,
        which is one multicast; chain: partial sums to the next macro of a copy; gather: results of
        a macro to the merge macro; result: to the I/O node
    layer: that wrote it; None: the image. readers: layers that it is for
    source, targets: nodes; tree: links, each behind the one that leads to it
    pixels, channels, bits: of a full block; clocks: header, flits and hops of it
    first_clock: of a gather, clocks behind the start of the operation
    """

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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Region:
    """A ring of words in the scratchpad of a macro.

    kind: input: what was sent to `layer`, pixels of the image too, and is not released; output:
        what it wrote and its readers have not read
    first_channels: of an input, the channel at which each provider begins
    """

    macro: Count
    kind: Literal["input", "output"]
    layer: Count
    first_word: Count
    words: Size
    first_channels: tuple[Count, ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fabric:
    """All that a generator needs; see the classes above.

    image_node: where the image enters; results leave there, too
    """

    clock: Clock
    encoding: Encoding
    orders: Orders
    constants: Constants
    image_node: Count
    layers: tuple[LayerFabric, ...]
    travels: tuple[Travel, ...]
    regions: tuple[Region, ...]


ORDERS = Orders(
    maps="row, column, channel",
    rows="kernel row, kernel column, channel",
    concatenated="as in providers",
    links="running ones, then the later layer, the image last",
    adcs="running one, then the earlier layer",
    ports="what arrives, then engines by rising accesses",
)


def encoding_of(accumulator_bits: int, input_sum_bits: int) -> Encoding:
    """Return the encoding with its widths."""
    return Encoding(
        name="offset_flipped_columns_digital_input_sum",
        column_accumulator_bits=accumulator_bits,
        input_sum_bits=input_sum_bits,
        conversion_order="unit, slice, channel",
    )


def plain_fabric(fabric: Fabric) -> dict[str, object]:
    """Return the fabric as plain data for a file."""
    return asdict(fabric)
