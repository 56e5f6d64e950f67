"""The modules of a chip carry the prefix of its family, the shared ones too."""

import re
from pathlib import Path

import pytest

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.fifo import Fifo
from hwgen.chip.rtl.register_file import RegisterFile
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl.chip import Chip
from tests.verif.common.families import FAMILIES
from verif.common.parts import common_parts

CONFIG = Path(__file__).parents[3] / "configs" / "dbpim" / "small.yaml"


def other_modules() -> dict[str, str]:
    """Return the Verilog of a made-up chip that has all components that families share."""
    return verilog_modules(common_parts(FAMILIES["other"]))


@pytest.mark.promise(
    "a shared part carries the prefix of the family that places it; a chip holds no module of"
    " another"
)
def test_a_made_up_chip_holds_no_module_of_another_family() -> None:
    modules = other_modules()
    assert all(name.startswith("other_") for name in modules)
    assert "dbpim" not in "".join(modules.values())
    assert {"other_fifo_32x128", "other_read_engine", "other_registers"} <= set(modules)


def test_a_dbpim_chip_keeps_its_names() -> None:
    modules = verilog_modules(Chip(arch=load_arch(CONFIG)))
    assert all(name.startswith("dbpim_") for name in modules)
    shared = {re.sub("^other_|(_[0-9x]+)?$", "", name) for name in other_modules()}
    names = {re.sub("^dbpim_|(_[0-9x]+)?$", "", name) for name in modules}
    assert shared - {"side_by_side"} <= names


def test_families_differ_in_nothing_but_the_prefix() -> None:
    texts = []
    for family in ("dbpim", "other"):
        modules = verilog_modules(Fifo(family=family, depth=4, width=8))
        texts.append("".join(modules.values()).replace(f"{family}_", "any_"))
    assert texts[0] == texts[1]


@pytest.mark.parametrize("family", ["", "Mram", "two words", "dbpim_", "1st"])
def test_a_prefix_is_one_word(family: str) -> None:
    with pytest.raises(ValueError, match=f"a word of lower case and digits, got '{family}'"):
        RegisterFile(family=family, depth=4, width=8)
