"""Tasks: the parts of a layer with weights that one record computes, and ways to compute them.

Tests: `tests/mram/compiler/test_step_list.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hwgen.mram.compiler.views import View
from hwgen.mram.facts.arch import WINDOW, Arch
from hwgen.mram.facts.records import Kind, and_counts

LayerCost = Callable[[str, Mapping[str, int]], float]
"""Cycles of a record of a layer, from the fields of it that say how long it takes."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A round of a layer: kernels `first` on, as many as the view says.

    Those of a depthwise layer: as many blocks as a row has segments, of one row of a bank.

    name: of the layer; mode: whose cells it needs; None: the cells serve all modes
    """

    name: str
    first: int
    mode: int | None

    def kernels(self, view: View, mode: int, arch: Arch) -> int:
        """Return the kernels that it has in a mode; 0: the mode does not need it."""
        return max(0, min(view.kernels[mode] - self.first, round_size(view, self.first, arch)))


def tasks_of(view: View, arch: Arch) -> list[Task]:
    """Return the tasks of a layer: a task for each round, and for each mode with own cells."""
    modes: Sequence[int | None] = range(len(view.kernels)) if view.rows else [None]
    return [
        Task(name=view.layer.name, first=first, mode=mode)
        for mode in modes
        for first in rounds_of(view, view.kernels[mode or 0], arch)
    ]


def rounds_of(view: View, kernels: int, arch: Arch) -> Iterator[int]:
    """Yield the first kernel of each round."""
    first = 0
    while first < kernels:
        yield first
        first += round_size(view, first, arch)


def round_size(view: View, first: int, arch: Arch) -> int:
    """Return how many kernels the round has that begins with a kernel."""
    if not view.depthwise:
        return view.together or arch.sub_arrays
    row = arch.row_blocks * arch.block
    return min(arch.segments * arch.block, row - first % row)


def task_modes(task: Task, view: View, arch: Arch) -> Iterator[int]:
    """Yield the modes that need a task."""
    for mode in range(len(view.kernels)):
        if task.mode in (None, mode) and task.kernels(view, mode, arch):
            yield mode


def segments_of(view: View, kernels: int, mode: int, arch: Arch) -> int:
    """Return the segments of a round: the blocks of channels of a window, or the places by nine.

    kernels: of the round; a depthwise layer takes a segment for each block of them.
    """
    if view.depthwise:
        return -(-kernels // arch.block)
    if view.walk:
        return view.walk.segments(view.channels[mode])
    return -(-view.channels[mode] // arch.block)


def octets_for(view: View, kernels: int, arch: Arch) -> int:
    """Return the octets of a group for so many kernels: a power of two, at most all."""
    octets = 1
    while not view.depthwise and octets * arch.block < kernels and octets < arch.octets:
        octets *= 2
    return octets


def chains_of(view: View, kernels: int, octets: int, arch: Arch) -> int:
    """Return how many kernels of a round a sub-array holds side by side, for one position."""
    return 1 if view.depthwise else -(-kernels // (octets * arch.block))


def array_fields(
    view: View,
    kernels: int,
    channels: int,
    arch: Arch,
    *,
    first: int,
    octets: int,
    positions: int,
    rows: int,
    groups: int,
) -> dict[str, int]:
    """Return the fields of a CONV that decide its cycles, but for those of banks and segments.

    channels: of the input; first: kernel; positions: of a load; rows: row sets of a kernel
    groups: that may work
    """
    loads = -(-view.positions // positions)
    height, width = view.size
    last = min(view.width - 1, (width - 1) * view.stride[1] - view.pad[1] + WINDOW - 1)
    return {
        "kind": Kind.CONV,
        "in_blocks_log": view.blocks.bit_length() - 1,
        "in_height": view.height,
        "in_width": view.width,
        "out_height": height,
        "out_width": width,
        "stride_y": view.stride[0],
        "stride_x": view.stride[1],
        "pad_top": view.pad[0],
        "pad_left": view.pad[1],
        "last_column": 0 if view.walk else last,
        "kernels": kernels,
        "blocks": -(-kernels // arch.block),
        "input_planes": view.input_planes,
        "weight_planes": view.weight_planes,
        "two_rows": rows - 1,
        "octets_log": octets.bit_length() - 1,
        "groups": min(groups, loads),
        "positions": positions,
        "last_positions": view.positions - (loads - 1) * positions,
        "loads": loads,
        **(walk_fields(view, channels, first, arch) if arch.any_kernel else {}),
    }


def walk_fields(view: View, channels: int, first: int, arch: Arch) -> dict[str, int]:
    """Return the fields that say how kernels fill their segments; of a walk 0 for a window."""
    walk, own = view.walk, {"depthwise": int(view.depthwise)}
    if walk is None:
        names = "walk", "tap_places", "tap_rows", "first_row", "kernel_height", "kernel_width"
        return dict.fromkeys(names, 0) | own
    row = arch.row_blocks * arch.block
    return own | {
        "walk": 1,
        "tap_places": walk.tap_places,
        "tap_rows": 1 if view.depthwise else -(-channels // row),
        "first_row": first // row if view.depthwise else 0,
        "kernel_height": walk.kernel[0],
        "kernel_width": walk.kernel[1],
    }


def estimate(arch: Arch, fields: Mapping[str, int]) -> float:
    """Return about the cycles of a CONV: the slowest of ring, ANDs and former in a steady state."""
    sends = (1 + fields["two_rows"]) * fields["input_planes"]
    sums = fields["positions"] * fields["blocks"]
    slot, groups = max(sends, sums), fields["groups"]
    ands = sum(and_counts(fields))
    rounds = -(-fields["loads"] // groups)
    steady = rounds * max(ands + slot, groups * slot)
    if fields.get("walk", 0):
        taps = (1 + fields["two_rows"]) * fields["kernel_height"] * fields["kernel_width"]
        taps *= fields["tap_rows"]
        return max(steady, fields["out_height"] * fields["out_width"] * taps) + slot
    pixels = arch.row_blocks >> fields["in_blocks_log"]
    chunks = fields["last_column"] // pixels + 1
    line = max(fields["out_width"] * fields["stride_x"] + WINDOW, WINDOW * chunks)
    return max(steady, fields["out_height"] * line) + slot + WINDOW * WINDOW
