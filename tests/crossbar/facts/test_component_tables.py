"""The component tables that ship: what is continued beyond the published constants, and how."""

import math
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from hwgen.crossbar.facts.arch import load_arch
from hwgen.crossbar.facts.buildable import adc_rate, check_buildable
from hwgen.crossbar.facts.components import load_components
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.errors import ConfigError
from hwgen.report.clocks import read_clocks
from tests.crossbar.model.alexnet import ALEXNET

FOLDER = Path(__file__).parents[3] / "configs/crossbar"
FULL = load_components(FOLDER / "components.yaml")
SMALL = load_components(FOLDER / "small.yaml")
NETLIST = load_components(FOLDER / "components_netlist.yaml")

FACTORS = {"leakage_w": 1.959212, "latency_ns": 1.333862, "read_nj": 1.519297, "write_nj": 1.550627}
"""Of a doubling: the sixth root of 4096 KB over 64 KB."""


@pytest.mark.promise(
    "component tables go on below the published constants by a law that is said, which"
    " published rules do not see"
)
@pytest.mark.parametrize("key", FACTORS)
def test_small_scratchpads_go_on_with_the_mean_factor_of_a_doubling(key: str) -> None:
    pads = {one.kilobytes: float(getattr(one, key)) for one in FULL.scratchpads.capacities}
    assert list(pads) == [1 << place for place in range(13)]
    assert (pads[4096] / pads[64]) ** (1 / 6) == pytest.approx(FACTORS[key], rel=1e-5)
    for one, double in pairwise([1, 2, 4, 8, 16, 32, 64]):
        assert pads[double] / pads[one] == pytest.approx(FACTORS[key], rel=2e-3)


def test_published_rules_know_no_small_scratchpads() -> None:
    published = FULL.scratchpads.to_choose_from(published=True)
    assert [one.kilobytes for one in published] == [64 << place for place in range(7)]
    assert FULL.scratchpads.to_choose_from(published=False) == FULL.scratchpads.capacities


def test_what_rules_choose_from_is_in_the_table() -> None:
    with pytest.raises(ValueError, match="published_from_kilobytes must be at most 4096, got 8192"):
        replace(FULL.scratchpads, published_from_kilobytes=8192)


def test_small_crossbars_scale_with_their_cells() -> None:
    base = FULL.crossbars.sizes[0]
    assert [one.side for one in SMALL.crossbars.sizes] == [16, 32, 64]
    for one in SMALL.crossbars.sizes:
        cells = (one.side / base.side) ** 2
        for key in ("static_w", "dynamic_w", "peak_w", "area_um2"):
            assert getattr(one, key) == pytest.approx(getattr(base, key) * cells, rel=1e-4)
    assert {point.adc_bits for point in points(SMALL, STRICT)} >= {4, 5, 6}


def test_an_older_table_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = (FOLDER / "components.yaml").read_text(encoding="utf-8")
    (tmp_path / "old.yaml").write_text(text.replace("version: 2", "version: 1"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"version must be 2, got 1 \(.*old\.yaml\)"):
        load_components(tmp_path / "old.yaml")


@pytest.mark.promise(
    "a table of components says the clock; that of a netlist differs in clock, hop and samples"
)
def test_the_table_of_a_netlist_differs_by_its_clock_alone() -> None:
    """An ADC takes as many whole samples in a clock as it can; a slower one takes its own."""
    chip = load_arch(FOLDER / "digits_small_cnn.yaml")
    measured = read_clocks(FOLDER.parent / "clocks.json").of(chip.digest)
    assert measured is not None
    clock = math.ceil(64 * measured.ns) / 64
    assert (FULL.clock_ns, NETLIST.clock_ns, NETLIST.network_on_chip.hop_ns) == (1, clock, clock)
    rates = {}
    for one, other in zip(FULL.adcs.resolutions, NETLIST.adcs.resolutions, strict=True):
        most = Fraction(str(one.samples_per_ns)) * Fraction(clock)
        rates[one.bits] = most if most <= 1 else Fraction(int(most))
        assert adc_rate(other.samples_per_ns, clock) == rates[one.bits].limit_denominator(1000)
        assert replace(other, samples_per_ns=one.samples_per_ns) == one
    assert {rates[8], rates[13]} == {2, 8}
    back = replace(
        NETLIST,
        name=FULL.name,
        clock_ns=1.0,
        adcs=FULL.adcs,
        network_on_chip=FULL.network_on_chip,
    )
    assert back == FULL
    assert back.digest == FULL.digest != replace(back, clock_ns=2.0).digest
    check_buildable(ALEXNET, NETLIST, points(NETLIST, STRICT))


def test_a_clock_is_a_whole_number_of_parts() -> None:
    with pytest.raises(ValueError, match=r"clock_ns must be a whole number of 1/64 ns, got 3.22"):
        replace(FULL, clock_ns=3.22)
