"""Amaranth data layouts of the payloads between the components of the MRAM chip.

All fields are unsigned unless stated otherwise; lowest field first.
"""

from amaranth.hdl import Value, signed
from amaranth.lib import data

from hwgen.spec.mram.arch import BANKS, Arch
from hwgen.spec.mram.records import HEADER, entry_name, parameter_fields, record_fields
from hwgen.spec.widths import bits_for_index


def record(arch: Arch) -> data.StructLayout:
    """Fields of a record, without the padding above."""
    return data.StructLayout({field.name: field.bits for field in record_fields(arch)})


def header() -> data.StructLayout:
    """Fields of the header of a program, without the padding above."""
    return data.StructLayout({field.name: field.bits for field in HEADER})


def parameters(arch: Arch) -> data.ArrayLayout:
    """Bias (two's complement), multiplier and shift of each lane of a parameter word."""
    fields = {field.name: field.bits for field in parameter_fields(arch)}
    lane = data.StructLayout({**fields, "bias": signed(arch.accumulator_bits)})
    return data.ArrayLayout(lane, arch.block)


def entry(view: "data.View[data.StructLayout]", name: str, row_set: int, segment: int) -> Value:
    """Return `active`, `position` or `block` of a segment in a row set of a record."""
    return Value.cast(view[entry_name(name, row_set, segment)])


def sums(arch: Arch) -> data.ArrayLayout:
    """Accumulators of the sub-arrays of an octet, or of what they become in the DPU."""
    return data.ArrayLayout(signed(arch.accumulator_bits), arch.block)


def bank_write(arch: Arch) -> data.StructLayout:
    """A masked write of a row of an image bank: one bit of `mask` for each element."""
    return data.StructLayout(
        {
            "bank": bits_for_index(BANKS),
            "row": arch.row_index_bits,
            "mask": arch.row_bytes // arch.element_bytes,
            "data": arch.array.columns,
        }
    )


def answer_write(arch: Arch) -> data.StructLayout:
    """`block` elements for the answer buffer, at element `index` * block; one mask bit for each."""
    return data.StructLayout(
        {
            "index": bits_for_index(arch.answer_entries // arch.block),
            "mask": arch.block,
            "data": arch.block * arch.answer_bits,
        }
    )
