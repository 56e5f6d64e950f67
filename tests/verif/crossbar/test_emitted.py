"""What stands in the emitted Verilog is what the architecture has, and pays for."""

import random
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import pytest
import yaml

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.facts.arch import arch_text
from hwgen.crossbar.facts.holdings import cut_of, most_macros
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.record import Confirmed, confirm, design_of, make_arch
from hwgen.crossbar.rtl import make_chip
from hwgen.crossbar.rtl.chip import Chip
from hwgen.crossbar.rtl.unpaid import unpaid
from hwgen.errors import DesignError
from hwgen.network import QuantizedNetwork
from tests.crossbar_verilog import INSTANCE, check_chip, memory_bits
from tests.verif.crossbar.whole import small_components
from verif.common.drawing import Drawing

Folder = Mapping[str, str]


class Emitted(NamedTuple):
    """An architecture as its file says it, the Verilog of its chip, and what is unpaid."""

    arch: dict[str, Any]
    modules: Folder
    unpaid: dict[str, int]


def random_network(seed: int) -> QuantizedNetwork:
    """Return a convolution, two more that are added or pooled, and a head."""
    rng, drawing = random.Random(f"{seed} network"), Drawing(seed, modes=("full",), shape=(6, 6, 3))
    channels = rng.choice((4, 6, 20))
    pads = (1, 1, 1, 1)
    here = drawing.conv("input", (channels,), kernel=(3, 3), padding=pads)
    groups = rng.choice((1, 2, channels))
    there = drawing.conv(here, (channels,), kernel=(3, 3), padding=pads, groups=groups)
    if rng.random() < 0.5:
        there = drawing.add(here, there)
    pool = rng.choice((drawing.max_pool, drawing.average_pool))
    there = pool(there, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    return drawing.build(drawing.linear(there, (rng.choice((5, 20)),), bits=32))


def random_design(seed: int) -> Confirmed | None:
    """Return a design of a random network; None where it cannot be built."""
    rng, network = random.Random(seed), random_network(seed)
    side = rng.choice((16, 32, 64))
    cell_bits, dac_bits = rng.choice(((1, 1), (2, 1), (2, 2), (4, 1)))
    components = small_components(network, side, rng.choice((64, 128)))
    rate = rng.choice((0.25, 1, 2, 4))
    adcs = tuple(replace(each, samples_per_ns=rate) for each in components.adcs.resolutions)
    layers = crossbar_network(network).layers
    copies = [rng.choice((1, 2, 3, 5)) if each.kind == "conv" else 1 for each in layers]
    macros = [
        rng.randint(1, min(3, most_macros(cut_of(each, side, 1), own))) if each.has_weights else 0
        for each, own in zip(layers, copies, strict=True)
    ]
    partner = [-1] * len(layers)
    if rng.random() < 0.5:
        partner[:2], macros[1] = [1, 0], 0
    try:
        return confirm(
            crossbar_network(network),
            replace(components, adcs=replace(components.adcs, resolutions=adcs)),
            point=Point(rram_ratio=None, cell_bits=cell_bits, side=side, dac_bits=dac_bits),
            rules=STRICT,
            power_w=50.0,
            design=design_of(copies, macros, partner, [1] * len(macros)),
        )
    except DesignError:
        return None


@cache
def emitted(seed: int) -> Emitted | None:
    """Return the text of a random chip; None where there is none."""
    found = random_design(seed)
    if found is None:
        return None
    arch = make_arch(found, f"random{seed}")
    chip = make_chip(arch)
    assert isinstance(chip, Chip)
    # As a file says it: the audit has its own eyes.
    return Emitted(yaml.safe_load(arch_text(arch)), verilog_modules(chip), unpaid(chip))


def check(seed: int) -> bool:
    """Hold the text of a random chip to its architecture; return whether there is one."""
    chip = emitted(seed)
    if chip is None:
        return False
    assert check_chip(chip.arch, chip.modules) == []
    assert sum(chip.unpaid.values()) == sum(memory_bits(chip.modules).values())
    return True


@pytest.mark.dear("0")
@pytest.mark.promise(
    "what stands in the emitted Verilog is what the architecture has, and memories that nobody"
    " pays are listed"
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_text_has_what_its_architecture_has(seed: int) -> None:
    assert check(seed)


@pytest.mark.long
def test_many_texts_have_what_their_architectures_have() -> None:
    assert sum(check(seed) for seed in range(2, 18)) >= 10


def without(kind: str, modules: Folder, module: str) -> Folder:
    """Return a text in which a module places one part of a kind less."""
    name, found = next(
        (name, one)
        for name, text in modules.items()
        if name.startswith(f"crossbar_{module}")
        for one in INSTANCE.finditer(text)
        if re.fullmatch(rf"crossbar_{kind}(_\d.*)?", one[1])
    )
    return {**modules, name: modules[name].replace(found[0], "")}


def changed(modules: Folder, module: str, pattern: str, text: str) -> Folder:
    """Return a text in which something in a module is another."""
    for name in modules:
        if name.startswith(f"crossbar_{module}"):
            other, count = re.subn(pattern, text, modules[name], count=1)
            if count:
                return {**modules, name: other}
    raise AssertionError(f"no {module} has {pattern}")


SPOILED: dict[str, Callable[[Folder], Folder]] = {
    "adcs": lambda modules: without("adc", modules, "macro_"),
    "lanes": lambda modules: without("lane", modules, "array_"),
    "crossbars": lambda modules: changed(modules, "bank_", r"UNITS = \d+", "UNITS = 999"),
    "dacs": lambda modules: changed(
        modules, "array_engine_", r"\.walk\(((?:\{ )?\d+)'h.", r".walk(\1'h7"
    ),
    "words": lambda modules: changed(modules, "pad_memory_", r"content \[", "content [7"),
    "relu": lambda modules: without("requantizer_lane", modules, "requantizer_"),
    "links": lambda modules: changed(
        modules, "chip", r"router\d+__outputs(\[[0-3] \* 66 \+: 66\],)", r"of_none\1"
    ),
    "routers": lambda modules: without("router", modules, "chip"),
    "layers": lambda modules: without("array_engine_0_in_0", modules, "macro_0"),
}
"""What is missing or too much in a text, and what the audit says of it."""

UNDERPAID = ("shift_add", "addition", "pool")
"""Units of which an architecture may have too few."""


@pytest.mark.dear("adcs")
@pytest.mark.parametrize("category", SPOILED)
def test_a_spoiled_text_is_found(category: str) -> None:
    chip = emitted(0)
    assert chip is not None
    found = check_chip(chip.arch, SPOILED[category](chip.modules))
    assert any(text.startswith(f"{category}:") for text in found), found


@pytest.mark.dear("addition")
@pytest.mark.parametrize("unit", UNDERPAID)
def test_units_that_nobody_pays_are_found(unit: str) -> None:
    chip = emitted(0)
    assert chip is not None
    arch = deepcopy(chip.arch)
    for macro in arch["fabric"]["macros"]:
        macro[unit] = 0
    assert any(text.startswith(f"{unit}:") for text in check_chip(arch, chip.modules))
