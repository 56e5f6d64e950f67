"""No design beats a bound: the whole bound, and each of its terms, against designs judged exactly.

A design is random: copies, macros, pairs that share them, clocks of fully connected layers, in
random networks with random constants. Its box holds it, so everything a box says must hold for it.
"""

from dataclasses import replace

import numpy as np
import pytest

from hwgen.dse.crossbar.bound import halves
from hwgen.dse.crossbar.boxes import Box, box_at
from hwgen.dse.crossbar.choices import Choices, make_choices
from hwgen.dse.crossbar.costs import fixed_costs, rounding_up
from hwgen.dse.crossbar.cuts import Cut
from hwgen.dse.crossbar.held import capacity_elements, make_held
from hwgen.dse.crossbar.limits import ALONE, path_lengths
from hwgen.dse.crossbar.mixed import Mixed
from hwgen.dse.crossbar.pairs import busy_steps, make_turns, savings_of
from hwgen.dse.crossbar.ranges import all_ranges
from hwgen.dse.crossbar.scan import scan
from hwgen.dse.crossbar.stages import pace, stage_of
from hwgen.dse.crossbar.turns import turn_cut, waiting
from hwgen.dse.crossbar.work import root_boxes
from hwgen.model.crossbar.allocate import layer_work, memory_peak
from hwgen.model.crossbar.buffers import input_need, output_need
from hwgen.model.crossbar.design import Design
from hwgen.model.crossbar.evaluate import simulate
from hwgen.model.crossbar.tables import (
    ADC,
    CONV,
    DAC,
    NOC_POWER,
    PEAK,
    POWER,
    RATE,
    RATIO,
    STATIC,
    Floats,
    Tables,
    make_tables,
)
from hwgen.spec.crossbar.network import CrossbarNetwork
from hwgen.spec.crossbar.point import RRAM_RATIOS, Rules, points
from tests.dse.crossbar.judged import Judged, judged, neighbours_of, small
from tests.model.crossbar.designs import COMPONENTS
from tests.model.crossbar.layers import conv, pool

ROUNDING = 1e-9
BATCHES = [range(begin, begin + 25) for begin in range(0, 150, 25)]
SHARES = (1e-4, 0.02, 0.3)
"""Sizes of the boxes around a design."""


def fitting(rows: Choices, given: Judged, i: int) -> list[int]:
    """The choices that may stand for layer i of a design: no more macros, no more clocks."""
    copies, macros = given.layout.copies[i], given.layout.shared_macros[i]
    return [
        c
        for c in range(rows.begin[i], rows.begin[i + 1])
        if rows.copies_low[c] <= copies <= rows.copies_high[c]
        and rows.macros[c] <= macros
        and rows.clocks[c] <= given.design.clocks[i]
    ]


def pace_of(given: Judged, i: int) -> tuple[int, int]:
    """Steps from block to block, and through one block; the published end is a start."""
    tables, pipeline = given.tables, given.pipeline
    n = pipeline.length[i]
    through = pipeline.to_next[i, :n].sum()
    if not tables.strict and tables.reader_start[i] == tables.reader_start[i + 1]:
        through += 1 - pipeline.to_next[i, n - 1]
    return int(pipeline.to_block[i, :n].max()), int(through)


def weighted(tables: Tables) -> list[int]:
    return [int(i) for i in np.flatnonzero(tables.crossbars > 0)]


def spared(given: Judged, rows: Choices, share: float, i: int) -> int:
    """Steps of a transfer that a layer need not make since it lives with its provider."""
    turns = make_turns(given.tables, rows, given.box(share))
    mate = given.design.mate[i]
    if mate < 0 or not turns.near[i, mate] or given.layout.shared_macros[i] > 1:
        return 0
    return int(turns.spared[fitting(rows, given, i)].max())


def chosen_rows(given: Judged, rows: Choices, share: float) -> dict[int, int]:
    """A choice for each layer that is no worse than the design's own in anything."""
    found = {}
    for i in weighted(given.tables):
        per_block, through = pace_of(given, i)
        through += spared(given, rows, share, i)
        blocks = given.layout.blocks[i]
        good = [
            c
            for c in fitting(rows, given, i)
            if rows.per_block[c] <= per_block
            and rows.through[c] <= through
            and rows.blocks[c] <= blocks
        ]
        assert good, f"{given.name}: layer {i} is missing among the choices"
        found[i] = good[-1]
    return found


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_no_design_beats_the_bound(rules: Rules, batch: range) -> None:
    for given in small(rules, batch):
        cost = given.cost
        allowed = cost.energy_nj * (1 + ROUNDING)
        boxes = [given.box(0.02), given.box(1e-4)]
        for box in root_boxes(given.tables, given.tables.scalars[RATIO] / 2):
            if box.step_low <= cost.step_ns <= box.step_high:
                boxes.append(box)
        cuts = [given.cut, *(each.cut for each in neighbours_of(given))]
        for box in boxes:
            assert scan(given.tables, box) <= allowed, given.name
            # Far above the design, so that nothing stops before the bound is as high as it gets.
            bound = given.bound(box, 10 * cost.energy_nj, cuts)
            assert bound.energy <= allowed, (given.name, box)


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_boxes_of_many_scratchpads_and_ratios(rules: Rules, batch: range) -> None:
    """What holds for all of them together holds for each."""
    for given in small(rules, batch):
        scalars = given.tables.scalars.copy()
        own = scalars[RATIO]
        scalars[RATIO] = (1 + own) / 2
        tables = given.tables._replace(scalars=scalars)
        last = len(tables.memories) - 1
        box = given.box(0.01)._replace(ratio_low=own / 2, ratio_high=scalars[RATIO])
        allowed = given.cost.energy_nj * (1 + ROUNDING)
        for memory, most in ((0, last), (0, given.cost.memory), (given.cost.memory, last)):
            wide = box._replace(memory=memory, most_memory=most)
            assert scan(tables, wide) <= allowed, given.name
            energy, static = fixed_costs(tables, wide)
            for ratio in (own / 2, own, scalars[RATIO]):
                for one in range(memory, most + 1):
                    each = fixed_costs(tables, Box(*wide[:4], one, one, ratio, ratio))
                    assert energy <= each[0] and static <= each[1], given.name
            other = given._replace(tables=tables, held=make_held(tables))
            bound = other.bound(wide, 10 * given.cost.energy_nj, [given.cut])
            assert bound.energy <= allowed, given.name


def test_halves_are_all_of_a_box() -> None:
    """Scratchpads and ratios are told apart first; steps are split in their middle."""
    whole = Box(100.0, 120.0, 100.0, 100.0, 1, 4, 0.15, 0.3)
    found, done = [whole], []
    while found:
        box = found.pop()
        if box.memory == box.most_memory and box.ratio_low == box.ratio_high:
            done.append(box)
        else:
            found += halves(box)
    assert sorted((box.memory, box.ratio_low) for box in done) == [
        (memory, ratio) for memory in range(1, 5) for ratio in RRAM_RATIOS
    ]
    assert {box[:4] for box in done} == {whole[:4]}
    below, above = halves(done[0])
    assert (below.steps_low, above.steps_high) == (100.0, 120.0)
    assert below.steps_high == above.steps_low == pytest.approx(np.sqrt(12000.0))
    wide = halves(whole._replace(step_high=160.0))
    assert [(box.step_low, box.step_high, box.most_memory) for box in wide] == [
        (100.0, pytest.approx(np.sqrt(16000.0)), 4),
        (pytest.approx(np.sqrt(16000.0)), 160.0, 4),
    ]


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_each_layer_finds_its_choice(rules: Rules, batch: range) -> None:
    """And all of them together cost no more than the design, in energy, static and peak power."""
    for given in small(rules, batch):
        for share in SHARES:
            rows = given.choices(share)
            chosen = chosen_rows(given, rows, share)
            check_sums(given, rows, share, list(chosen.values()))
            check_pairs(given, rows, chosen)


def check_sums(given: Judged, rows: Choices, share: float, chosen: list[int]) -> None:
    tables, box, cost = given.tables, given.box(share), given.cost
    saving = savings_of(tables, box)
    energy, static = fixed_costs(tables, box)
    energy += rows.energy[chosen].sum()
    static += rows.static[chosen].sum()
    power = tables.scalars[NOC_POWER] + rows.power[chosen].sum()
    layers = weighted(tables)
    for i in layers:
        j = int(given.design.mate[i])
        if j > i:
            one, two = chosen[layers.index(i)], chosen[layers.index(j)]
            conversions = min(rows.converted[one], rows.converted[two])
            macros = min(rows.macros[one], rows.macros[two])
            static -= saving.conversion_static * conversions + saving.macro_static * macros
            power -= saving.conversion_peak * conversions + saving.macro_peak * macros
    time = cost.steps * cost.step_ns
    assert energy + static * time <= cost.energy_nj * (1 + ROUNDING), given.name
    assert static <= static_of(given) * (1 + ROUNDING), given.name
    assert power <= cost.peak_w * (1 + ROUNDING), given.name


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
    alone = design._replace(mate=np.full(len(design.mate), -1))
    work = layer_work(tables, alone, layout)[:, ADC]
    busy = busy_steps(tables, rows)
    for i, c in chosen.items():
        assert rows.converted[c] <= work[i] * (1 + ROUNDING), given.name
        assert busy[c] <= tables.bit_steps * layout.blocks[i] * design.clocks[i], given.name


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_paths_are_no_longer_than_the_image(rules: Rules, batch: range) -> None:
    """The paths of other designs too, and with the least steps of a choice as with its own."""
    for given in small(rules, batch):
        end = given.times.end
        cuts = [given.cut, *(each.cut for each in neighbours_of(given))]
        for cut in cuts:
            assert length_at(given, cut) <= end, given.name
            for share in SHARES:
                rows = given.choices(share)
                chosen = chosen_rows(given, rows, share)
                lengths = path_lengths(given.tables, rows, cut)
                steps = cut.fixed + sum(lengths[c] for c in chosen.values())
                on_path = [i for i in chosen if cut.leave[i] > 0]
                steps -= sum(spared(given, rows, share, i) for i in on_path)
                assert steps <= end, given.name


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_paths_that_hold_for_some(rules: Rules, batch: range) -> None:
    """Around any two layers that wait for each other, and of any layer that is slow or is not."""
    around = slow = met = 0
    for given in small(rules, batch):
        rng = np.random.default_rng(batch.start)
        mixed = as_mixture(given, 0.02)
        waits = waiting(given.tables)
        layers = weighted(given.tables)
        for other in (given, *neighbours_of(given)):
            way = other.layout, other.pipeline, other.times
            pairs = [(i, j) for n, i in enumerate(layers) for j in layers[n + 1 :] if waits[j, i]]
            for i, j in pairs:
                cut = turn_cut(given.tables, given.needs, *way, i, j)
                cut = cut._replace(reach=reach_of(mixed, cut, rng))
                assert mixed.excess_of(cut) <= ROUNDING, (given.name, i, j)
                around += 1
                met += int(given.design.mate[i] == j)
            for i in layers:
                if other.cut.leave[i] > 0:
                    least = given.cost.steps * float(rng.random())
                    cut = other.cut._replace(one=i, least=least)
                    cut = cut._replace(reach=reach_of(mixed, cut, rng))
                    assert mixed.excess_of(cut) <= ROUNDING, (given.name, i)
                    slow += 1
    assert around > 0 and slow > 0 and met > 0


def as_mixture(given: Judged, share: float) -> Mixed:
    """A design as the solution of a relaxed problem."""
    rows, box, mates = given.choices(share), given.box(share), given.design.mate
    chosen = chosen_rows(given, rows, share)
    owners = [i for i in chosen if not 0 <= mates[i] < i]
    own = np.array([chosen[i] for i in owners])
    mate = np.array([chosen[mates[i]] if mates[i] >= 0 else ALONE for i in owners])
    turns = make_turns(given.tables, rows, box)
    return Mixed(given.tables, box, rows, turns, own, mate, np.ones(len(own)))


def reach_of(mixed: Mixed, cut: Cut, rng: np.random.Generator) -> Floats:
    """Steps near those of the layers on a path: some more, some less."""
    lengths = path_lengths(mixed.tables, mixed.choices, cut)
    reach = np.zeros(len(cut.leave))
    for i in np.flatnonzero(cut.leave):
        reach[i] = lengths[mixed.span(int(i))].max() * rng.choice([0.5, 1.0, 2.0])
    return reach


def length_at(given: Judged, cut: Cut) -> int:
    """Steps of a path at a design's own blocks and pace, as the definition of a path has it."""
    steps = cut.fixed
    for i in weighted(given.tables):
        if cut.leave[i] > 0:
            per_block, through = pace_of(given, i)
            first, last = blocks_on(given, cut, i)
            steps += (last - first) * per_block + through
    return int(steps)


def blocks_on(given: Judged, cut: Cut, i: int) -> tuple[int, int]:
    """First block of a layer that waits for what a path comes from, and the one that it leaves."""
    tables, copies = given.tables, int(given.layout.copies[i])
    last = -(-int(cut.leave[i]) // copies) - 1
    if cut.wait[i] == 0:
        return 0, last
    ends = np.minimum(np.arange(1, last + 2) * copies, tables.pixels[i])
    needed = tables.last_pixel[tables.window_start[i] : tables.window_start[i + 1]][ends - 1]
    return int(np.flatnonzero(needed >= cut.wait[i])[0]), last


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_held_memory(rules: Rules, batch: range) -> None:
    """No layer holds less, neither inputs nor outputs, than choices take for granted."""
    for given in small(rules, batch):
        tables, layout, held = given.tables, given.layout, given.held
        step_ns, memory = given.cost.step_ns, given.cost.memory
        times = simulate(tables, given.design, layout, memory, step_ns, True)
        for i in weighted(tables):
            place = held.begin[i] + layout.copies[i]
            kept = held.whole if layout.shared_macros[i] == 1 else held.split
            inputs = input_need(tables, layout, i)
            assert kept[place] / layout.row_shares[i] <= inputs * (1 + ROUNDING), given.name
            outputs = output_need(tables, layout, times, i)
            assert held.outputs[place] <= outputs, given.name
            whole = inputs + outputs
            assert whole <= capacity_elements(tables, memory) * (1 + ROUNDING), given.name
            behind = [
                input_need(tables, layout, j) + output_need(tables, layout, times, j)
                for j in followers(tables, i)
            ]
            assert held.following[place] <= max(behind, default=0.0) * (1 + ROUNDING), given.name


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
    for given in small("published", batch):
        tables, scalars = given.tables, given.tables.scalars
        work = layer_work(tables, given.design, given.layout)
        work[tables.kind != CONV, ADC:] = 0.0
        spent = (work[:, ADC:] * (tables.parts[:, PEAK] / tables.parts[:, RATE])[ADC:]).sum()
        spent = spent / given.cost.step_ns + (work[:, DAC] * tables.parts[DAC, PEAK]).sum()
        spent += given.layout.total_macros * memory_peak(tables, int(given.cost.memory))
        spent += scalars[NOC_POWER]
        share = scalars[POWER] * (1 - scalars[RATIO])
        for size in (0.02, 1e-6):
            assert spent <= share * rounding_up(tables, given.box(size)) * (1 + 1e-9), given.name
        over += int(spent > share)
    assert over > 0


@pytest.mark.parametrize("rules", ["published", "strict"])
@pytest.mark.parametrize("batch", BATCHES)
def test_turns_at_common_adcs(rules: Rules, batch: range) -> None:
    """Before its first conversion and after its last one a layer waits for others."""
    for given in small(rules, batch):
        tables, layout, design = given.tables, given.layout, given.design
        turns = make_turns(tables, given.choices(0.02), given.box(0.02))
        step_ns, memory = given.cost.step_ns, given.cost.memory
        times = simulate(tables, design, layout, memory, step_ns, True)
        for i in weighted(tables):
            adc = times.adc[times.block_start[i] : times.block_start[i + 1]]
            over = adc[-1] + tables.bit_steps * design.clocks[i]
            assert turns.head[i] <= adc[0], given.name
            assert turns.tail[i] <= times.end - over, given.name


@pytest.mark.parametrize("rules", ["published", "strict"])
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
    box = box_at(tables, (1.0, 1e6), (100.0, 100.0), 3)
    rows = make_choices(tables, make_held(tables), box, all_ranges(len(tables.kind)))
    scratch = np.zeros((4, 9), np.int64)
    stage = stage_of(tables, 0, box)
    for copies in range(1, 17):
        for macros in range(1, copies * tables.row_tiles[0] + 1):
            per_block, through = pace(stage, copies, macros, 1, scratch)
            assert any(
                rows.copies_low[c] <= copies <= rows.copies_high[c]
                and rows.macros[c] <= macros
                and rows.per_block[c] <= per_block
                and rows.through[c] <= through
                for c in range(rows.begin[0], rows.begin[1])
            ), (copies, macros)


@pytest.mark.parametrize("rules", ["published", "strict"])
def test_a_path_that_nobody_waits_for(rules: Rules) -> None:
    """A stride leaves out the last row, which then ends the image; its stores are slow."""
    layers = (
        conv("one", (), (3, 300), (6, 6), window=(3, 1, 1)),
        pool("two", (0,), 300, (6, 3), window=(1, 2, 0)),
    )
    network = CrossbarNetwork(
        name="left out", input_channels=3, input_side=6, layers=layers, fused_activations=False
    )
    pads = COMPONENTS.scratchpads
    slow = tuple(replace(one, latency_ns=40 * one.latency_ns) for one in pads.capacities)
    components = replace(COMPONENTS, scratchpads=replace(pads, capacities=slow))
    point = next(each for each in points(components, rules) if each.side == 128)
    tables = make_tables(network, components, point, 1000.0, rules)
    none = np.full(2, -1)
    ones = np.ones(2, np.int64)
    given = judged("left out", tables, Design(np.array([3, 1]), ones, none, ones))
    assert given is not None
    times = given.times
    assert times.done[11] > times.done[-1], "the first layer is through after the second"
    assert length_at(given, given.cut) <= times.end
