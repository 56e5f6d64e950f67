"""Files for LibreLane: what they name is there, and its own checks take them."""

import json
import typing
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from hwgen import api
from hwgen.errors import ArgumentError
from tests.soc.test_files import elaborated

MEMORIES = {"dbpim": "dbpim_activation_bank", "mram": "mram_record_table"}


@pytest.fixture(scope="module", params=["dbpim", "mram", "mram-spi", "dbpim-uart"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of a chip with buses, or with few pins."""
    family, _, line = request.param.partition("-")
    folder = tmp_path_factory.mktemp(f"{request.param}-") / "chip"
    pins = cast(Literal["spi", "uart"] | None, line or None)
    api.build(f"{family}/tiny", folder, flow="librelane", pin_layer="met3", pins=pins)
    return folder


def config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return found


def named(value: object) -> list[str]:
    """Return every file that a configuration names."""
    if isinstance(value, dict):
        return [name for each in value.values() for name in named(each)]
    if isinstance(value, list):
        return [name for each in value for name in named(each)]
    text = str(value)
    return [text.removeprefix("dir::")] if text.startswith("dir::") else []


@pytest.mark.promise(
    "build --for librelane writes a configuration, constraints, the order of pins, and abstracts of"
    " large memories whose places do not overlap"
)
def test_what_is_named_is_there(built: Path) -> None:
    given, family = config(built), built.parent.name.split("-")[0]
    listed = json.loads((built / "manifest.json").read_text())["files"]
    assert set(named(given)) <= set(listed)
    assert MEMORIES[family] in given["MACROS"]
    assert not {f"{name}.v" for name in given["MACROS"]} & set(named(given["VERILOG_FILES"]))
    verilog = [built / name for name in named(given["VERILOG_FILES"])]
    boxes = [built / name for each in given["MACROS"].values() for name in named(each["vh"])]
    assert not elaborated("-s", given["DESIGN_NAME"], *verilog, *boxes)
    assert elaborated("-s", given["DESIGN_NAME"], *verilog)


def test_every_memory_has_a_place_of_its_own(built: Path) -> None:
    boxes = []
    for name, macro in config(built)["MACROS"].items():
        size = next(
            line.split()
            for line in (built / f"{name}.lef").read_text().splitlines()
            if "SIZE" in line
        )
        width, height = float(size[1]), float(size[3])
        uses = (built / "index.md").read_text()
        assert name in uses and macro["instances"]
        for path, one in macro["instances"].items():
            x, y = one["location"]
            boxes.append((path, x, y, x + width, y + height))
    assert len(dict.fromkeys(path for path, *_ in boxes)) == len(boxes)
    for one, other in combinations(boxes, 2):
        apart = one[3] <= other[1] or other[3] <= one[1] or one[4] <= other[2] or other[4] <= one[2]
        assert apart, (one, other)


def test_the_guide_tells_clock_metals_and_pins(built: Path) -> None:
    text = (built / "librelane.md").read_text()
    assert f"{config(built)['CLOCK_PERIOD']:g} ns" in text and "met3, power on met4" in text
    assert "config.json" in text and "PDN_MACRO_CONNECTIONS" in text


@pytest.mark.promise(
    "behind a line a block has its pins, a clock of its own, and the memory of programs and maps"
)
def test_a_block_with_few_pins(tmp_path: Path) -> None:
    folder = tmp_path / "block"
    api.build("mram/tiny", folder, flow="librelane", pins="spi", memory=8192)
    given, text = config(folder), (folder / "mram_spi.sdc").read_text()
    assert (given["DESIGN_NAME"], given["CLOCK_PORT"]) == ("mram_spi", "clk")
    assert (folder / "pin_order.cfg").read_text().split() == (
        ["#N", "clk", "rst", "#W", "sck", "cs_n", "mosi", "miso"]
    )
    assert f"-period {given['CLOCK_PERIOD']:.3f} [get_ports clk]" in text
    assert "set_false_path -from [get_ports {sck cs_n mosi}]" in text
    assert "[get_ports {miso}]" in text and "6 in all" in (folder / "librelane.md").read_text()
    assert list(given["MACROS"]["mram_line_cells_1024x8"]["instances"]) == ["memory.cells"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"pin_layer": "met3"}, "pin_layer must be given with flow librelane, got met3"),
        ({"flow": "librelane", "pin_layer": "metal"}, "ends with its number, such as met3, got"),
        ({"flow": "openroad"}, "librelane"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    given: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ArgumentError) as raised:
        api.build("dbpim/tiny", tmp_path / "out", **given)
    assert sentence in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_its_own_checks_take_them(built: Path, tmp_path: Path) -> None:
    """LibreLane is in no extra; its environment runs this test with `pip install librelane`."""
    classic = pytest.importorskip("librelane.flows.classic").Classic
    flow = pytest.importorskip("librelane.config.flow")
    steps = [variable for step in classic.Steps for variable in step.config_vars]
    variables = [*flow.pdk_variables, *flow.scl_variables, *(one for one in steps if one.pdk)]
    needed = {v.name: v.type for v in variables if not v.optional and v.default is None}
    del needed["STD_CELL_LIBRARY"]
    tech = tmp_path / "stub/libs.tech/librelane"
    (tech / "cells").mkdir(parents=True)
    (tech / "file").touch()
    values = {name: stub(kind, str(tech / "file")) for name, kind in needed.items()}
    (tech / "config.tcl").write_text("set ::env(STD_CELL_LIBRARY) cells\n")
    text = "".join(f"set ::env({name}) {{{value}}}\n" for name, value in values.items())
    (tech / "cells/config.tcl").write_text(text)
    loaded = classic(str(built / "config.json"), pdk="stub", pdk_root=str(tmp_path)).config
    assert loaded["DESIGN_NAME"] == config(built)["DESIGN_NAME"]
    assert set(loaded["MACROS"]) == set(config(built)["MACROS"])


def stub(kind: Any, file: str) -> str:
    """Return some value of a variable of a process design kit, in Tcl."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict:
        return f"* {stub(inner[1], file)}"
    if origin is tuple:
        return " ".join(stub(each, file) for each in inner)
    if origin is not None:
        return stub(inner[0], file)
    names = {"str": "cell/A/Y", "int": "1", "bool": "1", "Decimal": "1"}
    return names.get(kind.__name__, file)
