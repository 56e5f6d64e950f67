"""Small whole networks on small chips, for benches of the chip."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.crossbar.compiler.quantized import bits_of, crossbar_network
from hwgen.crossbar.facts.arch import arch_text
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.point import Cells, Point, clipped, stepped
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.schedule import save_schedule
from hwgen.crossbar.model.record import (
    Confirmed,
    confirm,
    design_of,
    make_arch,
    make_schedule,
)
from hwgen.network import QuantizedNetwork
from tests.synthesis import COMPONENTS
from verif.common.drawing import Drawing


def plain_network(seed: int = 1) -> QuantizedNetwork:
    """Return three convolutions, one with a stride, and a head of raw sums."""
    drawing = Drawing(seed, modes=("full",), shape=(6, 6, 3))
    first = drawing.conv("input", (5,), kernel=(3, 3), stride=(1, 1), padding=(1, 1, 1, 1))
    second = drawing.conv(first, (6,), kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))
    head = drawing.linear(second, (7,), bits=32)
    return drawing.build(head)


def joined_network(seed: int = 2) -> QuantizedNetwork:
    """Return functions, and concatenations that a convolution, a pooling and a head read."""
    drawing = Drawing(seed, modes=("full",), shape=(4, 4, 3))
    around = (1, 1, 1, 1)
    first = drawing.conv("input", (3,), kernel=(3, 3), padding=around)
    second = drawing.conv(first, (5,), kernel=(3, 3), padding=around, like=first)
    both = drawing.concatenate(first, second)
    third = drawing.table(drawing.conv(both, (4,), kernel=(3, 3), padding=around))
    pooled = drawing.max_pool(both, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    reduced = drawing.conv(third, (2,), kernel=(2, 2), stride=(2, 2), like=pooled)
    return drawing.build(drawing.linear(drawing.concatenate(pooled, reduced), (6,), bits=32))


def answers_network() -> QuantizedNetwork:
    """Return a concatenation as the answer, and a map that is an answer and read as well."""
    drawing = Drawing(4, modes=("full",), shape=(3, 2, 1))
    first = drawing.conv("input", (3,))
    second = drawing.conv(first, (2,), like=first)
    return drawing.build(drawing.concatenate(first, second), first)


def answers_design(bits_less: int = 0, step: int = 1, cells: Cells = "offset") -> Confirmed:
    """Return its chip: two convolutions, and a layer for each answer."""
    return design(
        answers_network(),
        copies=[2, 1, 1, 1],
        macros=[1, 1, 0, 0],
        side=16,
        bits_less=bits_less,
        cells=cells,
        step=step,
    )


def joined_design(cells: Cells = "offset") -> Confirmed:
    """Return the chip of `joined_network`: copies cut its maps, and a layer has two macros."""
    return design(
        joined_network(),
        copies=[3, 4, 2, 1, 1, 1],
        macros=[1, 2, 1, 0, 1, 1],
        clocks=[1, 1, 1, 1, 1, 2],
        side=16,
        cells=cells,
    )


def small_components(network: QuantizedNetwork, side: int, bus_bits: int) -> Components:
    """Return the constants with crossbars of one small side and narrow scratchpads."""
    sizes = (replace(COMPONENTS.crossbars.sizes[0], side=side),)
    return replace(
        COMPONENTS,
        crossbars=replace(COMPONENTS.crossbars, sizes=sizes),
        scratchpads=replace(COMPONENTS.scratchpads, bus_bits=bus_bits),
        weight_bits=bits_of(network).weights,
        activation_bits=bits_of(network).activations,
    )


def design(
    network: QuantizedNetwork,
    *,
    copies: Sequence[int],
    macros: Sequence[int],
    partner: Sequence[int] | None = None,
    clocks: Sequence[int] | None = None,
    side: int = 32,
    cell_bits: int = 2,
    dac_bits: int = 2,
    bus_bits: int = 128,
    bits_less: int = 0,
    cells: Cells = "offset",
    step: int = 1,
) -> Confirmed:
    """Return a design that is chosen by hand.

    bits_less: of converters, than lose nothing; step: sums that a code counts
    """
    count = len(copies)
    sizes = {"cell_bits": cell_bits, "side": side, "dac_bits": dac_bits}
    point = Point(rram_ratio=None, cells=cells, **sizes)
    components = small_components(network, side, bus_bits)
    if bits_less:
        point = stepped(next(clipped([point], bits_less)))[step.bit_length() - 1]
        adc = replace(components.adcs.resolutions[0], bits=point.adc_bits)
        components = replace(components, adcs=replace(components.adcs, resolutions=(adc,)))
    return confirm(
        crossbar_network(network),
        components,
        point=point,
        rules=STRICT,
        power_w=50.0,
        design=design_of(copies, macros, partner or [-1] * count, clocks or [1] * count),
    )


def chip_for(found: Confirmed, name: str) -> Chip:
    """Return the description of the chip of a design."""
    return described(make_arch(found, name))


def write_chip(found: Confirmed, name: str, folder: Path) -> Path:
    """Write architecture and schedule of a design as a synthesis does; return the former."""
    arch = make_arch(found, name)
    save_schedule(make_schedule(found, arch), folder / "schedule.npz")
    file = folder / "architecture.yaml"
    file.write_text(arch_text(arch), encoding="utf-8")
    return file
