"""Eight widths of ResNet20 with weights and maps of 8 and 16 bits, by the model (Table IV)."""

from collections.abc import Iterator
from dataclasses import replace

from hwgen.commands.context import Context
from hwgen.errors import RefusedNodesError
from hwgen.mram.facts.arch import Arch, ArraySize
from hwgen.mram.facts.energy import EnergyTable
from hwgen.network import Conv, QuantizedNetwork
from hwgen_studies.cadnn_paper.counts import weighted
from hwgen_studies.cadnn_paper.memory import sizes
from hwgen_studies.cadnn_paper.published import TABLE_IV
from hwgen_studies.cadnn_paper.report import BitsCurve
from hwgen_studies.cadnn_paper.shapes import resnet20

WIDTHS = tuple(TABLE_IV)
NARROW, WIDE = 8, 16


def bits_curves(context: Context, arch: Arch, table: EnergyTable) -> tuple[list[BitsCurve], str]:
    """Return each choice of bits in each width, and what `arch` refuses of maps of 16 bits."""
    size = ArraySize(rows=2 * arch.array.rows, columns=2 * arch.array.columns)
    large = replace(arch, array=size)
    cases = (
        (NARROW, NARROW, arch),
        (WIDE, NARROW, arch),
        (NARROW, NARROW, large),
        (WIDE, WIDE, with_wide_elements(large)),
    )
    refused = refusal(with_wide_elements(arch))
    with context.status("eight widths by bits"):
        return [each for case in cases for each in curves_of(*case, table=table)], refused


def with_wide_elements(arch: Arch) -> Arch:
    """Return a chip with banks for 16-bit maps, and accumulators for their sums."""
    return replace(arch, element_bits=16, accumulator_bits=48)


def refusal(arch: Arch) -> str:
    """Return the first thing that a chip refuses of maps of 16 bits; empty: it runs them."""
    from hwgen.mram import compiler

    try:
        compiler.compile_network(resnet20(WIDTHS, weight_bits=WIDE, map_bits=WIDE), arch)
    except RefusedNodesError as error:
        return str(error).splitlines()[1]
    return ""


def curves_of(
    weight_bits: int, map_bits: int, arch: Arch, *, table: EnergyTable
) -> Iterator[BitsCurve]:
    """Yield the widths with some bits on a chip."""
    from hwgen.mram import compiler, model
    from hwgen.mram.model import energy

    network = resnet20(WIDTHS, weight_bits=weight_bits, map_bits=map_bits)
    cycles = model.CycleModel(compiler.compile_network(network, arch), arch)
    for mode, width in enumerate(WIDTHS):
        found = cycles.predict(modes=[mode])
        parts = [energy.parts_pj(step, arch, gating="none", table=table) for step in found.found]
        yield BitsCurve(
            weight_bits=weight_bits,
            map_bits=map_bits,
            chip=f"{arch.array.rows} x {arch.array.columns}, {arch.element_bits}-bit elements",
            width=width,
            multiplications=multiplications(network, mode),
            weight_bytes=sizes(network, mode)[0] * weight_bits // 8,
            cycles=found.cycles,
            energy_uj=sum(pj for each in parts for pj in each.values()) / 1e6,
            published_percent=TABLE_IV[width],
        )


def multiplications(network: QuantizedNetwork, mode: int) -> int:
    """Return those of an image in a mode: taps and channels of each kernel at each position."""
    total = 0
    for layer in weighted(network):
        taps = layer.kernel[0] * layer.kernel[1] if isinstance(layer, Conv) else 1
        inputs = taps * network.map_of(layer.inputs[0]).channels_in(mode)
        output = layer.output
        total += inputs * output.channels_in(mode) * output.height * output.width
    return total
