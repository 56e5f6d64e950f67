"""Proofs of parts of crossbar chips."""

from dataclasses import replace
from fractions import Fraction

from hwgen.chip.widths import bits_for_index
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.image_io import answer_stride
from hwgen.crossbar.facts.routes import numbers
from hwgen.crossbar.rtl.conversions import Adc, Lane
from hwgen.crossbar.rtl.links import Router
from hwgen.crossbar.rtl.result_collector import ResultCollector
from hwgen.crossbar.rtl.sizes import ArraySizes
from verif.crossbar.small_parts import case, collected
from verif.formal.proof import COMBINATIONAL, Fault, Memory, Proof, induction

SIZES = ArraySizes(
    side=4,
    cell_bits=2,
    dac_bits=1,
    adc_bits=3,
    weight_bits=6,
    input_bits=3,
    units=2,
    columns=6,
    adcs=2,
    rate=Fraction(1),
    targets=3,
    sum_bits=14,
    part_bits=8,
    row_elements=4,
)
"""Of a lane: three slices, three bit steps, three columns."""


def adc() -> Proof:
    """Codes are the sums, above the range the last code, which is told."""
    return Proof(
        part=lambda: Adc(bits=3, analog_bits=5, samples=2),
        properties="adc.v",
        size="2 sums of 5 bits, codes of 3",
        method=COMBINATIONAL,
        fault=Fault(module="crossbar_adc", old="sums[4:0] > 5'h7", new="sums[4:0] > 5'h8"),
        sizes={"SAMPLES": 2, "SUM": 5, "CODE": 3},
    )


def lane() -> Proof:
    """The accumulator of any column and half holds the formula of the data sheet; so do additions.

    Three slices of two bits, three bit steps, three columns. By induction.
    """
    slot = bits_for_index(SIZES.slots)
    column = SIZES.column.size
    return Proof(
        part=lambda: Lane(sizes=SIZES),
        properties="lane.v",
        size="3 slices, 3 bit steps, 3 columns",
        method=induction(2),
        fault=Fault(
            module=Lane(sizes=SIZES).module_name,
            old="converted[FLIP] ? (before_",
            new="!converted[FLIP] ? (before_",
            cycles=6,
        ),
        sizes={
            "SLOT": slot,
            "COLUMN": column,
            "SHIFT": bits_for_index(SIZES.bit_steps * SIZES.dac_bits),
            "CODE": SIZES.adc_bits,
            "INPUT_SUM": SIZES.input_sum_bits,
            "UNIT": bits_for_index(SIZES.units),
            "TARGET": bits_for_index(SIZES.targets),
            "VALUE": SIZES.sum_bits,
            "SLICE": bits_for_index(SIZES.slices),
            "SLICES": SIZES.slices,
            "ACCUMULATOR": SIZES.accumulator_bits,
            "CELL": SIZES.cell_bits,
            "OFFSET": SIZES.offset_shift,
        },
        memories=(
            Memory(name="sums", path="sums.content", depth=2 << slot, width=SIZES.accumulator_bits),
            Memory(name="columns", path="columns.content", depth=1 << slot, width=column),
        ),
    )


def router_chip() -> Chip:
    """Return a chip whose headers have three numbers, with narrow flits."""
    chip = case()
    return replace(chip, flit_bits=12, travels=chip.travels[:2], macros=chip.macros[:1])


def router() -> Proof:
    """No flit is lost, doubled, changed or sent elsewhere, unless a clash is told.

    Six ports, three numbers, any table. By induction.
    """
    return Proof(
        part=lambda: Router(chip=router_chip()),
        properties="router.v",
        size="3 numbers, 12 bits of data",
        method=induction(2),
        fault=Fault(module="crossbar_router", old="way0[0]", new="way0[1]", cycles=4),
        sizes={"NUMBERS": numbers(router_chip()), "BITS": 12},
    )


def result_collector() -> Proof:
    """Every image of every result is stored once, in order, at its place, whatever ends first.

    None waits for more than six others. Results of 1, 7 and 32 beats. By induction. An image
    begins only with room: when the one before the last is stored, of every result.
    """
    return Proof(
        part=lambda: ResultCollector(chip=collected()),
        properties="result_collector.v",
        size="3 results",
        method=induction(2),
        fault=Fault(
            module="crossbar_result_collector",
            old="at1 <= at1 +",
            new="at1 <= at0 +",
            cycles=9,
        ),
        sizes={"STRIDE": answer_stride(collected())},
        # No flit without room: the conductor sees to that.
        assertions=False,
    )


CROSSBAR = [adc, lane, router, result_collector]
