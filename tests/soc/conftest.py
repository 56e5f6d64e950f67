"""Chips as `hwgen build` writes them, once for all tests of systems."""

from pathlib import Path

import pytest

from hwgen import api
from tests.verif.crossbar.whole import design, plain_network, write_chip

FAMILIES = ("dbpim", "mram", "crossbar")


@pytest.fixture(scope="session")
def chips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a small chip of each family with Verilog."""
    root = tmp_path_factory.mktemp("chips")
    found = design(plain_network(), copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    crossbar = write_chip(found, "tiny", root)
    for family, arch in zip(FAMILIES, ("dbpim/tiny", "mram/tiny", crossbar), strict=True):
        api.build(arch, root / family)
    return {family: root / family for family in FAMILIES}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """The name of each family with Verilog."""
    return str(request.param)
