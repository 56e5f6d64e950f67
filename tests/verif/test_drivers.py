"""Every bit that is read has one driver, in whole chips of every family; a fault is found."""

import re

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.dbpim.rtl.tile_store import TileStore
from tests.small_runs import FAMILIES, small_case
from tests.verif.dbpim.chips import chip_arch
from verif.yosys import drivers

FEW = [("dbpim", 4), ("mram", 0), ("crossbar", 2)]
"""Family, and cores, octets or macros of a drawn chip; 0: the shared one."""
MANY = [(family, cores) for family in FAMILIES for cores in (0, 1, 2, 4)]
STAGE, TILE_STORE = "dbpim_output_stage", "dbpim_tile_store"


@pytest.mark.dear("mram-0")
@pytest.mark.promise(
    "every bit that an emitted chip reads is driven once: no field of a register is left out"
)
@pytest.mark.parametrize(("family", "cores"), FEW)
def test_every_bit_has_one_driver(family: str, cores: int) -> None:
    chip = small_case(family, "control", cores).chip
    assert drivers(chip.modules, top=chip.top) == []


@pytest.mark.long
@pytest.mark.parametrize(("family", "cores"), MANY)
def test_every_bit_of_drawn_chips_has_one_driver(family: str, cores: int) -> None:
    test_every_bit_has_one_driver(family, cores)


def test_a_field_that_no_block_writes_is_found() -> None:
    """Of a chip whose registers have no reset: with one, the reset drives the field."""
    modules = small_case("dbpim", "control", 0).chip.modules
    text, count = re.subn(r"\n *request__payload\[\w*TO_MEMORY\w*\] <= [^;]*;", "", modules[STAGE])
    assert count == 1
    (said,) = drivers({**modules, STAGE: text}, top=STAGE)
    assert "has no driver" in said


def test_what_is_dropped_of_two_indices_has_two_names() -> None:
    store = TileStore(arch=chip_arch("small"))
    modules = verilog_modules(store)
    assert drivers(modules, top=TILE_STORE) == []
    one_name = re.sub(r"(unused_above_row_loaded_0)_\d+", r"\1", modules[TILE_STORE])
    assert one_name != modules[TILE_STORE]
    said = drivers({**modules, TILE_STORE: one_name}, top=TILE_STORE)
    assert any("multiple conflicting drivers" in each for each in said)
