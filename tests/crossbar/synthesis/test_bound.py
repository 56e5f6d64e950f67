"""No design beats a bound: the whole bound, and each of its terms, against designs judged exactly.

A design is random: copies, macros, pairs that share them, clocks of fully connected layers, in
random networks with random constants. Its node holds it, so all that a node says must hold for it.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import RRAM_RATIOS, points
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.allocate import layer_work, memory_peak
from hwgen.crossbar.model.buffers import inputs_held, output_need
from hwgen.crossbar.model.design import Layout
from hwgen.crossbar.model.evaluate import simulate
from hwgen.crossbar.model.tables import (
    ADC,
    CONV,
    DAC,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    RATIO,
    STATIC,
    Tables,
    make_tables,
)
from hwgen.crossbar.model.timing import Times
from hwgen.crossbar.synthesis.bound import Split, bound_node, halves, parts
from hwgen.crossbar.synthesis.choices import Choices, make_choices
from hwgen.crossbar.synthesis.limits import ALONE, Limits
from hwgen.crossbar.synthesis.nodes import (
    PARTNERS,
    Node,
    all_ranges,
    fixed_costs,
    node_at,
    rounding_up,
    scan,
)
from hwgen.crossbar.synthesis.pace import layer_in, pace
from hwgen.crossbar.synthesis.paths import Cut
from hwgen.crossbar.synthesis.pricing import busy_steps, savings_of
from hwgen.crossbar.synthesis.relaxed import drawn_in
from hwgen.crossbar.synthesis.scratchpads import capacity_elements, make_contents
from hwgen.crossbar.synthesis.sharing import sharing_of
from hwgen.crossbar.synthesis.work import root_nodes
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.model.layers import conv
from tests.crossbar.synthesis.judged import Judged, neighbours_of, small
from tests.crossbar.synthesis.rows import BATCHES, SHARES, chosen_rows, weighted
from tests.crossbar.synthesis.test_useful import is_inside
from tests.rules import UNCHAINED

ROUNDING = 1e-9

DEEP = 3
"""Times that a node around a design is parted."""

THOUSANDS = [range(begin, begin + 1000) for begin in range(0, 12_000, 1000)]
"""Seeds of the long run, of which more than 10,000 are designs that fit."""


@pytest.mark.dear("batch3-published")
@pytest.mark.promise("no design beats the bound of a node that holds it")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT, UNCHAINED])
@pytest.mark.parametrize("batch", BATCHES)
def test_no_design_beats_the_bound(rules: Rules, batch: range) -> None:
    for given in small(rules, batch):
        cost = given.cost
        nodes = [given.node(0.02), given.node(1e-4)]
        for node in root_nodes(given.tables, given.tables.scalars[RATIO] / 2):
            if node.step_low <= cost.step_ns <= node.step_high:
                nodes.append(node)
        cuts = [given.cut, *(each.cut for each in neighbours_of(given))]
        for node in nodes:
            check_bounds(given, node, cuts)


@pytest.mark.long
@pytest.mark.parametrize("batch", THOUSANDS)
def test_ten_thousand_random_designs(batch: range) -> None:
    """Each in a node around it, with a choice for each of its layers; nine of ten seeds fit."""
    found = told_apart = 0
    for given in small(STRICT, batch):
        found += 1
        chosen_rows(given, given.choices(0.02))
        check_bounds(given, given.node(0.02), [given.cut])
        told_apart += check_parts(given)
    print(f"{found} designs of {len(batch)} seeds fit, {told_apart} times told apart from others")
    assert found > 0.8 * len(batch)


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_no_design_beats_the_bound_of_a_part(rules: Rules) -> None:
    told_apart = [check_parts(given) for given in small(rules, range(60))]
    assert sum(told_apart) > 10


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_no_design_beats_the_bound_where_layers_share(rules: Rules) -> None:
    """Each pair of layers parts a node in two; a design is in one of them, and below its bound."""
    together = apart = 0
    for given in small(rules, range(60)):
        layers, partner = weighted(given.tables), given.design.partner
        for i, j in combinations(layers, 2):
            node, target = given.node(0.02), 10 * given.cost.energy_nj
            ranges = all_ranges(len(given.tables.kind))
            below = parts(node, ranges, Split(i, PARTNERS, j, np.inf), grain=0.0)
            inside = [is_inside(given, part[1]) for part in below]
            assert inside == [partner[i] != j, partner[i] == j], given.name
            if apart > 40 and partner[i] != j:
                continue
            node, ranges = below[inside.index(True)]
            facts = given.tables, given.contents, given.needs
            found = bound_node(*facts, node, target, cuts=[given.cut], ranges=ranges)
            assert found.energy <= given.cost.energy_nj * (1 + ROUNDING), (given.name, i, j)
            together, apart = together + (partner[i] == j), apart + (partner[i] != j)
    assert together > 10 and apart > 40


def test_a_late_image_leaks_all_that_it_has() -> None:
    """In a node that is wide in steps, what leaks late lifts the bound; and no design beats it."""
    lifted = 0
    for given in small(STRICT, range(40)):
        cost = given.cost
        steps = cost.steps / 1.3, cost.steps * 1.01
        node = given.node(1e-4)._replace(steps_low=steps[0], steps_high=steps[1])
        bounds = [given.bound(node, much * cost.energy_nj, [given.cut]) for much in (1.001, 1e3)]
        assert max(each.energy for each in bounds) <= cost.energy_nj * (1 + ROUNDING), given.name
        lifted += bounds[0].energy > bounds[1].energy * 1.002
    assert lifted > 5


def check_bounds(given: Judged, node: Node, cuts: list[Cut]) -> None:
    """Hold the bounds of a node to the energy of a design in it."""
    allowed = given.cost.energy_nj * (1 + ROUNDING)
    assert scan(given.tables, node) <= allowed, given.name
    # Far above the design, so that nothing stops before the bound is as high as it gets.
    bound = given.bound(node, 10 * given.cost.energy_nj, cuts)
    assert bound.energy <= allowed, (given.name, node)


def check_parts(given: Judged) -> int:
    """Hold a design to the parts of a narrow node; return how often it was told apart there."""
    node, target = given.node(1e-4), 10 * given.cost.energy_nj
    allowed = given.cost.energy_nj * (1 + ROUNDING)
    facts = given.tables, given.contents, given.needs
    found = given.bound(node, target, [given.cut])
    for depth in range(DEEP):
        below = parts(node, found.ranges, found.split, grain=0.0)
        if not below:
            return depth
        node, ranges = next(part for part in below if is_inside(given, part[1]))
        found = bound_node(*facts, node, target, cuts=found.cuts, ranges=ranges)
        assert found.energy <= allowed, (given.name, depth)
    return DEEP


@pytest.mark.dear("batch2-published")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_nodes_of_many_scratchpads_and_ratios(rules: Rules, batch: range) -> None:
    """What holds for all of them together holds for each."""
    for given in small(rules, batch):
        scalars = given.tables.scalars.copy()
        own = scalars[RATIO]
        scalars[RATIO] = (1 + own) / 2
        tables = given.tables._replace(scalars=scalars)
        last = len(tables.memories) - 1
        node = given.node(0.01)._replace(ratio_low=own / 2, ratio_high=scalars[RATIO])
        allowed = given.cost.energy_nj * (1 + ROUNDING)
        for memory, most in ((0, last), (0, given.cost.memory), (given.cost.memory, last)):
            wide = node._replace(memory=memory, most_memory=most)
            assert scan(tables, wide) <= allowed, given.name
            energy, static = fixed_costs(tables, wide)
            for ratio in (own / 2, own, scalars[RATIO]):
                for one in range(memory, most + 1):
                    narrow = {"ratio_low": ratio, "ratio_high": ratio}
                    alone = wide._replace(memory=one, most_memory=one, **narrow)
                    each = fixed_costs(tables, alone)
                    assert energy <= each[0] and static <= each[1], given.name
            other = given._replace(tables=tables, contents=make_contents(tables))
            bound = other.bound(wide, 10 * given.cost.energy_nj, [given.cut])
            assert bound.energy <= allowed, given.name


def test_halves_are_all_of_a_node() -> None:
    """Scratchpads and ratios are told apart first; steps are split in the middle, into whole ones.

    The length of a step is whole, too, where it has whole clocks.
    """
    whole = Node(100.0, 120.0, 100.0, 100.0, 1, 4, 0.15, 0.3)
    found, done = [whole], []
    while found:
        node = found.pop()
        if node.memory == node.most_memory and node.ratio_low == node.ratio_high:
            done.append(node)
        else:
            found += halves(node, grain=0.0)
    assert sorted((node.memory, node.ratio_low) for node in done) == [
        (memory, ratio) for memory in range(1, 5) for ratio in RRAM_RATIOS
    ]
    assert {tuple(node)[:4] for node in done} == {tuple(whole)[:4]}
    below, above = halves(done[0], grain=0.0)
    assert (below.steps_low, above.steps_high) == (100.0, 120.0)
    assert (below.steps_high, above.steps_low) == (109.0, 110.0)
    below, above = halves(done[0]._replace(steps_high=101.0), grain=0.0)
    assert (below.steps_high, above.steps_low) == (100.0, 101.0)
    below, above = halves(whole._replace(step_high=160.0), grain=1.0)
    assert (below.step_high, above.step_low) == (126.0, 127.0)
    wide = halves(whole._replace(step_high=160.0), grain=0.0)
    assert [(node.step_low, node.step_high, node.most_memory) for node in wide] == [
        (100.0, pytest.approx(np.sqrt(16000.0)), 4),
        (pytest.approx(np.sqrt(16000.0)), 160.0, 4),
    ]


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_each_layer_finds_its_choice(rules: Rules, batch: range) -> None:
    """And all of them together cost no more than the design, in energy, static and peak power."""
    for given in small(rules, batch):
        for share in SHARES:
            rows = given.choices(share)
            chosen = chosen_rows(given, rows)
            check_sums(given, rows, share, list(chosen.values()))
            check_pairs(given, rows, chosen)


def check_sums(given: Judged, rows: Choices, share: float, chosen: list[int]) -> None:
    tables, node, cost = given.tables, given.node(share), given.cost
    saving = savings_of(tables, node)
    energy, static = fixed_costs(tables, node)
    energy += rows.energy[chosen].sum()
    static += rows.static[chosen].sum()
    power = tables.scalars[NOC_POWER] + rows.power[chosen].sum()
    layers = weighted(tables)
    for i in layers:
        j = int(given.design.partner[i])
        if j > i:
            one, two = chosen[layers.index(i)], chosen[layers.index(j)]
            conversions = min(rows.converted[one], rows.converted[two])
            macros = min(rows.macros[one], rows.macros[two])
            static -= saving.conversion_static * conversions + saving.macro_static * macros
            power -= saving.conversion_peak * conversions + saving.macro_peak * macros
    check_drawn(given, rows, share, chosen)
    time = cost.steps * cost.step_ns
    assert energy + static * time <= cost.energy_nj * (1 + ROUNDING), given.name
    assert static <= static_of(given) * (1 + ROUNDING), given.name
    assert power <= cost.peak_w * (1 + ROUNDING), given.name


def check_drawn(given: Judged, rows: Choices, share: float, chosen: list[int]) -> None:
    """What leaks in a step is no less than its choices say, nor than any design's least."""
    limits = Limits(rows, np.zeros((0, 0), np.int64), busy_steps(given.tables, rows))
    drawn = drawn_in(given.tables, rows, given.node(share))
    layers = weighted(given.tables)
    partners = [
        chosen[layers.index(int(given.design.partner[i]))]
        if given.design.partner[i] >= 0
        else ALONE
        for i in layers
    ]
    own = [n for n, i in enumerate(layers) if given.design.partner[i] < i]
    owners, partners = np.array(chosen)[own], np.array(partners)[own]
    leaks = static_of(given) * given.cost.step_ns * (1 + ROUNDING)
    assert drawn.fixed + limits.used_by(drawn.use, owners, partners).sum() <= leaks, given.name
    assert drawn.least <= leaks, given.name


def static_of(given: Judged) -> float:
    """W that leak as long as the image lasts."""
    tables, layout = given.tables, given.layout
    leaking = (given.allocation.counts * tables.parts[:, STATIC]).sum()
    leaking += tables.crossbar[STATIC] * (tables.crossbars * layout.copies).sum()
    leaking += tables.memories[given.cost.memory, 1] * layout.total_macros
    return float(leaking + tables.scalars[NOC_POWER])


def check_pairs(given: Judged, rows: Choices, chosen: dict[int, int]) -> None:
    """Conversions that a pair can save, and the steps for which it needs its ADCs."""
    tables, design, layout = given.tables, given.design, given.layout
    alone = design._replace(partner=np.full(len(design.partner), -1))
    work = layer_work(tables, alone, layout)[:, ADC]
    busy = busy_steps(tables, rows)
    for i, c in chosen.items():
        assert rows.converted[c] <= work[i] * (1 + ROUNDING), given.name
        assert busy[c] <= tables.bit_steps * layout.blocks[i] * design.clocks[i], given.name


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
@pytest.mark.parametrize("batch", BATCHES)
def test_held_memory(rules: Rules, batch: range) -> None:
    """No layer holds less, neither inputs nor outputs, than choices take for granted.

    By strict rules: its macro, together with what else is in it.
    """
    for given in small(rules, batch):
        tables, layout, contents = given.tables, given.layout, given.contents
        step_ns, memory = given.cost.step_ns, given.cost.memory
        times = simulate(tables, given.design, layout, memory, step_ns, True)
        for i in weighted(tables):
            place = contents.begin[i] + layout.copies[i]
            kept = contents.whole if layout.shared_macros[i] == 1 else contents.split
            least = kept[place] / layout.row_shares[i], contents.outputs[place]
            inputs = inputs_held(tables, layout, times, i)
            outputs = output_need(tables, layout, times, i)
            behind = [
                inputs_held(tables, layout, times, j) + output_need(tables, layout, times, j)
                for j in followers(tables, i)
            ]
            room = capacity_elements(tables, memory) * (1 + ROUNDING)
            if rules == STRICT:
                macro = in_macro(tables, layout, times, layout.merge_macro[i])
                assert max(sum(least), contents.following[place]) <= macro * (1 + ROUNDING), (
                    given.name
                )
                assert macro <= room, given.name
                continue
            assert least[0] <= inputs * (1 + ROUNDING), given.name
            assert least[1] <= outputs, given.name
            assert inputs + outputs <= room, given.name
            assert contents.following[place] <= max(behind, default=0.0) * (1 + ROUNDING), (
                given.name
            )


def in_macro(tables: Tables, layout: Layout, times: Times, macro: int) -> float:
    """Elements that one macro holds, of all layers that are in it."""
    elements = 0.0
    for i in range(len(tables.kind)):
        first = layout.first_macro[i]
        if first <= macro < first + layout.shared_macros[i]:
            elements += inputs_held(tables, layout, times, i)
        if macro == layout.merge_macro[i]:
            elements += output_need(tables, layout, times, i)
    return elements


def followers(tables: Tables, i: int) -> list[int]:
    """Layers without weights that read layer i, or each other, and nothing else."""
    found = [i]
    for j in range(i + 1, len(tables.kind)):
        read = tables.provider[tables.provider_start[j] : tables.provider_start[j + 1]]
        if tables.crossbars[j] == 0 and len(read) == 1 and read[0] in found:
            found.append(j)
    return found[1:]


@pytest.mark.parametrize("batch", BATCHES)
def test_what_the_published_allocation_spends(batch: range) -> None:
    """Counts are rounded up, so a step is a little shorter than the peripheral share pays for."""
    over = 0
    for given in small(PUBLISHED, batch):
        tables, scalars = given.tables, given.tables.scalars
        work = layer_work(tables, given.design, given.layout)
        work[tables.kind != CONV, ADC:] = 0.0
        spent = (work[:, ADC:] * (tables.parts[:, PEAK] / tables.parts[:, RATE])[ADC:]).sum()
        spent = spent / given.cost.step_ns + (work[:, DAC] * tables.parts[DAC, PEAK]).sum()
        spent += given.layout.total_macros * memory_peak(tables, int(given.cost.memory))
        spent += scalars[NOC_POWER]
        share = scalars[POWER] * (1 - scalars[RATIO])
        for size in (0.02, 1e-6):
            assert spent <= share * rounding_up(tables, given.node(size)) * (1 + 1e-9), given.name
        over += int(spent > share)
    assert over > 0


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_uneven_macros(rules: Rules) -> None:
    """Nine copies in nine macros merge faster than in ten, where rows are split."""
    one = conv("one", (), (40, 300), (4, 4), window=(3, 1, 1))
    network = CrossbarNetwork(
        name="uneven", input_channels=40, input_side=4, layers=(one,), fused_activations=False
    )
    mesh = replace(COMPONENTS.network_on_chip, hop_ns=10.0)
    components = replace(COMPONENTS, network_on_chip=mesh)
    point = next(each for each in points(components, rules) if each.side == 128)
    tables = make_tables(network, components, point, 1000.0, rules)
    node = node_at(tables, (1.0, 1e6), (100.0, 100.0), 3)
    rows = make_choices(tables, make_contents(tables), node, all_ranges(len(tables.kind)))
    layer = layer_in(tables, 0, node)
    for copies in range(1, 17):
        for macros in range(1, copies * tables.row_tiles[0] + 1):
            sharing = sharing_of(tables, 0, copies, copies, 0)
            per_block, through = pace(layer, sharing, copies, macros, 1)
            assert any(
                rows.copies_low[c] <= copies <= rows.copies_high[c]
                and rows.macros[c] <= macros
                and rows.per_block[c] <= per_block
                and rows.through[c] <= through
                for c in range(rows.begin[0], rows.begin[1])
            ), (copies, macros)
