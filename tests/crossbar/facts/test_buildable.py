"""What no chip in Verilog is built for is one sentence: of a synthesis and of the generators."""

from dataclasses import replace
from fractions import Fraction

import pytest

from hwgen.crossbar.facts.buildable import (
    adc_rate,
    check_buildable,
    check_rate,
    check_widths,
    most_rings,
    with_buildable_pads,
)
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.rtl.sizes import ArraySizes
from hwgen.errors import ConfigError
from tests.synthesis import COMPONENTS, SMALL

LAYERS = {
    "dilation": (0, {"dilation": (2, 1)}, "layer stem must be without dilation, got (2, 1)"),
    "product": (
        2,
        {"product": True, "activation": "none"},
        "layer join must be an addition, the only operation on two maps that is built, got a"
        " product",
    ),
    "operands": (2, {"providers": (0, 1, 0)}, "layer join must be of 2 maps of layers, got 3"),
}


def changed(place: int, **fields: object) -> CrossbarNetwork:
    """Return the small network with a layer that is another."""
    layers = list(SMALL.layers)
    own = {key: getattr(layers[place], key) for key in CrossbarLayer.__dataclass_fields__}
    layers[place] = CrossbarLayer(**own | fields)
    return replace(SMALL, layers=tuple(layers))


@pytest.mark.promise(
    "what no crossbar chip runs of a quantized network is refused before the search, in the"
    " sentence of the build"
)
@pytest.mark.parametrize("case", LAYERS)
def test_layers_that_no_engine_computes(case: str) -> None:
    place, fields, sentence = LAYERS[case]
    every = points(COMPONENTS, STRICT)
    check_buildable(SMALL, COMPONENTS, every)
    with pytest.raises(ConfigError) as caught:
        check_buildable(changed(place, **fields), COMPONENTS, every)
    assert str(caught.value) == f"{sentence} (small)"


@pytest.mark.parametrize(
    ("activations", "word", "flit", "field"),
    [
        (6, 1024, 64, "bits of the widest map"),
        (128, 1024, 64, "bits of the widest map"),
        (8, 96, 64, "bus_bits of a scratchpad"),
        (8, 32, 64, "bus_bits of a scratchpad"),
        (8, 1024, 32, "flit_bits"),
        (8, 1024, 96, "flit_bits"),
    ],
)
def test_widths(activations: int, word: int, flit: int, field: str) -> None:
    check_widths(activation_bits=8, word_bits=64, flit_bits=64, source="x")
    with pytest.raises(ConfigError, match=f"^{field} must be a power of two"):
        check_widths(activation_bits=activations, word_bits=word, flit_bits=flit, source="x")


def test_rates_of_converters() -> None:
    """Only of those that a point asks for; the generator of an array asks the same."""
    for rate in (2, 1, Fraction(33, 1000)):
        check_rate(Fraction(rate), "x")
    assert adc_rate(0.033, 1.0) == Fraction(33, 1000)
    adcs = tuple(
        replace(adc, samples_per_ns=1.5) if adc.bits == 8 else adc
        for adc in COMPONENTS.adcs.resolutions
    )
    components = replace(COMPONENTS, adcs=replace(COMPONENTS.adcs, resolutions=adcs))
    asked = points(components, STRICT)
    others = [point for point in asked if point.adc_bits != 8]
    check_buildable(SMALL, components, others)
    sentence = r"samples of an ADC in a clock must be a whole number, or at most one, got 1.5"
    with pytest.raises(ConfigError, match=rf"{sentence} \(pimsyn, 8 bits\)"):
        check_buildable(SMALL, components, asked)
    with pytest.raises(ConfigError, match=sentence):
        ArraySizes(**dict.fromkeys(ArraySizes.__dataclass_fields__, 8) | {"rate": Fraction(3, 2)})


def test_sums_that_are_too_wide() -> None:
    wide = replace(COMPONENTS, weight_bits=48, activation_bits=16)
    with pytest.raises(ConfigError, match="rows of a layer must be so few"):
        check_buildable(SMALL, wide, points(wide, STRICT))


def test_flits_that_come_faster_than_they_are_taken() -> None:
    """A word of 16 flits goes into one ring of a macro, of a map with two readers into two."""
    every = points(COMPONENTS, STRICT)
    noc = replace(COMPONENTS.network_on_chip, hop_ns=0.5)
    with pytest.raises(ConfigError, match=r"hop_ns must be whole clocks of 1 ns, .* got 0.5"):
        check_buildable(SMALL, replace(COMPONENTS, network_on_chip=noc), every)
    # The layers `left` and `deep` both read the stem, where the addition is, too.
    assert (most_rings(SMALL), most_rings(changed(4, providers=(0,)))) == (1, 2)
    for latency, refused in ((16.0, False), (16.1, True)):
        pads = tuple(replace(pad, latency_ns=latency) for pad in COMPONENTS.scratchpads.capacities)
        slow = replace(COMPONENTS, scratchpads=replace(COMPONENTS.scratchpads, capacities=pads))
        if not refused:
            check_buildable(SMALL, slow, every)
            continue
        with pytest.raises(
            ConfigError, match="at most 16 clocks, in which a word of 16 flits comes and is"
        ):
            check_buildable(SMALL, slow, every)


def test_a_scratchpad_that_no_chip_needs_is_passed_over() -> None:
    """The largest is too slow for words that come; smaller ones are built."""
    *usual, last = COMPONENTS.scratchpads.capacities
    pads = replace(COMPONENTS.scratchpads, capacities=(*usual, replace(last, latency_ns=99.0)))
    slow = replace(COMPONENTS, scratchpads=pads)
    built, (sentence,) = with_buildable_pads(SMALL, slow)
    assert built.scratchpads.capacities == tuple(usual)
    assert sentence == f"{last.kilobytes:g} KB in 99 ns"
    check_buildable(SMALL, built, points(COMPONENTS, STRICT))
    assert with_buildable_pads(SMALL, COMPONENTS) == (COMPONENTS, [])


def test_a_bus_narrower_than_a_flit_a_write_is_refused() -> None:
    twice = changed(4, providers=(0,))
    flit = COMPONENTS.network_on_chip.flit_bits
    narrow = replace(COMPONENTS, scratchpads=replace(COMPONENTS.scratchpads, bus_bits=flit))
    with pytest.raises(ConfigError, match=f"bus_bits must be at least {2 * flit}, a flit for each"):
        check_buildable(twice, narrow, points(COMPONENTS, STRICT))
