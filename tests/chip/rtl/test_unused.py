"""Bits that lose their readers get one, those that never had one do not."""

import subprocess
from pathlib import Path

import pytest

from hwgen.chip.rtl.module_text import Sentences, readable
from hwgen.chip.rtl.unused import bits_read, runs, unused_bits
from tests.chip.rtl.test_wiring import module_of
from verif.lint import lint

NETS = "1:8 2:3"
BODY = (
    "  wire [7:0] need;",
    "  wire [7:0] spare;",
    "  reg [3:0] words [7:0];",
    "  assign need = a ^ b;",
    "  assign spare = a;",
    "  assign \\$1  = need + b;",
    "  assign y = { \\$1 [3:0], 4'h0 };",
)
PLACED = ("  below below (", "    .d(need),", "    .q(\\$2 )", "  );")


def test_bits_are_read_in_values_blocks_and_pins() -> None:
    """A place in a memory is read, also where the memory is written; a target is not."""
    module = module_of(
        *BODY,
        *PLACED,
        "  always @(posedge a) begin",
        "    if (b[1:0] <= 2'h1) begin",
        "      words[spare[2:1]] <= a[6];",
        "    end",
        "  end",
        nets=NETS,
    )
    masks = bits_read(module)
    assert masks["need"] == -1
    assert (masks["spare"], masks["§1"], masks["y"]) == (0b110, 0b1111, 0)
    assert masks["words"] == 0


def test_what_an_instance_drives_is_read_by_a_second_pin() -> None:
    module = module_of(*PLACED, "  above above (", "    .e(\\$2 [1:0])", "  );", nets=NETS)
    assert bits_read(module)["§2"] == 0b11


def test_only_bits_that_had_readers_get_one() -> None:
    module = module_of(*BODY, nets=NETS)
    before = bits_read(module)
    module.assigns = [
        (target, value.replace("need + b", "need[3:0] + b[3:0]"))
        for target, value in module.assigns
    ]
    assert unused_bits(module, before) == "  wire unused = &{ 1'h0, need[7:4] };"
    assert unused_bits(module, bits_read(module)) == ""


@pytest.mark.parametrize(
    ("mask", "parts"), [(0, []), (0b1, [(0, 1)]), (0b110111000, [(3, 3), (7, 2)])]
)
def test_runs_of_bits(mask: int, parts: list[tuple[int, int]]) -> None:
    assert [(one.low, one.width) for one in runs("a", mask)] == parts


@pytest.mark.promise(
    "a linter is silent of bits whose readers the emitter narrows, and names an input that the"
    " source never reads"
)
def test_a_linter_names_a_forgotten_input_alone(tmp_path: Path) -> None:
    lines = [f"  input [7:0] {name};" for name in ("a", "b", "spare")]
    lines += ["  output [7:0] y;", "  wire [7:0] need;", "  wire [8:0] \\$1 ;"]
    body = [BODY[3], *BODY[5:]]
    text = "\n".join(["module top(a, b, spare, y);", *lines, *body, "endmodule\n"])
    file = tmp_path / "top.v"
    file.write_text(readable(text, Sentences()), encoding="ascii")
    waivers = tmp_path / "none.vlt"
    waivers.write_text("`verilator_config\n", encoding="ascii")
    said = lint([file], top="top", waivers=waivers)
    assert "'need'" not in said
    assert "Signal is not used: 'spare'" in said
    command = ["iverilog", "-g2005", "-Wall", "-t", "null", str(file)]
    assert not subprocess.run(command, check=True, capture_output=True, text=True).stderr
