"""Flip-flops that an option brings, counted in netlists, are units of area and energy."""

from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.index import stored_in
from hwgen.chip.rtl.manifest import instances_in
from hwgen.chip.rtl.part import Part
from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.units import Unit, size_of
from hwgen.dbpim.model.energy import area_um2, energy_pj
from hwgen.dbpim.rtl.core import Core
from hwgen.dbpim.rtl.layouts import lane_requantizer, requantizer
from hwgen.dbpim.rtl.macro import Macro

CONFIGS = Path(__file__).parents[3] / "configs/dbpim"
TINY = load_arch(CONFIGS / "tiny.yaml")
CHIPS = {
    "tiny": TINY,
    "dense": with_sparsity(TINY, "none"),
    "wider": replace(
        TINY,
        macro=replace(TINY.macro, compartments=8, columns=16, rows=8),
        macros_per_core=1,
        logit_entries=16,
    ),
    "pairs": replace(TINY, one_digit="paired"),
}
OPTIONS: dict[str, tuple[dict[str, Any], Unit]] = {
    "array_cycles": ({"array_cycles": 2}, "chip_stage_bit"),
    "cells": ({"cells": "synchronous"}, "chip_sense_bit"),
}
"""Keys that bring flip-flops, and the unit that prices them: a row for each key."""
OTHERWISE = {
    "checksum": "0.5 % of the smallest chip, less than areas tell",
    "reset": "the same flip-flops, fewer of them with a reset",
    "row_unit": "units of row lanes and row units, by `hwgen cost`",
    "one_digit": "units of a second filter, by `hwgen cost`",
    "sparse_parts": "entries with `switch`, and no queue",
    "word_channels": "words of the buffers are narrower; no register of its own",
    "simd_taps": "bits of the memory of depthwise weights",
    "simd_tflite": "only beside a row unit: the multipliers of its SIMD lanes are wider",
}
"""Keys whose parts have entries of their own."""


def flip_flops(part: Part) -> int:
    """Return the flip-flops of a part with all that it places, by its Verilog."""
    texts = verilog_modules(part)
    *_, top = texts

    def total(name: str) -> int:
        placed = instances_in(texts[name]).items()
        own = stored_in(texts[name]).flip_flops
        return own + sum(times * total(below) for below, times in placed if below in texts)

    return total(top)


@pytest.mark.promise(
    "the flip-flops that an option brings, counted in the netlist, are units of the area and of the"
    " energy"
)
@pytest.mark.parametrize("chip", CHIPS)
def test_flip_flops_of_an_option_are_units(chip: str) -> None:
    plain = CHIPS[chip]
    before = flip_flops(Macro(arch=plain))
    for key, (option, unit) in OPTIONS.items():
        arch = replace(plain, **option)
        more = flip_flops(Macro(arch=arch)) - before
        macros = arch.cores * arch.macros_per_core
        assert size_of(unit, arch) == macros * more, key
        assert size_of(unit, plain) == 0


@pytest.mark.promise(
    "the flip-flops that an option brings, counted in the netlist, are units of the area and of the"
    " energy"
)
@pytest.mark.parametrize("name", ["tiny", "small_rows_tflite"])
def test_flip_flops_of_requantizers_that_round_as_float32(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside those of the same requantizers in one stage."""
    arch = replace(load_arch(CONFIGS / f"{name}.yaml"), rounding=("half_up", "float32"))
    parts = {
        "filter_float_bit": (arch.filters, lambda: requantizer(arch)),
        "sum_float_bit": (arch.filters, lambda: requantizer(arch, scales=False)),
        "lane_float_bit": (arch.simd_lanes, lambda: lane_requantizer(arch)),
    }
    own = {unit: size_of(unit, arch) for unit in parts}
    staged = {unit: flip_flops(part()) for unit, (_, part) in parts.items()}
    monkeypatch.setattr("hwgen.dbpim.facts.arch.FLOAT32_CYCLES", 0)
    for unit, (times, part) in parts.items():
        assert own[unit] == times * (staged[unit] - flip_flops(part())), unit
        assert size_of(unit, arch) == 0


@pytest.mark.long
def test_a_core_keeps_no_row_of_synchronous_cells() -> None:
    arch = replace(TINY, cells="synchronous")
    more = flip_flops(Core(arch=arch)) - flip_flops(Core(arch=TINY))
    assert size_of("core_row_bit", arch) == 0
    kept = size_of("core_row_bit", TINY)
    assert size_of("chip_sense_bit", arch) - kept == arch.cores * more


@pytest.mark.parametrize("key", OPTIONS)
def test_they_have_an_area_and_an_energy(key: str) -> None:
    """A flip-flop of the library has 4.522 um2, and takes 11 fJ a clock at least.

    Cores of synchronous cells keep no row: what a bit of theirs has is saved.
    """
    option, unit = OPTIONS[key]
    arch = replace(TINY, **option)
    areas = [sum(area_um2(each).values()) for each in (TINY, arch)]
    saved = 6.1 * (size_of("core_row_bit", TINY) - size_of("core_row_bit", arch))
    assert areas[1] - areas[0] + saved == pytest.approx(4.522 * size_of(unit, arch))
    events = {"bit_planes": 100, "inactive_bit_planes": 10, "groups": 30}
    spent = [sum(energy_pj(events, each).values()) for each in (TINY, arch)]
    bits, times = {"array_cycles": (220, 110), "cells": (170, 30)}[key]
    assert 0.011 * bits * times <= spent[1] - spent[0] <= 0.01471 * bits * times


def test_every_key_that_may_be_left_out_is_priced() -> None:
    keys = {each.name for each in fields(Arch) if each.default is not MISSING}
    assert keys == set(OPTIONS) | set(OTHERWISE)
