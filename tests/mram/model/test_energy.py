"""Energy by event and by part, worked by hand; what enables save; a schedule with write-back."""

from collections import Counter
from dataclasses import replace

import pytest

from hwgen.chip.family import Family
from hwgen.commands.families import families
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts.events import EVENTS, MODEL_EVENTS
from hwgen.mram.model import CycleModel, energy_pj, leakage_pj, parts_pj
from hwgen.mram.model.energy import (
    GATINGS,
    LEAKAGE,
    PARTS,
    WAITING,
    counted,
    default_table,
    leaking_pj,
    waiting_pj,
)
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.nets import residual

PAPER = arch_of("paper")
TINY = arch_of("tiny", answer_entries=64)
NETWORK = residual(1, widths=((4, 3, 2), (8, 5, 2)), size=8)
DRIVE = 2 * 0.068 / 16 * 512
"""Two word lines of the paper chip, in pJ."""


@pytest.mark.promise(
    "energy is that of the counted events and of leakage, with no enables, enables of segments,"
    " of columns"
)
def test_events_cost_what_the_table_says() -> None:
    events = {"and_operations": 3, "and_segments": 9, "input_row_writes": 2, "sums": 10}
    found = energy_pj(events, PAPER)
    assert list(found) == list(events)
    assert found["and_operations"] == 3 * 104
    assert found["and_segments"] == 0
    table = default_table()
    assert found["input_row_writes"] == 2 * 27.4
    assert found["sums"] == 10 * table.logic_of("sums", PAPER) > 0
    assert table.logic_of("and_operations", PAPER) == 0


def test_enables_leave_the_word_lines_and_what_is_sensed() -> None:
    events = {"and_operations": 3, "and_segments": 9, "and_columns": 600}
    cell = (104 - DRIVE) / 512
    segments = energy_pj(events, PAPER, gating="segments")
    assert segments == pytest.approx(
        {"and_operations": 3 * DRIVE, "and_segments": 9 * 72 * cell, "and_columns": 0}
    )
    columns = energy_pj(events, PAPER, gating="columns")
    assert columns == pytest.approx(
        {"and_operations": 3 * DRIVE, "and_segments": 0, "and_columns": 600 * cell}
    )
    whole = {"and_operations": 1, "and_columns": 512}
    assert sum(energy_pj(whole, PAPER, gating="columns").values()) == pytest.approx(104)


def test_every_array_and_bank_leaks_all_the_time() -> None:
    # 68 arrays of 0.495 mW for 1000 cycles of 4 ns.
    slow = replace(PAPER, clock_mhz=250.0)
    assert leaking_pj(1000, slow) == pytest.approx(68 * 0.495 * 4000)
    assert leaking_pj(1000, replace(PAPER, clock_mhz=500.0)) == pytest.approx(68 * 0.495 * 2000)
    tiny = replace(TINY, clock_mhz=1000.0)
    assert leaking_pj(7, tiny) == pytest.approx((8 + 4) * 0.495 * 64 / 512 * 7)


def test_logic_takes_energy_while_it_waits() -> None:
    each = sum(one.of(PAPER) for one in default_table().logic if one.event == "cycles")
    assert waiting_pj(1000, PAPER) == pytest.approx(1000 * each)
    # A slower clock leaks longer, and waits for as many cycles.
    slow = replace(PAPER, clock_mhz=PAPER.clock_mhz / 2)
    assert waiting_pj(1000, slow) == waiting_pj(1000, PAPER)
    assert leakage_pj(1000, slow) == pytest.approx(2 * leaking_pj(1000, PAPER) + 1000 * each)


@pytest.mark.promise(
    "energy is split into AND, write-back, bit count and shift, add, input rows, rest and leakage"
)
def test_every_event_belongs_to_one_part() -> None:
    named = [name for names in PARTS.values() for name in names]
    assert sorted(named) == sorted({**EVENTS, **MODEL_EVENTS})
    assert not {LEAKAGE, WAITING} & set(PARTS)


def test_parts_add_up_to_the_events_of_a_step() -> None:
    prediction = CycleModel(compile_network(NETWORK, TINY), TINY).predict()
    for step in prediction.found:
        events = counted(step)
        assert events["and_columns"] == step.effective
        assert events["read_backs"] == 0
        for gating in GATINGS:
            parts = parts_pj(step, TINY, gating=gating)
            expected = sum(energy_pj(events, TINY, gating=gating).values())
            leaked = leakage_pj(step.cycles, TINY)
            assert sum(parts.values()) == pytest.approx(expected + leaked)
            assert parts[LEAKAGE] + parts[WAITING] == leaked
            assert parts["write_back"] == 0


def test_finer_enables_sense_less() -> None:
    found = CycleModel(compile_network(NETWORK, TINY), TINY).predict(modes=[1]).found
    totals = [
        sum(parts_pj(step, TINY, gating=gating)["and"] for step in found) for gating in GATINGS
    ]
    assert totals[0] > totals[1] > totals[2] > 0


def test_an_and_that_is_written_back_is_read_again() -> None:
    program = compile_network(NETWORK, TINY, mapping="seed")
    plain = CycleModel(program, TINY).predict().found
    back = CycleModel(program, TINY, write_back=True).predict().found
    row = 64 / 512
    for before, after in zip(plain, back, strict=True):
        ands = before.events["and_operations"]
        parts = parts_pj(after, TINY, write_back=True)
        assert parts["write_back"] == pytest.approx(ands * (27.4 + 79.5) * row)
        assert parts["and"] == parts_pj(before, TINY)["and"]
        assert parts[LEAKAGE] >= parts_pj(before, TINY)[LEAKAGE]


@pytest.mark.promise(
    "the four parts of Fig. 6b follow from counted events, whether counts are added in registers"
    " or in rows of the sub-arrays"
)
def test_rows_of_counts_and_sums_count_where_they_belong() -> None:
    """AND and write-back stay; what a count takes is a row a bit, an addition two and a sensing."""
    program = compile_network(NETWORK, TINY, mapping="seed")
    back = CycleModel(program, TINY, write_back=True).predict().found
    rows = CycleModel(program, TINY, in_array=True).predict().found
    write, read, sense = (
        energy_pj({name: 1}, TINY)[name] for name in ("write_backs", "read_backs", "xor_operations")
    )
    for before, after in zip(back, rows, strict=True):
        old, new = parts_pj(before, TINY, write_back=True), parts_pj(after, TINY, in_array=True)
        assert {part: new[part] for part in ("and", "input", "rest")} == {
            part: old[part] for part in ("and", "input", "rest")
        }
        assert new["write_back"] == pytest.approx(old["write_back"])
        ands, xors = after.events["and_operations"], after.events["xor_operations"]
        writes, adder = after.events["write_backs"], ands + 2 * xors
        counts = writes - ands - adder if ands else 0
        sums = counts - ands * TINY.count_rows
        assert new["add"] == pytest.approx(
            xors * sense + (adder * write + sums * read) * bool(ands)
        )
        assert new["count_shift"] == pytest.approx(
            energy_pj({"bit_counts": 1, "joins": 1}, TINY)["bit_counts"]
            * after.events["bit_counts"]
            + energy_pj({"joins": after.events["joins"]}, TINY)["joins"]
            + counts * write
        )
        assert new[LEAKAGE] >= old[LEAKAGE]


def test_another_table_counts_instead() -> None:
    table = default_table()
    dear = replace(table, events={**table.events, "write_backs": table.stt_write})
    assert energy_pj({"write_backs": 2}, PAPER, table=dear) == {"write_backs": 2 * 532}
    leaky = replace(table, leakage=replace(table.leakage, mw=2 * table.leakage.mw))
    assert leaking_pj(9, PAPER, table=leaky) == pytest.approx(2 * leaking_pj(9, PAPER))


def test_the_family_offers_its_energy() -> None:
    energy = families()["mram"].need(Family.energy)
    assert energy.energy_pj({"and_operations": 1}, PAPER) == {"and_operations": 104}
    assert energy.leakage_pj(1, PAPER) > 0


@pytest.mark.promise("rows that are written back are read again, and both cost energy in a run")
@pytest.mark.parametrize("back", [True, False])
def test_the_energy_of_a_run_is_that_of_its_steps(back: bool) -> None:
    arch = arch_of("seed", answer_entries=64, write_back=back)
    found = CycleModel(compile_network(NETWORK, arch), arch).predict().found
    events: Counter[str] = Counter()
    for step in found:
        events.update(step.events)
    cycles = sum(step.cycles for step in found)
    whole = sum(energy_pj(events, arch).values()) + leakage_pj(cycles, arch)
    parts = sum(sum(parts_pj(step, arch).values()) for step in found)
    assert whole == pytest.approx(parts, rel=1e-9)
    reads = sum(counted(step, write_back=back)["read_backs"] for step in found)
    assert (reads > 0) == back
