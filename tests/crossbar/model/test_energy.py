"""Energy of counted events is what the search charges, or less where it charges the most."""

import pytest

from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.model.breakdown import break_down
from hwgen.crossbar.model.events import PICO_OF_MILLI, energy_pj, leakage_pj, run_events
from hwgen.crossbar.model.record import make_arch
from tests.verif.crossbar.whole import design, plain_network


@pytest.mark.promise(
    "energy of counted events is what the search charges of crossbars, ADCs and waiting"
)
@pytest.mark.parametrize("copies", [[1, 1, 1], [4, 2, 1]])
def test_events_and_search_agree(copies: list[int]) -> None:
    """Crossbars and ADCs exactly; ports are charged for words however they lie."""
    found = design(plain_network(), copies=copies, macros=[1, 1, 1], clocks=[1, 1, 4])
    arch = make_arch(found, "plain")
    parts = {each.part: each for each in break_down(found, arch).parts}
    chip = described(arch)
    spent = energy_pj(run_events(chip, 1), arch)
    charged = {name: part.dynamic_mj * PICO_OF_MILLI for name, part in parts.items()}
    assert spent["crossbar_reads"] == pytest.approx(charged["crossbar"])
    assert spent["conversions"] == pytest.approx(charged["adc"])
    assert 0 < spent["port_reads"] + spent["port_writes"] <= charged["scratchpad"]
    static = sum(part.static_w for part in parts.values())
    assert leakage_pj(1000, arch) == pytest.approx(static * 1000 * 1000)


def test_events_of_a_stream_are_those_of_its_images() -> None:
    """But for words that two images share; one that is alone begins at a word."""
    found = design(plain_network(), copies=[4, 2, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    chip = described(make_arch(found, "plain"))
    one, three = (run_events(chip, images) for images in (1, 3))
    for name in ("conversions", "crossbar_reads", "flit_hops"):
        assert three[name] == 3 * one[name]
    for name in ("port_reads", "port_writes"):
        assert abs(three[name] - 3 * one[name]) < one[name]
