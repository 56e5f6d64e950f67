"""A bench is built once and run many times; failures are reported."""

import os
import re
from pathlib import Path

import pytest

from hwgen.errors import SimulationError
from tests.tiny import Adder
from verif.runner import LIBRARIES, LOG, Waves, build, cases_in, failures, run

BENCH = "tests.bench_tiny"
BIAS = {"BIAS": "1"}


@pytest.mark.promise("a bench is built once for its content and run many times")
def test_build_once() -> None:
    first = build(Adder())
    complete = first.folder / "complete"
    built_at = complete.stat().st_mtime_ns
    assert build(Adder()) == first
    assert complete.stat().st_mtime_ns == built_at


def test_other_content_other_folder(icarus: str) -> None:
    benches = [
        build(Adder(), simulator=icarus),
        build(Adder(), simulator=icarus, harness="// more"),
        build(Adder(), simulator=icarus, extra_sources={"more.v": "module more; endmodule\n"}),
        build(Adder(), simulator=icarus, waves=Waves()),
    ]
    assert len({bench.folder for bench in benches}) == len(benches)


@pytest.mark.promise("both simulators agree on values and cycles")
def test_adder(tmp_path: Path) -> None:
    run(build(Adder()), module=BENCH, folder=tmp_path, settings=BIAS)


def test_adder_under_icarus(icarus: str, tmp_path: Path) -> None:
    run(build(Adder(), simulator=icarus), module=BENCH, folder=tmp_path, settings=BIAS)


@pytest.mark.promise("a failing, an empty and a crashing bench each fail, and say why")
def test_a_failure_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"adder_adds/stall=0\.7: "):
        run(build(Adder()), module=BENCH, folder=tmp_path, settings={"BIAS": "2"})


def test_a_failure_outside_pytest_is_a_failure_too(
    icarus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    with pytest.raises(AssertionError, match=r"adder_adds/stall=0\.7: "):
        bench = build(Adder(), simulator=icarus)
        run(bench, module=BENCH, folder=tmp_path, settings={"BIAS": "2"})


def test_a_bench_without_tests_fails(icarus: str, tmp_path: Path) -> None:
    bench = build(Adder(), simulator=icarus)
    with pytest.raises(AssertionError, match=r"(?s)bench_tiny failed.*no test ran"):
        run(bench, module=BENCH, folder=tmp_path, settings={**BIAS, "COCOTB_TEST_FILTER": "other"})


@pytest.mark.promise("benches of one executable share a simulation, and each is judged alone")
def test_modules_beside_each_other(tmp_path: Path) -> None:
    """The first starts the simulator, the second does not; only the wrong one fails."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    bench, wrong = build(Adder()), "tests.bench_wrong"
    run(bench, module=BENCH, folder=one, settings=BIAS, beside=[BENCH, wrong])
    assert (one / LOG).exists()
    with pytest.raises(AssertionError, match=r"run it alone.*\nnothing_is_right: "):
        run(bench, module=wrong, folder=two, settings=BIAS, beside=[BENCH, wrong])
    assert not (two / LOG).exists()
    with pytest.raises(AssertionError, match=r"nothing_is_right: "):
        run(bench, module=wrong, folder=two, settings=BIAS)


@pytest.mark.dear("icarus")
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_broken_verilog_is_reported(simulator: str, request: pytest.FixtureRequest) -> None:
    if simulator == "icarus":
        request.getfixturevalue("icarus")
    with pytest.raises(SimulationError, match=r"(?s)see .*build\.log:.*syntax error"):
        build(Adder(), simulator=simulator, harness="this is not Verilog;")


@pytest.mark.promise("waves cover the window that was asked for, and nothing else")
def test_waves_of_a_window(tmp_path: Path) -> None:
    waves = Waves(first=10, last=20)
    run(build(Adder(), waves=waves), module=BENCH, folder=tmp_path, settings=BIAS)
    times = re.findall(r"^#(\d+)$", (tmp_path / "waves.vcd").read_text(), re.M)
    # In ps: the rising edge of cycle n is at (10 n - 5) ns.
    assert (int(times[0]), int(times[-1])) == (95_000, 200_000)


def test_waves_under_icarus(icarus: str, tmp_path: Path) -> None:
    waves = Waves(first=10, last=20)
    bench = build(Adder(), simulator=icarus, waves=waves)
    run(bench, module=BENCH, folder=tmp_path, settings=BIAS)
    assert (tmp_path / "waves.fst").stat().st_size > 0


def test_a_failure_without_words_is_named(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    cases = '<testcase name="a"><failure message=""/></testcase><testcase name="b"/>'
    results.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert failures(cases_in(results)) == "a: no message"


def test_an_executable_of_another_clone_finds_cocotb_here() -> None:
    """Clones share executables; the libraries of the one that built it may be gone."""
    first, *_ = LIBRARIES["LD_LIBRARY_PATH"].split(os.pathsep)
    assert list(Path(first).glob("libcocotbvpi_verilator.*"))
