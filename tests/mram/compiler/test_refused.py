"""What the chip does not run is refused in one sentence."""

from collections.abc import Callable
from typing import Any

import pytest

from hwgen.errors import CompileError, RefusedNodesError
from hwgen.mram.compiler import LAYER_LIMITS, compile_network, layer_remarks
from hwgen.mram.compiler.supported import ANY_KERNEL
from hwgen.mram.facts import Arch
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.graph import KINDS
from tests.mram.compiler.archs import arch_of
from tests.mram.compiler.nets import Drawn

ONE = ("1.0x",)
POINT: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0, 0, 0)}


def drawing(shape: tuple[int, int, int] = (4, 4, 2), modes: tuple[str, ...] = ONE) -> Drawn:
    """Return an empty network."""
    return Drawn(1, modes=modes, shape=shape)


def ended(net: Drawn, last: str) -> QuantizedNetwork:
    """Return the network with a mean of the whole map as its answer."""
    return net.build(
        net.average_pool(last, kernel=net.size(last), stride=(1, 1), padding=(0, 0, 0, 0))
    )


def with_conv(shape: tuple[int, int, int] = (4, 4, 2), **layer: Any) -> QuantizedNetwork:
    """Return a network of one convolution."""
    net = drawing(shape)
    return ended(net, net.conv(INPUT, (2,), **layer))


def shortcut_as_output() -> QuantizedNetwork:
    net = drawing()
    first = net.conv(INPUT, (2,))
    skip = net.shortcut(first, (2,), stride=(1, 1))
    return net.build(net.add(net.conv(first, (2,)), skip), skip)


def many_modes() -> QuantizedNetwork:
    net = drawing(modes=tuple("abcdefghi"))
    return ended(net, net.conv(INPUT, (2, *(1,) * 8)))


def joined() -> QuantizedNetwork:
    net = drawing()
    return ended(net, net.concatenate(INPUT, INPUT))


def multiplied() -> QuantizedNetwork:
    net = drawing()
    return ended(net, net.multiply(INPUT, INPUT))


def looked_up() -> QuantizedNetwork:
    net = drawing()
    return ended(net, net.table(INPUT))


def lone_shortcut() -> QuantizedNetwork:
    net = drawing()
    return ended(net, net.conv(net.shortcut(INPUT, (2,), stride=(1, 1)), (2,)))


def shortcut_without_reader() -> QuantizedNetwork:
    net = drawing()
    net.shortcut(INPUT, (2,), stride=(1, 1))
    return ended(net, net.conv(INPUT, (2,)))


def doubled() -> QuantizedNetwork:
    net = drawing()
    return ended(net, net.add(INPUT, INPUT))


def many_maps() -> QuantizedNetwork:
    net = drawing((2, 2, 2))
    maps = [net.conv(INPUT, (2,), **POINT) for _ in range(4)]
    total = net.conv(maps[0], (2,))
    for each in (*maps, INPUT):
        total = net.add(net.conv(total, (2,)), each)
    return ended(net, total)


def pooled(**window: Any) -> QuantizedNetwork:
    net = drawing((70, 1, 1))
    return net.build(net.max_pool(INPUT, **window))


def deep(layers: int) -> QuantizedNetwork:
    net = drawing()
    now = INPUT
    for _ in range(layers):
        now = net.conv(now, (2,), **POINT)
    return ended(net, now)


def headed(
    channels: int, *, size: int = 1, weight_bits: int = 8, bits: int = 32
) -> QuantizedNetwork:
    net = drawing((size, size, 2))
    return net.build(net.linear(INPUT, (channels,), weight_bits=weight_bits, bits=bits))


def two_rows_of_planes() -> QuantizedNetwork:
    net = drawing((2, 2, 2))
    now = net.conv(INPUT, (8,))
    return ended(net, net.conv(now, (2,), **POINT))


TINY, SMALL, WIDE = arch_of("tiny"), arch_of("small"), arch_of("wide")
Case = tuple[Callable[[], QuantizedNetwork], Arch, str]

CASES: dict[str, Case] = {
    "modes": (many_modes, TINY, "the modes of a network must be at most 8 on an mram chip, got 9"),
    "outputs": (
        shortcut_as_output,
        TINY,
        "an output must be computed by itself on an mram chip, got the shortcut shortcut_1",
    ),
    "concatenate": (joined, TINY, "layer concatenate_0: op must be conv, linear, max_pool,"),
    "multiply": (multiplied, TINY, "layer multiply_0: op must be conv, linear, max_pool,"),
    "table": (looked_up, TINY, "add, rescale or shortcut on an mram chip, got table"),
    "groups": (
        lambda: with_conv(groups=2),
        TINY,
        "layer conv_0: groups must be 1 on an mram chip, got 2",
    ),
    "kernel": (
        lambda: with_conv(kernel=(4, 1)),
        TINY,
        "layer conv_0: kernel must be at most 3 x 3 on an mram chip, got 4 x 1",
    ),
    "stride": (
        lambda: with_conv((9, 9, 2), stride=(1, 8)),
        TINY,
        "layer conv_0: stride must be at most 7 x 7 on an mram chip, got 1 x 8",
    ),
    "pool kernel": (
        lambda: pooled(kernel=(64, 1), stride=(1, 1), padding=(0, 0, 0, 0)),
        TINY,
        "layer max_pool_0: kernel must be at most 63 x 63 on an mram chip, got 64 x 1",
    ),
    "pool padding": (
        lambda: pooled(kernel=(33, 1), stride=(1, 1), padding=(32, 0, 0, 0)),
        TINY,
        "layer max_pool_0: padding must be at most 31 on an mram chip, got 32",
    ),
    "bits": (
        lambda: with_conv(bits=9),
        TINY,
        "layer conv_0: the output's bits must be at most 8 on an mram chip, got 9",
    ),
    "width": (
        lambda: with_conv((1, 1024, 1)),
        TINY,
        "the image's width must be at most 1023 on an mram chip, got 1024",
    ),
    "pixel": (
        lambda: with_conv((1, 1, 9)),
        TINY,
        "the channels of the image must be at most 8 on an mram chip, got 9",
    ),
    "map": (
        lambda: with_conv((16, 24, 2)),
        TINY,
        "the map of the image must be at most 512 bytes on an mram chip, got 768",
    ),
    "maps": (
        many_maps,
        TINY,
        "the maps that are needed at once must be at most 4 on an mram chip, got 5 in layer",
    ),
    "shortcut": (
        lone_shortcut,
        TINY,
        "a shortcut must be an input of an addition on an mram chip, got layer shortcut_0 without",
    ),
    "shortcut without reader": (
        shortcut_without_reader,
        TINY,
        "a shortcut must be an input of an addition on an mram chip, got layer shortcut_0 without",
    ),
    "one map twice": (
        doubled,
        TINY,
        "layer add_0: the maps of an addition must be two stored maps on an mram chip, got input",
    ),
    "rows": (
        lambda: deep(19),
        TINY,
        "the weights must fit 48 rows of every sub-array on an mram chip, got 56",
    ),
    "answer": (
        lambda: headed(17),
        TINY,
        "layer linear_0: the answer must be at most 16 elements with padding on an mram chip,",
    ),
    "answer channels": (
        lambda: headed(63),
        arch_of("tiny", answer_entries=256),
        "layer linear_0: channels of the answer must be at most 62 on an mram chip, got 63",
    ),
    "raw sums": (
        lambda: headed(4, weight_bits=12, bits=64),
        TINY,
        "layer linear_0: raw sums must be of 32 bits on an mram chip, got 64 bits",
    ),
    "whole map": (
        lambda: headed(4, size=12),
        TINY,
        "layer linear_0: the input must be at most 9 rows of a bank (72 bytes) on an mram chip,",
    ),
    "input planes": (
        two_rows_of_planes,
        arch_of("tiny", input_rows=8),
        "layer conv_1: the bit planes of an input must be at most 8 on an mram chip, got 16",
    ),
    "records": (
        lambda: deep(3),
        arch_of("tiny", record_entries=4),
        "the records of all modes must be at most 4 on an mram chip, got 6",
    ),
    "parameters": (
        lambda: deep(5),
        arch_of("tiny", parameter_entries=4),
        "the parameter words of all modes must be at most 4 on an mram chip, got 6",
    ),
}


@pytest.mark.promise("a network that an MRAM chip does not run is refused in one sentence")
@pytest.mark.parametrize("name", CASES)
def test_what_the_chip_does_not_run_is_one_sentence(name: str) -> None:
    network, arch, sentence = CASES[name]
    with pytest.raises((CompileError, RefusedNodesError)) as raised:
        compile_network(network(), arch)
    lines = str(raised.value).splitlines()
    assert any(sentence in line for line in lines)
    assert (len(lines) > 1) == isinstance(raised.value, RefusedNodesError)


@pytest.mark.promise(
    "all that an mram chip does not run is said at once, and by layer for chips of any size"
)
def test_all_that_stands_in_the_way_is_said_at_once() -> None:
    network = with_conv((24, 24, 2), kernel=(5, 5), stride=(9, 9))
    with pytest.raises(RefusedNodesError) as raised:
        compile_network(network, TINY)
    first, *lines = str(raised.value).splitlines()
    assert first.startswith(f"{len(lines)} things stand in the way")
    assert any("layer conv_0: kernel must be at most 3 x 3" in line for line in lines)
    stride = "stride must be at most 7 x 7, got 9 x 9"
    assert layer_remarks(network)["conv_0"] == f"no: {stride}"
    large = with_conv((24, 24, 2), kernel=(13, 13), stride=(9, 9))
    kernel = f"kernel must be {ANY_KERNEL}, got 13 x 13"
    assert layer_remarks(large)["conv_0"] == f"no: {kernel}; {stride}"
    assert layer_remarks(joined())["concatenate_0"].startswith("no: op must be conv, linear")
    assert set(LAYER_LIMITS) < set(KINDS) and "table" not in LAYER_LIMITS
    assert layer_remarks(with_conv())["conv_0"] == ""


def test_sums_that_an_accumulator_cannot_hold_are_refused() -> None:
    net = Drawn(1, modes=ONE, shape=(2, 2, 4))
    net.image_bits(16)
    network = ended(net, net.conv(INPUT, (4,), kernel=(2, 2), bits=16, weight_bits=16))
    narrow = arch_of("wide", accumulator_bits=32)
    with pytest.raises(CompileError, match=r"layer conv_0: the sums must be below 2\*\*31 on an"):
        compile_network(network, narrow)
    compile_network(network, WIDE)
