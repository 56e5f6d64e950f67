"""The clock of a CONV equals a second one that is written unit by unit, cycle for cycle."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.accumulation import and_steps
from hwgen.mram.facts.records import Kind, entry_name, record_fields
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.facts.timing import WATCHDOG_CYCLES
from hwgen.mram.model.conv import CAUSES, conv_cycles, conv_of
from hwgen.mram.model.events import former_reads, record_events
from hwgen.network import INPUT
from tests.golden.drawn import Drawing
from tests.mram.compiler.archs import arch_of
from tests.mram.model.reference import Clocked

ARCH = arch_of("small")
COUNTED = ("and_operations", "and_segments", "bit_counts", "joins", "adds", "shifts", "sums")
MOVED = ("tree_rows", "input_row_writes", "bank_reads")


def drawn(seed: int) -> dict[str, int]:
    """Return a random CONV whose lines begin on rows."""
    rng = random.Random(seed)
    blocks_log = rng.randint(0, 2)
    pixels = ARCH.row_blocks >> blocks_log
    width, height = rng.randint(1, 3) * pixels, rng.randint(1, 6)
    pads, kernel = (rng.randint(0, 2), rng.randint(0, 2)), rng.randint(1, 3)
    strides = rng.randint(1, 3), rng.randint(1, 3)
    out_height = max(0, height + pads[0] - kernel) // strides[0] + 1
    out_width = max(0, width + pads[1] - kernel) // strides[1] + 1
    two_rows = rng.random() < 0.3
    count = out_height * out_width
    positions = 1 if two_rows else rng.randint(1, 3)
    loads = -(-count // positions)
    fields = {field.name: 0 for field in record_fields(ARCH)}
    fields |= {
        "kind": Kind.CONV,
        "in_blocks_log": blocks_log,
        "in_height": height,
        "in_width": width,
        "out_height": out_height,
        "out_width": out_width,
        "stride_y": strides[0],
        "stride_x": strides[1],
        "pad_top": pads[0],
        "pad_left": pads[1],
        "last_column": min(width - 1, (out_width - 1) * strides[1] - pads[1] + 2),
        "kernels": rng.randint(1, 16),
        "octets_log": 2,
        "input_planes": rng.choice([1, 2, 3, 8]),
        "weight_planes": rng.choice([2, 3, 8]),
        "two_rows": int(two_rows),
        "groups": min(rng.choice([1, 2, 4]), loads),
        "positions": positions,
        "last_positions": count - (loads - 1) * positions,
        "loads": loads,
        "join": rng.randrange(4),
        "accumulate": rng.randrange(8),
        "skip": rng.randrange(2),
        "skip_channels": rng.randint(1, 16),
        "answer": rng.randrange(2),
    }
    for row in range(2):
        for segment in range(ARCH.segments):
            fields[entry_name("active", row, segment)] = rng.randrange(2)
    fields["blocks"] = -(-fields["kernels"] // ARCH.block)
    return fields


@pytest.mark.promise(
    "cycles and events of an MRAM record equal those of a second clock that is written unit by unit"
)
@pytest.mark.parametrize("first", range(0, 80, 10))
def test_cycles_and_events_equal_those_of_a_second_clock(first: int) -> None:
    for seed in range(first, first + 10):
        fields = drawn(seed)
        clocked = Clocked(fields, ARCH)
        wanted = clocked.run()
        last, reads, causes = conv_cycles(conv_of(fields, ARCH))
        assert last == wanted, f"seed {seed}"
        assert causes.sum() == last + 1
        assert reads == former_reads(fields, ARCH) == clocked.events["bank_reads"]
        found = Counter(record_events(fields, ARCH))
        assert {name: found[name] for name in COUNTED} == {
            name: clocked.events[name] for name in COUNTED
        }
        skips = fields["skip"] * -(-min(fields["skip_channels"], fields["kernels"]) // ARCH.block)
        clocked.events["bank_reads"] += skips * fields["out_height"] * fields["out_width"]
        assert {name: found[name] for name in MOVED} == {
            name: clocked.events[name] for name in MOVED
        }


def test_the_causes_of_a_record_that_waits_for_ands() -> None:
    fields = drawn(1) | {"groups": 1, "input_planes": 8, "weight_planes": 8, "two_rows": 0}
    conv = conv_of(fields, ARCH)
    _, _, causes = conv_cycles(conv)
    assert dict(zip(CAUSES, causes, strict=True))["and"] == conv.steps * conv.loads


@pytest.mark.promise(
    "latency follows width on an MRAM chip, and does not with the mapping of the seed"
)
def test_written_back_ands_take_three_cycles() -> None:
    fields = drawn(2)
    steps = and_steps(fields, ARCH, write_back=True)
    assert conv_of(fields, ARCH, steps=steps).steps == 3 * conv_of(fields, ARCH).steps


def test_a_record_whose_window_starves_is_noticed() -> None:
    conv = conv_of(drawn(3), ARCH)._replace(last_column=0, in_width=64, out_height=1, pad_left=0)
    last, _, causes = conv_cycles(conv)
    assert last == -1
    assert causes.sum() > WATCHDOG_CYCLES


def test_a_walk_reads_the_rows_of_the_taps_on_the_map() -> None:
    """Taps of two rows of the bank, some of them above and beside the map."""
    arch = replace(ARCH, kernels="any", answer_entries=256, input_rows=16)
    net = Drawing(5, modes=("1.0x",), shape=(4, 4, 24))
    net.linear(net.conv(INPUT, (8,), kernel=(2, 2), padding=(1, 1, 0, 0)), (4,))
    program = compile_network(net.build("linear_1"), arch)
    records = decode_program(program.image, arch, source="test").records
    record = next(each for each in records if each["kind"] == Kind.CONV)
    assert (record["walk"], record["tap_rows"]) == (1, 2)
    _, reads, _ = conv_cycles(conv_of(record, arch))
    # Four outputs a side, two taps each: the first of them all lies beside the map.
    assert reads == former_reads(record, arch) == 2 * 49


def test_an_addition_in_the_array_writes_sum_and_carry_of_each_bit() -> None:
    """Six sub-arrays add eight bits: as many sensings, two writes each, and a cleared carry."""
    found = record_events({"kind": Kind.ADD, "input_planes": 8, "groups": 2, "kernels": 3}, ARCH)
    assert {name: count for name, count in found.items() if count} == {
        "xor_operations": 48,
        "write_backs": 102,
    }
