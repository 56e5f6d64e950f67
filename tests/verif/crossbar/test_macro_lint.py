"""Macros of every kind of layer are lint-clean."""

import pytest

from tests.verif.crossbar.grid import GRID
from tests.verif.crossbar.test_macro import CASES
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
