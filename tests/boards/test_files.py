"""Files of `hwgen build --for BOARD`: every pin has a place, and what cannot be is one sentence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hwgen import api
from hwgen.chip.boards import BAUD, BOARDS
from hwgen.errors import ArgumentError
from hwgen.report.system.board_files import board_files, constraints_name
from tests.soc.test_files import elaborated, listed

PLACES = {
    "ecp5": (r'^LOCATE COMP "(\w+)" SITE "(\w+)";$', r'^IOBUF PORT "(\w+)" IO_TYPE=LVCMOS33'),
    "gowin": (r'^IO_LOC "(\w+)" (\w+);$', r'^IO_PORT "(\w+)" IO_TYPE=LVCMOS33'),
    "vivado": (
        r"^set_property -dict \{ PACKAGE_PIN (\w+) IOSTANDARD \w+ \} \[get_ports (\w+)\]$",
        r"IOSTANDARD LVCMOS33 \} \[get_ports (\w+)\]$",
    ),
}
BUILT = "arty"
"""The board whose folder is written here; the others differ in the files beside alone."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "chip"
    api.build("dbpim/single", folder, flow="arty")
    return folder


@pytest.mark.promise("build --for writes the top of a board, and a place of each of its pins")
def test_the_top_of_a_board_is_there(built: Path) -> None:
    board, manifest = BOARDS[BUILT], json.loads((built / "manifest.json").read_text())
    top = manifest["modules"][manifest["top"]]
    assert manifest["top"] == f"dbpim_{BUILT}" and manifest["parameters"]["board"] == BUILT
    assert {port["name"] for port in top["ports"]} == set(board.pins)
    assert manifest["parameters"]["pins"]["bit_cycles"] == round(1e6 * board.mhz / BAUD)
    assert not elaborated("-s", manifest["top"], *listed(built))


def test_a_project_of_vivado_names_its_files(built: Path) -> None:
    script = (built / "build.tcl").read_text()
    named = re.search(r"add_files \[list (.*)\]", script)
    assert named and named[1].split() == (built / "files.f").read_text().split()
    assert "-part xc7a35ticsg324-1L" in script and "arty.xdc" in script
    assert "Nobody ran it" in (built / "board.md").read_text()
    generated = re.search(r"get_pins (\w+)\[(\d)\]/Q", (built / "arty.xdc").read_text())
    assert generated
    name = generated[1].removesuffix("_reg")
    assert f"reg [{generated[2]}:0] {name};" in (built / "dbpim_arty.v").read_text()


@pytest.mark.parametrize("name", BOARDS)
def test_every_pin_has_one_place(name: str) -> None:
    board = BOARDS[name]
    files = board_files(board, "a chip", top="top", modules=["a.v"], baud=BAUD, written="Made up")
    text = files[constraints_name(board)]
    place, kind = PLACES[board.tools]
    found = [(m[1], m[2]) for m in re.finditer(place, text, re.M)]
    if board.tools == "vivado":
        found = [(port, site) for site, port in found]
    assert found == list(board.pins.items())
    assert re.findall(kind, text, re.M) == list(board.pins)
    assert len(set(board.pins.values())) == len(board.pins)
    if board.tools != "gowin":  # which takes it as an option
        assert re.search(rf'"clk" {board.oscillator_mhz:g} MHZ|-period 10 \[get_ports clk', text)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"flow": "ulx3s", "pins": "spi"}, "pins must be uart, with flow ulx3s, got spi"),
        (
            {"flow": "tang20k", "memory": 1 << 17},
            "memory must be at most 94208, the block RAMs of Tang Nano 20K, got 131072",
        ),
        ({"flow": "ulx3s", "pin_layer": "met3"}, "pin_layer must be given with"),
        ({"flow": "arty", "route": True}, "ulx3s or tang20k, got arty"),
        ({"route": True}, "ulx3s or tang20k, got nothing"),
        ({"memory": 1024}, "memory must be given with pins"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    given: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError) as raised:
        api.build("dbpim/tiny", tmp_path / "out", **given)
    assert sentence in str(raised.value)
    assert not (tmp_path / "out").exists()
