"""In what contexts an expression has the value of its net: by formula, and against integers."""

import subprocess
from itertools import product
from pathlib import Path

import pytest

from hwgen.chip.rtl.expressions import Builder, Expression

WIDTHS = {"a": 2, "b": 2, "§1": 2}
OPERATIONS = {
    "a & b": lambda a, b: a & b,
    "a | b": lambda a, b: a | b,
    "a + b": lambda a, b: (a + b) % 4,
    "a - b": lambda a, b: (a - b) % 4,
    "~ a": lambda a, b: ~a % 4,
    "a << b": lambda a, b: (a << b) % 4,
    "b[0] ? a : b": lambda a, b: a if b & 1 else b,
}


def made(value: str, width: int = 2) -> Expression:
    """Return a value as the expression of a net of so many bits."""
    found = Builder(WIDTHS, lambda name, as_whole: None, {}).value(value, width)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("a & b", [2, 3, 99]),
        ("b[0] ? a : b", [2, 3, 99]),
        ("a + b", [2]),
        ("~ a", [2]),
        ("a - b", [2]),
        ("a << b", [2]),
    ],
)
def test_contexts(value: str, fits: list[int]) -> None:
    assert [width for width in (1, 2, 3, 99) if made(value).fits(width)] == fits


@pytest.mark.parametrize("value", ["a == b", "! a", "a && b"])
def test_one_bit_fits_every_context(value: str) -> None:
    assert all(made(value, 1).fits(width) for width in (1, 2, 99))


def test_a_sum_with_its_carry_fits_wider_contexts() -> None:
    assert [width for width in (2, 3, 4, 99) if made("a + b", 3).fits(width)] == [3, 4, 99]


@pytest.mark.promise(
    "an expression takes the place of a net only where a simulator gives both the same value"
)
@pytest.mark.parametrize("value", OPERATIONS)
def test_icarus_agrees_in_each_context(value: str, icarus: str, tmp_path: Path) -> None:
    """Each operation, in a reader of 2 and of 4 bits: as the builder puts it, all inputs."""
    net = made(value)
    builder = Builder({**WIDTHS, "z": 4}, lambda name, as_whole: net, {})
    narrow, wide = builder.value("§1 ^ a", 2), builder.value("§1 ^ z", 4)
    assert narrow is not None and wide is not None
    text = f"""module bench;
  reg [1:0] a, b;
  reg [3:0] z;
  wire [1:0] \\§1 = {value};
  wire [1:0] narrow = {narrow.text};
  wire [3:0] wide = {wide.text};
  integer n;
  initial for (n = 0; n < 16; n = n + 1) begin
    {{ a, b }} = n; z = 4'h8; #1 $display("%0d %0d", narrow, wide);
  end
endmodule
""".replace("\\§1", "net").replace("§1", "net")
    (tmp_path / "bench.v").write_text(text, encoding="ascii")
    subprocess.run(["iverilog", "-o", "bench.vvp", "bench.v"], cwd=tmp_path, check=True)
    said = subprocess.run(
        ["vvp", "-n", "bench.vvp"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    wanted = [
        f"{OPERATIONS[value](a, b) ^ a} {OPERATIONS[value](a, b) ^ 8}"
        for a, b in product(range(4), repeat=2)
    ]
    assert said.stdout.splitlines() == wanted
    assert ("net" in wide.text.replace("§1", "net")) == (not net.fits(4))
