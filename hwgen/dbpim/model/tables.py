"""A stream of packets as tables, which the compiled functions of the model read.

Tests: `tests/dbpim/model/test_predict.py`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.memory import COMMAND_TYPE
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PACKETS, Coding, Opcode, of_core
from hwgen.dbpim.facts.packing import row_pieces
from hwgen.dbpim.facts.stream import Packet, TilePacket, beats_of, header_beats, mask_bits
from hwgen.dbpim.facts.timing import FIRST_COMMAND_CYCLE
from hwgen.dbpim.model import state
from hwgen.dbpim.model.activity import Counts
from hwgen.dbpim.model.machine import run
from hwgen.dbpim.model.spans import Spans, new_spans
from hwgen.errors import SimulationError

KINDS = {
    Opcode.TILE: state.TILE,
    Opcode.TAPS: state.TAPS,
    Opcode.TABLE: state.TABLE,
    Opcode.FLOATS: state.FLOATS,
}


class Cycles(NamedTuple):
    """What the machine found: cycles, load-stall cycles, retirement and causes of each step.

    span_cycles: of each of the spans
    """

    cycles: int
    load: int
    retired: state.Ints
    causes: state.Ints
    span_cycles: int
    spans: Spans


def run_packets(
    packets: Sequence[Packet],
    costs: Sequence[Counts],
    arch: Arch,
    *,
    most_spans: int = 0,
    position_bytes: int = 0,
) -> Cycles:
    """Return the cycles of a stream.

    packets: those after BEGIN, a LOAD first; costs: (positions, rows) of each tile packet
    most_spans: of a timeline, an even number; 0: none; position_bytes: the register
    """
    order, selected = tables(packets, arch)
    order.steps["offset"] += position_bytes * order.steps["at_position"]
    weights = state.Weights(order.tiles, selected, place_costs(order.tiles, costs))
    sizes = state.sizes_of(arch, begin_beats=header_beats(Opcode.BEGIN, arch))
    spans = new_spans(arch.cores, most_spans)
    found = run(sizes, order, weights, state.new_cores(sizes), commands(packets, arch), spans)
    if found[0] < 0:
        raise SimulationError("the program stands still: the stream does not fit its steps")
    return Cycles(*found, spans)


def commands(packets: Sequence[Packet], arch: Arch) -> state.Table:
    """Return the read commands: BEGIN with the first LOAD, data and segment of each LOAD.

    All spaces of the memory begin on a page.
    """
    begin = header_beats(Opcode.BEGIN, arch)
    rows, beats = [(FIRST_COMMAND_CYCLE, 0, begin + packets[0].beats)], begin
    for packet in packets:
        beats += packet.beats
        if packet.opcode is Opcode.LOAD:
            fields = packet.fields
            rows.append((0, fields["offset"], fields["beats"]))
            rows.append((0, beats * arch.port_bytes, fields["segment_beats"]))
    return np.array(rows, dtype=COMMAND_TYPE)


def place_costs(tiles: state.Table, costs: Sequence[Counts]) -> Counts:
    """Return the costs of all tiles as one array, equal ones once, and note where each is."""
    places: dict[int, int] = {}
    parts: list[Counts] = [np.zeros(0, np.uint8)]
    size = 0
    for tile, cost in zip(tiles, costs, strict=True):
        if id(cost) not in places:
            places[id(cost)] = size
            # `uniform` repeats one row for all positions.
            parts.append(cost[0] if cost.strides[0] == 0 else cost.ravel())
            size += len(parts[-1])
        stride = cost.strides[0]
        tile["cost_offset"] = places[id(cost)] - tile["first_position"] * stride
        tile["cost_stride"] = stride
    return np.concatenate(parts)


def tables(packets: Sequence[Packet], arch: Arch) -> tuple[state.Order, NDArray[np.uint8]]:
    """Return the packets as tables, and the selected inputs of each mask word of the tiles."""
    beats = {opcode: header_beats(opcode, arch) for opcode in PACKETS}
    order: list[tuple[int, ...]] = []
    steps: list[tuple[int, ...]] = []
    work: list[list[tuple[int, ...]]] = []
    selected = [np.zeros(0, np.uint8)]
    tiles = np.zeros(sum(packet.opcode is Opcode.TILE for packet in packets), state.TILE_TYPE)
    tile_number = words = first = 0
    for packet in packets:
        kind = KINDS.get(packet.opcode, state.INSTRUCTION)
        fields = packet.fields
        number = tile_number if kind == state.TILE else len(steps)
        order.append(
            (
                kind,
                number,
                beats[packet.opcode],
                fields.get("cores", 0),
                fields.get("taps", 0),
                packet.beats - beats[packet.opcode],
            )
        )
        if isinstance(packet, TilePacket):
            row = tiles[tile_number]
            tile_number += 1
            for name in state.TILE_FIELDS:
                row[name] = fields[name]
            row["mask_beats"] = beats_of(mask_bits(len(packet.masks), arch), arch)
            row["row_pieces"] = row_pieces(arch, Coding(fields["coding"]))
            row["selected_offset"] = words
            row["first_position"] = first
            words += len(packet.masks)
            selected.append(packet.masks.sum(axis=1, dtype=np.uint8))
        elif kind == state.INSTRUCTION:
            first = first_position(fields, arch) if packet.opcode is Opcode.CONV else 0
            steps.append(tuple(fields.get(name, 0) for name in state.STEP_FIELDS))
            work.append([work_of(fields, core) for core in range(arch.cores)])
    found = state.Order(
        np.array(order, state.PACKET_TYPE),
        np.array(steps, state.STEP_TYPE),
        np.array(work, state.WORK_TYPE).reshape(len(steps), arch.cores),
        tiles,
    )
    return found, np.concatenate(selected)


def first_position(fields: Mapping[str, int], arch: Arch) -> int:
    """Return the number of a step's first position, where positions count from image 0 on."""
    images = [
        fields[of_core("start_image", core)]
        for core in range(arch.cores)
        if fields["active_cores"] >> core & 1
    ]
    rows = fields["output_end_row"] - fields["output_first_row"]
    return min(images) * rows * fields["output_width"]


def work_of(fields: Mapping[str, int], core: int) -> tuple[int, ...]:
    """Return the fields of one core in an instruction."""
    return tuple(fields.get(of_core(name, core), 0) for name in state.WORK_FIELDS)
