"""When parts of a crossbar chip read and write, in clocks: one table, from their data sheets.

What a part reads in a clock was written in an earlier one; what it writes is there in the next.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Clocks of the parts in `hwgen.crossbar.rtl`, each named in front of its sentence.

    image_header: image sender: from the strobe to the header; the flits follow without a gap
    hop: router: from a link to the next one
    arrival: receiver: from the last flit of a word to its first request at the port
    spill: packer: by so much later comes a word that begins within the last chunk of a block
    load_want: loader: from the strobe to the first request
    load_rows, load_sum: loader: from a grant to the rows, and to the sum of their unit, written
    read_want: block reader: from the strobe to the first request
    read_word: block reader: from a grant to its word, kept
    send_header: sender: from the last grant to the header, without a spill
    flit: packets: from the header to the first flit, which reads its word a clock before
    store_want: store: from the strobe to the first request
    sampled: conversions: from the strobe to slot 0, of an ADC of a sample a clock
    accumulated: lane: from a slot to its accumulator, read and written
    added: addition: from the strobe to slot 0 read; summed: from there to its sum, written
    pool_word: pool: from rows to their word, written
    pool_pixels: pool: windows of a block at a time, each with its own lanes
    operand: pool, eltwise: from the strobe to the first elements; reduced: from there to the sum
    chain_header: chain: from the strobe to the header; chain_read: to the first own sums read
    chain_pass: chain: from a flit that comes to the one that leaves; chain_kept: to a sum, written
    activated: requantizer: from the strobe to the first sums read
    activation: requantizer and results: from sums to their word, written
    gather_wait: gather sender: from `first_clock` behind the strobe to the header
    gathered: gatherer: from the last flit of a word to the word, written
    gather_gap: gatherer: clocks that are free behind a packet whose last flit ends in another word
    unit: requantizer: elements of a clock of one activation unit
    images: image sender: images that the buffer holds
    """

    image_header: int = 2
    hop: int = 1
    arrival: int = 2
    spill: int = 1
    load_want: int = 2
    load_rows: int = 2
    load_sum: int = 3
    read_want: int = 1
    read_word: int = 2
    send_header: int = 3
    flit: int = 1
    store_want: int = 1
    sampled: int = 1
    accumulated: int = 1
    added: int = 1
    summed: int = 1
    pool_word: int = 1
    pool_pixels: int = 1
    operand: int = 1
    reduced: int = 1
    chain_header: int = 3
    chain_read: int = 2
    chain_pass: int = 2
    chain_kept: int = 1
    activated: int = 1
    activation: int = 4
    gather_wait: int = 2
    gathered: int = 1
    gather_gap: int = 0
    unit: int = 8
    images: int = 2

    def pool_lanes(
        self, pixels: int, taps: int, shares: Sequence[int], clocks: int, most: int
    ) -> int:
        """Return the channels of a clock of a pooling: the least with which a block is through.

        shares: channels of each map; most: channels of a clock that can be built
        """
        for lanes in range(1, most):
            if pixels * taps * sum(-(-channels // lanes) for channels in shares) <= clocks:
                return lanes
        return most

    def eltwise_lanes(self, elements: int, clocks: int, most: int) -> int:
        """Return the elements of a clock of an addition of maps: the least power of two."""
        lanes = 1
        while lanes < most and -(-elements // lanes) > clocks:
            lanes *= 2
        return lanes

    def slot(self, number: int, adc: Fraction) -> int:
        """Return the clocks from the strobe to a slot of ADCs that take `adc` samples a clock."""
        if adc >= 1:
            return self.sampled + number
        return self.sampled - 1 + -(-(number + 1) * adc.denominator // adc.numerator)


RATES = Rates()
