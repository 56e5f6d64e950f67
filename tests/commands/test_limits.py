"""What docs/operators.md states of each family is where its compiler begins to refuse."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwgen.commands.described import remarks_of
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.check import check_network
from verif.common.drawing import Drawing

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"

Fill = Callable[[Drawing, int], str]


def network_of(fill: Fill, value: int, shape: tuple[int, int, int]) -> QuantizedNetwork:
    """Return a network of one layer whose limited property has a value."""
    net = Drawing(3, modes=("1.0x",), shape=shape)
    network = net.build(fill(net, value))
    check_network(network, source="drawn")
    return network


def pool(kind: str, what: str, **more: Any) -> Fill:
    """Return what appends a pool whose kernel, stride, or padding above has a value."""

    def fill(net: Drawing, value: int) -> str:
        window: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0, 0, 0)}
        window[what] = (value, 1)
        if what == "padding":
            window |= {"padding": (value, 0, 0, 0), "kernel": (value + 1, 1)}
        return str(getattr(net, kind)(INPUT, **window, **more))

    return fill


def conv(what: str) -> Fill:
    """Return what appends a convolution whose kernel, stride, padding or bits have a value."""

    def fill(net: Drawing, value: int) -> str:
        if what == "weight_bits":
            return net.conv(INPUT, (2,), weight_bits=value)
        if what == "padding":
            padding = (value, 0, 0, 0)
            return net.conv(INPUT, (2,), kernel=(value + 1, 1), padding=padding)
        side: dict[str, Any] = {what: (value, 1)}
        return net.conv(INPUT, (2,), **side)

    return fill


def bits(net: Drawing, value: int) -> str:
    return net.rescale(INPUT, bits=value)


def counted(net: Drawing, value: int) -> str:
    window = {"kernel": (value, 1), "stride": (1, 1), "padding": (0, 0, 0, 0), "inside": True}
    window |= {"kernel": (5, value // 5), "padding": (1, 0, 0, 0)}
    return net.average_pool(INPUT, **window)


LIMITS: dict[str, tuple[str, str, Fill, str, int, int]] = {
    "conv kernel": ("dbpim", "conv", conv("kernel"), "kernel at most {} x {}", 127, 128),
    "conv stride": ("dbpim", "conv", conv("stride"), "stride at most {}", 127, 128),
    "conv padding": ("dbpim", "conv", conv("padding"), "on the left at most {}", 15, 16),
    "conv weights": ("dbpim", "conv", conv("weight_bits"), "weights of at most {} bits", 8, 9),
    "max kernel": ("dbpim", "max_pool", pool("max_pool", "kernel"), "kernel at most {}", 127, 128),
    "mean padding": (
        "dbpim",
        "average_pool",
        pool("average_pool", "padding"),
        "on the left at most {}",
        15,
        16,
    ),
    "counted": (
        "dbpim",
        "average_pool",
        counted,
        "at most {} pixels without padding",
        255,
        260,
    ),
    "bits": ("dbpim", "rescale", bits, "maps of {} bits", 8, 9),
    "mram kernel": ("mram", "conv", conv("kernel"), "of a side of at most {}", 63, 64),
    "mram stride": ("mram", "conv", conv("stride"), "stride at most {}", 7, 8),
    "mram pool": ("mram", "max_pool", pool("max_pool", "kernel"), "kernel at most {} x {}", 63, 64),
    "mram padding": ("mram", "max_pool", pool("max_pool", "padding"), "padding at most {}", 31, 32),
}
"""Family, layer, what appends it, the words of the page, the last value that runs, the next."""


def cell(family: str, layer: str) -> str:
    """Return what the page says of a layer on chips of a family."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "|" in line]
    heads = next(line for line in lines if line.startswith("| layer |")).split(" | ")
    row = next(line for line in lines[lines.index(" | ".join(heads)) :] if f"`{layer}`" in line)
    return row.strip("| ").split(" | ")[[each.strip("| ") for each in heads].index(family)]


@pytest.mark.promise("docs/operators.md states the limits of each family at which it refuses")
@pytest.mark.parametrize("name", LIMITS)
def test_page_states_where_a_family_refuses(name: str) -> None:
    family, layer, fill, words, last, beyond = LIMITS[name]
    assert words.format(last, last) in cell(family, layer)
    for value in (last, beyond):
        network = network_of(fill, value, (140, 60, 2))
        (remark,) = remarks_of(network)[family].values()
        assert remark.startswith("no:") == (value == beyond), (value, remark)
