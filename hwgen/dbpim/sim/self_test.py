"""The self-test of a DB-PIM chip: what its host places in memory, and which cells it can reach.

Tests: `tests/dbpim/sim/test_self_test.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.self_test import (
    Part,
    and_complements,
    at_ties,
    drawn_bytes,
    one_by_one,
)
from hwgen.chip.sim.host import HostedChip, Work
from hwgen.chip.sim.stuck import CellArray
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.timing import TAP_SLOTS, TILE_SLOTS
from hwgen.dbpim.sim.chip_run import ChipRun, hosted
from hwgen.dbpim.sim.simulate import job_of, simulated_runs
from hwgen.dbpim.sim.stores import Stores
from hwgen.network.by_hand import NetworkByHand
from hwgen.network.drawn import of_digits
from hwgen.network.graph import INPUT

INSTRUCTIONS = ("sequencer.queue.words",)
"""Memories that hold no data: a cell stuck there is seen where a program uses its field."""
WIDEST = 64
"""Pixels of a row of the images that fill the buffers."""
DIGITS = ((2, 0.0), (2, 0.3), (1, 0.0), (1, 0.6), (4, 0.0), (3, 0.2), (2, 0.5), (1, 0.7))
"""Of the layers of `weights`: digits of a weight at most, and the share of pruned inputs."""
TAPS = (4, 8)
"""Window of depthwise convolutions that fills a slot of weights."""


def parts(arch: Arch) -> list[Part]:
    """Return the parts of the test, those of the most cells first."""
    return [
        buffers(arch, flipped=False),
        buffers(arch, flipped=True),
        weights(arch),
        taps(arch),
        scales(arch),
        answers(arch, flipped=False),
        answers(arch, flipped=True),
    ]


def read_bits(array: CellArray, arch: Arch) -> int:
    """Return how many of the lowest bits of a word are counted: all, of instructions none."""
    return 0 if array.path in INSTRUCTIONS else array.bits


def work_of(program: Program, arch: Arch, images: NDArray[np.uint8]) -> Work:
    """Return what a host does to run the images."""
    return job_of(arch, program, images).work()


def maps_of(
    runs: Sequence[ChipRun], program: Program, arch: Arch, images: NDArray[np.uint8]
) -> list[Mapping[str, NDArray[Any]]]:
    """Return the maps of each image; raise SimulationError for a run that did not finish."""
    return [
        one for run in simulated_runs(runs, [program] * len(runs), arch, images) for one in run.maps
    ]


def hosted_chip(arch: Arch) -> HostedChip[Stores]:
    """Return the chip."""
    return hosted(arch)


def buffers(arch: Arch, *, flipped: bool) -> Part:
    """Fill one half of the activation buffers with an image, the other with its map by a table.

    The table is a permutation that turns complements into complements.

    flipped: it is the complement of the other part's
    """
    rng = np.random.default_rng(1)
    words = arch.simd_units * arch.banks * (arch.bank_words // 2)
    width = min(WIDEST, words // arch.simd_units)
    net = NetworkByHand(f"buffers_{int(flipped)}", (words // width, width, arch.word))
    table = (np.arange(256) * 167 + 83).astype(np.uint8)
    out = net.table(INPUT, ~table if flipped else table)
    return Part(
        reaches="activation buffers, tables, beats read ahead",
        network=net.built(out),
        images=and_complements(drawn_bytes(rng, 1, *net.shape)),
    )


def weights(arch: Arch) -> Part:
    """Read each weight through each macro: an output is one weight, or one and a partial sum."""
    rng = np.random.default_rng(2)
    channels = 4 * arch.macro.compartments
    places = arch.cores * arch.banks * arch.psum_vectors
    side = max(4, 1 << (places.bit_length() // 2))
    net = NetworkByHand("weights", (side, side, channels))
    filters = 2 * arch.cores * arch.filters
    outs = [
        net.conv(INPUT, drawn_weights(arch, rng, (filters, 1, 1, channels), *each))
        for each in DIGITS
    ]
    return Part(
        reaches="cells, signs, indices and constants of the macros, masks, partial sums, groups",
        network=net.built(*outs),
        images=one_by_one(8, net.shape),
    )


def drawn_weights(
    arch: Arch, rng: np.random.Generator, shape: Sequence[int], digits: int, pruned: float
) -> NDArray[np.int64]:
    """Return weights of so many digits, 0 for all filters at the pruned inputs."""
    choice = of_digits(1, digits)
    most = 1 << arch.macro.weight_bits - 1
    drawn = rng.choice(choice[(choice >= -most) & (choice < most)], shape)
    kept: NDArray[np.int64] = drawn * (rng.random(shape[1:]) >= pruned)
    return kept


def taps(arch: Arch) -> Part:
    """Read each depthwise weight, and each total of windows; see `lattices`."""
    rng = np.random.default_rng(3)
    channels = 2 * TAP_SLOTS * arch.cores * arch.word
    net = NetworkByHand("taps", (TAPS[0] + 2, TAPS[1] + 4, channels))
    outs = []
    for _ in range(2):
        drawn = rng.integers(-128, 128, (channels, *TAPS, 1))
        outs.append(net.conv(INPUT, drawn, groups=channels, bias=rng.integers(-20, 20, channels)))
    outs += [net.pool(INPUT, (2, 2)), net.pool(INPUT, (2, 4), mean=True)]
    return Part(
        reaches="depthwise weights, their biases, totals of the SIMD units",
        network=net.built(*outs),
        images=np.concatenate([*lattices(net.shape), drawn_bytes(rng, 1, *net.shape)]),
    )


def lattices(shape: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
    """Yield images of zeros with a 1 at each corner of a lattice as wide as `TAPS`.

    Each window has one 1 in it, and each tap meets it in one of them at least.
    """
    for top in (0, 1):
        for left in (0, 4):
            image = np.zeros((1, *shape), np.uint8)
            image[:, top :: TAPS[0], left :: TAPS[1]] = 1
            yield image


def scales(arch: Arch) -> Part:
    """Read multipliers and shifts: images of zeros, and biases whose bytes are near ties."""
    filters = 2 * TILE_SLOTS * arch.cores * arch.filters
    channels = 2 * TAP_SLOTS * arch.cores * arch.word
    net, outs = NetworkByHand("scales", (2, 2, channels)), []
    for above in (False, True):
        for flipped in (False, True):
            for count, groups in ((filters, 1), (channels, channels)):
                given = at_ties(np.random.default_rng(4), count, above=above, flipped=flipped)
                outs.append(
                    net.conv(
                        INPUT,
                        np.ones((count, 1, 1, channels // groups), np.int64),
                        groups=groups,
                        bias=given.sums,
                        multiplier=given.multipliers,
                        shift=given.shifts,
                    )
                )
    return Part(
        reaches="multipliers and shifts",
        network=net.built(*outs),
        images=np.zeros((1, *net.shape), np.uint8),
    )


def answers(arch: Arch, *, flipped: bool) -> Part:
    """Read the buffer of answers and biases: raw sums; flipped: biases are the complements."""
    rng = np.random.default_rng(5)
    channels, filters = arch.macro.compartments, min(arch.logit_entries, 1023)
    net = NetworkByHand(f"answers_{int(flipped)}", (1, 1, channels))
    bias = rng.integers(-(1 << 30), 1 << 30, filters)
    drawn = drawn_weights(arch, rng, (filters, 1, 1, channels), 2, 0.0)
    out = net.conv(INPUT, drawn, raw=True, bias=~bias if flipped else bias)
    return Part(
        reaches="answers, biases",
        network=net.built(out),
        images=and_complements(drawn_bytes(rng, 1, *net.shape)),
    )
