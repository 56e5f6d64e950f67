"""Whole MRAM chips in tests: networks with modes, compared with golden and the cycle model."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from golden.network import infer
from hwgen.chip.limits import RunLimits
from hwgen.mram.compiler import compile_network, unstored
from hwgen.mram.facts.arch import Arch, load_arch
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.model import CycleModel
from hwgen.mram.sim import SimulatedRun
from hwgen.network import INPUT, QuantizedNetwork
from tests.golden.drawn import MODES, Drawing

CONFIGS = Path(__file__).parents[3] / "configs" / "mram"
WINDOW = {"kernel": (3, 3), "padding": (1, 1, 1, 1)}
LONG = RunLimits(foreseen=1_000_000)
"""Of runs whose simulator is worth minutes of a compiler."""


def chip_arch(name: str) -> Arch:
    """Return the architecture of a config."""
    return load_arch(CONFIGS / f"{name}.yaml")


def residual_network(seed: int, *, deep: bool = False) -> QuantizedNetwork:
    """Return blocks with additions: of a stored map, and of a shortcut with other channels.

    deep: behind them a convolution at several positions whose kernels take two row sets of `tiny`
    """
    net = Drawing(seed, modes=MODES, shape=(5, 4, 3))
    first = net.conv(INPUT, (4, 3, 1), **WINDOW)
    now = net.add(net.conv(first, (4, 3, 1), **WINDOW), first)
    narrow = net.conv(now, (7, 4, 2), stride=(2, 2), weight_bits=5, **WINDOW)
    now = net.add(narrow, net.shortcut(now, (7, 4, 2), stride=(2, 2)))
    now = net.max_pool(now, kernel=(2, 2), stride=(1, 1), padding=(1, 0, 0, 1))
    if deep:
        now = net.conv(now, (7, 5, 3), weight_bits=6, **WINDOW)
    size = net.size(now)
    now = net.average_pool(now, kernel=size, stride=(1, 1), padding=(0, 0, 0, 0))
    return net.build(net.linear(now, (5, 5, 5), bits=32))


def narrow_network(seed: int) -> QuantizedNetwork:
    """Return a network of few bits: weights of the odd grid, maps of one to six bits."""
    net = Drawing(seed, modes=MODES, shape=(4, 8, 1))
    now = net.conv(INPUT, (6, 4, 2), bits=4, weight_bits=2, weight_grid="odd", **WINDOW)
    now = net.conv(now, (8, 5, 2), bits=1, weight_bits=1, weight_grid="odd", **WINDOW)
    now = net.rescale(now, bits=6)
    now = net.conv(now, (4, 3, 3), kernel=(2, 3), stride=(2, 3), weight_bits=4)
    return net.build(net.conv(now, (3, 3, 2), bits=8, weight_bits=3))


DEEP_NETWORKS = {"residual": partial(residual_network, deep=True), "narrow": narrow_network}
"""Networks of a seed for chips with options, by name."""


def images_of(network: QuantizedNetwork, count: int, *, seed: int = 1) -> np.ndarray:
    """Return random images."""
    top = (1 << network.graph.input.bits) - 1
    shape = (count, *network.graph.input.shape)
    drawn = np.random.default_rng(seed).integers(0, top + 1, shape)
    return drawn.astype(np.uint8 if top < 256 else np.uint16)


def every_switch(modes: int) -> list[int]:
    """Return the modes of a stream in which each follows each, itself too; the first one is last.

    A sequence of de Bruijn of order 2: `modes` * `modes` + 1 images.
    """
    stream = []
    for one in range(modes):
        stream.append(one)
        for other in range(one + 1, modes):
            stream += [one, other]
    return [*stream, stream[0]]


def compiled(
    network: QuantizedNetwork, arch: Arch, *, images: int = 1, mapping: str = "positions"
) -> Program:
    """Return the program of a network."""
    return compile_network(network, arch, images=images, mapping=mapping)


def twin_records(program: Program, arch: Arch) -> int:
    """Return the records of a program whose last blocks stand twice in a row set."""
    records = decode_program(program.image, arch, source="a test").records
    return sum(record.get("twins", 0) > 0 for record in records)


def check_maps(run: SimulatedRun, network: QuantizedNetwork, images: np.ndarray) -> None:
    """Every map that a bank or the memory holds is golden's; only fused ones are missing."""
    for index, mode, found in zip(run.images, run.modes, run.maps, strict=True):
        expected = infer(network, images[index : index + 1], mode=mode)
        assert set(expected) - set(found) == unstored(network, None, None)
        for layer, (values,) in expected.items():
            if layer in found:
                np.testing.assert_array_equal(found[layer], values, err_msg=f"{index} {layer}")


def check_cycles(
    run: SimulatedRun,
    program: Program,
    arch: Arch,
    modes: Sequence[int],
    *,
    loaded: Program | None = None,
) -> None:
    """Steps, counters and events are those of the cycle model; loaded: the weights, if not those.

    A run writes no row of weights.
    """
    predicted = CycleModel(program, arch).predict(modes=list(modes))
    assert list(run.steps) == list(predicted.steps)
    for step, found, expected in zip(
        run.steps, run.step_events, predicted.step_events, strict=True
    ):
        assert dict(found) == dict(expected), step
    assert (run.cycles, run.load_cycles) == (predicted.cycles, predicted.load)
    rows = arch.sub_arrays * (loaded or program).facts.weight_rows
    assert run.counters == predicted.counters | {"weight_row_writes": rows}
    assert run.events == predicted.events
    assert run.image_cycles == predicted.image_cycles
    assert run.weight_row_writes == 0
