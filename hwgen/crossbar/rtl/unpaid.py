"""Memories that a chip has and no item of its architecture pays for.

Tests: `tests/verif/crossbar/test_emitted.py`.
"""

from collections import Counter

from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.part import Part
from hwgen.crossbar.rtl.addition import Addition
from hwgen.crossbar.rtl.array import Array
from hwgen.crossbar.rtl.block_reader import BlockReader
from hwgen.crossbar.rtl.chain import Chain
from hwgen.crossbar.rtl.chip import Chip
from hwgen.crossbar.rtl.conversions import Lane
from hwgen.crossbar.rtl.operand_engines import Eltwise, EltwiseEngine
from hwgen.crossbar.rtl.pad import PadMemory
from hwgen.crossbar.rtl.pool import Pool
from hwgen.crossbar.rtl.requantizer import Requantizer
from hwgen.crossbar.rtl.results import Results

NAMES: dict[type[Part], str] = {
    Array: "inputs of units, latches of DACs, held samples, sums of inputs",
    Lane: "accumulators of columns, and what lanes know of their columns",
    Addition: "sums over slices and row tiles",
    Chain: "partial sums of the macro before",
    Requantizer: "parameters of channels",
    Results: "results that wait for their ring or link",
    BlockReader: "blocks read back from a ring",
    Pool: "windows and results of poolings",
    Eltwise: "results of additions of maps",
    Chip: "images and answers at the edge of the chip",
    Fifo: "beats at the memory port",
}
"""What the memories that a part places are for."""


def unpaid(chip: Chip) -> dict[str, int]:
    """Return the bits of all memories by what they are for, the largest first.

    Cells are those of the crossbars and words those of the scratchpads, which are paid for.
    Registers that are no memories have no item either: counters, pipelines, constants that are
    loaded.
    """
    found: Counter[str] = Counter()
    count_below(chip, 1, found)
    return dict(found.most_common())


def count_below(owner: Part, times: int, found: Counter[str]) -> None:
    """Count the memories below a part that is placed so many times."""
    for part in owner.parts:
        each = times * uses(owner, part)
        if part.stored_bits and not isinstance(part, PadMemory):
            found[NAMES.get(type(owner), type(owner).__name__)] += each * part.stored_bits
        count_below(part, each, found)


def uses(owner: Part, part: Part) -> int:
    """Return how often a part is placed in another; those that have a memory alone matter."""
    if isinstance(owner, Array) and isinstance(part, Lane):
        return owner.lanes
    # An addition of maps has two operands.
    return 2 if isinstance(owner, EltwiseEngine) and isinstance(part, BlockReader) else 1
