"""What a chip stores, and how much of each: for data sheets and for comparisons with a paper."""

from dataclasses import dataclass

from hwgen.mram.facts.arch import BANKS, Arch
from hwgen.mram.facts.records import parameter_bits, record_bits
from hwgen.mram.facts.timing import READ_FIFO_BEATS


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bits of one kind in the whole chip; `cells` are those of SOT-MRAM, not memory beside them."""

    name: str
    bits: int
    meaning: str
    cells: bool = False


def storage(arch: Arch) -> list[Memory]:
    """Return every memory of a chip; registers of pipelines are not counted."""
    columns = arch.array.columns
    packet = arch.input_columns * arch.element_bits
    sums = arch.sub_arrays * arch.segments * arch.accumulator_bits
    weights = arch.sub_arrays * arch.weight_rows * columns
    inputs = arch.sub_arrays * arch.input_rows * columns
    answers = arch.answer_entries * arch.answer_bits
    found = [
        ("weight rows", weights, "of the computing sub-arrays"),
        ("input rows", inputs, "of the computing sub-arrays"),
        ("image banks", BANKS * arch.array.rows * columns, "sub-arrays as plain memory"),
        ("accumulators", sums, "one for each segment of a sub-array"),
        ("records", arch.record_entries * record_bits(arch), "of all modes"),
        ("parameters", arch.parameter_entries * parameter_bits(arch), "of all layers and modes"),
        ("packets", 2 * packet, "inputs of a load: gathered, and sent"),
        ("answers", answers, "of one image"),
        ("memory beats", READ_FIFO_BEATS * arch.port_bits, "read ahead"),
    ]
    mram = {"weight rows", "input rows", "image banks"}
    return [
        Memory(name=name, bits=bits, meaning=meaning, cells=name in mram)
        for name, bits, meaning in found
    ]
