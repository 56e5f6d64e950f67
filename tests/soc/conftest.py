"""Chips as `hwgen build` writes them, once for all tests of systems."""

import shutil
from pathlib import Path

import pytest

from hwgen import api
from tests.verif.crossbar.whole import design, plain_network, write_chip

CONFIGS = Path(__file__).parents[2] / "configs"
FAMILIES = ("dbpim", "mram", "crossbar")


@pytest.fixture(scope="session")
def chips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a small chip of each family with Verilog; its architecture stands beside it."""
    root = tmp_path_factory.mktemp("chips")
    found = design(plain_network(), copies=[1, 1, 1], macros=[1, 1, 1], clocks=[1, 1, 4])
    crossbar = write_chip(found, "tiny", root)
    given = [*(CONFIGS / f"{family}/tiny.yaml" for family in FAMILIES[:2]), crossbar]
    for family, arch in zip(FAMILIES, given, strict=True):
        shutil.copyfile(arch, root / f"{family}.yaml")
        api.build(arch, root / family)
    return {family: root / family for family in FAMILIES}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """The name of each family with Verilog."""
    return str(request.param)
