"""The data path of an MRAM chip beside its table of energies: the same blocks of both, one run."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.accesses import by_block
from hwgen.chip.rtl.layouts import places
from hwgen.chip.sim.vcd import Bits
from hwgen.mram.facts.arch import MOST_ROW_SETS, Arch
from hwgen.mram.facts.energy import CYCLES, EnergyTable
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.records import entry_name
from hwgen.mram.model.energy import default_table
from hwgen.mram.pages.physical import stem_of
from hwgen.mram.rtl.layouts import octet_trace, record

MODULE = "mram_datapath"
INSTANCE = "host.chip.datapath"
DEPTH = 3
"""Levels of the simulation down to the ports of the data path."""

BLOCK_OF: Mapping[str, str] = {
    "datapath": "control",
    "octet": "octets",
    "octet_control": "octets",
    "former": "former",
    "window": "former",
    "row_reader": "former",
    "gather": "former",
    "ring": "input",
    "sender": "input",
    "input_tree": "input",
    "sub_array": "arrays",
    "compute_array": "counters",
    "bit_counter": "counters",
    "adder": "adder",
    "output_tree": "output",
    "pool": "pool",
    "dpu": "dpu",
    "dpu_lane": "dpu",
    "dpu_place": "dpu",
    "banks": "banks",
    "image_bank": "banks",
}
"""By module without the prefix of the family."""
ARRAY_OF_EVENT: Mapping[str, str] = {
    "and_operations": "arrays",
    "xor_operations": "arrays",
    "input_row_writes": "arrays",
    "weight_row_writes": "arrays",
    "write_backs": "arrays",
    "bank_reads": "banks",
    "bank_writes": "banks",
}
"""Arrays whose entry an event takes, which are in no netlist."""
READERS = ("reader", "pool", "skip")
PORTS = ("plane", "sum_lanes", "result_lanes", "bank_valid", *(f"{one}_read" for one in READERS))
"""Outputs of the data path that are numbers, or flags."""

Counts = NDArray[np.int64]


def block_of(module: str) -> str | None:
    """Return the block that a module of the data path belongs to; None: that of its parent."""
    return BLOCK_OF.get(stem_of(module))


def events_of(arch: Arch, shown: Mapping[str, Bits]) -> dict[str, int]:
    """Return the events of the data path; shown: by port its bits in each cycle, (cycles, bits)."""
    found = dict.fromkeys(EVENTS, 0)
    of_record = places(record(arch))
    active = np.stack([active_segments(arch, shown["record"], s) for s in range(MOST_ROW_SETS)])
    joins, accumulates = (ones(shown["record"], of_record[one]) for one in ("join", "accumulate"))
    of_octet, size = places(octet_trace(arch)), octet_trace(arch).size
    for first in range(0, arch.octets * size, size):
        octet = shown["octets"][:, first : first + size]
        ands = number(octet, of_octet["ands"])
        row_set = number(octet, of_octet["row_set"])
        segments = ands * np.take_along_axis(active, row_set[None], axis=0)[0]
        adds = ands * accumulates
        counts = {
            "and_operations": ands,
            "and_segments": segments,
            "bit_counts": segments,
            "joins": ands * joins,
            "adds": adds,
            "shifts": adds * number(octet, of_octet["double"]),
            "input_row_writes": number(octet, of_octet["input_writes"]),
            "weight_row_writes": number(octet, of_octet["weight_writes"]),
            "xor_operations": number(octet, of_octet["xors"]),
            "write_backs": number(octet, of_octet["write_backs"]),
        }
        for name, each in counts.items():
            found[name] += int(each.sum())
    whole = {name: number(shown[name], (0, shown[name].shape[1])) for name in PORTS}
    found["tree_rows"] += int(whole["plane"].sum())
    found["sums"] += int(whole["sum_lanes"].sum())
    found["dpu_results"] += int(whole["result_lanes"].sum())
    found["bank_reads"] += sum(int(whole[f"{one}_read"].sum()) for one in READERS)
    found["bank_writes"] += int(whole["bank_valid"].sum())
    return found


def active_segments(arch: Arch, of_record: Bits, row_set: int) -> Counts:
    """Return the active segments of a row set in each cycle, (cycles,)."""
    fields = places(record(arch))
    names = [entry_name("active", row_set, segment) for segment in range(arch.segments)]
    return np.asarray(sum(number(of_record, fields[name]) for name in names))


def number(bits: Bits, place: tuple[int, int]) -> Counts:
    """Return the unsigned number in a field in each cycle, (cycles,)."""
    first, width = place
    return np.asarray(bits[:, first : first + width].astype(np.int64) @ (1 << np.arange(width)))


def ones(bits: Bits, place: tuple[int, int]) -> Counts:
    """Return the ones in a field in each cycle, (cycles,)."""
    first, width = place
    return np.asarray(bits[:, first : first + width].sum(axis=1, dtype=np.int64))


def table_pj(
    arch: Arch, events: Mapping[str, int], cycles: int, *, table: EnergyTable | None = None
) -> dict[str, tuple[float, float]]:
    """Return by block what the table says of the data path: logic, and arrays, in pJ."""
    prices, counts = table or default_table(), {**events, CYCLES: cycles}
    arrays = (
        (array, 0.0, events[event] * prices.events[event].of(arch))
        for event, array in ARRAY_OF_EVENT.items()
    )
    logic = ((one.block, counts[one.event] * one.of(arch), 0.0) for one in prices.logic)
    return by_block((*arrays, *logic))
