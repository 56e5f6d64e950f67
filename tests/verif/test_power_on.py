"""Whole chips whose registers and memories are undefined at power-on: only resets give values."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.limits import RunLimits
from hwgen.chip.sim.host import run_hosted
from tests.small_runs import FAMILIES, small_case, traced
from verif.power_on import read_as, run_under_icarus, unset, without_initial_values
from verif.toolchain import BUILD_ROOT

SEEDS = (1, 2, 3)
LIMITS = RunLimits(cycles=20_000, stores=20_000)
"""Of chips that hang; sound ones take a third of it."""
REGISTER = """module part(clk, rst, q);
  reg \\$start ;
  initial \\$start  = 0;
  output [3:0] q;
  reg [3:0] q = 4'h3;
  wire [3:0] next = 4'h5;
  reg [7:0] cells [3:0];
  always @(posedge clk) if (rst) q <= 4'h3; else q <= next;
endmodule
"""


def test_registers_have_no_value_before_the_reset() -> None:
    (text,) = without_initial_values({"part": REGISTER}).values()
    assert text == REGISTER.replace("reg [3:0] q = 4'h3;", "reg [3:0] q;")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_register_of_a_chip_is_undefined(family: str) -> None:
    """What stays are the signals that start `always @*`, one a module at most."""
    modules = unset(small_case(family).chip).modules
    for name, text in modules.items():
        values = [line for line in text.splitlines() if "reg " in line and " = " in line]
        initial = [line.strip() for line in text.splitlines() if "initial " in line]
        assert not values, name
        assert initial in ([], ["initial \\$start  = 0;"]), name


@pytest.mark.parametrize("line", ["retire 12 0 x", "rest 0 X", "read 00c 0000000x", "image x"])
def test_a_count_must_be_defined(line: str, tmp_path: Path) -> None:
    (tmp_path / "events.txt").write_text(f"start 0 0\n{line}\nfinish\n", encoding="ascii")
    (tmp_path / "stores.txt").write_text("", encoding="ascii")
    into = tmp_path / "read"
    into.mkdir()
    with pytest.raises(ValueError, match="must be defined"):
        read_as("0", tmp_path, small_case("dbpim").chip, into)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_answers_and_events_without_x(family: str, icarus: str, tmp_path: Path) -> None:
    """Whatever undefined digits of answers are, all is as golden and the model say.

    Only the memory has some: elements behind the channels of an answer, which nobody reads.
    """
    case, into = small_case(family), tmp_path / "read"
    into.mkdir()
    run_under_icarus(replace(case.work, limits=LIMITS), case.chip, tmp_path)
    for digit in "0f":
        starts = read_as(digit, tmp_path, case.chip, into)
        assert case.equal(case.results(starts))
        assert counted(starts) == counted(traced(family)), "Icarus counts as Verilator does"


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_any_values_at_power_on(family: str) -> None:
    """Under Verilator every register has a random value before the reset: no x is optimistic."""
    case = small_case(family)
    for seed in SEEDS:
        work = replace(case.work, seed=seed, limits=LIMITS)
        starts, _ = run_hosted(work, unset(case.chip), builds=BUILD_ROOT)
        assert case.equal(case.results(starts)), f"seed {seed}"
        assert counted(starts) == counted(traced(family)), f"seed {seed}"


def counted(starts: list[Any]) -> list[Any]:
    """Return all counts and cycles of a trace."""
    return [(each.begun, each.retired, each.rest, each.registers) for each in starts]
