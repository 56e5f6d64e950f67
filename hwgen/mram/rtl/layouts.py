"""Amaranth data layouts of the payloads between the components of the MRAM chip.

All fields are unsigned unless stated otherwise; lowest field first.

Tests: `tests/verif/mram/test_array_side.py`.
"""

from collections.abc import Mapping

from amaranth.hdl import Value, signed
from amaranth.lib import data

from hwgen.chip.rtl.coded import Coded
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import BANKS, MOST_MODES, Arch
from hwgen.mram.facts.records import HEADER, Kind, entry_name, parameter_fields, record_fields
from hwgen.network.quantization import ROUNDING_CODES

ROUNDINGS: Mapping[str, int] = {str(name): code for name, code in ROUNDING_CODES.items()}
CODES: dict[str, Mapping[str, int]] = {
    "kind": Kind.__members__,
    **dict.fromkeys(("rounding", "sum_rounding"), ROUNDINGS),
}
"""Of the fields of records that hold a code, its values."""


def record(arch: Arch) -> data.StructLayout:
    """Fields of a record, without the padding above."""
    return data.StructLayout(
        {
            field.name: Coded(CODES[field.name], field.bits) if field.name in CODES else field.bits
            for field in record_fields(arch)
        }
    )


def header() -> data.StructLayout:
    """Fields of the header of a program, without its checksum and the padding above."""
    return data.StructLayout({field.name: field.bits for field in HEADER[:-1]})


def parameters(arch: Arch) -> data.ArrayLayout:
    """Bias (two's complement), multiplier and shift of each lane of a parameter word."""
    fields = {field.name: field.bits for field in parameter_fields(arch)}
    lane = data.StructLayout({**fields, "bias": signed(arch.accumulator_bits)})
    return data.ArrayLayout(lane, arch.block)


def entry(view: "data.View[data.StructLayout]", name: str, row_set: int, segment: int) -> Value:
    """Return `active`, `position` or `block` of a segment in a row set of a record."""
    return Value.cast(view[entry_name(name, row_set, segment)])


def two_loads(record: "data.View[data.StructLayout]", arch: Arch) -> Value:
    """Return whether the input rows have room for two loads."""
    return (record.input_planes << record.two_rows) <= arch.input_rows // 2


def sums(arch: Arch) -> data.ArrayLayout:
    """Accumulators of the sub-arrays of an octet, or of what they become in the DPU."""
    return data.ArrayLayout(signed(arch.accumulator_bits), arch.block)


def bank_write(arch: Arch) -> data.StructLayout:
    """A masked write of a row of an image bank: one bit of `mask` for each element."""
    return data.StructLayout(
        {
            "bank": bits_for_index(BANKS),
            "row": arch.bank_row_bits,
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


def sum_issue(arch: Arch) -> data.StructLayout:
    """A sum that the ring issues.

    octet, segment: whose accumulators the output tree takes, `DRAIN_CYCLES` later
    block: of the output pixel, counted from 0; last_block: the next sum is of the next position
    """
    return data.StructLayout(
        {
            "octet": bits_for_index(arch.octets),
            "segment": bits_for_index(arch.segments),
            "block": bits_for_index(arch.result_blocks),
            "last_block": 1,
        }
    )


def array_row(arch: Arch) -> data.StructLayout:
    """A weight row for one sub-array of the chip; weak: it says which of the cells are weak."""
    return data.StructLayout(
        {
            "sub_array": bits_for_index(arch.sub_arrays),
            "row": arch.row_index_bits,
            "data": arch.array.columns,
            **({"weak": 1} if arch.weak_sensing else {}),
        }
    )


def octet_trace(arch: Arch) -> data.StructLayout:
    """What an octet does in this cycle: numbers of its sub-arrays.

    row_set: of the AND; double: the accumulators double in this AND
    """
    count = bits_for_index(arch.block + 1)
    return data.StructLayout(
        {
            "ands": count,
            "row_set": 1,
            "double": 1,
            "input_writes": count,
            "weight_writes": count,
            "refused": count,
            "xors": count,
            "write_backs": count,
        }
    )


def chip_trace(arch: Arch) -> data.StructLayout:
    """What the chip shows to benches and to the host of the simulation in each cycle.

    image_begin: control takes the mode of an image; retire: a record is over
    active_mode, record: of the image and record that run
    active_0, active_1, join, accumulate: masks of the record, segment 0 lowest
    plane: a plane enters the input tree; sum_lanes, result_lanes: lanes with a kernel, of the sum
        issued and of the DPU's result written in this cycle
    reader_read, pool_read, skip_read: a row of a bank is read
    """
    lanes = bits_for_index(arch.block + 1)
    return data.StructLayout(
        {
            "running": 1,
            "image_begin": 1,
            "retire": 1,
            "active_mode": bits_for_index(MOST_MODES),
            "record": bits_for_index(arch.record_entries),
            "active_0": arch.segments,
            "active_1": arch.segments,
            "join": arch.segments,
            "accumulate": arch.segments,
            "plane": 1,
            "sum_lanes": lanes,
            "result_lanes": lanes,
            "reader_read": 1,
            "pool_read": 1,
            "skip_read": 1,
            "bank_valid": 1,
            "bank": bank_write(arch),
            "answer_valid": 1,
            "answer": answer_write(arch),
            "octets": data.ArrayLayout(octet_trace(arch), arch.octets),
        }
    )
