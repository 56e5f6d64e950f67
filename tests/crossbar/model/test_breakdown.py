"""Power, energy and area by part add up to what the evaluator says, and to sums made by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.facts.schedule import check_starts
from hwgen.crossbar.model.audit import audit, total_area_mm2, total_peak_w
from hwgen.crossbar.model.breakdown import PARTS, break_down
from hwgen.crossbar.model.least import least_power_w
from hwgen.crossbar.model.record import confirm, design_of, make_arch, make_schedule
from hwgen.errors import ConfigError, DesignError
from tests.crossbar.model.alexnet import ALEXNET, ROWS, SIDE, Row, choice_of
from tests.crossbar.model.random_designs import random_case
from tests.synthesis import COMPONENTS, POWER_W, SMALL, confirmed

SEEDS = range(60)


@pytest.mark.promise("power, energy and area of all parts add up to the figures of the evaluator")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_random_designs_add_up(rules: Rules) -> None:
    seen = 0
    for seed in SEEDS:
        case = random_case(seed, rules)
        choice = case.choice
        design = design_of(choice.copies, choice.macros, choice.partner, choice.clocks)
        try:
            found = confirm(
                case.network,
                case.components,
                point=case.point,
                rules=rules,
                power_w=case.power_w,
                design=design,
            )
        except DesignError:
            continue
        arch = make_arch(found, "random")
        schedule = make_schedule(found, arch)
        check_starts(schedule.start, schedule.facts, "random")
        figures = break_down(found, arch)
        assert figures.peak_w == pytest.approx(found.cost.peak_w, rel=1e-12)
        assert figures.energy_mj * 1e6 == pytest.approx(found.cost.energy_nj, rel=1e-12)
        assert figures.efficiency_gops_per_w * figures.energy_mj * 1e6 == pytest.approx(
            figures.operations, rel=1e-12
        )
        for whole, part in (("peak_w", "peak_w"), ("area_mm2", "area_mm2")):
            total = math.fsum(getattr(each, part) for each in figures.parts)
            assert getattr(figures, whole) == pytest.approx(total, rel=1e-12)
        if rules == STRICT:
            assert figures.peak_w <= case.power_w * (1 + 1e-12)
        seen += 1
    assert seen > len(SEEDS) / 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.efficiency:.0f}")
def test_the_energies_of_the_sheet(row: Row) -> None:
    choice = choice_of(row)
    found = confirm(
        ALEXNET,
        COMPONENTS,
        point=Point(
            rram_ratio=row.ratio, cell_bits=row.cell_bits, side=SIDE, dac_bits=row.dac_bits
        ),
        rules=PUBLISHED,
        power_w=49.0,
        design=design_of(choice.copies, choice.macros, choice.partner, choice.clocks),
    )
    figures = break_down(found, make_arch(found, "row"))
    parts = {each.part: each for each in figures.parts}
    components = math.fsum(parts[name].energy_mj for name in PARTS[1:-2])
    assert components == pytest.approx(row.components_nj / 1e6, rel=1e-7)
    assert parts["crossbar"].energy_mj == pytest.approx(row.crossbars_nj / 1e6, rel=1e-7)
    assert parts["scratchpad"].dynamic_mj == pytest.approx(row.accesses_nj / 1e6, rel=1e-6)
    assert parts["scratchpad"].static_w == pytest.approx(row.leakage_w, abs=1e-6)
    assert figures.latency_ms == pytest.approx(row.steps[-1] * row.step_ns / 1e6, rel=1e-7)


@pytest.mark.promise("the audit of peak power counts the architecture file itself, item by item")
def test_an_audit_by_hand() -> None:
    found = confirmed()
    arch = make_arch(found, "small")
    items = {(item.layer, item.part): item for item in audit(arch, COMPONENTS)}
    # 144 crossbars: 2 copies x 3 row tiles x 3 column tiles x 8 slices.
    assert items["deep", "crossbar"].count == 144
    assert items["deep", "crossbar"].peak_w == pytest.approx(144 * 3.0e-4)
    # 288 rows on each of 3 column tiles and 8 slices, twice.
    assert items["deep", "dac"].count == 2 * 288 * 3 * 8
    assert ("stem", "adc") not in items
    pads = items["chip", "scratchpad"]
    assert pads.count == 6
    assert pads.unit_peak_w == pytest.approx(13.6025e-3 + 0.040144)
    assert items["chip", "network_on_chip"].peak_w == 0.104
    assert items["chip", "network_on_chip"].unit_area_um2 == 6 * 150000
    adcs = sum(item.count for item in items.values() if item.part == "adc")
    assert adcs == sum(layer.counts.adc for layer in arch.layers)


def test_an_audit_notices_one_adc_more() -> None:
    arch = make_arch(confirmed(), "small")
    counts = arch.layers[4].counts
    layers = list(arch.layers)
    layers[4] = replace(layers[4], counts=replace(counts, adc=counts.adc + 1))
    more = audit(replace(arch, layers=tuple(layers)), COMPONENTS)
    less = audit(arch, COMPONENTS)
    assert total_peak_w(more) - total_peak_w(less) == pytest.approx(2.0e-3)
    assert total_area_mm2(more) - total_area_mm2(less) == pytest.approx(1200e-6)


def test_an_audit_with_other_constants_is_refused() -> None:
    arch = make_arch(confirmed(), "small")
    with pytest.raises(ConfigError, match="the components must be those of the architecture"):
        audit(arch, replace(COMPONENTS, step_floor_ns=50.0))


def test_throughput_and_peak_by_hand() -> None:
    found = confirmed()
    arch = make_arch(found, "small")
    figures = break_down(found, arch)
    interval_ns = found.cost.interval * found.cost.step_ns
    assert figures.throughput_gops == pytest.approx(SMALL.operations / interval_ns)
    step = 16 * arch.step_ns
    pair = (8 * 2 * 27 * 32 + 2 * 2 * 288 * 300) / (2 * step)
    left = 4 * 2 * 288 * 32 / step
    head = 2 * 300 * 10 / (3 * step)
    assert figures.peak_efficiency_gops_per_w == pytest.approx(
        (pair + left + head) / figures.peak_w
    )


def test_a_design_that_cannot_be_is_refused() -> None:
    chosen = {"copies": [1] * 7, "partner": [-1] * 7, "clocks": [1] * 7}
    few = design_of(**chosen, macros=[1, 1, 0, 0, 1, 0, 1])
    many = design_of(**chosen, macros=[9, 1, 0, 0, 1, 0, 1])
    point = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)
    for design, power_w, why in ((few, 0.1, "power budget"), (many, POWER_W, "more macros")):
        with pytest.raises(DesignError, match=why):
            confirm(SMALL, COMPONENTS, point=point, rules=STRICT, power_w=power_w, design=design)


@pytest.mark.promise("a budget that is too small is refused with one that would do")
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_the_least_power_has_a_design(rules: Rules) -> None:
    least = least_power_w(SMALL, COMPONENTS, rules)
    assert least is not None
    assert 0.2 < least < POWER_W
    assert len(f"{least:g}".replace(".", "").lstrip("0")) <= 3


def test_no_power_is_enough_where_no_scratchpad_is_large_enough() -> None:
    pads = COMPONENTS.scratchpads
    one = replace(pads.capacities[0], kilobytes=1)
    small = replace(pads, capacities=(one,), published_from_kilobytes=1)
    assert least_power_w(SMALL, replace(COMPONENTS, scratchpads=small), STRICT) is None


def test_starts_follow_the_graph() -> None:
    found = confirmed()
    assert len(found.starts) == int(np.dot(found.layout.blocks, found.pipeline.length))
    assert found.starts.min() == 0
