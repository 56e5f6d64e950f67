"""Random faults: what catches them, what they are that nothing catches, and the page."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from hwgen.dbpim.sim.chip_run import hosted
from hwgen.dbpim.sim.simulate import job_of, simulated_runs
from tests.faults import cases as cases_of_chips
from tests.faults.bench import bench_of, difference, kind, outcomes
from tests.faults.cases import Case, Tried
from tests.faults.classes import BY_HAND, gone_with_go, leads_to_the_trace, only_loads_more
from tests.faults.equivalent import equivalent
from tests.faults.from_reset import same_from_reset
from tests.faults.parts import PartBench, benches
from tests.faults.places import as_placed
from tests.faults.record import CLASSES, Classified, FamilyRecord, read_record, write_record
from tests.faults.run import classified_again, record_of
from tests.faults.unread import is_valid_of, register_of, unread
from tests.verif.dbpim.chips import chip_arch, compiled
from verif import runner
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images
from verif.schemata import Fault, faults_of

MOST_BY_HAND = 10

RUN: Any = SimpleNamespace(
    maps=[{"conv": np.arange(4)}],
    cycles=9,
    load_cycles=1,
    loading=0,
    held_clocks=0,
    steps=(),
    counters={"layers": 1},
    events={"groups": 2},
)


@pytest.mark.promise(
    "many faults of the Verilog live in one simulator, chosen when it starts; each is caught by"
    " a network of a list, or has a class"
)
@pytest.mark.parametrize(
    ("changed", "found", "without_time"),
    [
        ({}, "", ""),
        ({"maps": [{"conv": np.ones(4)}]}, "maps", "maps"),
        ({"maps": [{}]}, "maps", "maps"),
        ({"cycles": 8}, "cycles", ""),
        ({"load_cycles": 2}, "cycles", ""),
        ({"held_clocks": 2}, "cycles", ""),
        ({"counters": {"layers": 2}}, "events", "events"),
        ({"events": {"groups": 3}}, "events", "events"),
    ],
)
def test_what_differs(changed: dict[str, Any], found: str, without_time: str) -> None:
    other: Any = SimpleNamespace(**{**vars(RUN), **changed})
    assert difference([RUN], [other], timed=True) == found
    assert difference([RUN], [other], timed=False) == without_time


def test_chips_have_row_units_late_cells_sum_registers_and_twins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("dbpim_chip", "mram_chip"):
        monkeypatch.setattr(cases_of_chips, name, lambda arch, networks: arch)
    found: Any = cases_of_chips.dbpim()
    pairs, rows = found[-2:]
    assert pairs.pairs
    twins: Any = cases_of_chips.mram()[-1]
    assert rows.row_unit and rows.cells == "synchronous" and rows.array_cycles == 2
    assert "row_unit" in [each.name for each in benches("dbpim", rows)]
    assert twins.twins and twins.overlap


def test_kinds() -> None:
    given = [
        "",
        "maps",
        "events (stalls)",
        "error: the chip stopped (image 0)",
        "error: x (stalls)",
    ]
    wanted = ["survived", "maps", "events (stalls)", "error", "error (stalls)"]
    assert [kind(each) for each in given] == wanted


@pytest.mark.dear
def test_faults_of_a_chip_are_caught() -> None:
    """Faults of the write engine: an operator, and two of which only stalls tell."""
    network, arch = directed("narrow"), chip_arch("tiny")
    images, program = random_images(network, 6, seed=0), compiled(network, arch)
    module = {"dbpim_write_engine": hosted(arch).modules["dbpim_write_engine"]}
    lines = {fault.right: fault for each in faults_of(module) for fault in each}
    faults = [
        next(
            fault
            for right, fault in lines.items()
            if right.startswith("{2'h0, todo[SENT_LSB +: 4]} == ")
        ),
        replace(lines["memory__awvalid & memory__awready"], wrong="memory__awvalid"),
        replace(lines["memory__wvalid & memory__wready"], wrong="memory__wvalid"),
    ]
    case = Case(
        name="narrow",
        what="few cycles",
        work=job_of(arch, program, images).work(),
        runs=lambda starts: simulated_runs(starts, [program] * len(starts), arch, images),
    )
    tried = Tried(chip=hosted(arch), facts=arch, cases=[case])
    found = list(outcomes(bench_of(tried.chip, faults, optimize="-O0"), tried, faults))
    assert [kind(each.caught_by) for each in found] == ["error", "error (stalls)", "error (stalls)"]
    assert {each.network for each in found} == {"narrow"}


INNER = "module inner(a, y);\n  input [1:0] a;\n  output [1:0] y;\n  assign y = ~ a;\nendmodule\n"
OUTER = """module outer(clk, rst, a, b, q);
  input clk, rst;
  input [1:0] a, b;
  output [1:0] q;
  reg [1:0] q;
  wire [1:0] one = a & 2'h1;
  wire [1:0] two;
  wire [1:0] three;
  assign three = one + 2'h2;
  inner \\inner$1  (
    .a(three),
    .y(two)
  );
  always @(posedge clk) if (rst) q <= 2'h0; else q <= two & b;
endmodule
"""


@pytest.mark.parametrize(
    ("wrong", "same"), [("one | 2'h2", True), ("one ^ 2'h2", True), ("one + 2'h3", False)]
)
def test_what_changes_nothing_is_proved(wrong: str, same: bool) -> None:
    """Of what a module places only the ports count."""
    fault = Fault("outer", 9, "one + 2'h2", wrong)
    assert equivalent(fault, {"inner": INNER, "outer": OUTER}) is same


WALKER = """module walker(
  input [3:0] a,  // what is added to
  output [3:0] y,
  // of the layer; it is a constant
  input [3:0] size
);
  assign y = a + size;
endmodule
"""
PLACES = """module top(a, y, z);
  input [3:0] a;
  output [3:0] y, z;
  walker one (
    .a(a),
    .size(4'h0),
    .y(y)
  );
  walker \\two$1  (
    .a(4'h7),
    .size(4'h{second}),
    .y(z)
  );
endmodule
"""


@pytest.mark.parametrize(("second", "sizes", "same"), [(0, 1, True), (3, 2, False)])
def test_a_constant_of_all_places_may_hide_a_fault(second: int, sizes: int, same: bool) -> None:
    """An input that is a constant in one place alone stays an input."""
    modules = {"walker": WALKER, "top": PLACES.format(second=second)}
    places = as_placed("walker", modules)
    assert len(places) == sizes
    fault = Fault("walker", 7, "a + size", "a - size")
    assert all(equivalent(fault, each) for each in places) is same
    assert not equivalent(fault, modules)
    assert as_placed("top", modules) == [modules]
    for number in ("4'h0", "4'h3"):
        modules["top"] = modules["top"].replace(number, "{ 2'h0,\n        2'h1 }")
    assert len(as_placed("walker", modules)) == 1


HELD = """module held(
  input clk,
  input rst,
  input go,
  input [3:0] d,
  output seen,
  output reg [3:0] word,  // counts beside word_valid
  output reg word_valid,
  output reg [3:0] q
);
  reg busy;
  reg [3:0] count;
  assign seen = busy & count[0];
  always @(posedge clk) begin
    if (rst) begin
      count <= 4'h0;
    end else if (go) begin
      count <= d;
    end
  end
  always @(posedge clk) begin
    if (rst) begin
      word <= 4'h0;
    end else if (go) begin
      word <= d;
    end
  end
  always @(posedge clk) begin
    if (rst) begin
      q <= 4'h0;
    end else begin
      q <= d;
    end
  end
  always @(posedge clk) begin
    busy <= rst ? 1'h0 : busy | go;
  end
  always @(posedge clk) begin
    word_valid <= rst ? 1'h0 : word_valid | go;
  end
endmodule
"""


@pytest.mark.parametrize(
    ("fault", "register", "guard"),
    [
        (Fault("held", 16, "4'h0", "4'h1"), "count", "busy"),
        (Fault("held", 17, "go", "1'h0"), "count", ""),
        (Fault("held", 23, "4'h0", "4'h1"), "word", "word_valid"),
        (Fault("held", 30, "4'h0", "4'h1"), "q", ""),
        (Fault("held", 13, "busy & count[0]", "busy | count[0]"), "", ""),
    ],
)
def test_what_nothing_reads_is_proved(fault: Fault, register: str, guard: str) -> None:
    """Only where the guard is 0 after a reset, and whenever the register differs."""
    assert register_of(fault, HELD) == register
    assert unread(fault, {"held": HELD}, register) == guard
    assert is_valid_of(guard, register) is (register == "word")


STEPS = """module steps(
  input clk,
  input rst,
  input go,
  input [1:0] d,
  output reg [1:0] data,
  output reg valid,
  output reg busy
);
  reg [1:0] step;
  always @(posedge clk) begin
    if (rst) begin
      step <= 2'h0;
    end else begin
      step <= busy ? step - 2'h1 : 2'h3;
    end
  end
  always @(posedge clk) begin
    if (rst) begin
      busy <= 1'h0;
    end else begin
      busy <= go;
      if (busy) begin
        busy <= step > 2'h1;
      end
    end
  end
  always @(posedge clk) begin
    if (rst) begin
      data <= 2'h0;
    end else begin
      data <= d;
    end
  end
  always @(posedge clk) begin
    if (rst) begin
      valid <= 1'h0;
    end else begin
      valid <= busy & step[1];
    end
  end
endmodule
"""


@pytest.mark.parametrize(
    ("after", "fault", "same"),
    [
        # A clock without work loads the step, also the first one after a reset.
        ("step", ("2'h0", "2'h1"), True),
        ("busy", ("1'h0", "1'h1"), False),
        # At work the step is never 0, so that another comparison is as good.
        ("busy", ("step > 2'h1", "step != 2'h1"), True),
        ("busy", ("step > 2'h1", "step >= 2'h1"), False),
        # What is sent counts beside its valid alone.
        ("data", ("2'h0", "2'h1"), True),
        ("valid", ("1'h0", "1'h1"), False),
    ],
)
def test_what_a_reset_rules_out_is_proved(after: str, fault: tuple[str, str], same: bool) -> None:
    right, wrong = fault
    lines = STEPS.splitlines()
    (line,) = [n for n, text in enumerate(lines, 1) if text.strip() == f"{after} <= {right};"]
    assert same_from_reset(Fault("steps", line, right, wrong), {"steps": STEPS}) is same


def test_a_register_without_a_reset_may_begin_with_anything() -> None:
    """Then the fault that was proved above is not tried."""
    reset = (
        "    if (rst) begin\n      data <= 2'h0;\n    end else begin\n      data <= d;\n    end\n"
    )
    without = STEPS.replace(reset, "    data <= d;\n")
    assert len(without) < len(STEPS)
    line = without.splitlines().index("      step <= 2'h0;") + 1
    assert not same_from_reset(Fault("steps", line, "2'h0", "2'h1"), {"steps": without})


REGISTER = """module part(
  input go
);
  always @(posedge clk) begin
    if (rst) begin
      q <= 4'h0;
    end else begin
      if (go) begin
        q <= d;
      end
    end
  end
  assign trace__seen = go & d;
  always @* begin
    if (go) begin
    end
  end
"""


def test_rules_look_at_the_signal() -> None:
    always = Fault("part", 8, "go", "1'h1")
    assert only_loads_more(always, REGISTER)
    assert not only_loads_more(replace(always, wrong="1'h0"), REGISTER)
    assert not only_loads_more(replace(always, line=15), REGISTER)
    assert not only_loads_more(
        always, REGISTER.replace("      if (go)", "      q <= e;\n      if (go)")
    )
    assert leads_to_the_trace(Fault("part", 13, "go & d", "go | d"), REGISTER)
    assert not leads_to_the_trace(Fault("part", 9, "d", "e"), REGISTER)


def test_what_a_reset_gives_goes_with_the_first_go() -> None:
    lines = [
        "module part;",
        "  always @(posedge clk) begin",
        "    if (rst) begin",
        "      busy <= 1'h0;",
        "      step <= 4'h0;",
        "      sum <= 4'h0;",
        "    end else if (go) begin",
        "      busy <= 1'h1;",
        "      step <= 4'h0;",
        "    end else if (busy) begin",
        "      sum <= sum + step;",
        "    end",
        "  end",
    ]
    found = [
        gone_with_go(Fault("part", number, "4'h0", "4'h1"), "\n".join(lines))
        for number in range(1, len(lines) + 1)
    ]
    assert [number for number, gone in enumerate(found, 1) if gone] == [5]
    lines[6] = "    end else begin"
    assert not gone_with_go(Fault("part", 5, "4'h0", "4'h1"), "\n".join(lines))


def test_a_bench_kills_what_it_fails_for() -> None:
    """Of the faults in its one simulator those whose number is chosen when it fails."""

    def third_fails(folder: Path) -> None:
        assert "+mutant=3" not in runner.GARBAGE

    faults = [Fault("part", line, "go", "1'h1") for line in range(4)]
    bench = PartBench(name="x", modules=dict, run=third_fails)
    assert list(bench.killed(faults, faults)) == [faults[2]]
    assert not list(bench.killed(faults, faults[:2]))


def test_what_fails_by_itself_kills_nothing() -> None:
    """A corner that a small chip does not have; another test that fails is the fault's."""
    case = '<testcase name="{}"><failure message="x"/></testcase>'

    def fails(folder: Path) -> None:
        names = ["corners", *(["words"] if "+mutant=2" in runner.GARBAGE else [])]
        text = f"<testsuite>{''.join(map(case.format, names))}</testsuite>"
        (folder / "results.xml").write_text(text, encoding="utf-8")
        raise AssertionError

    faults = [Fault("part", line, "go", "1'h1") for line in range(3)]
    bench = PartBench(name="x", modules=dict, run=fails)
    assert list(bench.killed(faults, faults)) == [faults[1]]


def test_a_bench_that_never_ends_well_kills_nothing() -> None:
    def fails(folder: Path) -> None:
        raise AssertionError

    bench = PartBench(name="x", modules=dict, run=fails)
    faults = [Fault("part", 4, "go", "1'h1")]
    assert not list(bench.killed(faults, faults))


def test_one_chip_of_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets all the faults; another name is one sentence."""
    chips: Any = [
        SimpleNamespace(chip=SimpleNamespace(name=name), cases=[]) for name in ("one", "two")
    ]
    counts: dict[str, int] = {}

    def of_chip(chip: Any, count: int, *_: object, **__: object) -> list[Classified]:
        counts[chip.chip.name] = count
        return []

    monkeypatch.setattr("tests.faults.run.tried", lambda _: chips)
    monkeypatch.setattr("tests.faults.run.of_chip", of_chip)
    assert record_of("dbpim", 6, 1, chip="two").chips == ["`two`"] and counts == {"two": 6}
    assert len(record_of("dbpim", 6, 1).chips) == 2 and counts == {"one": 3, "two": 3}
    with pytest.raises(SystemExit, match="--chip must be one of one, two, got three"):
        record_of("dbpim", 6, 1, chip="three")


def test_a_record_is_read_back_beside_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.record.RECORD", tmp_path / "new/faults.json")
    monkeypatch.setattr("tests.faults.record.PAGE", tmp_path / "new/faults.md")
    assert read_record() == {}
    faults = [
        Classified(module="one", line=n, right="b & c", wrong="b | c", kind=kind, by="by")
        for n, kind in enumerate(CLASSES)
    ]
    family = FamilyRecord(
        chips=["one"], seed=1, networks={"by": "all"}, faults=faults, seconds=60, commit="0123"
    )
    write_record({"dbpim": family})
    assert read_record() == {"dbpim": family}
    text = (tmp_path / "new/faults.md").read_text(encoding="utf-8")
    assert all(f"| {name} | 1 |" in text for name in CLASSES)
    assert "| `one:8` `b & c` | `b \\| c` | open | by |" in text


def test_few_reasons_are_by_hand() -> None:
    entries = yaml.safe_load(BY_HAND.read_text(encoding="utf-8"))
    families = Counter(entry["module"].partition("_")[0] for entry in entries)
    assert max(families.values()) <= MOST_BY_HAND, families


def test_what_is_open_is_classified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is another one by now stays open, and what was classified stays as it is."""
    text = "module one;\n  assign a = b & c;\n  assign d = e | f;\nendmodule\n"
    facts = {"module": "one", "right": "b & c", "wrong": "b | c", "by": ""}
    known = Classified(line=2, kind="open", **facts)
    moved = Classified(line=3, kind="open", **facts)
    caught = Classified(line=2, kind="caught", **{**facts, "by": "digits"})
    record = FamilyRecord(
        chips=["one"],
        seed=1,
        networks={},
        faults=[known, moved, caught],
        seconds=1,
        commit="0123456789",
    )
    chip: Any = SimpleNamespace(chip=SimpleNamespace(modules={"one": text}), facts=None)
    monkeypatch.setattr("tests.faults.run.tried", lambda _: [chip])
    monkeypatch.setattr(
        "tests.faults.run.classes_of",
        lambda faults, *_: {fault: ("part", "the bench of `one`") for fault in faults},
    )
    again = classified_again(record, "dbpim")
    assert [each.kind for each in again.faults] == ["part", "open", "caught"]
    assert again.faults[0].by == "the bench of `one`"
    assert again.commit == record.commit and again.again
