"""Events of a step, from its packets and the bit planes of its inputs alone.

No clock runs here: what happens, and how often, does not depend on when it happens.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts import instructions as isa
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.events import events_of
from hwgen.dbpim.facts.stream import FloatsPacket, Packet, TilePacket, beats_of, mask_bits
from hwgen.dbpim.model.activity import Counts, tile_keys
from hwgen.dbpim.model.cells import FILTER_ENABLE_BITS, filter_columns
from hwgen.dbpim.model.sources import ProgramStep
from hwgen.dbpim.model.vectors import Vectors, vectors_of, words_read

SUM_RESULTS = 3
"""Results of a position whose total leaves as three bytes."""


def step_events(step: ProgramStep, costs: Sequence[Counts], arch: Arch) -> dict[str, int]:
    """Return how often each event happens in a step, for all names of `events_of`.

    costs: of each tile of the step, the cycles of its groups, (positions, rows)
    """
    counts: Counter[str] = Counter(dict.fromkeys(events_of(arch), 0))
    packets = (step.packet, *step.tiles, *step.stored)
    counts["beats_read"] += sum(packet.beats for packet in packets)
    for packet in packets:
        counts.update(stored_events(packet, arch))
    fields = step.packet.fields
    opcode = step.packet.opcode
    if opcode is isa.Opcode.LOAD:
        counts.update(load_events(fields, arch))
    elif opcode is isa.Opcode.STORE:
        words = arch.port_bits // ACCUMULATOR_BITS
        counts["beats_written"] += -(-fields["words"] // words)
    elif opcode is isa.Opcode.CONV:
        work = Work.of(fields, arch)
        counts.update(conv_events(step.tiles, costs, work, arch))
    elif opcode is isa.Opcode.SIMD:
        work = Work.of(fields, arch)
        for core in work.vectors:
            counts.update(simd_events(core, work, arch))
    return {name: int(counts[name]) for name in events_of(arch)}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the cores do in a step; vectors: of each active core."""

    fields: Mapping[str, int]
    vectors: Mapping[int, Vectors]
    cores: int

    @classmethod
    def of(cls, fields: Mapping[str, int], arch: Arch) -> "Work":
        """Return the work of a CONV or SIMD."""
        active = [core for core in range(arch.cores) if fields["active_cores"] >> core & 1]
        vectors = {core: vectors_of(fields, core, arch) for core in active}
        return cls(fields=fields, vectors=vectors, cores=arch.cores)

    def written(self, rows: NDArray[np.int64]) -> int:
        """Return the buffers that a word of each stored row is written to, all together."""
        return keepers(self.fields, rows, self.cores)


def keepers(fields: Mapping[str, int], rows: NDArray[np.int64], cores: int) -> int:
    """Return the cores that keep each stored row of the output, summed over rows."""
    total = 0
    for core in range(cores):
        first, count = (fields[isa.of_core(name, core)] for name in ("keep_first", "keep_rows"))
        total += int(((rows >= first) & (rows < first + count)).sum())
    return total


def stored_events(packet: Packet, arch: Arch) -> dict[str, int]:
    """Return what a packet behind an instruction writes into the cores that it is for."""
    fields, cores = packet.fields, packet.fields.get("cores", 0).bit_count()
    if isinstance(packet, TilePacket):
        masks = beats_of(mask_bits(fields["mask_words"], arch), arch)
        return {
            "mask_beats": cores * masks,
            "parameter_writes": cores * (arch.filters << fields["double"]) * fields["parameters"],
            "row_writes": cores * arch.macros_per_core * fields["rows"],
        }
    if packet.opcode is isa.Opcode.TAPS:
        parameters = cores * arch.word
        return {"parameter_writes": parameters, "tap_words": cores * fields["taps"]}
    if packet.opcode is isa.Opcode.TABLE:
        return {"table_beats": cores * isa.TABLE_BYTES // arch.port_bytes}
    if isinstance(packet, FloatsPacket):
        return {"float_beats": cores * beats_of(len(packet.numbers) * isa.FLOAT_BITS, arch)}
    return {}


def load_events(fields: Mapping[str, int], arch: Arch) -> dict[str, int]:
    """Return the events of a LOAD: whole words go to all buffers that keep their row."""
    row_bytes = fields["columns"] * fields["output_channel_words"] * arch.word
    rows = fields["first_row"] + np.arange(fields["rows"])
    return {
        "beats_read": fields["beats"],
        "bus_bytes": len(rows) * row_bytes,
        "bank_bytes": keepers(fields, rows, arch.cores) * row_bytes,
    }


def conv_events(
    tiles: Sequence[TilePacket], costs: Sequence[Counts], work: Work, arch: Arch
) -> Counter[str]:
    """Return the events of all tiles of a CONV step; one that is sent again counts once."""
    found: dict[tuple[int, int], tuple[TilePacket, Counts, int]] = {}
    for key, tile, cost in zip(tile_keys(tiles), tiles, costs, strict=True):
        cores = found[key][2] if key in found else 0
        found[key] = tile, cost, cores | tile.fields["cores"]
    reads = TapReads(work)
    total: Counter[str] = Counter()
    for tile, cost, cores in found.values():
        total.update(tile_events(tile, cost, work, arch, cores=cores))
        numbers = [core for core in work.vectors if cores >> core & 1]
        total["bank_reads"] += sum(
            reads.of(core, kernel_y, kernel_x)
            # Core 0 reads the words of a shared stream for all cores.
            for core in (numbers if not arch.shares_stream else {0}.intersection(numbers))
            for kernel_y, kernel_x in words_walked(tile, work.fields)
        )
        if tile.fields["last"]:
            for core in numbers:
                for _ in range(1 + tile.fields["double"]):
                    total.update(result_events(work.vectors[core], work, arch))
    return total


def tile_events(
    tile: TilePacket, cost: Counts, work: Work, arch: Arch, *, cores: int
) -> dict[str, int]:
    """Return the events of switches and macros of some cores with one tile."""
    fields, macros = tile.fields, arch.macros_per_core
    vectors = sum(len(each.active) for core, each in work.vectors.items() if cores >> core & 1)
    idle = 1 if arch.sparsity.input_bits else ACTIVATION_BITS
    planes = int(cost.sum(dtype=np.int64))
    enables = [
        fields["filter_enable"] >> FILTER_ENABLE_BITS * number & (1 << FILTER_ENABLE_BITS) - 1
        for number in range(arch.filters)
    ]
    columns = sum(filter_columns(bits, arch) for bits in enables)
    entries = vectors * macros << fields["double"]
    return {
        "bit_planes": planes,
        "inactive_bit_planes": (vectors * macros - len(cost)) * fields["rows"] * idle,
        "filter_planes": planes * (columns if fields["double"] else sum(map(bool, enables))),
        "column_planes": planes * columns,
        "groups": vectors * macros * fields["rows"],
        "psum_reads": entries * (1 - fields["first"]),
        "psum_writes": entries * (1 - fields["last"]),
        "words": vectors * fields["mask_words"],
        "selected_inputs": vectors * int(tile.masks.sum()),
    }


def words_walked(tile: TilePacket, fields: Mapping[str, int]) -> list[tuple[int, int]]:
    """Return kernel row and column of each word that a tile walks."""
    words, width = fields["input_channel_words"], fields["kernel_width"]
    start = tile.fields["kernel_y"] * width + tile.fields["kernel_x"]
    first = start * words + tile.fields["channel_word"]
    taps = np.arange(first, first + tile.fields["mask_words"]) // words
    return [divmod(tap, width) for tap in taps.tolist()]


class TapReads:
    """Words that the banks read for one tap of all vectors of a core, each counted once."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: dict[tuple[int, int, int], int] = {}

    def of(self, core: int, kernel_y: int, kernel_x: int) -> int:
        """Return the positions whose tap is in the map."""
        key = core, kernel_y, kernel_x
        if key not in self._known:
            vectors = self._work.vectors[core]
            fields = self._work.fields
            self._known[key] = words_read(vectors, fields, kernel_y=kernel_y, kernel_x=kernel_x)
        return self._known[key]


def result_events(vectors: Vectors, work: Work, arch: Arch) -> dict[str, int]:
    """Return the events of the results of one filter group in a core."""
    results = int(vectors.active.sum())
    if work.fields["raw"]:
        size = arch.filters * ACCUMULATOR_BITS // ACTIVATION_BITS
        return {"results": results, "bus_bytes": results * size}
    private = vectors.active & vectors.private
    shared = vectors.row[vectors.active & ~vectors.private]
    written = int(private.sum()) + work.written(shared)
    return {
        "results": results,
        "residual_sums": results * work.fields["adds"],
        "bus_bytes": len(shared) * arch.filters,
        "bank_bytes": written * arch.filters,
    }


def simd_events(core: int, work: Work, arch: Arch) -> dict[str, int]:
    """Return the events of a core in a SIMD step."""
    fields, vectors = work.fields, work.vectors[core]
    operation = fields["operation"]
    words = fields[isa.of_core("word_count", core)]
    taps = taps_of(fields)
    taps = 2 if operation in isa.TWO_MAPS else 1 if operation == isa.Operation.TABLE else taps
    lanes = arch.table_lookups if operation == isa.Operation.TABLE else arch.simd_lanes
    parts = arch.macros_per_core * arch.word // lanes
    results = words * len(vectors.active)
    moved = taps * parts
    if operation in isa.PRODUCTS:
        moved = fields["kernel_height"] * (1 + (fields["kernel_width"] - 1) * parts)
    rows: dict[str, int] = {}
    if operation in isa.ROWS:
        rows = row_events(fields, results)
        words *= fields["kernel_width"]
        results = moved = 0
    written, bussed = simd_writes(vectors, work)
    size = fields["enable_end"] - fields["enable_first"]
    size = arch.word if fields["to_memory"] else size
    size *= words * (SUM_RESULTS if fields["sums"] else 1)
    return {
        "simd_parts": results * moved,
        "simd_results": results * parts,
        "bank_reads": simd_reads(core, work),
        "bank_bytes": written * size,
        "bus_bytes": bussed * size,
        **rows,
    }


def row_events(fields: Mapping[str, int], groups: int) -> dict[str, int]:
    """Return the events of a row unit; groups: of channels, of all vectors."""
    taken = groups * isa.group_channels(fields["bias"])
    if fields["operation"] == isa.Operation.SOFTMAX:
        words = groups * fields["kernel_width"]
        return {"row_words": words, "row_sums": taken, "row_shares": taken}
    of_mean = 0 if fields["kernel_height"] == isa.PASSES_WITHOUT_MEAN else taken
    return {"row_sums": of_mean, "row_squares": taken, "row_norms": taken, "row_roots": groups}


def taps_of(fields: Mapping[str, int]) -> int:
    """Return the words that are read for a result, or for a group of channels."""
    return fields["kernel_height"] * fields["kernel_width"]


def simd_writes(vectors: Vectors, work: Work) -> tuple[int, int]:
    """Return the words written to banks, and those on the bus, of one channel word."""
    if work.fields["to_memory"]:
        return 0, int(vectors.active.sum())
    alone = ~(vectors.active & ~vectors.private).any(axis=1, keepdims=True)
    private = int((vectors.active & alone).sum())
    shared = vectors.row[vectors.active & ~alone]
    return private + work.written(shared), len(shared)


def simd_reads(core: int, work: Work) -> int:
    """Return the words that the banks read for a SIMD step of a core."""
    fields, vectors = work.fields, work.vectors[core]
    first, count = (fields[isa.of_core(f"word_{name}", core)] for name in ("first", "count"))
    if fields["operation"] in isa.PRODUCTS:
        rows, met = fields["kernel_height"], fields["kernel_width"] - 1
        return count * rows * (int(vectors.active.sum()) + met * len(vectors.active))
    if fields["operation"] in isa.ROWS:
        return count * taps_of(fields) * int(vectors.active.sum())
    words = first + np.arange(count)
    known = int((words < fields["input_channel_words"]).sum())
    if fields["operation"] not in isa.TWO_MAPS:
        reads = TapReads(work)
        return known * sum(
            reads.of(core, kernel_y, kernel_x)
            for kernel_y in range(fields["kernel_height"])
            for kernel_x in range(fields["kernel_width"])
        )
    active = int(vectors.active.sum())
    others = len(vectors.active) if fields["second_broadcast"] else active
    return known * active + int((words < fields["second_channel_words"]).sum()) * others
