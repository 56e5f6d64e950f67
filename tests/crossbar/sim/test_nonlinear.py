"""Verilog whose converters are not linear: every element is golden's, and faults are seen."""

from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from golden.crossbar.effects import ErringCrossbars, erring
from hwgen.chip.effects import DeviceEffects, load_effects
from hwgen.crossbar.compiler import compile_network
from hwgen.crossbar.facts.arch import Arch, arch_of, arch_text
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl.macro import Macro
from hwgen.errors import ConfigError
from tests.crossbar.sim.test_effects_of_providers import drawn
from tests.crossbar.sim.test_read_noise import STALLS, Case, wrong_elements
from tests.golden.crossbar.test_nonlinear import nonlinear
from tests.verif.crossbar.whole import answers_design, answers_network

SMALL = ((0, 0.0), (3, 1.25), (9, -1.5), (30, 2.0))
"""Of a chip whose codes are small."""
SOME = nonlinear(SMALL)
MOST = nonlinear(
    ((0, 64.0), (1, -64.0), (2, 3.0), (20, -3.0)),
    deviation=1.0,
    variation=0.1,
    offset_lsb=2.0,
    trimmed=True,
    bits_below_lossless=2,
)


def bent(arch: Arch, **others: bool) -> Arch:
    """Return a chip whose converters have a table."""
    return replace(arch, effects=True, nonlinear_converters=True, **others)


@cache
def small() -> Case:
    """Return a network on a small chip, with noise of reads, too."""
    arch = make_arch(answers_design(), "answers")
    return answers_network(), bent(arch, read_noise=True)


@pytest.mark.promise(
    "a crossbar chip with a table of codes errs in Verilog as golden does: every element, alone and"
    " beside noise, offsets, trims and clipping, whatever the memory stalls"
)
@pytest.mark.parametrize("effects", [SOME, MOST, nonlinear(((0, 0.0),))])
def test_every_element_is_goldens(effects: DeviceEffects) -> None:
    for seed, trouble in enumerate(STALLS[:2], 1):
        errs = effects.converters.largest_nonlinearity > 0
        assert wrong_elements(small(), effects, seed, trouble=trouble, errs=errs) == 0


@pytest.mark.dear
def test_a_drawn_network() -> None:
    """Layers that read several maps, or have groups, over several macros; without noise."""
    network, arch, _ = drawn(1)
    case = network, bent(arch)
    for effects in (SOME, nonlinear(((0, 1.0), (10, -3.0)), variation=0.1)):
        assert wrong_elements(case, effects, 1, trouble=STALLS[1]) == 0


@pytest.mark.promise("the table of the codes of converters has each code at its place")
def test_the_table_of_another_code_is_seen() -> None:
    def loaded(chip: ErringCrossbars) -> Any:
        kept = chip._bends
        chip._bends = np.roll(kept, 1)
        found = chip.loaded()
        chip._bends = kept
        return found

    assert wrong_elements(small(), SOME, 1, loaded=loaded) > 0


@pytest.mark.dear
@pytest.mark.usefixtures("forget")
def test_a_planted_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ideal code in place of the one that is off."""
    monkeypatch.setattr(Macro, "_bent", lambda self, m, table, number, ideal, sums: ideal)
    assert wrong_elements(small(), SOME, 1) > 0


@pytest.mark.promise(
    "without `nonlinear_converters` in its file a crossbar chip has the digest that it had, and"
    " refuses a table of codes in Verilog, not in golden"
)
def test_a_file_without_it_says_nothing_of_it() -> None:
    network, arch = small()
    linear = replace(arch, nonlinear_converters=False)
    assert "nonlinear" not in arch_text(linear)
    assert arch.design_digest == linear.design_digest and arch.digest != linear.digest
    given = yaml.safe_load(arch_text(linear)) | {"nonlinear_converters": True}
    assert arch_of(given, "chip.yaml").digest == arch.digest
    chip = erring(network, linear, SOME, 1, compile_network(network, linear))
    with pytest.raises(ConfigError, match="nonlinear_converters must be true, so that converters"):
        chip.loaded()
    exact = replace(linear, effects=False, read_noise=False)
    alone = yaml.safe_load(arch_text(exact)) | {"nonlinear_converters": True}
    with pytest.raises(ConfigError, match="effects must be true beside nonlinear_converters"):
        arch_of(alone, "chip.yaml")


def test_a_file_of_effects_with_a_table(tmp_path: Path) -> None:
    file = tmp_path / "bow.yaml"
    file.write_text(yaml.safe_dump(asdict(SOME)), encoding="utf-8")
    assert load_effects(file) == SOME
    text = file.read_text(encoding="utf-8").replace("code: 9", "code: 2")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"converters.nonlinearity.code must be rising") as error:
        load_effects(file)
    assert "\n" not in str(error.value)
