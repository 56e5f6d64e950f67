"""Chips as `hwgen build` writes them, once for all tests of systems."""

from pathlib import Path

import pytest

from hwgen import api

CHIPS = {"dbpim": "dbpim/tiny", "mram": "mram/tiny"}


@pytest.fixture(scope="session")
def chips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a small chip of each family with Verilog."""
    root = tmp_path_factory.mktemp("chips")
    for family, name in CHIPS.items():
        api.build(name, root / family)
    return {family: root / family for family in CHIPS}


@pytest.fixture(params=CHIPS)
def family(request: pytest.FixtureRequest) -> str:
    """The name of each family with Verilog."""
    return str(request.param)
