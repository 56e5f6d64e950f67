"""Compiled programs compute what golden computes: every map of every mode, on garbage."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from golden.network import infer
from hwgen.errors import CompileError, DesignError
from hwgen.mram.compiler import compile_network, recompile
from hwgen.mram.facts import Arch, Program
from hwgen.mram.facts.arch import ArraySize
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import decode_program
from hwgen.mram.model import CycleModel
from hwgen.mram.rtl import make_chip
from hwgen.network import INPUT, FeatureMap, QuantizedNetwork
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.executor import Chip
from tests.mram.compiler.nets import (
    MODES,
    SAME,
    Drawn,
    chain,
    images_of,
    odd_additions,
    residual,
)

WINDOW = {"kernel": (2, 2), "stride": (1, 1), "padding": (1, 0, 0, 1)}
POINT = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0, 0, 0)}


def check(network: QuantizedNetwork, arch: Arch, chip: Chip, *, seed: int = 3) -> None:
    """Compare every stored map and the answer of every mode with golden."""
    images = images_of(network, 1, seed=seed)
    for mode in range(len(network.graph.modes)):
        maps = infer(network, images, mode=mode)
        found = chip.run(images[0], mode)
        for name, values in found.maps.items():
            np.testing.assert_array_equal(values, maps[name][0], err_msg=f"{name} in mode {mode}")
        assert tuple(found.answers) == network.graph.outputs
        for name, values in found.answers.items():
            answer = maps[name][0]
            np.testing.assert_array_equal(values[..., : answer.shape[-1]], answer, err_msg=name)


def compiled(network: QuantizedNetwork, arch: Arch, mapping: str | None = "positions") -> Program:
    """Compile a network and compare it with golden."""
    program = compile_network(network, arch, mapping=mapping)
    check(network, arch, Chip(program, arch))
    return program


@pytest.mark.promise(
    "a program for an MRAM chip computes what golden computes, in every mode, on garbage in"
    " banks and cells"
)
@pytest.mark.parametrize("seed", range(8))
def test_convolutions_of_random_windows(seed: int) -> None:
    channels = ((4, 3, 1), (8, 5, 3), (3, 2, 2))
    network = chain(seed, channels=channels, shape=(5, 8, 3))
    compiled(network, arch_of("tiny"), mapping="seed" if seed % 4 == 3 else "positions")


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_the_odd_grid(bits: int) -> None:
    network = chain(
        bits,
        channels=((6, 4, 2), (5, 4, 4)),
        shape=(4, 4, 2),
        bits=bits,
        weight_bits=bits,
        weight_grid="odd",
    )
    compiled(network, arch_of("tiny"))


def test_sixteen_bits_on_wide() -> None:
    network = chain(
        2,
        channels=((8, 4), (6, 3)),
        shape=(4, 4, 3),
        modes=("1.0x", "0.5x"),
        bits=16,
        weight_bits=16,
        pooled=False,
        kernel=(3, 3),
        stride=(2, 2),
        padding=(1, 1, 1, 1),
        head=(4, 4),
    )
    compiled(network, arch_of("wide"))


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_residual_blocks_with_shortcuts_of_zeros(name: str) -> None:
    widths = ((4, 3, 2), (8, 5, 2)) if name == "tiny" else ((8, 6, 3), (16, 12, 5))
    compiled(residual(1, widths=widths, size=8), arch_of(name, answer_entries=64))


def test_every_kind_of_addition() -> None:
    program = compiled(odd_additions(4), arch_of("tiny", answer_entries=256))
    fused = [step.fused for step in program.facts.modes[0].steps if step.fused]
    assert fused == [["conv_1"], ["max_pool_4"], ["rescale_10", "shortcut_11"]]


@pytest.mark.parametrize("conv", [{"stride": (2, 9), "padding": (1, 0, 1, 0)}, SAME])
def test_a_window_that_stays_may_have_any_stride(conv: dict[str, Any]) -> None:
    """The mean of a whole map moves by its size; a convolution with one column by nine."""
    net = Drawn(4, modes=MODES, shape=(8, 8, 2))
    now = net.conv(INPUT, (4, 3, 2), **{**SAME, **conv})
    size = net.size(now)
    now = net.average_pool(now, kernel=size, stride=size, padding=(0, 0, 0, 0))
    compiled(net.build(net.linear(now, (3, 3, 3), bits=32)), arch_of("small"))


@pytest.mark.parametrize("copies", [1, 2])
def test_a_chip_with_copies_of_kernels_takes_a_position_in_each(copies: int) -> None:
    """Without them `tiny` takes as many positions at a time as its sub-arrays and segments can."""
    network = chain(3, channels=((4, 3, 1), (2, 2, 1)), shape=(4, 4, 3), **WINDOW)
    for given, groups, positions in ((copies, copies, 1), (0, 4, 2)):
        arch = arch_of("tiny", kernel_copies=given)
        program = compiled(network, arch, mapping=None)
        assert program.facts.mapping == ("seed" if given else "positions")
        records = decode_program(program.image, arch, source="test").records
        convs = [each for each in records if each["kind"] == Kind.CONV and each["loads"] > 1]
        assert max(each["groups"] for each in convs) == groups
        assert max(each["positions"] for each in convs) == positions


def test_kernels_in_two_row_sets() -> None:
    network = chain(5, channels=((8, 5, 2), (8, 7, 6)), shape=(4, 4, 7), **WINDOW)
    program = compiled(network, arch_of("tiny"))
    records = decode_program(program.image, arch_of("tiny"), source="test").records
    assert {record["two_rows"] for record in records if record["kind"] == Kind.CONV} == {0, 1}


def test_a_head_over_rows_of_a_bank_in_rounds() -> None:
    network = chain(
        6, channels=((4, 3, 2),), shape=(4, 3, 3), pooled=False, head=(11, 9, 4), **POINT
    )
    program = compiled(network, arch_of("tiny", array=ArraySize(rows=128, columns=64)))
    names = [step.name for step in program.facts.modes[0].steps][-3:-1]
    assert names == ["linear_1:0", "linear_1:8"]
    assert {each.mode for each in program.facts.segments if each.layer == "linear_1"} == {0, 1, 2}


def test_the_seed_computes_one_position_at_a_time() -> None:
    network = chain(2, channels=((4, 3, 1),), shape=(4, 4, 2))
    program = compile_network(network, arch_of("tiny"), mapping="seed")
    records = decode_program(program.image, arch_of("tiny"), source="test").records
    convs = [record for record in records if record["kind"] == Kind.CONV]
    assert {(record["groups"], record["positions"]) for record in convs} == {(1, 1)}
    assert {each.copy for each in program.facts.segments} == {0}


def narrower(network: QuantizedNetwork, *, second: int) -> QuantizedNetwork:
    """Return a network with its widest mode and one more of the given mode."""
    graph = network.graph
    chosen = (0, second)

    def cut(feature: FeatureMap) -> FeatureMap:
        channels = tuple(feature.channels_in(mode) for mode in chosen)
        return replace(
            feature,
            mode_channels=() if len(set(channels)) == 1 else channels,
            quantization=tuple(feature.quantization[mode] for mode in chosen),
        )

    layers = []
    for layer in graph.layers:
        changes = {"output": cut(layer.output)}
        if hasattr(layer, "requantization"):
            changes["requantization"] = tuple(layer.requantization[mode] for mode in chosen)
        layers.append(replace(layer, **changes))
    parameters = {
        name: replace(
            each,
            bias=each.bias[list(chosen)],
            multiplier=each.multiplier[list(chosen)],
            shift=each.shift[list(chosen)],
        )
        for name, each in network.parameters.items()
    }
    modes = tuple(graph.modes[mode] for mode in chosen)
    fresh = replace(graph, input=cut(graph.input), modes=modes, layers=layers)
    return QuantizedNetwork(graph=fresh, parameters=parameters, tables={})


@pytest.mark.promise(
    "a width table that arrives after load runs on the weights of an MRAM chip as they are"
)
def test_a_width_table_that_arrives_after_load_runs_on_resident_weights() -> None:
    arch = arch_of("tiny", answer_entries=64)
    network = residual(2, widths=((4, 3, 1), (8, 5, 2)), size=8)
    first = compile_network(narrower(network, second=1), arch)
    chip = Chip(first, arch)
    later = recompile(first, narrower(network, second=2), arch)
    assert later.facts.weight_rows == 0
    assert later.facts.segments == first.facts.segments
    chip.load(later)
    check(narrower(network, second=2), arch, chip)


def test_a_width_table_for_other_weights_is_refused() -> None:
    arch = arch_of("tiny", answer_entries=64)
    program = compile_network(residual(2, widths=((4, 3), (8, 5)), size=8), arch)
    sentence = "layer conv_0: the weights of mode 1.0x must stand in the rows of the program"
    with pytest.raises(CompileError, match=sentence):
        recompile(program, residual(3, widths=((4, 3), (8, 5)), size=8), arch)


def test_tables_alone_and_other_chips_take_no_width_table() -> None:
    arch, network = arch_of("tiny"), chain(1, channels=((4, 3, 1),), shape=(4, 4, 2))
    program = compile_network(network, arch)
    tables = recompile(program, network, arch)
    with pytest.raises(CompileError, match="must bring weight rows to take further modes"):
        recompile(tables, network, arch)
    with pytest.raises(CompileError, match="must be for the architecture small"):
        recompile(program, network, arch_of("small"))


def test_the_same_arguments_give_the_same_bytes() -> None:
    network = residual(5, widths=((4, 3), (8, 5)), size=4)
    first, second = (compile_network(network, arch_of("tiny")) for _ in range(2))
    assert first.image.tobytes() == second.image.tobytes()
    assert first.facts == second.facts


@pytest.mark.dear("512-256")
@pytest.mark.promise("mram chips of up to 4,096 sub-arrays are predicted, and refused as Verilog")
@pytest.mark.parametrize(("sub_arrays", "groups"), [(512, 256), (4096, 289)])
def test_a_program_for_many_sub_arrays(sub_arrays: int, groups: int) -> None:
    """An octet a group, a load a position of the 17 x 17: more groups than eight bits can tell."""
    net = Drawn(5, modes=MODES[:1], shape=(17, 17, 6))
    now = net.conv(INPUT, (2,), **SAME)
    now = net.average_pool(now, kernel=(17, 17), stride=(1, 1), padding=(0, 0, 0, 0))
    network = net.build(net.linear(now, (3,), bits=32))
    arch = arch_of("tiny", sub_arrays=sub_arrays, array=ArraySize(rows=512, columns=64))
    program = compiled(network, arch)
    records = decode_program(program.image, arch, source="test").records
    assert max(fields["groups"] for fields in records) == groups
    few = replace(arch, sub_arrays=8)
    cycles = CycleModel(program, arch).predict().cycles
    assert cycles < CycleModel(compiled(network, few), few).predict().cycles
    with pytest.raises(DesignError, match=f"at most 256 for Verilog, got {sub_arrays}, which only"):
        make_chip(arch)
