"""Verilator -Wall is silent for the parts between memory port and cores, at any size."""

import pytest

from verif.dbpim.system_parts import narrow, other_sizes, small, system_parts, wide
from verif.lint import lint_part

SIZES = {"small": small(), "narrow": narrow(), "wide": wide(), **other_sizes()}


@pytest.mark.dear("small")
@pytest.mark.promise(
    "Verilator -Wall is silent on every part between memory port and cores, at any size"
)
@pytest.mark.parametrize("size", SIZES)
def test_lint_clean(size: str) -> None:
    assert lint_part(system_parts(SIZES[size])) == ""
