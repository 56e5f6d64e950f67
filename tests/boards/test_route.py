"""A design on an FPGA by the tools that pip installs, and what is told before they run."""

import json
import shutil
from pathlib import Path

import pytest

from hwgen.chip.boards import BOARDS
from hwgen.commands.context import Context
from hwgen.commands.route import PACKERS, PLACERS, Routing, find
from hwgen.errors import DataError, MissingToolError, WorkerError
from hwgen.report.system.board_files import board_files, constraints_name

DESIGN = """
module design (input clk, input button, input rx, output tx, output led{more});
  reg [23:0] count = 0;
  reg [31:0] words[0:511], word;
  always @(posedge clk) begin
    count <= count + 1;
    word <= words[count[8:0]];
    if (button) words[count[8:0]] <= count;
  end
  assign led = count[23], tx = ^word ^ rx;
  {high}
endmodule
"""


def design(name: str) -> tuple[dict[str, str], str]:
    """Return a small design with the pins of a board, and their places."""
    board = BOARDS[name]
    more = "".join(f", output {each}" for each in board.high)
    high = "".join(f"assign {each} = 1;" for each in board.high)
    files = board_files(board, "made up", top="design", modules=[], baud=1, written="Made up")
    return {"design.v": DESIGN.format(more=more, high=high)}, files[constraints_name(board)]


def routing(folder: Path) -> Routing:
    return Routing(Context(console=None), "made up", builds=folder)


def there(name: str) -> bool:
    """Return whether the tools of a board are installed."""
    try:
        return all(find(tools[BOARDS[name].tools]) for tools in (PLACERS, PACKERS))
    except MissingToolError:
        return False


@pytest.mark.dear
@pytest.mark.promise(
    "build --route makes a bit stream by Yosys, nextpnr and a packer that pip installs, with the"
    " places and the clock that nextpnr tells"
)
@pytest.mark.parametrize("name", ["ulx3s", "tang20k"])
def test_a_small_design_becomes_a_bit_stream(name: str, tmp_path: Path) -> None:
    if not there(name):
        pytest.skip("needs hwgen[fpga]")
    files, pins = design(name)
    board, made = BOARDS[name], routing(tmp_path)
    ((stream, content),) = made(files, board=board, top="design", pins=pins).items()
    done = made.done
    assert done is not None and done.is_fast_enough and done.bitstream == stream
    assert len(content) > 50_000
    assert done.wanted_mhz == board.mhz < done.mhz
    assert done.luts.available == board.luts and 24 <= done.luts.used < 500
    assert (done.block_rams.used, done.block_rams.available) == (1, board.block_rams)
    assert 24 <= done.flip_flops.used < 200 and done.path.cells >= 2
    assert done.cpu_seconds["routing"] > 0


@pytest.mark.promise(
    "build --route refuses a chip that is larger than the FPGA before it is placed"
)
def test_what_is_too_large_is_told_before_it_is_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a made-up netlist."""

    def synthesized(name: str, command: object, folder: Path, **_: object) -> None:
        assert name == "Yosys"
        cells = {"LUT4": 20_000, "ALU": 700, "RAM16SDP4": 5, "SP": 47}
        (folder / "netlist.json").write_text("{}")
        (folder / "cpu_seconds.json").write_text("1")
        content = {"design": {"num_cells_by_type": cells}}
        (folder / "stat.json").write_text(json.dumps(content))

    monkeypatch.setattr("hwgen.commands.route.step", synthesized)
    monkeypatch.setattr("hwgen.commands.route.find", lambda tool: tool)
    with pytest.raises(DataError) as raised:
        routing(tmp_path)({"a.v": ""}, board=BOARDS["tang20k"], top="a", pins="")
    assert str(raised.value) == (
        "the chip must fit Tang Nano 20K, 20,736 LUTs and 46 block RAMs, got 20,740 and 47 behind"
        " synthesis (made up)"
    )


def test_a_machine_without_nextpnr_is_told_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(MissingToolError, match=r"nextpnr-ecp5 is needed: pip install 'hwgen\[fp"):
        find("nextpnr-ecp5")


def test_what_yosys_does_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyosys", reason="needs hwgen[synth]")
    monkeypatch.setattr("hwgen.commands.route.find", lambda tool: shutil.which("true") or tool)
    with pytest.raises(WorkerError, match=r"Yosys must end without an error, got exit code 1: .*"):
        routing(tmp_path)({"a.v": "modul"}, board=BOARDS["ulx3s"], top="a", pins="")
