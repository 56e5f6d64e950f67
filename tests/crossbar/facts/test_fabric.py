"""The fabric of a chip: routes are trees, gathers never meet, files hold what follows."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen.crossbar.facts import load_arch
from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.arch_fabric import ArchFabric, Constants, Stream, Travel
from hwgen.crossbar.facts.chip_plan import ChipPlan
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.layout import Choice, floorplan
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.facts.travels import tree_of
from hwgen.crossbar.model.record import make_arch
from hwgen.errors import ConfigError
from tests.crossbar.model.layers import conv, fc, layer, pool
from tests.synthesis import COMPONENTS, DESIGN, SMALL, confirmed
from verif.reference.crossbar.durations import operations_of

POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)


def constants(components: Components = COMPONENTS) -> Constants:
    return Constants(
        crossbar=components.crossbars.sizes[0],
        crossbar_latency_ns=components.crossbars.latency_ns,
        adc=next(one for one in components.adcs.resolutions if one.bits == POINT.adc_bits),
        dac=components.dacs.resolutions[0],
        vector_units=components.vector_units,
        scratchpad=components.scratchpads.capacities[0],
        network_on_chip=components.network_on_chip,
        step_floor_ns=components.step_floor_ns,
    )


def chip(
    network: CrossbarNetwork = SMALL,
    choice: Choice | None = None,
    *,
    step_ns: float = 100.0,
) -> ChipPlan:
    lists = DESIGN.as_json()
    choice = choice or Choice(**{key: tuple(values) for key, values in lists.items()})
    return ChipPlan(
        network=network,
        plan=floorplan(network, COMPONENTS, POINT, STRICT, choice),
        point=POINT,
        weight_bits=16,
        activation_bits=16,
        step_ns=step_ns,
        clock_ns=1.0,
        clocks_per_bit=choice.clocks,
        constants=constants(),
        bus_bits=COMPONENTS.scratchpads.bus_bits,
    )


def planned(made: ChipPlan) -> ArchFabric:
    """The fabric without regions."""
    return fabric_of(made, operations_of(made), (), Stream(images=8, interval_steps=100))


def wide(seed: int) -> ChipPlan:
    """A layer on many macros, a second one that reads it."""
    draw = random.Random(seed)
    layers = (
        conv("a", (), (40, 300), (24, 24), window=(3, 1, 1)),
        conv("b", (0,), (300, 64), (24, 24), window=(1, 1, 0)),
    )
    network = CrossbarNetwork(name="wide", input_channels=40, input_side=24, layers=layers)
    copies = draw.randint(2, 12), draw.randint(1, 6)
    macros = draw.randint(2, 2 * copies[0]), draw.randint(1, 2 * copies[1])
    choice = Choice(copies=copies, macros=macros, partner=(-1, -1), clocks=(1, 1))
    return chip(network, choice)


def of_kind(made: ChipPlan, kind: str, place: int) -> list[Travel]:
    travels = planned(made).travels
    return [each for each in travels if each.kind == kind and each.layer == place]


@pytest.mark.parametrize("seed", range(40))
def test_routes_go_along_the_row_first(seed: int) -> None:
    made, draw = wide(seed), random.Random(seed)
    columns = made.plan.mesh_columns
    nodes = columns * made.plan.mesh_rows
    source, target = draw.randrange(nodes), draw.randrange(nodes)
    links = made.route(source, target)
    places = [source, *(there for _, there in links)]
    assert places[-1] == target
    assert all(one == places[k] for k, (one, _) in enumerate(links))
    steps = [abs(one - other) for one, other in pairwise(places)]
    along = [one // columns == other // columns for one, other in pairwise(places)]
    assert along == sorted(along, reverse=True)
    assert all(step == (1 if row else columns) for step, row in zip(steps, along, strict=True))
    rows, turns = divmod(source, columns), divmod(target, columns)
    assert len(links) == abs(rows[0] - turns[0]) + abs(rows[1] - turns[1])


@pytest.mark.parametrize("seed", range(40))
def test_a_multicast_is_a_tree_to_all_targets(seed: int) -> None:
    made, draw = wide(seed), random.Random(seed)
    nodes = made.plan.mesh_columns * made.plan.mesh_rows
    source = draw.randrange(nodes)
    targets = draw.sample(range(nodes), draw.randint(1, nodes))
    reached = {source}
    for one, other in tree_of(made, source, targets):
        assert one in reached and other not in reached
        reached.add(other)
    assert set(targets) <= reached


@pytest.mark.parametrize("seed", range(120))
def test_gathers_of_a_layer_never_meet(seed: int) -> None:
    """Header and flits of each source, clock by clock, at every link on the way."""
    made = wide(seed)
    taken: set[tuple[int, int, int]] = set()
    for travel in of_kind(made, "gather", 0):
        flits = 1 + -(-travel.pixels * travel.channels * travel.bits // 64)
        for hop, link in enumerate(travel.tree):
            for clock in range(flits):
                place = (*link, travel.first_clock + hop + clock)
                assert place not in taken
                taken.add(place)


def test_whole_sums_are_gathered_and_partial_ones_chained() -> None:
    """2 copies of `deep` on 3 macros: the second one ends in macro 2, and begins in macro 1."""
    made = chip()
    chains, gathers = of_kind(made, "chain", 4), of_kind(made, "gather", 4)
    assert [(each.source, each.targets) for each in chains] == [(made.node(1), (made.node(2),))]
    assert [each.source for each in gathers] == [made.node(2)]
    assert gathers[0].targets == (made.node(0),)
    assert (chains[0].bits, gathers[0].bits) == (48, 16)


def test_sends_by_hand() -> None:
    """`stem` goes to both readers at once, 8 pixels of 32 channels, 16 bits: 64 flits."""
    made = chip()
    [sent] = of_kind(made, "send", 0)
    assert sent.readers == (1, 2)
    # `join` works where `left` ends.
    assert sent.targets == tuple(sorted({made.node(3), made.node(4)}))
    assert (sent.pixels, sent.channels) == (8, 32)
    longest = max(len(made.route(sent.source, target)) for target in sent.targets)
    assert sent.clocks == longest + 1 + 64
    [result] = of_kind(made, "result", 6)
    assert (result.source, result.targets) == (made.node(5), (0,))
    assert of_kind(made, "send", 2) == []


def test_the_image_comes_with_each_block() -> None:
    """8 pixels of a 3 x 3 window over 16 x 16: the first need a row, and 9 pixels of the next."""
    made = chip()
    image = planned(made).travels[0]
    assert (image.kind, image.layer, image.readers) == ("image", None, (0,))
    hops = max(len(made.route(0, target)) for target in image.targets)
    assert (image.pixels, image.channels, image.bits) == (16 + 9, 3, 16)
    assert image.clocks == hops + 1 + -(-25 * 48 // 64)


def test_a_step_is_whole_clocks() -> None:
    assert planned(chip(step_ns=102.47)).clock.step_clocks == 103
    made = planned(chip()).clock
    assert (made.step_clocks, made.access_clocks) == (100, 1)
    slow = replace(chip().constants.scratchpad, latency_ns=1.54683)
    chips = replace(chip(), constants=replace(chip().constants, scratchpad=slow))
    assert planned(chips).clock.access_clocks == 2


def test_adcs_of_each_macro_are_whole() -> None:
    """8 copies of `stem` on 3 macros: 2, 3 and 3, each of 8 slices of 32 columns, 100 samples."""
    stem = planned(chip()).layers[0]
    assert [(one.copies, one.conversions, one.adcs) for one in stem.held] == [
        ((0, 2), 512, 6),
        ((2, 5), 768, 8),
        ((5, 8), 768, 8),
    ]
    head = planned(chip()).layers[-1]
    assert (head.layer, head.samples, head.held[0].adcs) == (6, 300, 1)


def test_padding_at_the_end_is_what_windows_reach() -> None:
    assert conv("a", (), (1, 1), (6, 6), window=(3, 1, 1)).end_paddings == (1, 1)
    assert conv("a", (), (1, 1), (6, 3), window=(3, 2, 0)).end_paddings == (1, 1)
    assert pool("p", (), 1, (7, 3), window=(3, 2, 0)).end_paddings == (0, 0)


def test_options_belong_to_their_kinds() -> None:
    first = conv("a", (), (1, 1), (6, 6), window=(1, 1, 0))
    for wrong, words in (
        (replace(first, average=True), "a.average"),
        (replace(first, activation="none", slope=0.1), "a.slope"),
        (replace(layer("a", "eltwise", (), (1, 1), (6, 6))), "a.providers"),
    ):
        with pytest.raises(ValueError, match=words):
            CrossbarNetwork(name="n", input_channels=1, input_side=6, layers=(wrong,))
    head = fc("f", (), (36, 2), activation="relu")
    made = CrossbarNetwork(
        name="n", input_channels=1, input_side=6, layers=(replace(head, slope=0.1),)
    )
    plain = CrossbarNetwork(name="n", input_channels=1, input_side=6, layers=(head,))
    assert made.digest != plain.digest


@pytest.fixture(scope="module")
def arch() -> Arch:
    return make_arch(confirmed(), "small")


def spoil_tree(fabric: Any) -> None:
    fabric["travels"][1]["tree"].pop()


def spoil_held(fabric: Any) -> None:
    fabric["layers"][0]["held"][0]["copies"] = [0, 3]


def spoil_adcs(fabric: Any) -> None:
    fabric["layers"][0]["held"][0]["adcs"] += 1


def spoil_sums(fabric: Any) -> None:
    fabric["layers"][2]["partial_sum_bits"] = 32


def spoil_address(fabric: Any) -> None:
    fabric["regions"][1]["first_word"] += 1


def spoil_words(fabric: Any) -> None:
    last = fabric["regions"][-1]
    last["words"] = 10**6


def spoil_region(fabric: Any) -> None:
    del fabric["regions"][-1]


def spoil_channels(fabric: Any) -> None:
    fabric["regions"][-1]["first_channel"] = 1


def spoil_clock(fabric: Any) -> None:
    fabric["clock"]["step_clocks"] += 1


def spoil_adc(fabric: Any) -> None:
    fabric["constants"]["adc"]["bits"] = 9


def spoil_order(fabric: Any) -> None:
    fabric["orders"]["maps"] = "channel, row, column"


def spoil_image(fabric: Any) -> None:
    fabric["io"]["node"] = 1


def drop_travel(fabric: Any) -> None:
    del fabric["travels"][0]


@pytest.mark.dear("spoil_order-fabric.orders.maps")
@pytest.mark.promise(
    "a strict architecture file holds what a generator needs beside, holdings, travels,"
    " regions, clock and constants, and refuses what does not follow"
)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_tree, "fabric.travels.1.tree"),
        (spoil_held, "fabric.layers.0.held"),
        (spoil_adcs, "fabric.layers.0.held"),
        (spoil_sums, "fabric.layers.2.partial_sum_bits"),
        (spoil_address, "fabric.regions.1.first_word"),
        (spoil_words, "words must be within"),
        (spoil_region, "fabric.regions"),
        (spoil_channels, "first_channel must"),
        (spoil_clock, "fabric.clock"),
        (spoil_adc, "fabric.constants.adc.bits"),
        (spoil_order, "fabric.orders.maps"),
        (spoil_image, "fabric.io"),
        (drop_travel, "number of fabric.travels"),
    ],
)
def test_a_fabric_that_does_not_follow(
    arch: Arch, tmp_path: Path, spoil: Callable[[Any], None], words: str
) -> None:
    content = yaml.safe_load(arch_text(arch))
    spoil(content["fabric"])
    file = tmp_path / "arch.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_arch(file)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("fabric", None, "fabric must be present"), ("rules", "published", "point.rram_ratio")],
)
def test_strict_chips_have_a_fabric(
    arch: Arch, tmp_path: Path, key: str, value: object, words: str
) -> None:
    content = yaml.safe_load(arch_text(arch))
    content[key] = value
    (tmp_path / "arch.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_arch(tmp_path / "arch.yaml")


def test_the_window_says_all_of_its_padding(arch: Arch, tmp_path: Path) -> None:
    content = yaml.safe_load(arch_text(arch))
    window = content["layers"][0]["window"]
    assert (window["bottom_padding"], window["right_padding"]) == (1, 1)
    window["bottom_padding"] = 0
    (tmp_path / "arch.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"layers\.0\.window\.bottom_padding"):
        load_arch(tmp_path / "arch.yaml")


def test_all_readers_are_targets_of_one_send() -> None:
    layers = tuple(
        conv(name, (0,) if place else (), (4, 4), (6, 6), window=(1, 1, 0))
        for place, name in enumerate("abc")
    )
    network = CrossbarNetwork(name="fork", input_channels=4, input_side=6, layers=layers)
    choice = Choice(copies=(2,) * 3, macros=(1, 2, 2), partner=(-1,) * 3, clocks=(1,) * 3)
    made = chip(network, choice)
    [sent] = of_kind(made, "send", 0)
    assert sent.targets == tuple(sorted(made.node(macro) for macro in range(1, 5)))
    assert sent.readers == (1, 2)
