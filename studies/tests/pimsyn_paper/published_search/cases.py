"""Networks and problems that several tests of the published search need."""

from pathlib import Path

from hwgen_studies.pimsyn_paper.published_search.tasks import Problem

from hwgen.crossbar.compiler import shipped_network
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, Rules
from hwgen.crossbar.model.tables import Tables, make_tables

COMPONENTS = load_components(Path(__file__).parents[4] / "configs/crossbar/components.yaml")
POINT = Point(rram_ratio=0.3, cell_bits=2, side=256, dac_bits=1)
ALEXNET = shipped_network("alexnet")
ALEXNET_COPIES = (105, 26, 7, 6, 7)
"""Of the first reference evaluation of the shared sheet, section 9."""


def layer(name: str, kind: str, channels: tuple[int, int], sides: tuple[int, int]) -> CrossbarLayer:
    """Return a layer of a chain; a convolution is 3 x 3."""
    conv = kind == "conv"
    return CrossbarLayer(
        name=name,
        kind=kind,
        providers=(),
        kernel=3 if conv else 1,
        stride=1,
        padding=1 if conv else 0,
        in_channels=channels[0],
        out_channels=channels[1],
        groups=1,
        in_side=sides[0],
        out_side=sides[1],
        activation="relu",
    )


def chain(*layers: CrossbarLayer) -> CrossbarNetwork:
    """Return a network in which each layer reads the one before."""
    linked = tuple(
        CrossbarLayer(**{**vars(each), "providers": () if place == 0 else (place - 1,)})
        for place, each in enumerate(layers)
    )
    return CrossbarNetwork(name="chain", input_channels=3, input_side=10, layers=linked)


SMALL = chain(
    layer("one", "conv", (3, 16), (10, 10)),
    layer("two", "conv", (16, 32), (10, 6)),
    layer("three", "conv", (32, 24), (6, 6)),
    layer("four", "fc", (24 * 36, 10), (1, 1)),
)
"""A network that takes no time: 100, 36 and 36 positions."""

DENSE = chain(layer("one", "fc", (64, 32), (1, 1)), layer("two", "fc", (32, 10), (1, 1)))
"""Nothing can be held more than once."""


def problem(network: CrossbarNetwork, *, power_w: float, rules: Rules = PUBLISHED) -> Problem:
    """Return a problem with one RatioRram, which is enough for a test."""
    return Problem(
        network=network, components=COMPONENTS, power_w=power_w, rules=rules, ratios=(0.3,)
    )


def tables_of(network: CrossbarNetwork, *, power_w: float, rules: Rules = PUBLISHED) -> Tables:
    """Return the arrays of a network at the usual point."""
    return make_tables(network, COMPONENTS, POINT, power_w, rules)
