"""Records, registers and events: widths hold the extremes, names are unique."""

from pathlib import Path

import pytest

from hwgen.chip.fields import total_bits
from hwgen.chip.registers import ADDRESS_BITS
from hwgen.mram.facts.arch import BANKS, MOST_BUILT, MOST_ENTRIES, MOST_MODES, Arch, load_arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.records import (
    HEADER,
    HEADER_BITS,
    Kind,
    and_counts,
    decode_record,
    encode_record,
    parameter_bits,
    record_bits,
    record_fields,
)
from hwgen.mram.facts.registers import ERROR_BITS, OFFSETS, REGISTERS, ErrorCode

ARCHS = [load_arch(path) for path in sorted(Path("configs/mram").glob("*.yaml"))]
PAPER = load_arch(Path("configs/mram/paper.yaml"))


@pytest.mark.promise(
    "records, registers and events of the MRAM chip are tables that hold every legal value"
)
@pytest.mark.parametrize("arch", ARCHS, ids=lambda arch: arch.name)
def test_a_record_holds_the_extremes_of_its_chip(arch: Arch) -> None:
    # A layer has a map, which no chip of more sub-arrays makes larger.
    arrays = min(arch.sub_arrays, MOST_BUILT)
    values = {
        "kind": max(Kind),
        "in_bank": BANKS - 1,
        "in_blocks_log": arch.row_blocks.bit_length() - 1,
        "kernels": arrays,
        "channels": arch.row_blocks * arch.block,
        "blocks": min(arch.octets, 31),
        "octets_log": (arrays // arch.block).bit_length() - 1,
        "groups": arch.octets,
        "positions": arch.segments,
        "weight_row_0": arch.array.rows - 1,
        "parameter": arch.parameter_entries - 1,
        "loads": arch.bank_bytes // arch.element_bytes,
        "join": (1 << arch.segments) - 1,
        f"sum_segment_{arch.segments - 1}": arch.segments - 1,
        f"block_1_{arch.segments - 1}": arch.row_blocks - 1,
        f"position_0_{arch.segments - 1}": arch.segments - 1,
        "input_planes": 16,
        "weight_planes": 16,
        "sum_shift": 47,
    }
    word = encode_record(values, arch)
    assert word < 1 << record_bits(arch)
    found = decode_record(word, arch)
    assert {name: found[name] for name in values} == values
    assert not any(found[name] for name in set(found) - set(values))


def test_the_widths_of_the_paper_chip() -> None:
    assert (record_bits(PAPER), parameter_bits(PAPER)) == (605, 432)


def test_fields_of_a_record_are_packed_from_the_lowest_bit() -> None:
    assert encode_record({"kind": Kind.CONV, "last": 1, "in_bank": 2}, PAPER) == 0b10_1_010


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValueError, match="differing: layer"):
        encode_record({"layer": 1}, PAPER)


def test_names_are_unique_and_the_header_fits() -> None:
    names = [field.name for field in record_fields(PAPER)]
    assert len(set(names)) == len(names)
    assert total_bits(HEADER) <= HEADER_BITS
    assert sum(field.name.startswith("first_record") for field in HEADER) == MOST_MODES
    assert MOST_ENTRIES == 1 << 4


def test_registers_stand_without_gaps_below_the_address_limit() -> None:
    assert list(OFFSETS.values()) == [4 * index for index in range(len(REGISTERS))]
    assert max(OFFSETS.values()) < 1 << ADDRESS_BITS
    writable = [row.name for row in REGISTERS if row.access == "read and write while busy"]
    assert writable == ["mode", "interrupt", "interrupt_enable"]
    assert max(ErrorCode) < 1 << ERROR_BITS


def test_events_have_meanings() -> None:
    assert all(EVENTS.values())
    assert {"and_operations", "weight_row_writes", "write_backs"} <= set(EVENTS)


@pytest.mark.promise(
    "so are values, cycles and events of chips with options of the architecture, whatever the"
    " memory's pace"
)
@pytest.mark.parametrize(
    ("weights", "inputs", "pairs"), [(8, 8, 40), (1, 1, 1), (2, 3, 6), (3, 2, 5)]
)
def test_twins_leave_out_what_they_compute(weights: int, inputs: int, pairs: int) -> None:
    """By hand: of each power of two every second weight plane, then the highest one."""
    fields = {"weight_planes": weights, "input_planes": inputs, "two_rows": 1}
    assert and_counts(fields) == [weights * inputs, weights * inputs]
    assert and_counts({**fields, "twins": 1}) == [weights * inputs, pairs]
    assert and_counts({**fields, "two_rows": 0}) == [weights * inputs]
