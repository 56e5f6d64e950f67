"""Chips of one macro and one layer: description, weights, and what is loaded into the macro."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from golden.crossbar.encoding import Ints, encode
from golden.ops.conv import conv
from golden.ops.requantize import requantize
from hwgen.crossbar.facts.chip_facts import (
    ChipFacts,
    ChipLayer,
    Held,
    Macro,
    Operation,
    Region,
    Travel,
)
from hwgen.crossbar.facts.columns import columns_of
from hwgen.crossbar.facts.encoding import (
    column_accumulator_bits,
    input_sum_bits,
    partial_sum_bits,
)
from hwgen.crossbar.facts.holdings import Holding, cut_of
from hwgen.crossbar.facts.loads import (
    CHANNEL_FIELDS,
    COLUMN_FIELDS,
    LIMITS_FIELDS,
    entry,
    load_targets,
)
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.point import Point

BIT_STEP = ("mvm", "adc", "shift_add")
"""Operations of each bit step."""
IMAGE, RESULT = 0, 1
"""Numbers of the travels."""


@dataclass(frozen=True, kw_only=True)
class MacroCase:
    """A convolution, or a fully connected layer, whose image comes over the link.

    side, cell_bits, dac_bits: of the crossbars; word_bits: of the scratchpad
    copies: pixels of a block; adcs: of the macro
    """

    layer: CrossbarLayer
    side: int = 16
    cell_bits: int = 2
    dac_bits: int = 2
    weight_bits: int = 8
    bits: int = 8
    word_bits: int = 128
    copies: int = 2
    adcs: int = 4
    samples: tuple[int, int] = (1, 1)
    access_clocks: int = 1
    raw: bool = False

    @cached_property
    def blocks(self) -> int:
        return -(-self.layer.pixels // self.copies)

    @cached_property
    def slices(self) -> int:
        return -(-self.weight_bits // self.cell_bits)

    @cached_property
    def holding(self) -> Holding:
        tiles = range(self.cut.row_tiles)
        return Holding(macro=0, copies=range(self.copies), row_tiles=tiles)

    @cached_property
    def cut(self):  # type: ignore[no-untyped-def]
        return cut_of(self.layer, self.side, self.slices)

    @cached_property
    def chip(self) -> ChipFacts:
        """The description of the chip."""
        point = Point(
            rram_ratio=None, cell_bits=self.cell_bits, side=self.side, dac_bits=self.dac_bits
        )
        ring = self.ring_words(self.layer.in_channels * self.image_pixels)
        out = self.ring_words(self.copies * self.layer.out_channels * self.output_elements)
        steps = -(-self.bits // self.dac_bits)
        sums = partial_sum_bits(self.cut.group_rows, self.weight_bits, self.bits)
        columns = len(columns_of(self.cut, self.holding))
        names = ["transfer", "load", "mvm", "adc", "shift_add", "addition", "activation"]
        names += ["store", "result"]
        held = Held(
            macro=0,
            copies=(0, self.copies),
            row_tiles=(0, self.cut.row_tiles),
            results=self.copies,
            units=self.holding.tiles * self.cut.sections,
            crossbars=self.holding.tiles * self.cut.sections * self.cut.column_tiles * self.slices,
            conversions=columns,
            adcs=self.adcs,
            slots=0,
            shift_add=1,
            addition=1,
            activation=1,
            pool=0,
            eltwise=0,
        )
        layer = ChipLayer(
            place=0,
            layer=self.layer,
            copies=self.copies,
            blocks=self.blocks,
            first_macro=0,
            macros=1,
            merge_macro=0,
            mate=None,
            clocks_per_bit=1,
            operations=tuple(
                Operation(name=n, steps=1, bit_steps=steps if n in BIT_STEP else 1, period=1)
                for n in names
            ),
            output_bits=32 if self.raw else self.bits,
            raw=self.raw,
            table=False,
            operands=(),
            cut=self.cut,
            partial_sum_bits=sums,
            held=(held,),
        )
        region = {"macro": 0, "layer": 0, "first_channel": 0}
        regions = (
            Region(
                kind="input",
                provider=None,
                pixel_channels=self.layer.in_channels,
                bits=self.bits,
                first_word=0,
                words=ring,
                **region,
            ),
            Region(
                kind="output",
                provider=0,
                pixel_channels=self.layer.out_channels,
                bits=layer.output_bits,
                first_word=ring,
                words=out,
                **region,
            ),
        )
        travels = tuple(
            Travel(
                id=number,
                kind=kind,
                layer=of,
                readers=readers,
                source=0,
                targets=(0,),
                tree=(),
                pixels=1,
                channels=1,
                bits=self.bits,
                first_clock=0,
            )
            for number, kind, of, readers in (
                (IMAGE, "image", None, (0,)),
                (RESULT, "result", 0, ()),
            )
        )
        return ChipFacts(
            name="case",
            side=self.side,
            cell_bits=self.cell_bits,
            dac_bits=self.dac_bits,
            adc_bits=point.adc_bits,
            weight_bits=self.weight_bits,
            activation_bits=self.bits,
            slices=self.slices,
            bit_steps=steps,
            column_accumulator_bits=column_accumulator_bits(self.side, self.cell_bits, self.bits),
            input_sum_bits=input_sum_bits(self.side, self.bits),
            step_clocks=100,
            access_clocks=self.access_clocks,
            word_bits=self.word_bits,
            flit_bits=64,
            lanes=32,
            adc_samples=self.samples[0],
            adc_clocks=self.samples[1],
            rows=1,
            columns=1,
            io_node=0,
            image_channels=self.layer.in_channels,
            image_sides=self.layer.in_sides,
            interval=1,
            layers=(layer,),
            macros=(
                Macro(
                    macro=0,
                    node=0,
                    words=ring + out,
                    layers=(0,),
                    adcs=self.adcs,
                    shift_add=1,
                    addition=1,
                    relu=1,
                    sigmoid=0,
                    pool=0,
                    eltwise=0,
                ),
            ),
            regions=regions,
            travels=travels,
        )

    @property
    def output_elements(self) -> int:
        """Elements of the scratchpad that one of the output map takes."""
        return 32 // self.bits if self.raw else 1

    @property
    def image_pixels(self) -> int:
        """Pixels of the image; a fully connected layer reads one."""
        return 1 if self.layer.kind == "fc" else self.layer.in_sides[0] * self.layer.in_sides[1]

    def ring_words(self, elements: int) -> int:
        """Return words that hold so many elements, and one more that is shared."""
        return -(-elements * self.bits // self.word_bits) + 1


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a layer computes with: weights (out, kernel rows, columns, in / groups) and the rest."""

    weights: Ints
    bias: Ints
    multiplier: Ints
    shift: Ints
    input_zero: int
    zero_point: int
    low: int
    high: int


def draw(case: MacroCase, rng: np.random.Generator) -> Loaded:
    """Return random parameters; sums fill the range of the elements."""
    layer, top = case.layer, (1 << case.bits) - 1
    half = 1 << (case.weight_bits - 1)
    rows = (*layer.kernels, layer.in_channels // layer.groups)
    low = int(rng.integers(0, top // 4 + 1))
    spread = (half * top // 4) * int(np.sqrt(np.prod(rows)))
    shift = max(16, min(47, spread.bit_length() + 16 - case.bits))
    return Loaded(
        weights=rng.integers(-half, half, (layer.out_channels, *rows)),
        bias=rng.integers(-spread // 2, spread // 2, layer.out_channels),
        multiplier=rng.integers(1 << 15, 1 << 16, layer.out_channels),
        shift=rng.integers(shift - 1, shift + 2, layer.out_channels),
        input_zero=int(rng.integers(0, top + 1)),
        zero_point=int(rng.integers(low, top + 1)),
        low=low,
        high=int(rng.integers(max(low, top // 2), top + 1)),
    )


def answers(case: MacroCase, loaded: Loaded, images: Ints) -> list[int]:
    """Return the elements of the output maps of all images, in their order."""
    layer = case.layer
    ends = layer.end_paddings
    sums = conv(
        images,
        loaded.weights,
        loaded.bias,
        stride=layer.strides,
        padding=(*layer.paddings, *ends),
        groups=layer.groups,
        zero_point=loaded.input_zero,
    )
    if case.raw:
        return [int(one) % (1 << 32) for one in sums.reshape(-1)]
    found = requantize(
        sums,
        multiplier=loaded.multiplier,
        shift=loaded.shift,
        zero_point=loaded.zero_point,
        low=loaded.low,
        high=loaded.high,
        dtype=np.uint16,
    )
    return [int(one) for one in found.reshape(-1)]


def packets(case: MacroCase, loaded: Loaded) -> Iterator[tuple[int, int, int, list[int]]]:
    """Yield target, index, flits and the flits of each entry that is loaded."""
    width = case.chip.flit_bits
    mask = (1 << width) - 1
    for target in load_targets(case.chip, 0):
        for index in range(target.entries):
            word = {"column": column_entry, "channel": channel_entry, "limits": limits_entry}[
                target.kind
            ](case, loaded, index)
            flits = [word >> (k * width) & mask for k in range(target.flits)]
            yield target.number, index, target.flits, flits


def column_entry(case: MacroCase, loaded: Loaded, index: int) -> int:
    """Return what is loaded of a column."""
    column = columns_of(case.cut, case.holding)[index]
    cut = case.cut
    tile = section_weights(case, loaded, column.section)
    tile = tile[column.row_tile * case.side : (column.row_tile + 1) * case.side]
    stored = encode(tile, weight_bits=case.weight_bits, cell_bits=case.cell_bits)
    place = column.channel - cut.first_channel(column.section)
    lanes = case.adcs * max(1, case.samples[0])
    head = {
        "flip": int(stored.flips[column.cell_slice, place]),
        "first": int(column.first),
        "cell_slice": column.cell_slice,
        "unit": column.unit,
        "target": column.target,
        "lane": index % lanes,
        "slot": index // lanes,
    }
    cells = 0
    for row, cell in enumerate(stored.cells[column.cell_slice, :, place].tolist()):
        for plane in range(case.cell_bits):
            cells |= (cell >> plane & 1) << (plane * case.side + row)
    return entry(COLUMN_FIELDS, head) | cells << case.chip.flit_bits


def section_weights(case: MacroCase, loaded: Loaded, section: int) -> Ints:
    """Return the weights (rows, columns) of a section, groups on the diagonal."""
    cut = case.cut
    together, first = cut.groups_of(section), section * cut.groups_together
    inputs = loaded.weights.shape[3]
    taps = loaded.weights.shape[1] * loaded.weights.shape[2]
    dense = np.zeros((taps, together, inputs, together, cut.group_columns), np.int64)
    for group in range(together):
        own = loaded.weights[(first + group) * cut.group_columns :][: cut.group_columns]
        dense[:, group, :, group, :] = own.reshape(cut.group_columns, taps, inputs).transpose(
            1, 2, 0
        )
    return dense.reshape(taps * together * inputs, together * cut.group_columns)


def channel_entry(case: MacroCase, loaded: Loaded, index: int) -> int:
    """Return what is loaded of an output channel."""
    return entry(
        CHANNEL_FIELDS,
        {
            "bias": int(loaded.bias[index]),
            "multiplier": int(loaded.multiplier[index]),
            "shift": int(loaded.shift[index]),
        },
    )


def limits_entry(case: MacroCase, loaded: Loaded, index: int) -> int:
    """Return what is loaded of the layer."""
    names = ("input_zero", "zero_point", "low", "high")
    return entry(LIMITS_FIELDS, {name: getattr(loaded, name) for name in names})
