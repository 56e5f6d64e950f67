"""What a chip stores, and how much of each: for data sheets and for comparisons with a paper."""

from dataclasses import dataclass

from hwgen.mram.facts.arch import BANKS, Arch
from hwgen.mram.facts.stream import section_beats
from hwgen.mram.facts.timing import READ_FIFO_BEATS

NOTE = (
    "The paper's 512 Mb are 4,096 sub-arrays of 256 x 512 cells: `seed` has them all, for the cycle"
    " model alone. `paper` and its variants have 64 of the 4,096."
)
"""Which part of the paper's memory a chip has, for the data sheet."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bits of one kind in the whole chip.

    cells: of SOT-MRAM; words: of a memory beside them that is read by words; else flip-flops
    """

    name: str
    bits: int
    meaning: str
    cells: bool = False
    words: bool = False


def storage(arch: Arch) -> list[Memory]:
    """Return every memory of a chip; registers of pipelines are not counted.

    Words of records and parameters are whole beats, as they come.
    """
    size = section_beats(arch)
    columns = arch.array.columns
    packet = arch.input_columns * arch.element_bits
    sums = arch.sub_arrays * arch.segments * arch.accumulator_bits
    weights = arch.sub_arrays * arch.weight_rows * columns
    inputs = arch.sub_arrays * arch.input_rows * columns
    answers = arch.answer_entries * arch.answer_bits
    found = [
        ("weight rows", weights, "of the computing sub-arrays"),
        *([("weak cells", weights, "which cells of weights are")] if arch.weak_sensing else ()),
        ("input rows", inputs, "of the computing sub-arrays"),
        ("image banks", BANKS * arch.bank_rows * columns, "sub-arrays as plain memory"),
        ("accumulators", sums, "one for each segment of a sub-array"),
        ("records", arch.record_entries * size.record * arch.port_bits, "of all modes"),
        (
            "parameters",
            arch.parameter_entries * size.parameter * arch.port_bits,
            "of all layers and modes",
        ),
        ("packets", 2 * packet, "inputs of a load: gathered, and sent"),
        ("answers", answers, "of one image"),
        ("memory beats", READ_FIFO_BEATS * arch.port_bits, "read ahead"),
    ]
    mram = {"weight rows", "input rows", "image banks"}
    words = {"records", "parameters", "answers", "memory beats"}
    return [
        Memory(name=name, bits=bits, meaning=meaning, cells=name in mram, words=name in words)
        for name, bits, meaning in found
    ]
