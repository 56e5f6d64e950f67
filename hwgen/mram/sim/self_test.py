"""The self-test of an MRAM chip: what its host places in memory, and which cells it can reach.

Tests: `tests/mram/sim/test_self_test.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.self_test import Part, and_complements, at_ties, drawn_bytes
from hwgen.chip.sim.host import HostedChip, Work
from hwgen.chip.sim.stuck import CellArray
from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.records import parameter_bits
from hwgen.mram.sim.chip_run import ChipRun, hosted
from hwgen.mram.sim.simulate import job_of, simulated_runs
from hwgen.mram.sim.stores import Stores
from hwgen.network.by_hand import NetworkByHand
from hwgen.network.graph import INPUT

INSTRUCTIONS = "records"
"""The memory that holds no data: a cell stuck there is seen where a record has its field."""
PARAMETERS = "parameters"
WEIGHT_BITS = 8
FEW_BITS = 2
"""Of weights in `tables`, whose many layers all find a place."""
SIDE, MOST_STRIDE = 3, 7
"""Of a window."""


def parts(arch: Arch) -> list[Part]:
    """Return the parts of the test, those of the most cells first."""
    return [
        *(weights(arch, flipped=each) for each in (False, True)),
        *banks(arch),
        *(biases(arch, flipped=each) for each in (False, True)),
        *(
            scales(arch, above=above, flipped=flipped)
            for above in (False, True)
            for flipped in (False, True)
        ),
    ]


def read_bits(array: CellArray, arch: Arch) -> int:
    """Return how many of the lowest bits of a word are counted: those that anything reads.

    Columns beyond the segments of a sub-array that computes take part in nothing. Of records none
    is counted.
    """
    if array.path == INSTRUCTIONS:
        return 0
    if array.path == PARAMETERS:
        return parameter_bits(arch)
    return array.bits if "octet" not in array.path else arch.input_columns


def work_of(program: Program, arch: Arch, images: NDArray[np.uint8]) -> Work:
    """Return what a host does to run the images."""
    return job_of(arch, program, images, modes=[0] * len(images)).work()


def maps_of(
    runs: Sequence[ChipRun], program: Program, arch: Arch, images: NDArray[np.uint8]
) -> list[Mapping[str, NDArray[Any]]]:
    """Return the maps of each image; raise SimulationError for a run that did not finish."""
    return [one for run in simulated_runs(runs, program, arch) for one in run.maps]


def hosted_chip(arch: Arch) -> HostedChip[Stores]:
    """Return the chip."""
    return hosted(arch)


def weights(arch: Arch, *, flipped: bool) -> Part:
    """Fill all rows of weights, and read them as raw sums; flipped: with the complements."""
    rng = np.random.default_rng(1)
    channels = min(arch.segments, arch.row_blocks) * arch.block
    kernels = min(arch.sub_arrays, arch.answer_entries)
    places = max(1, arch.answer_entries // kernels)
    net, outs = NetworkByHand(f"weights_{int(flipped)}", (SIDE, places + 2, channels)), []
    for _ in range(arch.weight_rows // WEIGHT_BITS):
        drawn = rng.integers(-128, 128, (kernels, SIDE, SIDE, channels))
        outs.append(net.conv(INPUT, ~drawn if flipped else drawn, raw=True))
    return Part(
        reaches="rows of weights of the sub-arrays, their rows of inputs",
        network=net.built(*outs),
        images=and_complements(drawn_bytes(rng, 1, *net.shape)),
    )


def banks(arch: Arch) -> list[Part]:
    """Fill all image banks with copies of an image, and read windows of them as raw sums.

    Windows side by side do not reach the last pixels of a bank; few windows far apart do.
    """
    pixels = arch.bank_bytes // arch.row_bytes
    height = 1 << pixels.bit_length() // 2
    return [
        bank_part(arch, "banks_0", (pixels // SIDE, SIDE), ((SIDE, SIDE), (SIDE, SIDE))),
        bank_part(
            arch,
            "banks_1",
            (height, pixels // height),
            (far_apart(height), far_apart(pixels // height)),
        ),
    ]


def far_apart(side: int) -> tuple[int, int]:
    """Return a window and its stride, as large as it may be, whose last place ends the side."""
    ways = [
        (stride, window)
        for window in range(1, SIDE + 1)
        for stride in range(1, MOST_STRIDE + 1)
        if (side - window) % stride == 0
    ]
    stride, window = max(ways)
    return window, stride


def bank_part(
    arch: Arch, name: str, sides: tuple[int, int], steps: tuple[tuple[int, int], tuple[int, int]]
) -> Part:
    """Return a part of `banks`; steps: window and stride, vertical and horizontal."""
    rng = np.random.default_rng(2)
    channels = arch.row_blocks * arch.block
    net = NetworkByHand(name, (*sides, channels))
    maps = [INPUT]
    for _ in range(3):
        maps.append(net.pool(maps[-1], (1, 1)))
    (height, down), (width, right) = steps
    outs = [
        net.conv(
            each,
            rng.integers(-128, 128, (arch.block, height, width, channels)) | 1,
            stride=(down, right),
            raw=True,
        )
        for each in maps
    ]
    return Part(
        reaches="image banks, rows of inputs",
        network=net.built(*outs),
        images=and_complements(drawn_bytes(rng, 1, *net.shape)),
    )


def biases(arch: Arch, *, flipped: bool) -> Part:
    """Read the biases of the parameters as raw sums; flipped: they are the complements.

    The first layer has bytes, which the last one reads: raw sums are outputs, and each takes two
    records.
    """
    rng = np.random.default_rng(3)
    net, kernels = table_network(arch, f"biases_{int(flipped)}")
    first = net.conv(
        INPUT,
        few(rng, kernels, arch.block),
        weight_bits=FEW_BITS,
        bias=rng.integers(-99, 99, kernels),
    )
    outs = []
    for number in range(table_layers(arch) - 1, 0, -1):
        drawn = rng.integers(-(1 << 30), 1 << 30, kernels)
        source = INPUT if number > 1 else first
        outs.append(
            net.conv(
                source,
                few(rng, kernels, net.map_of(source).channels),
                weight_bits=FEW_BITS,
                raw=True,
                bias=~drawn if flipped else drawn,
            )
        )
    return table_part(net, outs, "biases and answers")


def scales(arch: Arch, *, above: bool, flipped: bool) -> Part:
    """Read the multipliers and shifts of the parameters from bytes near ties; see `at_ties`."""
    rng = np.random.default_rng(4)
    net, kernels = table_network(arch, f"scales_{int(above)}{int(flipped)}")
    outs = []
    for number in range(table_layers(arch) - 1):
        own = np.random.default_rng([4, number])
        given = at_ties(own, kernels, above=above, flipped=flipped)
        outs.append(
            net.conv(
                INPUT,
                few(rng, kernels, arch.block),
                weight_bits=FEW_BITS,
                bias=given.sums,
                multiplier=given.multipliers,
                shift=given.shifts,
            )
        )
    # An output takes two records, a map that the last layer copies takes one.
    copied = np.eye(kernels, dtype=np.int64)[:, np.newaxis, np.newaxis]
    outs.append(net.conv(outs.pop(), copied, weight_bits=FEW_BITS))
    return table_part(net, outs, "multipliers and shifts")


def table_layers(arch: Arch) -> int:
    """Return the layers that fill the tables of records and parameters."""
    _, kernels = table_network(arch, "sizes")
    return min(arch.record_entries // 2, arch.parameter_entries // (kernels // arch.block))


def table_network(arch: Arch, name: str) -> tuple[NetworkByHand, int]:
    """Return a network without layers, and the kernels of each that it will have."""
    channels = arch.row_blocks * arch.block
    kernels = min(arch.sub_arrays, arch.answer_entries, channels)
    places = max(1, arch.answer_entries // kernels)
    return NetworkByHand(name, (1, min(places, SIDE), arch.block)), kernels


def few(rng: np.random.Generator, kernels: int, channels: int) -> NDArray[np.int64]:
    """Return weights of `FEW_BITS` bits of kernels of one pixel."""
    return rng.integers(-2, 2, (kernels, 1, 1, channels))


def table_part(net: NetworkByHand, outs: list[str], reaches: str) -> Part:
    """Return a part whose first image is zeros: its sums are the biases."""
    drawn = drawn_bytes(np.random.default_rng(5), 1, *net.shape)
    return Part(
        reaches=f"{reaches} in the table of parameters",
        network=net.built(*outs),
        images=np.concatenate([np.zeros_like(drawn), and_complements(drawn)]),
    )
