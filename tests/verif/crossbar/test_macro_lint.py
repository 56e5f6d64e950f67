"""Macros of every kind of layer are lint-clean."""

from dataclasses import replace

import pytest

from tests.verif.crossbar.grid import GRID
from tests.verif.crossbar.test_macro import CASES
from tests.verif.crossbar.whole import answers_design, chip_for
from verif.crossbar.macro_group import MacroGroup
from verif.crossbar.macro_schedule import case_of
from verif.lint import lint_part

EVERY = CASES | GRID
NAMES = ["padding", "addition", "mean and answer", "chain and gather", "concatenations"]


@pytest.mark.dear("padding")
@pytest.mark.promise("macros of every kind of layer are lint-clean")
@pytest.mark.parametrize("name", NAMES)
def test_a_macro_is_clean(name: str) -> None:
    assert lint_part(MacroGroup(chip=case_of(EVERY[name]).chip)) == ""


@pytest.mark.promise("macros whose devices err are lint-clean")
def test_macros_whose_devices_err_are_clean() -> None:
    chip = replace(chip_for(answers_design(), "answers"), effects=True)
    assert lint_part(MacroGroup(chip=chip)) == ""
    assert lint_part(MacroGroup(chip=replace(chip, read_noise=True))) == ""
