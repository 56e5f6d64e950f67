"""Energy of counted events on the MRAM chip, from a table with sources.

The chip senses whole rows. A sub-array whose sense amplifiers have enables for each segment, or
each column, would sense less: `gating` says which one counts.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal

from hwgen.chip.accesses import Access
from hwgen.mram.facts.accumulation import ADDER_WRITES_PER_BIT
from hwgen.mram.facts.arch import BANKS, Arch
from hwgen.mram.facts.energy import CYCLES, DERIVED, OF_LOGIC, TABLE, EnergyTable, load_energy
from hwgen.mram.facts.image import answer_bytes
from hwgen.mram.facts.program import Program
from hwgen.mram.model.prediction import StepCycles

Gating = Literal["none", "segments", "columns"]
"""Enables of the sense amplifiers of a sub-array: none, as in the Verilog, or one each."""
GATINGS: tuple[Gating, ...] = ("none", "segments", "columns")

AND_ROWS = 2
"""Word lines of an AND."""

PARTS: dict[str, tuple[str, ...]] = {
    "and": ("and_operations", "and_segments", "and_columns"),
    "write_back": ("write_backs", "read_backs"),
    "count_shift": ("bit_counts", "joins", "shifts"),
    "add": ("adds", "xor_operations"),
    "input": ("input_row_writes", "tree_rows"),
    "rest": ("weight_row_writes", "sums", "bank_reads", "bank_writes", "dpu_results"),
}
"""Events of each part of the energy; what time takes are two more parts."""
COUNTED = "arrays, logic and leakage of the chip; no wires between blocks, no clock tree"
"""What the energy of an image is of."""
LEAKAGE = "leakage"
WAITING = "waiting"
"""What logic takes in each cycle."""


@cache
def default_table() -> EnergyTable:
    """Return the table that is used where none is given."""
    return load_energy(TABLE)


def energy_pj(
    events: Mapping[str, int],
    arch: Arch,
    *,
    gating: Gating = "none",
    table: EnergyTable | None = None,
) -> dict[str, float]:
    """Return picojoules by event; the keys are those of `events`.

    gating: `columns` needs the event `and_columns`, which `counted` adds
    table: None: the one that ships
    Of a chip that reads rows back, the reads are part of what made the rows, unless they are among
    the events.
    """
    prices = table or default_table()
    each = dict.fromkeys((*DERIVED, *OF_LOGIC), 0.0)
    each |= {name: price.of(arch) for name, price in prices.events.items()}
    each |= sensing(prices, arch, gating)
    found = {
        name: count * (each[name] + prices.logic_of(name, arch)) for name, count in events.items()
    }
    if "read_backs" not in events and events.get("write_backs"):
        found["write_backs"] += each["read_backs"] * rows_read(events, arch)
    return found


def rows_read(events: Mapping[str, int], arch: Arch) -> int:
    """Return the rows that a chip reads back in a run, by the events of all its steps.

    With `write_back` each AND; where counts are added in rows those of sums as well, and of an
    addition of maps, which events of a run do not tell from one of counts, one row that it writes.
    """
    if arch.in_array:
        return events["and_operations"] + rows_of_sums(events, arch)["sum_reads"]
    return events["and_operations"] if arch.write_back else 0


def accesses(arch: Arch, *, table: EnergyTable | None = None) -> Iterator[Access]:
    """Yield the accesses to sub-arrays: those that compute, and image banks, written in slices.

    An operation is an access, however many rows it senses; memories beside them have no events.
    """
    prices = table or default_table()
    banks = f"sub_array_{arch.row_bytes // arch.element_bytes}"
    for event, part, write in (
        ("and_operations", "sub_array_1", False),
        ("xor_operations", "sub_array_1", False),
        ("input_row_writes", "sub_array_1", True),
        ("weight_row_writes", "sub_array_1", True),
        ("write_backs", "sub_array_1", True),
        ("bank_reads", banks, False),
        ("bank_writes", banks, True),
    ):
        pj = prices.events[event].of(arch)
        yield Access(event=event, part=part, kind="write" if write else "read", table_pj=pj)


def sensing(table: EnergyTable, arch: Arch, gating: Gating) -> dict[str, float]:
    """Return the pJ of an AND, and of each segment or column that it senses."""
    whole = table.events["and_operations"].of(arch)
    if gating == "none":
        return {"and_operations": whole}
    drive = AND_ROWS * table.row_drive.of(arch)
    column = (whole - drive) / arch.array.columns
    if gating == "segments":
        return {"and_operations": drive, "and_segments": column * arch.segment_columns}
    return {"and_operations": drive, "and_columns": column}


def leakage_pj(cycles: int, arch: Arch, *, table: EnergyTable | None = None) -> float:
    """Return what cycles take, whatever a chip does: `leaking_pj` and `waiting_pj`."""
    return leaking_pj(cycles, arch, table=table) + waiting_pj(cycles, arch, table=table)


def waiting_pj(cycles: int, arch: Arch, *, table: EnergyTable | None = None) -> float:
    """Return what logic takes in some cycles, whatever it does."""
    return cycles * (table or default_table()).logic_of(CYCLES, arch)


def leaking_pj(cycles: int, arch: Arch, *, table: EnergyTable | None = None) -> float:
    """Return what all sub-arrays and image banks leak in some cycles."""
    leakage = (table or default_table()).leakage
    arrays = arch.sub_arrays + BANKS * arch.bank_arrays
    milliwatts = leakage.mw * arch.array.columns / leakage.columns * arrays
    nanoseconds = cycles * 1000 / arch.clock_mhz
    return milliwatts * nanoseconds


def outside_bytes(events: Mapping[str, int], arch: Arch, program: Program, *, images: int) -> int:
    """Return the bytes that images and answers move over the memory port, in whole beats.

    The program, with all weights, comes in once before them and is not among them.
    """
    image = program.facts.image
    pixels = image.shape[0] * image.shape[1]
    sizes = [pixels * image.pixel_blocks * arch.block * arch.element_bytes]
    sizes += [answer_bytes(plan, arch) for plan in program.facts.answers]
    return images * sum(-(-size // arch.port_bytes) * arch.port_bytes for size in sizes)


def counted(
    step: StepCycles, *, write_back: bool = False, in_array: Arch | None = None
) -> dict[str, int]:
    """Return the events of a step with those that only the model knows.

    write_back: the step belongs to a model whose ANDs are written back
    in_array: the chip, if counts are added in its rows
    """
    reads = step.events["and_operations"] if write_back else 0
    if in_array is not None:
        reads += rows_of_sums(step.events, in_array)["sum_reads"]
    return {**step.events, "and_columns": step.effective, "read_backs": reads}


def rows_of_sums(events: Mapping[str, int], arch: Arch) -> dict[str, int]:
    """Return what `write_backs` of a step are, where counts are added in rows: by who writes.

    An addition writes a row of carries before its first bit, and two rows a bit; as many rows of
    zeros are written before the first count of a load as rows of its sum are read.
    """
    ands = events["and_operations"]
    if not ands:
        return {"and_writes": 0, "adder_writes": 0, "count_writes": 0, "sum_reads": 0}
    adder = ands + ADDER_WRITES_PER_BIT * events["xor_operations"]
    counts = events["write_backs"] - ands - adder
    return {
        "and_writes": ands,
        "adder_writes": adder,
        "count_writes": counts,
        "sum_reads": counts - ands * arch.count_rows,
    }


def parts_pj(
    step: StepCycles,
    arch: Arch,
    *,
    gating: Gating = "none",
    table: EnergyTable | None = None,
    write_back: bool = False,
    in_array: bool = False,
) -> dict[str, float]:
    """Return the picojoules of a step by part, `leakage` and `waiting` included.

    write_back, in_array: the step belongs to a model with this option, whatever the chip has
    Rows that are written for counts are part of `count_shift`, those of the adder and reads of sums
    of `add`.
    """
    rows = in_array or arch.in_array
    back = rows or write_back or arch.write_back
    numbers = counted(step, write_back=back, in_array=arch if rows else None)
    events = energy_pj(numbers, arch, gating=gating, table=table)
    found = {part: sum(events[name] for name in names) for part, names in PARTS.items()}
    if rows:
        apart = rows_of_sums(step.events, arch)
        each = energy_pj({"write_backs": 1, "read_backs": 1}, arch, table=table)
        counts = apart["count_writes"] * each["write_backs"]
        sums = apart["adder_writes"] * each["write_backs"] + apart["sum_reads"] * each["read_backs"]
        found["count_shift"] += counts
        found["add"] += sums
        found["write_back"] -= counts + sums
    return found | {
        LEAKAGE: leaking_pj(step.cycles, arch, table=table),
        WAITING: waiting_pj(step.cycles, arch, table=table),
    }
