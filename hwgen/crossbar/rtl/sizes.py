"""Sizes of the arithmetic of one layer in one macro, and the widths that follow from them.

Tests: `tests/verif/crossbar/test_array.py`.
"""

from dataclasses import dataclass
from fractions import Fraction

from amaranth.hdl import signed
from amaranth.lib import data

from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.buildable import check_rate
from hwgen.crossbar.facts.columns import (
    column_accumulator_bits,
    column_sum_most,
    input_sum_bits,
)
from hwgen.crossbar.facts.levels import LESS_BITS, OFFSET_BITS, TRIM_BITS, planes_of


@dataclass(frozen=True, kw_only=True)
class ArraySizes:
    """What the array of a layer in a macro is built from; see docs/crossbar-rules.md for symbols.

    side, cell_bits, dac_bits, adc_bits: X, q, d and the bits of an ADC
    weight_bits, input_bits: w, a
    units: sets of input registers
    columns: converted in a bit step
    adcs: of this layer in this macro
    rate: samples of an ADC in a clock: a whole number, or less than one
    targets: sums, copies x output channels
    sum_bits: of a partial sum
    part_bits: of the cells of a column that are written at a time
    row_elements: inputs that are written at a time
    effects: cells hold levels, see `hwgen.crossbar.facts.levels`
    step_bits: a code counts 2^step_bits sums
    noisy_reads: of an image, bit steps of its blocks, with noise; 0: reads have none
    pairs: a column is a pair of columns of cells, whose difference is converted
    """

    side: int
    cell_bits: int
    dac_bits: int
    adc_bits: int
    weight_bits: int
    input_bits: int
    units: int
    columns: int
    adcs: int
    rate: Fraction
    targets: int
    sum_bits: int
    part_bits: int
    row_elements: int
    effects: bool = False
    step_bits: int = 0
    noisy_reads: int = 0
    pairs: bool = False

    def __post_init__(self) -> None:
        check_rate(self.rate, "sizes of an array")

    @property
    def slices(self) -> int:
        """S, cells of a weight."""
        return -(-self.weight_bits // self.cell_bits)

    @property
    def bit_steps(self) -> int:
        """B, bit steps of an input."""
        return -(-self.input_bits // self.dac_bits)

    @property
    def lanes(self) -> int:
        """Columns that are converted in a clock; an ADC of rate r has r lanes."""
        return self.adcs * max(1, int(self.rate))

    @property
    def slots(self) -> int:
        """Columns of a lane."""
        return -(-self.columns // self.lanes)

    @property
    def planes(self) -> int:
        """Bit planes of a cell."""
        return planes_of(self.cell_bits, effects=self.effects)

    @property
    def column_parts(self) -> int:
        """Writes that fill the cells of a column; what is beyond them has parts of its own."""
        return -(-self.side * self.planes * (1 + self.pairs) // self.part_bits)

    @property
    def all_parts(self) -> int:
        """Writes that fill a column: its cells, its noise if reads have any, its converter."""
        return self.column_parts + bool(self.noisy_reads) + self.effects

    @property
    def analog_bits(self) -> int:
        """Bits that hold the sum of a column of any cells."""
        return analog_bits(
            side=self.side,
            cell_bits=self.cell_bits,
            dac_bits=self.dac_bits,
            adc_bits=self.adc_bits,
            effects=self.effects,
            pairs=self.pairs,
        )

    @property
    def most_sum(self) -> int:
        """The greatest sum that the encoding of weights leaves in a column."""
        return column_sum_most(self.side, self.cell_bits, self.dac_bits)

    @property
    def accumulator_bits(self) -> int:
        """Bits of the accumulator of a column, modulo their range; with effects it has a sign."""
        sizes = self.side, self.cell_bits, self.input_bits
        bits = column_accumulator_bits(*sizes, pairs=self.pairs)
        return bits + 2 * self.effects

    @property
    def input_sum_bits(self) -> int:
        """Bits of the sum of the inputs of a unit."""
        return input_sum_bits(self.side, self.input_bits)

    @property
    def offset_shift(self) -> int:
        """Places by which the sum of inputs is shifted before the top slice subtracts it.

        The offset of weights, 2^(w - 1), in units of the top slice, 2^((S - 1) * q).
        """
        return self.weight_bits - 1 - (self.slices - 1) * self.cell_bits

    @property
    def loaded(self) -> data.StructLayout:
        """What is loaded of a column with its cells.

        unit: whose inputs it multiplies; target: its sum, copy x channels + channel
        cell_slice: k, its weight is 2^(k * q); flip: the column is flipped, no pair is
        first: no earlier column has its target
        less: with effects; bits that its converter has less
        """
        return data.StructLayout(
            {
                **({} if self.pairs else {"flip": 1}),
                "first": 1,
                "cell_slice": bits_for_index(self.slices),
                "unit": bits_for_index(self.units),
                "target": bits_for_index(self.targets),
                **({"less": LESS_BITS} if self.effects else {}),
            }
        )

    @property
    def column(self) -> data.StructLayout:
        """What a lane knows of a column.

        trim: with effects, behind what is loaded; whole codes that its converter is off
        """
        kept = {name: shape for name, shape in self.loaded.members.items() if self.keeps(name)}
        trim = {"trim": signed(TRIM_BITS)} if self.effects else {}
        return data.StructLayout({**kept, **trim})

    def keeps(self, field: str) -> bool:
        """Return whether a lane keeps a field of what is loaded; it takes off no sum of a pair."""
        return not (self.pairs and field == "unit")

    @property
    def name(self) -> str:
        """Sizes that differ between the arrays of one chip, for names of modules."""
        noise = f"n{self.noisy_reads}" if self.noisy_reads else ""
        return f"{self.units}u{self.columns}x{self.lanes}t{self.targets}s{self.sum_bits}{noise}"


def analog_bits(
    *,
    side: int,
    cell_bits: int,
    dac_bits: int,
    adc_bits: int,
    effects: bool = False,
    pairs: bool = False,
) -> int:
    """Return the bits that hold the sum of a column of any cells, and more than a code.

    With effects it is signed: sums of levels with the offset of a converter and its trim. The
    difference of a pair is signed, too.
    """
    if effects:
        levels = (1 << planes_of(cell_bits, effects=True)) - 1
        return (side * levels * ((1 << dac_bits) - 1) + (2 << OFFSET_BITS)).bit_length() + 1
    full = side * ((1 << cell_bits) - 1) * ((1 << dac_bits) - 1)
    return max(full.bit_length() + pairs, adc_bits + 1)
