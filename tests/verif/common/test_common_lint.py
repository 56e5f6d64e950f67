"""Verilator -Wall is silent for the shared components of every family."""

import pytest

from tests.verif.common.families import FAMILIES, NARROW, OTHER_SIZES
from verif.common.parts import common_parts
from verif.lint import lint_part

FACTS = {**FAMILIES, **{f"narrow {name}": facts for name, facts in NARROW.items()}, **OTHER_SIZES}


@pytest.mark.dear("narrow dbpim")
@pytest.mark.promise("Verilator -Wall is silent for every family and size")
@pytest.mark.parametrize("name", FACTS)
def test_lint_clean(name: str) -> None:
    assert lint_part(common_parts(FACTS[name])) == ""
