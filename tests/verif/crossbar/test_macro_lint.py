# amaranth: UnusedElaboratable=no
"""Macros of every kind of layer are lint-clean."""

import pytest

from tests.verif.crossbar.test_macro import CASES
from verif.crossbar.macro_group import MacroGroup
from verif.crossbar.macro_schedule import case_of
from verif.lint import lint_part


@pytest.mark.parametrize("name", ["padding", "addition", "mean and answer", "chain and gather"])
def test_a_macro_is_clean(name: str) -> None:
    assert lint_part(MacroGroup(chip=case_of(CASES[name]).chip)) == ""
