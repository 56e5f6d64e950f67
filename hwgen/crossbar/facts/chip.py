"""A chip in memory: what the generators of RTL and the cycle model take.

All that differs between two chips is in here, in the records of `hwgen.crossbar.facts.arch_fabric`.
Steps are ticks of `step_clocks` clocks, words are those of a scratchpad, nodes are numbered
`row * columns + column`.
"""

from dataclasses import dataclass
from functools import cached_property

from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.arch_fabric import Held, LayerFabric, Macro, Operation, Region, Travel
from hwgen.crossbar.facts.holdings import Cut, cut_of
from hwgen.crossbar.facts.levels import planes_of
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.ports import shares_between
from hwgen.crossbar.facts.travels import Moving, conflicts_of


@dataclass(frozen=True, kw_only=True)
class ChipLayer:
    """One layer.

    place: of the layer in the network; layer: its shape, `layer.providers`: who it reads
    copies: output pixels of a block, the last block of an image may have fewer; blocks: an image
    first_macro, macros, merge_macro: where it works; partner: the layer that shares its ADCs
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
    partner: int | None
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
class Chip:
    """A whole chip.

    side, cell_bits, dac_bits, adc_bits: of its crossbars and converters
    slices: cells of a weight; bit_steps: of an input
    step_clocks, access_clocks: of a step, of an access to a scratchpad
    word_bits, flit_bits: of a scratchpad, of a link; lanes: elements of a digital unit
    adc_samples, adc_clocks: each ADC takes so many samples in so many clocks, in lowest terms
    rows, columns: of the mesh; io_node: where the image enters and results leave
    interval: steps from one image of a stream to the next
    digest: of its architecture; empty where there is none
    effects: cells hold levels, see `hwgen.crossbar.facts.levels`
    nonlinear_converters: beside them, converters have a table of how far codes are off
    read_noise: beside them, each read of a column has noise
    resets_data: reset reaches the registers of data, too
    checksum: the checksum of a program is judged
    pairs: a column of weights is a pair of columns of cells, whose difference is converted
    step_bits: a code counts 2^step_bits sums
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
    input_sum_bits: int | None
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
    effects: bool = False
    nonlinear_converters: bool = False
    read_noise: bool = False
    resets_data: bool = True
    checksum: bool = True
    pairs: bool = False
    step_bits: int = 0

    @property
    def id_word(self) -> int:
        """What the register `id` reads, and a program must carry."""
        return int(self.digest[:8] or "0", 16)

    @property
    def planes(self) -> int:
        """Bit planes of a cell."""
        return planes_of(self.cell_bits, effects=self.effects)

    @property
    def column_bits(self) -> int:
        """Bits of the cells of a column of weights, of both columns of a pair."""
        return self.side * self.planes * (1 + self.pairs)

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

    def layers_in(self, macro: int) -> tuple[int, ...]:
        """Return the layers that work in a macro."""
        return tuple(
            layer.place for layer in self.layers if any(held.macro == macro for held in layer.held)
        )

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
    def conflicts(self) -> frozenset[tuple[Moving, Moving]]:
        """Pairs of (layer, operation) whose travels share a link; both orders of each pair."""
        return frozenset(conflicts_of(self.travels))


def described(arch: Arch) -> Chip:
    """Return the description of a chip; published rules describe no hardware and are refused."""
    fabric = fabric_of_chip(arch, arch.name)
    network = arch.whole_network
    return Chip(
        name=arch.name,
        digest=arch.digest,
        effects=arch.effects,
        nonlinear_converters=arch.nonlinear_converters,
        read_noise=arch.read_noise,
        resets_data=arch.resets_data,
        checksum=arch.checksum,
        pairs=arch.point.pairs,
        step_bits=arch.point.step_bits,
        side=arch.point.side,
        cell_bits=arch.point.cell_bits,
        dac_bits=arch.point.dac_bits,
        adc_bits=arch.adc_bits,
        weight_bits=arch.weight_bits,
        activation_bits=arch.activation_bits,
        slices=arch.slices,
        bit_steps=arch.bit_steps,
        column_accumulator_bits=fabric.encoding.column_accumulator_bits,
        input_sum_bits=fabric.encoding.input_sum_bits,
        step_clocks=fabric.clock.step_clocks,
        access_clocks=fabric.clock.access_clocks,
        word_bits=arch.scratchpad.bus_bits,
        flit_bits=arch.mesh.flit_bits,
        lanes=arch.vector_lanes,
        adc_samples=fabric.adc_rate.samples,
        adc_clocks=fabric.adc_rate.clocks,
        rows=arch.mesh.rows,
        columns=arch.mesh.columns,
        io_node=fabric.io.node,
        image_channels=network.input_channels,
        image_sides=network.input_sides,
        interval=fabric.stream.interval_steps,
        layers=tuple(layer_of(arch, layer) for layer in fabric.layers),
        macros=fabric.macros,
        regions=fabric.regions,
        travels=fabric.travels,
    )


def layer_of(arch: Arch, own: LayerFabric) -> ChipLayer:
    """Return one layer."""
    given = arch.layers[own.layer]
    layer, place, mapping = given.layer, given.place, given.mapping
    return ChipLayer(
        place=own.layer,
        layer=layer,
        copies=mapping.copies,
        blocks=mapping.blocks,
        first_macro=place.first_macro,
        macros=place.macros,
        merge_macro=place.merge_macro,
        partner=place.partner,
        clocks_per_bit=mapping.clocks_per_bit,
        operations=own.operations,
        output_bits=own.output_bits,
        raw=layer.raw_bits is not None,
        table=own.table,
        operands=own.operands,
        cut=cut_of(layer, arch.point.side, arch.slices, pairs=arch.point.pairs)
        if layer.has_weights
        else None,
        partial_sum_bits=own.partial_sum_bits,
        held=own.held,
    )
