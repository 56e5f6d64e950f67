"""Events of a record, in closed form from its fields."""

from collections.abc import Iterator, Mapping

from hwgen.mram.facts.accumulation import load_accumulation
from hwgen.mram.facts.arch import TAPS, WINDOW, Arch
from hwgen.mram.facts.events import EVENTS
from hwgen.mram.facts.records import Kind, and_counts, enabled_arrays, entry_name

Fields = Mapping[str, int]
Events = dict[str, int]


def record_events(
    fields: Fields, arch: Arch, *, written_back: bool = False, in_array: bool = False
) -> Events:
    """Return how often each event happens in a record, events that do not happen included.

    written_back: each AND is written back before its ones are counted
    in_array: counts are added in rows of the sub-arrays
    """
    found = dict.fromkeys(EVENTS, 0)
    match fields["kind"]:
        case Kind.IMAGE:
            found["bank_writes"] = fields["loads"]
        case Kind.CONV:
            found |= array_events(fields, arch)
            found |= result_events(fields, arch, reads=former_reads(fields, arch))
            found["sums"] = positions_of(fields) * fields["kernels"]
            if written_back:
                found["write_backs"] = found["and_operations"]
            if in_array:
                one = load_accumulation(fields, arch)
                loads = fields["loads"] * enabled_arrays(fields, arch)
                found["write_backs"] += loads * (one.count_writes + one.adder_writes)
                found["xor_operations"] = loads * one.additions
                found |= {"adds": 0, "shifts": 0}
        case Kind.POOL:
            found |= result_events(fields, arch, reads=pool_reads(fields))
        case Kind.ADD:
            bits, enabled = fields["input_planes"], fields["groups"] * fields["kernels"]
            found["xor_operations"] = enabled * bits
            found["write_backs"] = enabled * (1 + 2 * bits)
    return found


def positions_of(fields: Fields) -> int:
    """Return the output positions of a record."""
    return fields["out_height"] * fields["out_width"]


def array_events(fields: Fields, arch: Arch) -> Events:
    """Return the events of sub-arrays and input tree in a CONV."""
    rows, planes = 1 + fields["two_rows"], fields["input_planes"]
    loads, counts = fields["loads"] * enabled_arrays(fields, arch), and_counts(fields)
    segments = sum(
        count * fields[entry_name("active", row, segment)]
        for row, count in enumerate(counts)
        for segment in range(arch.segments)
    )
    ands = loads * sum(counts)
    doubles = fields["weight_planes"] + planes - 2
    works = fields["accumulate"].bit_count()
    return {
        "and_operations": ands,
        "and_segments": loads * segments,
        "bit_counts": loads * segments,
        "joins": ands * fields["join"].bit_count(),
        "adds": ands * works,
        "shifts": loads * doubles * works,
        "tree_rows": fields["loads"] * rows * planes,
        "input_row_writes": loads * rows * planes,
    }


def result_events(fields: Fields, arch: Arch, *, reads: int) -> Events:
    """Return the events of banks and DPU; reads: of the input map."""
    positions, blocks = positions_of(fields), fields["blocks"]
    if fields["skip"]:
        first = fields["out_block"]
        there = -(-fields["skip_channels"] // arch.block) - first
        reads += positions * max(0, min(blocks, there))
    return {
        "dpu_results": positions * fields["kernels"],
        "bank_reads": reads,
        "bank_writes": 0 if fields["answer"] else positions * blocks,
    }


def former_reads(fields: Fields, arch: Arch) -> int:
    """Return the rows that the former reads: of each output line three lines of the input.

    A walk reads the rows of each tap on the map, for each row set.
    """
    if fields.get("walk", 0):
        return (1 + fields["two_rows"]) * fields["tap_rows"] * taps_inside(fields)
    pixels = arch.row_blocks >> fields["in_blocks_log"]
    chunks = fields["last_column"] // pixels + 1
    return chunks * len(list(inside(fields, "height", WINDOW)))


def kernel_taps(fields: Fields) -> int:
    """Return the taps of a CONV: nine of a window, whatever the kernel."""
    return fields["kernel_height"] * fields["kernel_width"] if fields.get("walk", 0) else TAPS


def pool_reads(fields: Fields) -> int:
    """Return the taps of all windows that lie on the map, for each block."""
    return taps_inside(fields) * fields["blocks"]


def taps_inside(fields: Fields) -> int:
    """Return the taps of all windows that lie on the map."""
    rows = len(list(inside(fields, "height", fields["kernel_height"])))
    columns = len(list(inside(fields, "width", fields["kernel_width"])))
    return rows * columns


def inside(fields: Fields, side: str, size: int) -> Iterator[int]:
    """Yield the input row (column) of every row (column) of all windows, where it is on the map."""
    stride, pad = ("stride_y", "pad_top") if side == "height" else ("stride_x", "pad_left")
    for index in range(fields[f"out_{side}"]):
        for tap in range(size):
            place = index * fields[stride] - fields[pad] + tap
            if 0 <= place < fields[f"in_{side}"]:
                yield place
