"""The sweep of lints hears what each tool says."""

import shutil
from pathlib import Path

import pytest

from tests.lints import chips

TOP = """module top(input clk, input [3:0] a, output [1:0] y);
  assign y = a[1:0];
endmodule
"""
WAIVERS = """`verilator_config
lint_off -rule UNUSEDSIGNAL -file "*top.v" -match "Signal is not used: 'clk*"
lint_off -rule UNUSEDSIGNAL -file "*top.v" -match "Bits of signal are not used: 'a*"
"""


def design(folder: Path, text: str = TOP, waivers: str = WAIVERS) -> Path:
    """Return a folder with a module and what `hwgen build` writes beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "top.v").write_text(text, encoding="utf-8")
    (folder / "files.f").write_text("top.v\n", encoding="utf-8")
    (folder / "waivers.vlt").write_text(waivers, encoding="utf-8")
    return folder


def heard(folder: Path) -> list[str]:
    """Return what the tools say."""
    return [text for text in chips.said_of(folder, "top") if text]


@pytest.mark.promise("one command lints any chip with Verilator, Icarus, slang and Yosys")
def test_each_tool_is_heard(icarus: str, tmp_path: Path) -> None:
    pytest.importorskip("pyslang")
    folder = tmp_path / "chip"
    assert heard(design(folder)) == []
    more = WAIVERS + WAIVERS.splitlines(keepends=True)[1].replace("clk", "rst")
    assert heard(design(folder, waivers=more))[0].startswith("nothing in this chip needs")
    assert "UNUSEDSIGNAL" in heard(design(folder, waivers="`verilator_config\n"))[0]
    assert "truncates" in chips.slang(
        "top", [str(design(folder, TOP.replace("[1:0];", ";")) / "top.v")]
    )
    twice = TOP.replace("endmodule", "  assign y = a[3:2];\nendmodule")
    assert any("conflicting drivers" in text for text in heard(design(folder, twice)))
