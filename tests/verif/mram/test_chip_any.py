"""Chips of any kernels: values are golden's, cycles and events the model's."""

from dataclasses import replace

import pytest

from hwgen.chip.trouble import Trouble
from hwgen.mram.facts.arch import Arch, ArraySize
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.sim import simulate
from hwgen.network import INPUT, QuantizedNetwork
from tests.golden.drawn import MODES, Drawing
from tests.verif.mram.chips import check_cycles, check_maps, chip_arch, compiled, images_of
from verif.common.drawing import draw_images, with_outputs
from verif.mram.random_network import OfDepthwise, OfKernels, OfSixteen, OfWidths

TINY = replace(chip_arch("tiny"), kernels="any", answer_entries=256)
BOTH = replace(TINY, overlap=True, twins=True)
WIDE = replace(
    TINY, array=ArraySize(rows=256, columns=64), parameter_entries=512, record_entries=256
)
"""A chip of small rows and many of them."""
DEPTHWISE = replace(WIDE, array=ArraySize(rows=128, columns=128), overlap=True)
DEPTHWISE_SEEDS = (5, 9, 12, 22, 46)
SIXTEEN = replace(
    chip_arch("wide"),
    kernels="any",
    input_rows=32,
    array=ArraySize(rows=256, columns=128),
    parameter_entries=512,
    answer_entries=256,
)
"""A chip of 16-bit elements, whose input rows have room for two row sets."""
SIXTEEN_SEEDS = (0, 1, 6, 14, 26, 30, 34)
WIDE_SEEDS = (2, 9, 30, 51, 55)


def kernels_of(seed: int) -> QuantizedNetwork:
    """Return kernels of 5 x 5, 1 x 4, 4 x 1 and 1 x 1 behind each other, and one of a whole map."""
    net = Drawing(seed, modes=MODES, shape=(6, 5, 3))
    now = net.conv(INPUT, (4, 3, 1), kernel=(5, 5), padding=(2, 2, 2, 2), weight_bits=4)
    now = net.conv(now, (4, 3, 2), kernel=(1, 4), weight_bits=4)
    now = net.conv(now, (8, 5, 2), kernel=(4, 1), padding=(1, 0, 0, 0), weight_bits=3)
    now = net.conv(now, (6, 5, 2), kernel=(1, 1), stride=(2, 1), weight_bits=3)
    return net.build(net.linear(now, (5, 5, 5), bits=32, weight_bits=4))


@pytest.mark.dear
@pytest.mark.promise(
    "kernels of 1 x 1, 5 x 5, 1 x k and 10 x 4 are exact in all modes on chips of any kernels"
)
@pytest.mark.parametrize("mapping", ["positions", "seed"])
@pytest.mark.parametrize("arch", [TINY, BOTH], ids=["plain", "options"])
def test_values_and_cycles_of_every_mode(arch: Arch, mapping: str) -> None:
    network, modes = kernels_of(2), [0, 2, 1, 1]
    program = compiled(network, arch, images=len(modes), mapping=mapping)
    records = decode_program(program.image, arch, source="a test").records
    walks = [record for record in records if record["kind"] == Kind.CONV and record["walk"]]
    assert {record["two_rows"] for record in walks} == {0, 1}
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes, seed=3)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)


@pytest.mark.dear
@pytest.mark.parametrize("seed", [32, 64, 80])
def test_drawn_networks(seed: int) -> None:
    network = OfKernels(seed).build()
    modes = list(range(len(network.graph.modes)))[::-1]
    program = compiled(network, TINY, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(TINY, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, TINY, modes)


@pytest.mark.dear
@pytest.mark.promise(
    "pixels and answers of up to 1,024 channels, which take several rows of a bank, are exact on"
    " chips of any kernels, in all modes and outputs"
)
@pytest.mark.parametrize("seed", WIDE_SEEDS)
def test_drawn_networks_of_wide_pixels(seed: int) -> None:
    network = OfWidths(seed).build()
    if seed % 3 == 0:
        network = with_outputs(network, seed=seed)
    modes = list(range(len(network.graph.modes)))
    program = compiled(network, WIDE, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(WIDE, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, WIDE, modes)


@pytest.mark.dear
@pytest.mark.promise(
    "depthwise layers of up to nine taps are exact on chips of any kernels, in all modes"
)
@pytest.mark.parametrize("seed", DEPTHWISE_SEEDS)
def test_drawn_networks_of_depthwise_layers(seed: int) -> None:
    network, arch = OfDepthwise(seed).build(), DEPTHWISE
    modes = list(range(len(network.graph.modes)))
    program = compiled(network, arch, images=len(modes))
    images = images_of(network, len(modes))
    (run,) = simulate(arch, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, arch, modes)


@pytest.mark.dear
@pytest.mark.promise(
    "weights and maps of 16 bits are exact on chips of any kernels, in all modes and outputs, in"
    " layers with several kernels of a position and depthwise ones among them"
)
@pytest.mark.parametrize("seed", SIXTEEN_SEEDS)
def test_drawn_networks_of_16_bits(seed: int) -> None:
    network = OfSixteen(seed).build()
    if seed % 2 == 0:
        network = with_outputs(network, seed=seed)
    modes = list(range(len(network.graph.modes)))
    program = compiled(network, SIXTEEN, images=len(modes))
    images = draw_images(network, len(modes), seed=seed)
    (run,) = simulate(SIXTEEN, program, images, modes=modes, seed=seed)
    check_maps(run, network, images)
    check_cycles(run, program, SIXTEEN, modes)


@pytest.mark.dear
def test_a_slow_memory_changes_no_value() -> None:
    network, modes = kernels_of(4), [1, 0]
    images = images_of(network, len(modes))
    program = compiled(network, TINY, images=len(modes))
    trouble = Trouble(stall=40, seed=4)
    (run,) = simulate(TINY, program, images, modes=modes, trouble=trouble, seed=4)
    check_maps(run, network, images)
