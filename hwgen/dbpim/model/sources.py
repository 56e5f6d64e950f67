"""The maps that the CONV steps of a program read, and the cost of their tiles.

Tests: `tests/dbpim/model/test_zero_columns.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode
from hwgen.dbpim.facts.program import Fold, StepPlan
from hwgen.dbpim.facts.stream import Packet, TilePacket
from hwgen.dbpim.model.activity import Counts, Windows, bit_planes, walk_key, windows
from hwgen.network import INPUT

Bytes = NDArray[np.uint8]
Maps = Mapping[str, Bytes]
"""Maps of the images of a run by layer name, (images, height, width, channels)."""


@dataclass(frozen=True, kw_only=True)
class ProgramStep:
    """One instruction of a program, its place in the step list, and the packets that follow it.

    load: the LOAD of the image that a CONV step reads, None for any other map
    stored: its taps, tables and floats
    """

    plan: StepPlan
    packet: Packet
    load: Packet | None
    tiles: list[TilePacket] = field(default_factory=list)
    stored: list[Packet] = field(default_factory=list)


def program_steps(packets: Sequence[Packet], plans: Sequence[StepPlan]) -> list[ProgramStep]:
    """Return the steps of a stream; packets: those after BEGIN."""
    steps: list[ProgramStep] = []
    images: dict[int, Packet] = {}
    waiting = iter(plans)
    for packet in packets:
        if isinstance(packet, TilePacket):
            steps[-1].tiles.append(packet)
        elif packet.opcode in (Opcode.TAPS, Opcode.TABLE, Opcode.FLOATS):
            steps[-1].stored.append(packet)
        else:
            plan = next(waiting)
            load = None
            if packet.opcode is Opcode.LOAD and plan.layer == INPUT:
                images[packet.fields["output_base"]] = packet
            elif packet.opcode is Opcode.CONV and plan.inputs[0] == INPUT:
                load = images[packet.fields["input_base"]]
            steps.append(ProgramStep(plan=plan, packet=packet, load=load))
    return steps


def source_of(step: ProgramStep, maps: Maps) -> Bytes:
    """Return the maps that a CONV step reads, as its buffers hold them.

    A step may treat images that are stored side by side as one wide image.
    """
    # The instruction may count images from another one on; its first one is that of the plan.
    first, count = step.plan.images
    found = np.asarray(maps[step.plan.inputs[0]][first : first + count])
    found = found if step.load is None else stored_image(found, step.load.fields)
    images, height, width, channels = found.shape
    beside = max(1, step.packet.fields["input_width"] // width)
    rows = found.reshape(images // beside, beside, height, width, channels).swapaxes(1, 2)
    return rows.reshape(images // beside, height, beside * width, channels)


def folded_maps(maps: Maps, folds: Mapping[str, Fold]) -> dict[str, Bytes]:
    """Return maps in the shapes that they have in the buffers."""
    return {
        name: folds[name].stored_values(np.asarray(values)) if name in folds else values
        for name, values in maps.items()
    }


def stored_image(images: Bytes, load: Mapping[str, int]) -> Bytes:
    """Return images as a LOAD stores them: with `window_pixels` neighbours in each word."""
    pixels, columns = load["window_pixels"], load["columns"]
    starts = np.arange(columns) * load["window_stride"] - load["window_padding"]
    taken = starts[:, np.newaxis] + np.arange(pixels)
    inside = (taken >= 0) & (taken < images.shape[2])
    found = images[:, :, np.where(inside, taken, 0)]
    found[:, :, ~inside] = load["window_value"]
    return found.reshape(*images.shape[:2], columns, -1)


def tile_costs(step: ProgramStep, maps: Maps, arch: Arch) -> list[Counts]:
    """Return the cost of each tile of a step; tiles that select the same inputs share theirs."""
    known: dict[bytes, Counts] = {}
    if not step.tiles:
        return []
    seen: Windows = windows(source_of(step, maps), step.packet)
    costs = []
    for tile in step.tiles:
        key = walk_key(tile)
        if key not in known:
            known[key] = bit_planes(seen, tile, step.packet, arch)
        costs.append(known[key])
    return costs
