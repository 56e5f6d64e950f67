"""ISAAC under the constants of the synthesis: what its paper says of it, and what follows."""

from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.pimsyn_paper.ceiling import peak_ceiling
from hwgen_studies.pimsyn_paper.isaac import (
    CROSSBARS_PER_TILE,
    EDRAM_KILOBYTES,
    POINT,
    TILES_PER_CHIP,
    Isaac,
    best_isaac,
    isaac,
    peak_efficiency,
)

from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.allocate import layer_work
from hwgen.crossbar.model.tables import (
    ADC,
    CONV,
    DAC,
    FC,
    KILOBYTES,
    LEAKAGE,
    NOC_POWER,
    PEAK,
    RATE,
    SHIFT_ADD,
)
from tests.crossbar.model.alexnet import ALEXNET

COMPONENTS = load_components(Path(__file__).parents[3] / "configs/crossbar/components.yaml")
RULES: tuple[Rules, ...] = (PUBLISHED, STRICT)


@pytest.fixture(scope="module", params=RULES)
def chip(request: pytest.FixtureRequest) -> Isaac:
    return best_isaac(ALEXNET, COMPONENTS, power_w=49.0, rules=request.param)


@pytest.mark.promise(
    "ISAAC is what its paper says, with the constants and rules of all other designs"
)
def test_facts_of_its_paper() -> None:
    assert (POINT.side, POINT.cell_bits, POINT.dac_bits, POINT.adc_bits) == (128, 2, 1, 8)
    assert CROSSBARS_PER_TILE == 8 * 12
    assert (TILES_PER_CHIP, EDRAM_KILOBYTES) == (168, 64)


def test_a_step_is_the_128_conversions_of_one_adc(chip: Isaac) -> None:
    assert chip.allocation.step_ns == 128.0


def test_each_crossbar_has_one_adc_and_a_dac_a_row(chip: Isaac) -> None:
    tables = chip.tables
    built = (tables.kind == CONV) | ((tables.kind == FC) & (tables.rules == STRICT))
    crossbars = (tables.crossbars * chip.layout.copies)[built]
    assert (chip.allocation.counts[built, ADC] == crossbars).all()
    assert (chip.allocation.counts[built, DAC] == 128 * crossbars).all()


def test_other_parts_are_as_many_as_a_step_asks_for(chip: Isaac) -> None:
    tables = chip.tables
    work = layer_work(tables, chip.design, chip.layout)[:, SHIFT_ADD:]
    needed = np.ceil(work / (tables.parts[SHIFT_ADD:, RATE] * chip.allocation.step_ns))
    assert (chip.allocation.counts[:, SHIFT_ADD:] == needed).all()


def test_layers_have_whole_tiles_of_their_own(chip: Isaac) -> None:
    crossbars = chip.tables.crossbars * chip.design.copies
    assert (chip.design.macros * 96 >= crossbars).all()
    assert (chip.design.macros * 96 < crossbars + 96).all()
    assert (chip.design.partner == -1).all()
    assert chip.chips == -(-chip.tiles // 168)


def test_copies_are_in_proportion_to_outputs(chip: Isaac) -> None:
    """All convolutions take as many blocks, but for rounding; the next copy breaks the budget."""
    convs = chip.tables.kind == CONV
    pixels, copies = chip.tables.pixels[convs], chip.design.copies[convs]
    blocks = -(-pixels // copies)
    most = int(blocks.max())
    assert (copies == -(-pixels // most)).all()


def test_peak_power_is_the_sum_of_all_parts_and_within_the_budget(chip: Isaac) -> None:
    tables = chip.tables
    memory = tables.memories[tables.memories[:, KILOBYTES] == 64][0]
    access = max(memory[3], memory[4]) / memory[2] if tables.rules == STRICT else 0.0
    parts = float((chip.allocation.counts.sum(axis=0) * tables.parts[:, PEAK]).sum())
    crossbars = int((tables.crossbars * chip.design.copies).sum())
    peak = parts + crossbars * tables.crossbar[PEAK] + tables.scalars[NOC_POWER]
    peak += chip.tiles * (memory[LEAKAGE] + access)
    assert chip.cost.peak_w == pytest.approx(peak, rel=1e-12)
    assert chip.cost.peak_w <= chip.budget_w


def test_it_is_given_the_best_of_the_budgets(chip: Isaac) -> None:
    rules: Rules = STRICT if chip.tables.rules == STRICT else PUBLISHED
    once = isaac(ALEXNET, COMPONENTS, power_w=chip.budget_w, rules=rules)
    assert once is not None
    assert once.cost == chip.cost
    assert chip.budget_w % 49.0 == 0
    tried = [isaac(ALEXNET, COMPONENTS, power_w=49.0 * n, rules=rules) for n in range(1, 9)]
    least = next(n for n, found in enumerate(tried, start=1) if found is not None)
    allowed = [found for found in tried[least - 1 : 2 * least] if found is not None]
    assert len(allowed) == least + 1
    assert chip.cost.efficiency == max(found.cost.efficiency for found in allowed)


def test_too_little_power_is_no_chip() -> None:
    assert isaac(ALEXNET, COMPONENTS, power_w=1.0, rules=STRICT) is None


def test_peak_efficiency_by_hand() -> None:
    """A crossbar does 2 x 128 x 128 / 8 operations in 16 steps of 128 ns."""
    operations = 2 * 128 * 128 / 8 / (16 * 128)
    at_most = operations / (3e-4 + 2e-3 + 128 * 3.9e-6 + 4 / (0.25 * 128) * 1e-4 + 13.6025e-3 / 96)
    found = peak_efficiency(COMPONENTS, PUBLISHED)
    assert found == pytest.approx(at_most, rel=0.01)
    assert found < at_most
    assert peak_efficiency(COMPONENTS, STRICT) < found


@pytest.mark.parametrize("rules", RULES)
def test_no_crossbar_exceeds_the_ceiling(rules: Rules) -> None:
    """256 x 256 cells of 2 bits with DACs of 1 bit and ADCs of 9 are the best of the constants."""
    conversions, operations = 256 / 100, 2 * 256 * 256 / 8 / 16 / 100
    by_hand = operations / (12e-4 + conversions * 2.25e-3 + 256 * 3.9e-6)
    assert peak_ceiling(COMPONENTS, rules) == pytest.approx(by_hand)
