# amaranth: UnusedElaboratable=no
"""Macros of every kind of layer are lint-clean."""

import pytest

from hwgen.crossbar.rtl.macro import Macro
from tests.verif.crossbar.test_macro import CASES
from verif.crossbar.macro_schedule import case_of
from verif.lint import lint_part


@pytest.mark.parametrize("name", ["padding", "addition", "mean and answer"])
def test_a_macro_is_clean(name: str) -> None:
    assert lint_part(Macro(chip=case_of(CASES[name]).chip, macro=0)) == ""
