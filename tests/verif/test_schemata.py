"""Faults of the Verilog in one simulator: each is a line with two values, and most are caught."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hwgen.dbpim.sim.chip_run import hosted
from tests.verif.dbpim.chips import chip_arch, compiled
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images
from verif.schemata import (
    Fault,
    bench_of,
    choose,
    difference,
    faults_of,
    kind,
    outcomes,
    planted,
)

TEXT = """module top(a, b, clk);
  reg [3:0] q = 4'h0;
  assign y = a & b;
  always @(posedge clk) begin
    if (rst) begin
    end else if (go ) begin
      \\$1  = 4'ha;
      \\$2 [3:0] = c ? a : b;
    end
  end
endmodule
"""


def test_every_kind_of_fault() -> None:
    """No fault of a declaration, of a reset, or of a copy."""
    faults = [fault for each in faults_of({"top": TEXT}) for fault in each]
    found = [(fault.line, fault.right, fault.wrong) for fault in faults]
    assert found == [
        (3, "a & b", "a | b"),
        (6, "go ", "1'h0"),
        (6, "go ", "1'h1"),
        (7, "4'ha", "4'hb"),
        (8, "c ? a : b", "c ? b : a"),
    ]


def test_a_line_has_both_values() -> None:
    faults = [Fault("top", 3, "a & b", "a | b"), Fault("top", 6, "go ", "1'h0")]
    package, text = planted({"top": TEXT}, faults, "top").values()
    assert package.startswith("package schemata;")
    lines = text.splitlines()
    assert lines[2] == "  assign y = schemata::chosen == 1 ? (a | b) : (a & b);"
    assert lines[5] == "    end else if (schemata::chosen == 2 ? (1'h0) : (go )) begin"
    assert '$value$plusargs("mutant=%d", schemata::chosen)' in lines[-2]
    assert lines[-1] == "endmodule"


def test_the_choice_depends_on_the_seed_alone() -> None:
    modules = {"top": TEXT}
    assert choose(modules, 3, 1) == choose(modules, 3, 1)
    assert len({each.line for each in choose(modules, 9, 2)}) == 4


RUN: Any = SimpleNamespace(
    maps=[{"conv": np.arange(4)}],
    cycles=9,
    load_cycles=1,
    steps=(),
    counters={"layers": 1},
    events={"groups": 2},
)


@pytest.mark.parametrize(
    ("changed", "found", "without_time"),
    [
        ({}, "", ""),
        ({"maps": [{"conv": np.ones(4)}]}, "maps", "maps"),
        ({"maps": [{}]}, "maps", "maps"),
        ({"cycles": 8}, "cycles", ""),
        ({"load_cycles": 2}, "cycles", ""),
        ({"counters": {"layers": 2}}, "events", "events"),
        ({"events": {"groups": 3}}, "events", "events"),
    ],
)
def test_what_differs(changed: dict[str, Any], found: str, without_time: str) -> None:
    other: Any = SimpleNamespace(**{**vars(RUN), **changed})
    assert difference([RUN], [other], timed=True) == found
    assert difference([RUN], [other], timed=False) == without_time


def test_kinds() -> None:
    given = [
        "",
        "maps",
        "events (stalls)",
        "error: the chip stopped (image 0)",
        "error: x (stalls)",
    ]
    assert [kind(each) for each in given] == [
        "survived",
        "maps",
        "events (stalls)",
        "error",
        "error (stalls)",
    ]


def test_faults_of_a_chip_are_caught() -> None:
    """Faults of the write engine: an operator, and two of which only stalls tell."""
    network, arch = directed("narrow"), chip_arch("tiny")
    images = random_images(network, 6, seed=0)
    module = {"dbpim_write_engine": hosted(arch).modules["dbpim_write_engine"]}
    lines = {fault.right: fault for each in faults_of(module) for fault in each}
    faults = [
        lines["todo[115:112] == \\$18 "],
        replace(lines["memory__awvalid & memory__awready"], wrong="memory__awvalid"),
        replace(lines["memory__wvalid & memory__wready"], wrong="memory__wvalid"),
    ]
    bench = bench_of(arch, compiled(network, arch), images, faults, optimize="-O0")
    caught = [kind(each.caught_by) for each in outcomes(bench, faults)]
    assert caught == ["error", "error (stalls)", "error (stalls)"]
