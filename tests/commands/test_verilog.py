"""The Verilog of a chip, and what stands beside it: for a system, a line, a board, a layout."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.chip.boards import BOARDS
from hwgen.chip.line import PinFacts
from hwgen.chip.rtl.manifest import FILE_LIST
from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.commands.verilog import MANIFEST, uses, what_was_written, write_verilog
from hwgen.errors import FamilyError
from hwgen.mram.rtl.bit_counter import BitCounter

QUIET = Context(console=None)
PINS = PinFacts(line="uart", memory_bytes=4096, bit_cycles=40)
CHIP = Path("mram/tiny")


def written(folder: Path, **given: Any) -> dict[str, str]:
    """Return the text of each file of a small chip."""
    family, arch = load_architecture(CHIP)
    write_verilog(QUIET, family, arch, folder, **given)
    # Some bytes are no text.
    return {file.name: file.read_text(encoding="latin-1") for file in folder.iterdir()}


@pytest.fixture(scope="module")
def in_a_system(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The chip with its files for a system."""
    return written(tmp_path_factory.mktemp("system") / "chip")


def test_the_files_of_a_layout_are_more(tmp_path: Path, in_a_system: dict[str, str]) -> None:
    """They stand beside those for a system, which are the same."""
    more = written(tmp_path / "chip", layer="met3")
    assert in_a_system.keys() < more.keys()
    assert {name for name in in_a_system if in_a_system[name] != more[name]} <= {MANIFEST}
    assert any(name.endswith(".json") for name in more.keys() - in_a_system.keys())


def test_a_chip_behind_pins_has_no_trace_and_its_registers_alone(
    tmp_path: Path, in_a_system: dict[str, str]
) -> None:
    found = written(tmp_path / "chip", pins=PINS)
    chip = "mram_chip.v"
    assert "trace" in in_a_system[chip] and "trace" not in found[chip].partition(");")[0]
    manifest = json.loads(found[MANIFEST])
    assert manifest["parameters"]["pins"]["memory_bytes"] == 4096
    assert "mram_axi.v" in in_a_system.keys() - found.keys()
    assert what_was_written(tmp_path / "chip")["modules"][chip.removesuffix(".v")] == 1


def test_a_bit_stream_is_made_of_the_board_and_its_pins(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def routing(files: Mapping[str, str], **given: Any) -> dict[str, bytes]:
        asked.append({"files": files, **given})
        return {"ulx3s.bit": b"stream"}

    board = BOARDS["ulx3s"]
    found = written(tmp_path / "chip", pins=PINS, board=board, routing=routing)
    (given,) = asked
    top = what_was_written(tmp_path / "chip")["top"]
    assert (given["board"], given["top"]) == (board, top)
    assert given["pins"] == found["ulx3s.lpf"]
    assert f"{top}.v" in given["files"] and given["files"][f"{top}.v"] == found[f"{top}.v"]
    assert found["ulx3s.bit"] == "stream" and "ulx3s.bit" not in found[FILE_LIST]
    parameters = json.loads(found[MANIFEST])["parameters"]
    assert (parameters["board"], parameters["pins"]["line"]) == ("ulx3s", "uart")


@pytest.mark.promise(
    "a chip that stands in no shell is written, but neither behind pins nor without a trace"
)
def test_a_chip_in_no_shell(tmp_path: Path) -> None:
    _, arch = load_architecture(CHIP)
    generator = SimpleNamespace(make_chip=lambda arch: BitCounter(arch=arch))
    family: Any = SimpleNamespace(name="trees", need=lambda _: generator)
    write_verilog(QUIET, family, arch, tmp_path / "tree")
    (file,) = [name for name in what_was_written(tmp_path / "tree")["files"] if name[-2:] == ".v"]
    assert "trees" in (tmp_path / "tree" / file).read_text(encoding="utf-8")
    for given, said in (
        ({"pins": PINS}, "the family trees cannot take --pins: its chip stands in no shell"),
        ({"trace": False}, "the family trees cannot leave out its trace: its chip stands in no"),
    ):
        with pytest.raises(FamilyError, match=said):
            write_verilog(QUIET, family, arch, tmp_path / "none", **given)
    assert not (tmp_path / "none").exists()


def test_instances_are_counted_through_all_levels() -> None:
    modules = {
        "top": {"instances": {"lane": 3, "memory": 1}},
        "lane": {"instances": {"adder": 2, "memory": 1}},
        "adder": {"instances": {}},
    }
    assert uses(modules, "top") == {"top": 1, "lane": 3, "adder": 6, "memory": 4}
