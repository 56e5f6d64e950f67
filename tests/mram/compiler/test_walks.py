"""Kernels that fill the places of their segments: programs on integers against golden."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import CompileError, HwgenError
from hwgen.mram.compiler import compile_network, recompile
from hwgen.mram.facts.arch import Arch, ArraySize
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.model import CycleModel
from hwgen.network import INPUT, QuantizedNetwork
from tests.golden.drawn import MODES, Drawing
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.executor import Chip
from tests.verif.mram.chips import images_of
from verif.common.drawing import with_outputs
from verif.mram.random_network import OfDepthwise, OfKernels, OfSixteen, OfWidths

TINY = replace(arch_of("tiny"), kernels="any", answer_entries=256)
SMALL = replace(arch_of("small"), kernels="any", answer_entries=256)
WIDE = replace(
    TINY, array=ArraySize(rows=256, columns=64), parameter_entries=512, record_entries=256
)
"""A chip of small rows and many of them."""
CHIPS = {
    "tiny": TINY,
    "small": SMALL,
    "twins": replace(TINY, overlap=True, twins=True),
    "written back": replace(SMALL, write_back=True, input_rows=17),
    "copies": replace(SMALL, kernel_copies=2),
    "16 bits": replace(arch_of("wide"), kernels="any", answer_entries=256),
    "one segment": replace(TINY, block=4, array=ArraySize(rows=64, columns=64)),
    "many segments": replace(TINY, array=ArraySize(rows=128, columns=256)),
}


ROOMY = replace(SMALL, parameter_entries=512, record_entries=256)
SIXTEEN = replace(
    CHIPS["16 bits"], input_rows=32, array=ArraySize(rows=256, columns=128), parameter_entries=512
)
"""A chip of 16-bit elements, whose input rows have room for two row sets."""
DEPTHWISE_CHIPS = {
    "wide": WIDE,
    "roomy": replace(ROOMY, array=ArraySize(rows=256, columns=256)),
    "twins": replace(WIDE, overlap=True, twins=True),
    "written back": replace(ROOMY, write_back=True, input_rows=17),
    "copies": replace(ROOMY, kernel_copies=2),
}


ALL = {"kernel": (8, 8), "stride": (1, 1), "padding": (0, 0, 0, 0)}
"""A window of a whole map of 8 x 8."""


def matrices(count: int, *, side: int = 1, channels: int = 16) -> QuantizedNetwork:
    """Return kernels of 1 x 1 behind each other, each of as many as it has channels."""
    net = Drawing(5, modes=("1.0x",), shape=(side, side, channels))
    now = INPUT
    for _ in range(count):
        now = net.conv(now, (channels,), kernel=(1, 1))
    return net.build(now)


def check(network: QuantizedNetwork, arch: Arch) -> Counter[str]:
    """Compare every map of every mode with golden; return what the records are."""
    program = compile_network(network, arch)
    chip, found = Chip(program, arch), Counter[str]()
    for mode in range(len(network.graph.modes)):
        (image,) = images = images_of(network, 1, seed=mode)
        expected = infer(network, images, mode=mode)
        answered = chip.run(image, mode)
        for name, value in (answered.maps | answered.answers).items():
            (wanted,) = expected[name]
            # Answers have the channels of the widest mode.
            np.testing.assert_array_equal(value[..., : wanted.shape[-1]], wanted, err_msg=name)
    for record in decode_program(program.image, arch, source="test").records:
        if record["kind"] == Kind.CONV:
            found["walk" if record["walk"] else "window"] += 1
            found["two rows"] += record["walk"] and record["two_rows"]
            found["several positions"] += record["walk"] and record["positions"] > 1
            found["several rows of a tap"] += record["walk"] and record["tap_rows"] > 1
            found["several rounds"] += record["out_block"] > 0
            group = arch.block << record["octets_log"]
            beside = record["kernels"] > group and not record["depthwise"]
            found["side by side"] += beside
            found["side by side at several positions"] += beside and record["positions"] > 1
            found["side by side in several octets"] += beside and record["octets_log"] > 0
            found["more kernels than sub-arrays"] += beside and record["kernels"] > arch.sub_arrays
            found["side by side of several segments"] += beside and record["join"] > 0
            if record["depthwise"]:
                found["depthwise walk" if record["walk"] else "depthwise window"] += 1
                found["depthwise several rounds"] += record["out_block"] > 0
                found["depthwise later rows"] += record["first_row"] > 0
                several = min(record["positions"], record["blocks"]) > 1
                found["depthwise several positions"] += several
    return found


@pytest.mark.promise(
    "kernels of 1 x 1, 5 x 5, 1 x k and 10 x 4 are exact in all modes on chips of any kernels"
)
def test_drawn_networks_on_drawn_chips() -> None:
    found, ran = Counter[str](), Counter[str]()
    for seed in range(120):
        network = OfKernels(seed).build()
        name = list(CHIPS)[seed % len(CHIPS)]
        try:
            found += check(network, CHIPS[name])
            ran[name] += 1
        except CompileError as error:
            assert "must" in str(error)
    assert sum(ran.values()) >= 40, ran
    assert set(ran) == set(CHIPS), ran
    assert min(found[each] for each in ("walk", "window", "two rows", "several positions")), found
    beside = "at several positions", "in several octets", "of several segments"
    assert min(found[f"side by side {each}"] for each in beside), found


@pytest.mark.promise(
    "pixels and answers of up to 1,024 channels, which take several rows of a bank, are exact on"
    " chips of any kernels, in all modes and outputs"
)
def test_drawn_networks_of_wide_pixels() -> None:
    found, ran = Counter[str](), 0
    for seed in range(80):
        network = OfWidths(seed).build()
        try:
            found += check(with_outputs(network, seed=seed) if seed % 3 == 0 else network, WIDE)
            ran += 1
        except HwgenError as error:
            assert "must" in str(error)
    assert ran >= 50
    names = "walk", "two rows", "several positions", "several rows of a tap", "several rounds"
    beside = "side by side", "more kernels than sub-arrays"
    assert min(found[each] for each in (*names, *beside)), found


@pytest.mark.promise(
    "depthwise layers of up to nine taps are exact on chips of any kernels, in all modes"
)
def test_drawn_networks_of_depthwise_layers() -> None:
    found, ran = Counter[str](), Counter[str]()
    for seed in range(120):
        network, name = OfDepthwise(seed).build(), list(DEPTHWISE_CHIPS)[seed % 5]
        try:
            found += check(network, DEPTHWISE_CHIPS[name])
            ran[name] += 1
        except HwgenError as error:
            assert "must" in str(error)
    assert min(ran[name] for name in DEPTHWISE_CHIPS) >= 10, ran
    names = ("window", "walk", "several rounds", "several positions", "later rows")
    assert min(found[f"depthwise {each}"] for each in names), found


@pytest.mark.promise(
    "weights and maps of 16 bits are exact on chips of any kernels, in all modes and outputs, in"
    " layers with several kernels of a position and depthwise ones among them"
)
def test_drawn_networks_of_16_bits() -> None:
    found = Counter[str]()
    for seed in range(40):
        network = OfSixteen(seed).build()
        found += check(with_outputs(network, seed=seed) if seed % 2 == 0 else network, SIXTEEN)
    names = "window", "several rows of a tap", "depthwise later rows", "side by side"
    assert min(found[each] for each in (*names, "side by side of several segments")), found


def test_a_depthwise_layer_takes_a_position_in_each_free_segment() -> None:
    """Of 64 channels 56 take a row, and the last 8 of seven positions another one."""
    net = Drawing(5, modes=("1.0x",), shape=(8, 8, 64))
    now = net.conv(INPUT, (64,), kernel=(3, 3), padding=(1, 1, 1, 1), groups=64)
    network, arch = net.build(net.linear(net.max_pool(now, **ALL), (8,))), arch_of("paper_any")
    program = compile_network(network, arch)
    records = decode_program(program.image, arch, source="test").records
    rounds = [
        (each["kernels"], each["positions"], each["loads"], each["groups"])
        for each in records
        if each["depthwise"]
    ]
    assert rounds == [(56, 1, 64, 8), (8, 7, 10, 8)]
    cycles = {each.name: each.cycles for each in CycleModel(program, arch).predict().found}
    # Eight planes enter for each load, or three rows for each position; 64 ANDs follow the last.
    assert 64 * 8 + 64 < cycles["conv_0:0"] < 64 * 9 + 64 + 40
    assert 64 * 3 + 64 < cycles["conv_0:56"] < 64 * 3 + 64 + 40


def test_an_autoencoder_of_640_channels_runs_on_two_row_sets() -> None:
    arch = arch_of("paper_any")
    net = Drawing(3, modes=MODES[:1], shape=(1, 1, 640))
    now = INPUT
    for channels in (128, 8, 128, 640):
        now = net.linear(now, (channels,))
    found = check(net.build(now), arch)
    assert (found["two rows"], found["several rounds"]) == (2, 1 + 3)


def test_a_matrix_takes_one_row_of_inputs() -> None:
    """Two segments of two octets hold its 16 kernels, and those of two others a copy."""
    network = matrices(3)
    cells, cycles = [], []
    for arch in (SMALL, arch_of("small")):
        program = compile_network(network, arch)
        cells.append(len(program.facts.segments))
        cycles.append(
            {each.name: each.cycles for each in CycleModel(program, arch).predict().found}
        )
    assert cells == [6, 12]
    # 64 ANDs, 8 planes of 16 inputs before them, 4 blocks of sums behind them.
    assert cycles[0]["conv_1"] < 64 + 30 < 2 * 64 < cycles[1]["conv_1"]


def test_a_map_takes_a_position_in_each_segment() -> None:
    network = matrices(1, side=4)
    program = compile_network(network, SMALL)
    records = decode_program(program.image, SMALL, source="test").records
    found = [
        (each["kernels"], each["positions"], each["loads"], each["last_positions"], each["groups"])
        for each in records
        if each["kind"] == Kind.CONV
    ]
    # Three kernels of a lane side by side, and the fourth at three positions.
    assert found == [(12, 1, 16, 1, 4), (4, 3, 6, 1, 4)]


def test_further_widths_run_on_the_same_cells() -> None:
    whole = OfKernels(7).build()
    program = compile_network(whole, TINY)
    tables = recompile(program, whole, TINY)
    assert tables.facts.weight_rows == 0
    assert tables.facts.modes == program.facts.modes


def test_further_tables_keep_the_rounds_of_a_program() -> None:
    """Rounds of more kernels than sub-arrays, of fewer, and of one kernel a sub-array."""
    rounds = set()
    for channels in (16, 40, 120):
        net = Drawing(5, modes=MODES[:2], shape=(4, 4, 12))
        now = net.conv(INPUT, (channels, channels // 2), kernel=(1, 1))
        network = net.build(net.max_pool(now, kernel=(4, 4), stride=(1, 1), padding=(0, 0, 0, 0)))
        program = compile_network(network, SMALL)
        rounds |= {step.kernels for mode in program.facts.modes for step in mode.steps}
        assert recompile(program, network, SMALL).facts.modes == program.facts.modes
    assert {12, 4} < rounds and max(rounds) > SMALL.sub_arrays


@pytest.mark.parametrize(
    ("channels", "groups", "kernel", "given"),
    [
        ((4, 4), 2, (3, 3), "2 of 4 and 4 channels, 3 x 3"),
        ((4, 8), 4, (3, 3), "4 of 4 and 8 channels, 3 x 3"),
        ((4, 4), 4, (2, 5), "4 of 4 and 4 channels, 2 x 5"),
    ],
)
def test_other_groups_are_refused(
    channels: tuple[int, int], groups: int, kernel: tuple[int, int], given: str
) -> None:
    net = Drawing(1, modes=MODES[:1], shape=(5, 5, channels[0]))
    network = net.build(net.conv(INPUT, channels[1:], kernel=kernel, groups=groups))
    with pytest.raises(CompileError) as raised:
        compile_network(network, SMALL)
    allowed = "1, or those of a depthwise layer of at most 9 taps on a chip of any kernels"
    assert f"layer conv_0: groups must be {allowed} on an mram chip, got {given}" in str(
        raised.value
    )


@pytest.mark.parametrize(
    ("shape", "kernel", "arch", "sentence"),
    [
        (
            (6, 6, 8),
            (5, 5),
            TINY,
            "kernel must be of at most 13 taps of 8 channels, and at most 63 x 63, on an mram chip,"
            " got 5 x 5",
        ),
        ((64, 1, 1), (64, 1), SMALL, "at most 63 x 63, on an mram chip, got 64 x 1"),
        ((1, 1, 120), (1, 1), TINY, "input channels must be at most 108 on an mram chip, got 120"),
        (
            (1, 1, 1024),
            (1, 1),
            arch_of("paper_any"),
            "input channels must be at most 1008 on an mram chip, got 1024",
        ),
        ((5, 5, 1), (5, 5), arch_of("small"), "kernel must be at most 3 x 3 on an mram chip"),
    ],
)
def test_kernels_that_no_row_holds_are_refused(
    shape: tuple[int, int, int], kernel: tuple[int, int], arch: Arch, sentence: str
) -> None:
    net = Drawing(1, modes=MODES[:1], shape=shape)
    network = net.build(net.conv(INPUT, (2,), kernel=kernel))
    with pytest.raises(CompileError) as raised:
        compile_network(network, arch)
    assert sentence in str(raised.value)


MOST = "input channels must be at most {} on an mram chip, got {}"


@pytest.mark.promise(
    "kernels of 1 x 1 reach up to the channels that two rows of cells hold, depthwise layers and"
    " maps up to 1,024; one more is refused in a sentence"
)
@pytest.mark.parametrize("arch", [TINY, WIDE, SMALL], ids=["tiny", "wide", "small"])
def test_channels_up_to_the_edge(arch: Arch) -> None:
    """Drawn networks of 1 x 1 kernels and linear layers on either side of it."""
    most = 2 * arch.segments * 9 * arch.block
    arch = replace(arch, array=ArraySize(rows=256, columns=arch.array.columns))
    for number, channels in enumerate((most - arch.block + 1, most - 1, most, most + 1)):
        net = Drawing(number, modes=("1.0x",), shape=(1, 1, channels), bits=8)
        kernels = {"weight_bits": 2 + number}
        last = net.linear(INPUT, (3,), bits=32, **kernels)
        if number % 2:
            net = Drawing(number, modes=("1.0x",), shape=(1, 2, channels), bits=8)
            last = net.conv(INPUT, (3,), kernel=(1, 1), **kernels)
        network = net.build(last)
        if channels <= most:
            assert check(network, arch)["two rows"] == 1
            continue
        with pytest.raises(CompileError) as raised:
            compile_network(network, arch)
        assert f"layer conv_0: {MOST.format(most, channels)}" in str(raised.value)


@pytest.mark.dear
@pytest.mark.parametrize("channels", [1008, 1009, 1017, 1024, 1025])
def test_depthwise_layers_and_maps_reach_1024_channels(channels: int) -> None:
    """A kernel of 1 x 1 behind it reaches 1,008, which is 14 segments of 72 channels."""
    arch = arch_of("paper_any")
    net = Drawing(channels, modes=("1.0x",), shape=(1, 2, channels))
    window = {"kernel": (1, 2), "padding": (0, 1, 0, 0), "weight_bits": 3}
    now = net.conv(INPUT, (channels,), groups=channels, **window)
    mean = net.average_pool(now, kernel=(1, 2), stride=(1, 1), padding=(0, 0, 0, 0))
    network = net.build(mean)
    if channels > 1024:
        with pytest.raises(HwgenError, match="must be at most 1024 on an mram chip, got 1025"):
            compile_network(network, arch)
        return
    found = check(network, arch)
    assert found["depthwise walk"] == found["depthwise several rounds"] + 1
    assert found["depthwise later rows"]
    behind = net.build(net.linear(mean, (10,)))
    if channels == 1008:
        assert check(behind, arch)["two rows"] == 1
        return
    with pytest.raises(CompileError) as raised:
        compile_network(behind, arch)
    assert f"layer linear_2: {MOST.format(1008, channels)}" in str(raised.value)
